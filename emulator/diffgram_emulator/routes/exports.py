"""Exports (server.md 2.16)."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any

from ..auth import WRITERS
from ..call import Call, endpoint
from ..errors import Refusal, Reply, ServerCrash, bad_request, bad_request_flat
from ..exports import SUFFIXES, document, document_url, export_fields, find_export, generate
from ..jobs import find_job, find_task, task_fields
from ..labels import label_rows
from ..limits import EXPORT_NEW
from ..store import from_json, insert, update
from ..times import now_iso
from ..validation import Field, database_id
from .attributes import group_fields, groups_of
from .datasets import default_directory, directory_fields, find_directory

KINDS = ("Annotations", "TF Records")
SOURCES = ("directory", "job", "task")
PROXY_SECONDS = 120.0
"""After which a proxy cuts off a request that waits (server.md 2.16)."""


@endpoint("POST", "/api/walrus/project/{project}/export/to_file", WRITERS, EXPORT_NEW)
def to_file(call: Call) -> Any:
    """Start an export."""
    values = call.fields(
        Field("kind", "str", required=True),
        Field("source", "str", required=True, choices=SOURCES),
        Field("file_comparison_mode", "str", required=True),
        Field("masks", "bool", required=True),
        Field("directory_id", "int"),
        Field("job_id", "int"),
        Field("task_id", "int"),
        Field("ann_is_complete", "bool"),
        Field("wait_for_export_generation", "bool", default=False),
        Field("return_type", "str", default="url"),
    )
    if values["kind"] not in KINDS:
        raise bad_request({"kind": f"Must be one of {list(KINDS)}"})
    source = _source(call, values)
    complete = values["ann_is_complete"]
    with call.store.write() as connection:
        export_id = insert(
            connection,
            "export",
            project_id=call.project.id,
            created_time=now_iso(),
            kind=values["kind"],
            source=values["source"],
            file_comparison_mode=values["file_comparison_mode"],
            masks=int(bool(values["masks"])),
            ann_is_complete=None if complete is None else int(bool(complete)),
            **source,
        )
    answer = {"export": _shown(call, _own(call, export_id)), "success": True}
    if call.emulator.options.export_hangs:
        if values["wait_for_export_generation"]:
            call.emulator.workers.clock.pause(PROXY_SECONDS)
            raise ServerCrash("")
        return answer
    maker = threading.Thread(target=generate, args=_work(call, export_id), daemon=True)
    maker.start()
    if not values["wait_for_export_generation"]:
        return answer
    maker.join()
    row = _own(call, export_id)
    if row["status"] != "complete":
        raise ServerCrash(row["status_text"] or "")
    return document(call.store, row) if values["return_type"] == "data" else _url(call, row, "JSON")


def _source(call: Call, values: dict[str, Any]) -> dict[str, int]:
    """Return the column that names what is exported."""
    kind = values["source"]
    key = f"{kind}_id"
    if kind == "directory" and values[key] is None:
        return {key: default_directory(call.store, call.project)["id"]}
    found: sqlite3.Row | None = None
    if values[key] is not None:
        wanted = database_id(values[key])
        if kind == "directory":
            found = find_directory(call.store, call.project, wanted)
        else:
            found = (find_job if kind == "job" else find_task)(call.store, wanted)
    if found is None or found["project_id"] != call.project.id:
        raise bad_request({key: f"{kind} {values[key]} does not belong to the project."})
    return {key: found["id"]}


def _work(call: Call, export_id: int) -> tuple[Any, ...]:
    """Return the arguments of :func:`..exports.generate`."""
    labels = label_rows(call.store, call.project)
    head = {
        "attribute_groups_reference": [
            group_fields(call.store, row) for row in groups_of(call.store, call.project)
        ],
        "export_info": _shown(call, _own(call, export_id)),
        "label_colour_map": {str(row["id"]): from_json(row["colour"]) for row in labels},
        "label_map": {str(row["id"]): row["label_name"] for row in labels},
    }
    emulator = call.emulator
    seconds = emulator.options.export_seconds
    return call.store, emulator.workers.clock, seconds, export_id, head, call.base_url


def _own(call: Call, export_id: int) -> sqlite3.Row:
    """Return an export of the project: 500 for an unknown one, plain text for another project's."""
    row = find_export(call.store, database_id(export_id))
    if row is None:
        raise ServerCrash("'NoneType' object has no attribute 'project_id'")
    if row["project_id"] != call.project.id:
        raise Refusal(Reply("Export is not in this project", 400, "text/html; charset=utf-8", raw=True))
    return row


def _shown(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    directory = call.store.one("SELECT * FROM directory WHERE id = ?", row["directory_id"])
    job = None if row["job_id"] is None else find_job(call.store, row["job_id"])
    task = None if row["task_id"] is None else find_task(call.store, row["task_id"])
    return export_fields(
        row,
        None if directory is None else directory_fields(call.store, directory),
        None if job is None else {"id": job["id"], "name": job["name"]},
        None if task is None else task_fields(call.store, task, call.base_url),
    )


@endpoint("GET", "/api/walrus/project/{project}/export/{export}/status", WRITERS)
def status(call: Call) -> Any:
    """Tell how far an export is; its end is called ``complete``."""
    row = _own(call, database_id(call.params["export"]))
    return {"export": _shown(call, row), "success": True}


@endpoint("POST", "/api/walrus/project/{project}/export/link")
def link(call: Call) -> Any:
    """Return a signed URL as a bare text (quirk 41)."""
    values = call.fields(
        Field("id", "int", required=True),
        Field("format", "str", default="JSON", choices=tuple(SUFFIXES)),
        Field("return_type", "str", default="url", choices=("url", "data")),
    )
    row = _own(call, values["id"])
    if row["status"] != "complete":
        raise bad_request_flat({"export": f"Export is not complete, its status is {row['status']}."})
    if values["return_type"] == "data":
        raise ServerCrash("An error occurred (NoSuchKey): The specified key does not exist.")
    return _url(call, row, values["format"])


def _url(call: Call, row: sqlite3.Row, form: str) -> str:
    return document_url(call.store, row, call.base_url, form)


@endpoint("GET", "/api/walrus/project/{project}/export/working_dir/list")
def listed(call: Call) -> Any:
    """List exports of all sources, newest first."""
    rows = call.store.all(
        "SELECT * FROM export WHERE project_id = ? AND archived = 0 ORDER BY id DESC", call.project.id
    )
    return {"export_list": [_shown(call, row) for row in rows], "success": True}


@endpoint("POST", "/api/walrus/project/{project}/export/update", WRITERS)
def change(call: Call) -> Any:
    """Hide an export."""
    values = call.fields(
        Field("id", "int", required=True), Field("mode", "str", required=True, choices=("ARCHIVE",))
    )
    row = _own(call, values["id"])
    with call.store.write() as connection:
        update(connection, "export", row["id"], archived=1)
    return {"success": True}
