"""Lists of tasks (server.md 2.17)."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..call import Call, endpoint
from ..errors import DatabaseRefused, bad_request, log
from ..jobs import find_job, make_tasks, task_fields, task_state
from ..validation import Field, database_id
from .jobs import job_of

_FIELDS = (
    Field("mode_data", "str", required=True),
    Field("job_id", "int"),
    Field("status"),
    Field("limit_count", "int", default=10),
    Field("page_number", "int", default=0),
    Field("date_from", "date"),
    Field("date_to", "date"),
    Field("file_id", "int"),
    Field("incoming_directory_id", "int"),
    Field("issues_filter"),
)


@endpoint("POST", "/api/v1/job/{job}/task/list", None)
def tasks_of_job(call: Call) -> Any:
    """List tasks; the job in the path is for the permission, that in the body restricts (server.md 2.17)."""
    job = job_of(call, database_id(call.params["job"]))
    return _answer(call, call.fields(*_FIELDS), job)


@endpoint("POST", "/api/v1/project/{project}/task/list")
def tasks_of_project(call: Call) -> Any:
    """List the tasks of a file or of a job."""
    values = call.fields(*_FIELDS)
    if values["file_id"] is None and values["job_id"] is None:
        raise bad_request({"file_id": "Provide file_id or job_id", "job_id": "Provide file_id or job_id"})
    return _answer(call, values, None)


def _answer(call: Call, values: dict[str, Any], job: sqlite3.Row | None) -> Any:
    make_tasks(call.store, call.project, call.emulator.options.task_seconds)
    condition, arguments = _condition(call, values)
    limit = values["limit_count"]
    if limit < 0:
        raise DatabaseRefused("LIMIT must not be negative")
    rows = call.store.all(
        f"SELECT * FROM task WHERE {condition} ORDER BY id LIMIT ? OFFSET ?",
        *arguments,
        limit or -1,
        max(0, values["page_number"] * limit),
    )
    named = values["job_id"] is not None
    job = find_job(call.store, database_id(values["job_id"])) if named else job
    answer = {
        "allow_reviews": bool(job["allow_reviews"]) if job is not None else False,
        "log": log(success=named),
        "pending_initial_dir_sync": False,
        "task_list": [_listed(call, row, values["mode_data"]) for row in rows],
    }
    if not named:
        counted = call.store.one(f"SELECT count(*) AS amount FROM task WHERE {condition}", *arguments)
        answer["total_count"] = counted["amount"] if counted else 0
    return answer


def _listed(call: Call, row: sqlite3.Row, mode: str) -> dict[str, Any]:
    return task_state(row) if mode == "exam_results" else task_fields(call.store, row, call.base_url)


def _condition(call: Call, values: dict[str, Any]) -> tuple[str, list[Any]]:
    condition, arguments = "project_id = ?", [call.project.id]
    for key in ("job_id", "file_id", "incoming_directory_id"):
        if values[key] is not None:
            condition += f" AND {key} = ?"
            arguments.append(database_id(values[key]))
    condition += " AND status != 'archived'"
    if isinstance(values["status"], list):
        raise DatabaseRefused("operator does not exist: character varying = text[]")
    if values["status"] not in (None, "all"):
        condition += " AND status = ?"
        arguments.append(values["status"])
    for key, comparison in (("date_from", ">="), ("date_to", "<=")):
        if values[key]:
            condition += f" AND time_updated {comparison} ?"
            arguments.append(values[key])
    return condition, arguments
