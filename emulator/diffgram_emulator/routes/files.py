"""Single files: reading them, their instances and numbers (server.md 2.6)."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..auth import READERS, WRITERS
from ..call import Call, endpoint
from ..errors import Refusal, Reply, ServerCrash, bad_request, log
from ..files import file_fields, find_file
from ..instance_view import live_instances
from ..store import update
from ..times import now_iso
from ..validation import Field, database_id, is_int


@endpoint("POST", "/api/v1/file/view", None)
def file_view(call: Call) -> Any:
    """Return one file; a removed one too. The project stands in the body."""
    values = call.fields(
        Field("file_id", "int", required=True), Field("project_string_id", "str", required=True)
    )
    call.authenticate(values["project_string_id"], READERS)
    row = _own(call, values["file_id"])
    return {
        "file": file_fields(call.store, row, call.base_url),
        "label_dict": {},
        "log": log(success=True),
    }


def _own(call: Call, file_id: int) -> sqlite3.Row:
    row = find_file(call.store, file_id)
    if row is None or row["project_id"] != call.project.id:
        raise ServerCrash("'NoneType' object has no attribute 'id'")
    return row


@endpoint("POST", "/api/project/{project}/file/{file}/annotation/list", READERS)
def annotation_list(call: Call) -> Any:
    """Return a file with its live instances; for a video there are none (quirk 54)."""
    call.json()
    row = find_file(call.store, database_id(call.params["file"]))
    if row is None or row["project_id"] != call.project.id:
        message = {"message": " File not in valid project directory.", "success": False}
        raise Refusal(Reply(message, 400))
    fields = file_fields(call.store, row, call.base_url)
    fields["instance_list"] = live_instances(call.store, row["id"])
    call.emulator.workers.clock.work(call.emulator.options.read_work)
    return {"file_serialized": fields, "success": True}


@endpoint("PUT", "/api/v1/project/{project}/file/{file}/update-metadata", WRITERS)
def update_metadata(call: Call) -> Any:
    """Set ordinal or rotation, each left alone if not sent."""
    body = call.json()
    row = _own(call, database_id(call.params["file"]))
    ordinal, rotation = body.get("ordinal"), body.get("rotation_degrees")
    if rotation is not None and rotation not in (0, 90, 180, 270):
        raise bad_request({"rotation_degrees": "Must be one of 0, 90, 180, 270"})
    with call.store.write() as connection:
        if ordinal is not None:
            update(connection, "file", row["id"], ordinal=database_id(ordinal), time_last_updated=now_iso())
        if rotation is not None and row["media_id"] is not None:
            update(connection, "media", row["media_id"], rotation_degrees=rotation)
    return {"file": file_fields(call.store, _own(call, row["id"]), call.base_url), "log": log(success=True)}


@endpoint("POST", "/api/v1/project/{project}/file/exists", WRITERS)
def file_exists(call: Call) -> Any:
    """Tell which of some ids and names are missing; removed files still count as existing."""
    values = call.fields(Field("file_id_list", "list", required=True), Field("directory_id", "int"))
    missing = [one for one in values["file_id_list"] if not _exists(call, one, values["directory_id"])]
    return {"result": {"exists": not missing, "missing_files": missing}}


def _exists(call: Call, wanted: Any, directory_id: int | None) -> bool:
    column = "id" if is_int(wanted) else "original_filename"
    query = f"SELECT 1 FROM file WHERE project_id = ? AND {column} = ?"
    arguments: list[Any] = [call.project.id, wanted]
    if directory_id is not None:
        query += " AND directory_id = ?"
        arguments.append(directory_id)
    return call.store.one(query, *arguments) is not None


@endpoint("GET", "/api/v1/project/{project}/file/{file}/file-stats", READERS)
def file_stats(call: Call) -> Any:
    """Count instances per label, and show every attribute value the server understood."""
    row = _own(call, database_id(call.params["file"]))
    labels = call.store.all(
        "SELECT label_file_id, amount FROM label_count WHERE file_id = ? ORDER BY label_file_id", row["id"]
    )
    values = call.store.all(
        "SELECT attribute_value.*, attribute_group.kind FROM attribute_value"
        " JOIN attribute_group ON attribute_group.id = attribute_value.group_id WHERE file_id = ?",
        row["id"],
    )
    if any(value["kind"] == "time" for value in values):
        raise ServerCrash("Object of type time is not JSON serializable")
    stats = [_stat(row["id"], one["label_file_id"], one["amount"]) for one in labels]
    stats += [_stat(row["id"], None, None, value) for value in values]
    return {"file_stats": stats, "log": log(success=True)}


def _stat(file_id: int, label: int | None, amount: int | None, value: Any = None) -> dict[str, Any]:
    kind = value["kind"] if value is not None else None
    return {
        "attribute_template_group_id": value["group_id"] if value is not None else None,
        "attribute_template_id": value["option_id"] if value is not None else None,
        "attribute_value_selected_date": value["value"] if kind == "date" else None,
        "attribute_value_slider": int(value["value"]) if kind == "slider" else None,
        "attribute_value_text": value["value"] if kind == "text" else None,
        "count_instances": amount,
        "file_id": file_id,
        "label_file_id": label,
    }
