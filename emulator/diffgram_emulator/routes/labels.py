"""Labels and label schemas (server.md 2.1)."""

from __future__ import annotations

from typing import Any

from ..auth import READERS, WRITERS
from ..call import Call, endpoint
from ..errors import bad_request, bad_request_flat, log
from ..labels import find_schema, label_fields, label_rows, new_label, schema_fields
from ..store import from_json, insert
from ..times import now_iso
from ..validation import Field, database_id
from .attributes import group_fields, groups_of


def _schema_id(call: Call) -> int | None:
    text = call.query.get("schema_id")
    return database_id(text) if text else None


@endpoint("GET", "/api/v1/project/{project}/labels/view/name_to_file_id", READERS)
def name_to_file_id(call: Call) -> Any:
    """Names of a schema's labels; of two labels of one name the newer is told."""
    schema = find_schema(call.store, call.project, _schema_id(call))
    if schema is None:
        raise bad_request_flat({"schema": "Label Schema not found"})
    rows = label_rows(call.store, call.project, schema["id"])
    return {"log": log(success=True), "name_to_file_id": {row["label_name"]: row["id"] for row in rows}}


@endpoint("GET", "/api/project/{project}/labels", READERS)
def labels(call: Call) -> Any:
    """Label Files of a schema; the colours are those of the whole project."""
    schema = find_schema(call.store, call.project, _schema_id(call))
    if schema is None:
        raise bad_request_flat({"project": "Label Schema not found"})
    groups = [group_fields(call.store, row) for row in groups_of(call.store, call.project, schema["id"])]
    of_files = [group for group in groups if group["is_global"] and group["global_type"] == "file"]
    of_compounds = [group for group in groups if group["global_type"] == "compound_file"]
    return {
        "attribute_groups": groups,
        "global_attribute_groups_list": of_files,
        "global_attribute_groups_list_compound": of_compounds,
        "label_file_colour_map": {
            str(row["id"]): from_json(row["colour"]) for row in label_rows(call.store, call.project)
        },
        "labels_out": [label_fields(row) for row in label_rows(call.store, call.project, schema["id"])],
        "log": log(info={"schema": schema_fields(schema)}),
    }


@endpoint("GET", "/api/v1/project/{project}/labels-schema", READERS)
def schemas(call: Call) -> Any:
    """All schemas, as a bare list (quirk 41)."""
    rows = call.store.all("SELECT * FROM label_schema WHERE project_id = ? ORDER BY id", call.project.id)
    return [schema_fields(row) for row in rows]


@endpoint("POST", "/api/v1/project/{project}/labels-schema/new", WRITERS)
def new_schema(call: Call) -> Any:
    """Create a schema."""
    values = call.fields(Field("name", "str", required=True))
    with call.store.write() as connection:
        schema_id = insert(
            connection,
            "label_schema",
            project_id=call.project.id,
            name=values["name"],
            is_default=0,
            time_created=now_iso(),
        )
    schema = find_schema(call.store, call.project, schema_id)
    assert schema is not None
    return schema_fields(schema)


@endpoint("POST", "/api/v1/project/{project}/label/new", WRITERS)
def create_label(call: Call) -> Any:
    """Create a label File; names are not unique."""
    values = call.fields(Field("name", "str", required=True), Field("colour"), Field("schema_id", "int"))
    schema = find_schema(call.store, call.project, values["schema_id"])
    if schema is None:
        raise bad_request({"schema": "Label Schema not found"})
    row = new_label(call.store, call.project, values["name"], values["colour"], schema["id"])
    return {"label": label_fields(row), "log": log(success=True)}
