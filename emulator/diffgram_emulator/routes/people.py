"""What people do in the web page: log in, open a task, save, complete, review (server.md 10.3).

A Basic credential is refused on all of it.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from typing import Any

from ..auth import SESSION, human_only, person_of
from ..call import Call, endpoint
from ..errors import Reply, ServerCrash, bad_request, log
from ..files import find_file
from ..jobs import find_task, is_reviewed, opened_task_fields, set_task
from ..limits import TASK
from ..store import Project
from ..validation import Field, database_id
from .annotations import saved_list

_NOBODY = "Please login [No user_id]."


@endpoint("POST", "/api/user/login", None)
def login(call: Call) -> Any:
    """Log a person in: the answer sets a cookie, which is for https alone as browsers see it."""
    values = call.fields(
        Field("mode", "str", required=True),
        Field("email", "str", required=True),
        Field("password", "str", required=True),
    )
    person = call.store.one("SELECT * FROM person WHERE email = ?", values["email"])
    if person is None or not hmac.compare_digest(
        person["password"].encode(), values["password"].encode("utf-8", "surrogatepass")
    ):
        raise bad_request({"login": "Invalid email or password."})
    token = secrets.token_urlsafe(24)
    with call.store.write() as connection:
        connection.execute("INSERT INTO login VALUES (?, ?)", (token, person["id"]))
    shown = {key: person[key] for key in ("id", "email", "first_name", "last_name")}
    return Reply(
        {"log": log(success=True), "user": shown},
        headers={"Set-Cookie": f"{SESSION}={token}; Secure; HttpOnly; Path=/; SameSite=Lax"},
    )


def _task(call: Call, task_id: Any) -> sqlite3.Row:
    """Return a task of a project that the person logged in belongs to.

    :raises Refusal: 401 for anybody else.
    """
    if person_of(call.store, call.headers) is None:
        raise human_only(_NOBODY)
    task = find_task(call.store, database_id(task_id))
    if task is None:
        raise ServerCrash("'NoneType' object has no attribute 'project'")
    owner = call.store.one("SELECT * FROM project WHERE id = ?", task["project_id"])
    assert owner is not None
    call.project = Project(owner["id"], owner["string_id"])
    if call.person_member_id is None:
        raise human_only("No access to the project.")
    return task


def _shown(call: Call, task_id: int) -> dict[str, Any]:
    task = find_task(call.store, task_id)
    assert task is not None
    shown = opened_task_fields(call.store, call.project, task, call.base_url)
    return {"log": log(success=True), "task": shown}


@endpoint("POST", "/api/v1/task", None, TASK)
def open_task(call: Call) -> Any:
    """Show a task, which changes nothing. The body is looked at before the credential (server.md 10.1)."""
    values = call.fields(
        Field("task_id", "int", required=True), Field("builder_or_trainer_mode", "str", required=True)
    )
    return _shown(call, _task(call, values["task_id"])["id"])


@endpoint("POST", "/api/v1/task/{task}/annotation/update", None)
def save_through_task(call: Call) -> Any:
    """Make a page's list that of the task's file; neither an event nor the task's status tells of it."""
    task = _task(call, call.params["task"])
    file = find_file(call.store, task["file_id"])
    assert file is not None
    return saved_list(call, file, has_event=False)


@endpoint("POST", "/api/v1/task/{task}/complete", None)
def complete(call: Call) -> Any:
    """Complete a task, or send it to review, by chance if the job says so."""
    task = _task(call, call.params["task"])
    call.json()
    status = "in_review" if task["status"] != "in_review" and is_reviewed(call.store, task) else "complete"
    with call.store.write() as connection:
        set_task(connection, task, status, call.person_member_id)
    return _shown(call, task["id"])


@endpoint("POST", "/api/v1/task/{task}/review", None)
def review(call: Call) -> Any:
    """Approve a task, or ask for changes."""
    task = _task(call, call.params["task"])
    values = call.fields(
        Field("action", "str", required=True, choices=("approve", "request_change")), Field("comment", "str")
    )
    status = "complete" if values["action"] == "approve" else "requires_changes"
    with call.store.write() as connection:
        set_task(connection, task, status, call.person_member_id, comment=values["comment"])
    return _shown(call, task["id"])


@endpoint("POST", "/api/v1/task/update", None, TASK)
def update_task(call: Call) -> Any:
    """Defer a task, open a complete one again, or archive it."""
    if person_of(call.store, call.headers) is None:
        raise human_only(_NOBODY)
    values = call.fields(Field("task_id", "int", required=True), Field("mode", "str"), Field("status", "str"))
    task = _task(call, values["task_id"])
    status = {
        "toggle_deferred": "in_progress" if task["status"] == "deferred" else "deferred",
        "incomplete": "in_progress",
    }.get(values["mode"] or "", values["status"])
    if status is None:
        raise bad_request({"mode": "Provide mode or status"})
    with call.store.write() as connection:
        set_task(connection, task, status, call.person_member_id)
    return {"log": log(success=True)}
