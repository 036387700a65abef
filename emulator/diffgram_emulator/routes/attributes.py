"""Attribute groups and their options (server.md 2.2)."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..auth import EVERYONE, WRITERS
from ..call import Call, endpoint
from ..errors import ServerCrash, bad_request, log
from ..labels import find_schema, label_fields, label_file
from ..limits import GROUP_NEW
from ..store import Project, Store, from_json, insert, to_json, update
from ..times import now_iso, with_blank
from ..validation import Field


def groups_of(store: Store, project: Project, schema_id: int | None = None) -> list[sqlite3.Row]:
    """Return the live groups of a schema, or of the project."""
    query = "SELECT * FROM attribute_group WHERE project_id = ? AND archived = 0"
    if schema_id is None:
        return store.all(query + " ORDER BY id", project.id)
    return store.all(query + " AND schema_id = ? ORDER BY id", project.id, schema_id)


def _option_fields(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "archived": bool(row["archived"]),
        "display_order": None,
        "group_id": row["group_id"],
        "id": row["id"],
        "name": row["name"],
        "parent_id": row["parent_id"],
        "value_type": None,
    }


def group_fields(store: Store, row: sqlite3.Row, with_labels: bool = False) -> dict[str, Any]:
    """Return a group with its options as the API shows it."""
    options = store.all("SELECT * FROM attribute_option WHERE group_id = ? ORDER BY id", row["id"])
    fields = {
        "attribute_template_list": [_option_fields(option) for option in options],
        "default_id": None,
        "default_value": None,
        "global_type": row["global_type"],
        "id": row["id"],
        "is_global": bool(row["is_global"]),
        "is_read_only": False,
        "is_root": True,
        "kind": row["kind"],
        "max_value": row["max_value"],
        "min_value": row["min_value"],
        "name": row["name"],
        "ordinal": 0,
        "prompt": row["prompt"],
        "show_prompt": True,
        "time_updated": with_blank(row["time_updated"]),
    }
    if with_labels:
        found = [label_file(store, one) for one in from_json(row["label_file_ids"])]
        fields["label_file_list"] = [label_fields(one) for one in found if one is not None]
    return fields


@endpoint("POST", "/api/v1/project/{project}/attribute/template/list", EVERYONE)
def template_list(call: Call) -> Any:
    """List groups; ``mode`` must be ``from_project``."""
    values = call.fields(
        Field("mode"),
        Field("schema_id", "int"),
        Field("group_id", "int"),
        Field("group_id_list", "list", empty=True),
        Field("with_labels"),
    )
    if values["mode"] != "from_project":
        raise bad_request({"mode": "Invalid mode"})
    rows = groups_of(call.store, call.project, values["schema_id"])
    if values["group_id"] is not None:
        rows = [row for row in rows if row["id"] == values["group_id"]]
    if values["group_id_list"]:
        rows = [row for row in rows if row["id"] in values["group_id_list"]]
    shown = [group_fields(call.store, row, bool(values["with_labels"])) for row in rows]
    return {"attribute_group_list": shown, "log": log(success=True)}


@endpoint("POST", "/api/v1/project/{project}/attribute/group/new", WRITERS, GROUP_NEW)
def new_group(call: Call) -> Any:
    """Create an empty group, without a kind."""
    values = call.fields(Field("schema_id", "int"))
    schema = find_schema(call.store, call.project, values["schema_id"])
    if schema is None:
        raise bad_request({"schema": "Label Schema not found"})
    with call.store.write() as connection:
        group_id = insert(
            connection,
            "attribute_group",
            project_id=call.project.id,
            schema_id=schema["id"],
            global_type="file",
            time_updated=now_iso(),
        )
    return {"attribute_template_group": _shown(call, group_id), "log": log(success=True)}


def _shown(call: Call, group_id: int) -> dict[str, Any]:
    row = call.store.one(
        "SELECT * FROM attribute_group WHERE id = ? AND project_id = ?", group_id, call.project.id
    )
    if row is None:
        raise ServerCrash("'NoneType' object has no attribute 'project_id'")
    return group_fields(call.store, row)


@endpoint("POST", "/api/v1/project/{project}/attribute/group/update", WRITERS)
def update_group(call: Call) -> Any:
    """Set a group's name, prompt, kind and more (``UPDATE``), or archive it (``ARCHIVE``)."""
    values = call.fields(
        Field("group_id", "int", required=True),
        Field("mode", "str", required=True, choices=("UPDATE", "ARCHIVE")),
        Field("name", "str"),
        Field("prompt", "str"),
        Field("kind", "str"),
        Field("global_type", "str"),
        Field("is_global"),
        Field("min_value"),
        Field("max_value"),
        Field("label_file_list", "list", empty=True),
    )
    _shown(call, values["group_id"])
    changes: dict[str, Any] = {"time_updated": now_iso()}
    if values["mode"] == "ARCHIVE":
        changes["archived"] = 1
    else:
        keys = ("name", "prompt", "kind", "global_type", "is_global", "min_value", "max_value")
        changes |= {key: values[key] for key in keys if values[key] is not None}
        if values["label_file_list"] is not None:
            ids = [one["id"] if isinstance(one, dict) else one for one in values["label_file_list"]]
            changes["label_file_ids"] = to_json(ids)
    with call.store.write() as connection:
        update(connection, "attribute_group", values["group_id"], **changes)
    return {"attribute_template_group": _shown(call, values["group_id"]), "log": log(success=True)}


@endpoint("POST", "/api/v1/project/{project}/attribute", WRITERS)
def change_option(call: Call) -> Any:
    """Create an option of a group (``NEW``), or archive one (``ARCHIVE``)."""
    values = call.fields(
        Field("mode", "str", required=True, choices=("NEW", "ARCHIVE")), Field("attribute", required=True)
    )
    attribute = values["attribute"]
    if not isinstance(attribute, dict):
        raise ServerCrash(f"'{type(attribute).__name__}' object has no attribute 'get'")
    if values["mode"] == "ARCHIVE":
        option_id = attribute.get("id", 0)
        with call.store.write() as connection:
            update(connection, "attribute_option", option_id, archived=1)
    else:
        _shown(call, attribute.get("group_id", 0))
        with call.store.write() as connection:
            option_id = insert(
                connection,
                "attribute_option",
                group_id=attribute["group_id"],
                name=attribute.get("name"),
                parent_id=attribute.get("parent_id"),
            )
    row = call.store.one("SELECT * FROM attribute_option WHERE id = ?", option_id)
    if row is None:
        raise ServerCrash("'NoneType' object has no attribute 'archived'")
    return {"attribute_template": _option_fields(row), "log": log(success=True)}
