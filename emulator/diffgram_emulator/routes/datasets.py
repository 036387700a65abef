"""Datasets, which the API calls directories (server.md 2.3)."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..auth import WRITERS
from ..call import Call, endpoint
from ..errors import Refusal, Reply, bad_request, log
from ..events import note_event
from ..limits import DIRECTORY_NEW
from ..store import Project, Store, insert
from ..times import now_iso
from ..validation import Field, database_id


def directory_fields(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return a dataset as the API shows it, with the jobs it is synchronised to."""
    jobs = store.all(
        "SELECT job_id FROM job_directory WHERE directory_id = ? AND selected = 'sync' ORDER BY 1", row["id"]
    )
    return {
        "created_time": row["created_time"],
        "directory_id": row["id"],
        "has_changes": None,
        "id": row["id"],
        "jobs_to_sync": {"job_ids": [job["job_id"] for job in jobs]},
        "nickname": row["nickname"],
    }


def default_directory(store: Store, project: Project) -> sqlite3.Row:
    """Return the project's first dataset."""
    row = store.one("SELECT * FROM directory WHERE project_id = ? ORDER BY id", project.id)
    assert row is not None
    return row


def datasets_of(store: Store, project: Project) -> list[sqlite3.Row]:
    """Return a project's datasets, the default one first."""
    return store.all("SELECT * FROM directory WHERE project_id = ? ORDER BY id", project.id)


def find_directory(store: Store, project: Project, directory_id: int) -> sqlite3.Row | None:
    """Return a dataset of the project."""
    return store.one("SELECT * FROM directory WHERE id = ? AND project_id = ?", directory_id, project.id)


@endpoint("POST", "/api/v1/project/{project}/directory/list")
def directory_list(call: Call) -> Any:
    """List datasets, newest first; ``nickname`` matches a part of the name."""
    values = call.fields(
        Field("limit", "int", default=100),
        Field("nickname", "str"),
        Field("date_from", "date"),
        Field("date_to", "date"),
    )
    query = "SELECT * FROM directory WHERE project_id = ?"
    arguments: list[Any] = [call.project.id]
    if values["nickname"]:
        query += " AND instr(nickname, ?) > 0"
        arguments.append(values["nickname"])
    for key, comparison in (("date_from", ">="), ("date_to", "<=")):
        if values[key]:
            query += f" AND created_time {comparison} ?"
            arguments.append(values[key])
    rows = call.store.all(query + " ORDER BY id DESC LIMIT ?", *arguments, values["limit"])
    return {"directory_list": [directory_fields(call.store, row) for row in rows], "log": log(success=True)}


@endpoint("GET", "/api/project/{project}/user/{user}/working_dir/view", WRITERS)
def working_dir(call: Call) -> Any:
    """Return a dataset by name or id, else the default one."""
    many = call.query.get("working_dir_ids[]")
    if many:
        found = _required(call, _by_id(call, many))
        return {"success": True, "working_dir": [directory_fields(call.store, found)]}
    name, one = call.query.get("name"), call.query.get("working_dir_id")
    if name:
        row = call.store.one(
            "SELECT * FROM directory WHERE project_id = ? AND nickname = ?", call.project.id, name
        )
    elif one:
        row = _by_id(call, one)
    else:
        row = default_directory(call.store, call.project)
    return {"success": True, "working_dir": directory_fields(call.store, _required(call, row))}


def _by_id(call: Call, text: str) -> sqlite3.Row | None:
    return find_directory(call.store, call.project, database_id(text))


def _required(call: Call, row: sqlite3.Row | None) -> sqlite3.Row:
    """Return the row, or answer plain text (E7)."""
    if row is None:
        raise Refusal(Reply("Dataset not found", 400, "text/html; charset=utf-8", raw=True))
    return row


@endpoint("POST", "/api/v1/project/{project}/directory/new", WRITERS, DIRECTORY_NEW)
def new_directory(call: Call) -> Any:
    """Create a dataset; names are unique per project by this check alone."""
    values = call.fields(Field("nickname", "str", required=True), Field("access_type", "str", required=True))
    with call.store.write() as connection:
        taken = connection.execute(
            "SELECT 1 FROM directory WHERE project_id = ? AND nickname = ?",
            (call.project.id, values["nickname"]),
        ).fetchone()
        if taken:
            raise bad_request({"name": "Existing with same name in project."})
        directory_id = insert(
            connection, "directory", project_id=call.project.id, created_time=now_iso(), **values
        )
        note_event(connection, call.project.id, "new_directory", member_id=call.member_id)
    row = find_directory(call.store, call.project, directory_id)
    assert row is not None
    return {"log": log(success=True), "new_directory": directory_fields(call.store, row)}
