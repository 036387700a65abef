"""Looking at Input rows and changing them (server.md 2.11 to 2.14)."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..auth import WRITERS
from ..call import Call, endpoint
from ..errors import DatabaseRefused, ServerCrash, bad_request, log
from ..files import remove_file
from ..inputs import find_input, input_fields, save_input, set_input
from ..jobs import archive_tasks
from ..limits import INPUT_UPDATE
from ..times import now_iso
from ..validation import Field, database_id

STATUS_FILTERS = {
    "All": "",
    "Success": " AND status = 'success'",
    "Failed": " AND status = 'failed'",
    "Processing": " AND status NOT IN ('success', 'failed')",
    "Base_Object_Created": " AND status = 'base_object_created'",
    "Init": " AND status = 'init'",
}
MOST_ROWS = 1000
_NO_INSTANCES = """'{}', '{"list": []}', '{"list": {"list": []}}'"""
FEW_ROWS = 20
_INTERRUPTED = "Appears Upload was interrupted. Please try again."


@endpoint("POST", "/api/walrus/v1/project/{project}/input/view/list")
def view_list(call: Call) -> Any:
    """List rows, newest first, at most 1000; children only for a given parent (quirks 12 to 14)."""
    values = call.fields(
        Field("limit", "int", default=10),
        Field("batch_id", "int"),
        Field("parent_file_id", "int"),
        Field("file_id", "int"),
        Field("status_filter", "str", choices=tuple(STATUS_FILTERS)),
        Field("media_type", "str"),
        Field("date_from", "date"),
        Field("date_to", "date"),
        Field("show_archived", default=False),
        Field("show_deferred", default=True),
        Field("has_attached_instances"),
        Field("task_id", "int"),
        Field("workflow_trigger_id", "int"),
        Field("action_trigger_id", "int"),
    )
    condition, arguments = _condition(call, values)
    query = f"SELECT * FROM input WHERE {condition} ORDER BY id DESC LIMIT ?"
    rows = call.store.all(query, *arguments, _limit(values["limit"]))
    if len(rows) < FEW_ROWS and _end_interrupted(call, rows):
        rows = call.store.all(query, *arguments, _limit(values["limit"]))
    return {"input_list": [input_fields(call.store, row) for row in rows], "success": True}


def _end_interrupted(call: Call, rows: list[sqlite3.Row]) -> bool:
    """Fail the uploads that have waited too long for their next chunk; tell whether there were any."""
    oldest = datetime.now(UTC) - timedelta(minutes=call.emulator.options.upload_minutes)
    moment = oldest.replace(tzinfo=None).isoformat(timespec="microseconds")
    found = [
        row
        for row in rows
        if row["status"] == "init"
        and row["local_path"] is not None
        and not row["processing_deferred"]
        and row["created_time"] <= moment
    ]
    for row in found:
        save_input(call.store, row["id"], status="failed", status_text=_INTERRUPTED)
    return bool(found)


def _limit(limit: int) -> int:
    if limit == -1:
        return MOST_ROWS
    if limit < 0:
        raise DatabaseRefused("LIMIT must not be negative")
    if limit > MOST_ROWS:
        raise bad_request({"limit": f"Limit must be at most {MOST_ROWS}"})
    return limit


def _condition(call: Call, values: dict[str, Any]) -> tuple[str, list[Any]]:
    condition = "project_id = ?"
    arguments: list[Any] = [call.project.id]
    for key in ("batch_id", "file_id", "media_type"):
        if values[key] is not None:
            condition += f" AND {key} = ?"
            arguments.append(values[key])
    if values["parent_file_id"] is None:
        condition += " AND parent_file_id IS NULL"
    else:
        condition += " AND parent_file_id = ?"
        arguments.append(values["parent_file_id"])
    if values["date_from"]:
        condition += " AND created_time >= ?"
        arguments.append(date.fromisoformat(values["date_from"]).isoformat())
    if values["date_to"]:
        condition += " AND created_time <= ?"
        arguments.append(date.fromisoformat(values["date_to"]).isoformat() + "T00:00:00")
    if not values["show_archived"]:
        condition += " AND archived = 0"
    if not values["show_deferred"]:
        condition += " AND processing_deferred = 0"
    if values["has_attached_instances"]:
        condition += f" AND instance_list IS NOT NULL AND instance_list NOT IN ({_NO_INSTANCES})"
    for key in ("task_id", "workflow_trigger_id", "action_trigger_id"):
        if values[key] is not None:
            condition += " AND 0"
    return condition + STATUS_FILTERS[values["status_filter"] or "All"], arguments


@endpoint("POST", "/api/walrus/v1/project/{project}/input/view/{input}")
def view(call: Call) -> Any:
    """Return one row, with its frame_packet_map."""
    row = find_input(call.store, database_id(call.params["input"]))
    if row is None:
        raise ServerCrash("'NoneType' object has no attribute 'project_id'")
    if row["project_id"] != call.project.id:
        raise bad_request({"project_id": "Input and project ID mismatch"})
    return {"input": input_fields(call.store, row, with_frames=True), "success": True}


@endpoint("POST", "/api/walrus/v1/project/{project}/input/compound/status")
def compound_status(call: Call) -> Any:
    """Return a verdict that cannot be believed (quirk 15).

    The child row changed last decides alone; once ``success`` it stays so; failure has no word; and the
    project is not looked at.
    """
    values = call.fields(Field("parent_file_id", "int", required=True))
    parent = call.store.one(
        "SELECT * FROM input WHERE file_id = ? AND source = 'from_compound'", values["parent_file_id"]
    )
    if parent is None:
        raise ServerCrash("'bool' object has no attribute 'status'")
    last = call.store.one(
        "SELECT status FROM input WHERE parent_file_id = ? ORDER BY touched DESC LIMIT 1",
        values["parent_file_id"],
    )
    if parent["status"] != "success" and last is not None and last["status"] == "success":
        save_input(call.store, parent["id"], status="success")
        return {"status": "success"}
    return {"status": parent["status"]}


@endpoint("POST", "/api/walrus/v1/project/{project}/input/update", WRITERS, INPUT_UPDATE)
def update_inputs(call: Call) -> Any:
    """Retry rows or archive them (server.md 2.14)."""
    values = call.fields(
        Field("id_list", "list", required=True), Field("mode", "str", choices=("RETRY", "ARCHIVE"))
    )
    mode = values["mode"]
    if mode is None:
        return {"log": log()}
    found = [find_input(call.store, database_id(one)) for one in values["id_list"]]
    rows = [row for row in found if row is not None and row["project_id"] == call.project.id]
    if not rows:
        raise bad_request({"id_list": "None found."})
    with call.store.write() as connection:
        for row in rows:
            (_retry if mode == "RETRY" else _archive)(connection, row)
    return {"log": log(success=mode == "ARCHIVE")}


def _retry(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Queue a row again; unless it is an update its file is removed, and its name free."""
    values: dict[str, Any] = {}
    if row["mode"] != "update" and row["file_id"] is not None:
        remove_file(connection, row["file_id"])
        if row["file_id"] != row["sent_file_id"]:
            values["file_id"] = None
    entries = json.loads(row["retry_log"] or "{}")
    entries[now_iso()] = {"error": {}, "info": {}, "success": False}
    set_input(
        connection,
        row["id"],
        status="retrying",
        status_text="",
        update_log="{}",
        retry_count=row["retry_count"] + 1,
        retry_log=json.dumps(entries),
        processing_deferred=1,
        **values,
    )


def _archive(connection: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Hide a row; its file is removed, with the children if it is a compound."""
    set_input(connection, row["id"], archived=1)
    if row["file_id"] is not None:
        remove_file(connection, row["file_id"])
        archive_tasks(connection, row["file_id"])
