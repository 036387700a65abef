"""Controls that make data no API route makes: storage connections, what people do, who may read.

=====================================  ====================================================================
``POST /emulator/connections``         ``{"project", "integration_name"}`` and, as wanted, ``name``,
                                       ``private_id``, ``private_secret`` (null: none), ``endpoint`` (of an
                                       S3 server; else that of the options), ``region``, ``private_host``,
                                       ``archived``: a storage connection, and its id
``POST /emulator/connections/change``  ``{"id"}`` and any of the same keys: changes it
``POST /emulator/tasks``               ``{"project", "status"}`` with ``task_id`` or ``file_id``: what a
                                       person made of tasks, with what follows for files and jobs
``POST /emulator/jobs``                ``{"project", "job_id", "status"}``: sets the status of a job
``POST /emulator/people``              ``{"project"}`` and, as wanted, ``email``, ``first_name`` and
                                       ``last_name``: a person who can log in; tells ``email``,
                                       ``password`` and ``member_id``
``POST /emulator/files``               ``{"project", "file_id", "state"}``: sets the state of a file, such as
                                       ``removed``, which touches neither its input nor its tasks
``POST /emulator/instances``           ``{"project", "file_id", "delete": [id, ...]}``: a person deletes
                                       instances of a file
``POST /emulator/fill``                ``{"project", "dataset_id", "label_file_id", "files", "boxes"}``: makes
                                       so many files with so many boxes each, at once (see
                                       :mod:`.filling`); tells ``first_file_id``
``POST /emulator/public``              ``{"project", "is_public"}``: reads need no credential (server.md 1.2)
=====================================  ====================================================================
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .annotation_list import save_list
from .files import find_file
from .filling import fill
from .instance_view import live_instances
from .jobs import JOB_STATUSES, TASK_STATUSES, find_job, make_tasks, set_task
from .people_rows import ensure_person
from .store import Project, insert, update
from .times import now_iso

if TYPE_CHECKING:
    from .call import Emulator

FILE_STATES = ("added", "changed", "removed")
_CONNECTION_KEYS = (
    "name", "integration_name", "private_id", "private_secret", "private_host", "endpoint", "region",
    "archived",
)  # fmt: skip


def _project(emulator: Emulator, body: dict[str, Any]) -> Project:
    project = emulator.store.project(str(body["project"]))
    if project is None:
        raise ValueError("no such project")
    return project


def _require_signer(values: dict[str, Any]) -> None:
    if values.get("endpoint") and importlib.util.find_spec("botocore") is None:
        raise ValueError("an endpoint needs botocore: pip install 'diffgram-emulator[s3]'")


def _new_connection(emulator: Emulator, body: dict[str, Any]) -> Any:
    values = {
        "name": "storage",
        "private_id": "emulated-key-id",
        "private_secret": "emulated-secret",
        "endpoint": emulator.options.s3_endpoint or None,
        **_connection_values(body),
    }
    _require_signer(values)
    project = _project(emulator, body)
    with emulator.store.write() as connection:
        connection_id = insert(
            connection, "connection", project_id=project.id, time_created=now_iso(), **values
        )
    return {"id": connection_id}


def _change_connection(emulator: Emulator, body: dict[str, Any]) -> Any:
    values = _connection_values(body)
    _require_signer(values)
    with emulator.store.write() as connection:
        update(connection, "connection", int(body["id"]), **values)
    return {"id": int(body["id"])}


def _connection_values(body: dict[str, Any]) -> dict[str, Any]:
    unknown = set(body) - {*_CONNECTION_KEYS, "project", "id"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    values = {key: body[key] for key in _CONNECTION_KEYS if key in body}
    if "archived" in values:
        values["archived"] = int(bool(values["archived"]))
    return values


def _set_tasks(emulator: Emulator, body: dict[str, Any]) -> Any:
    project, store = _project(emulator, body), emulator.store
    if body["status"] not in TASK_STATUSES:
        raise ValueError(f"status must be one of {TASK_STATUSES}")
    make_tasks(store, project, 0.0)
    column, value = ("id", body["task_id"]) if "task_id" in body else ("file_id", body["file_id"])
    rows = store.all(f"SELECT * FROM task WHERE project_id = ? AND {column} = ?", project.id, value)
    with store.write() as connection:
        for row in rows:
            set_task(connection, row, body["status"])
    return {"tasks": [row["id"] for row in rows]}


def _set_job(emulator: Emulator, body: dict[str, Any]) -> Any:
    project, status = _project(emulator, body), body["status"]
    job = find_job(emulator.store, int(body["job_id"]))
    if job is None or job["project_id"] != project.id or status not in JOB_STATUSES:
        raise ValueError(f"no such job, or status not one of {JOB_STATUSES}")
    now = now_iso()
    completed = now if status == "complete" else None
    with emulator.store.write() as connection:
        update(connection, "job", job["id"], status=status, time_updated=now, time_completed=completed)
    return {"id": job["id"]}


def _person(emulator: Emulator, body: dict[str, Any]) -> Any:
    """Make a person, or find the one of that email, and make them a member of the project."""
    person = ensure_person(
        emulator.store,
        _project(emulator, body),
        str(body.get("email") or "person@example.com"),
        body.get("first_name", "Ada"),
        body.get("last_name", "Person"),
    )
    return {"email": person.email, "password": person.password, "member_id": person.member_id}


def _set_file(emulator: Emulator, body: dict[str, Any]) -> Any:
    project, file_id = _project(emulator, body), int(body["file_id"])
    file = find_file(emulator.store, file_id)
    if file is None or file["project_id"] != project.id or body["state"] not in FILE_STATES:
        raise ValueError(f"no such file, or state not one of {FILE_STATES}")
    with emulator.store.write() as connection:
        update(connection, "file", file_id, state=body["state"], time_last_updated=now_iso())
    return {"id": file_id}


def _delete_instances(emulator: Emulator, body: dict[str, Any]) -> Any:
    """Delete as a person's page does: each deletion leaves a row of its own, which is counted."""
    project, file_id = _project(emulator, body), int(body["file_id"])
    file = find_file(emulator.store, file_id)
    if file is None or file["project_id"] != project.id:
        raise ValueError("no such file")
    named = {int(one) for one in body["delete"]}
    page = [{**row, "soft_delete": row["id"] in named} for row in live_instances(emulator.store, file_id)]
    member_id = _person(emulator, {"project": project.string_id})["member_id"]
    saved = save_list(emulator.store, project, file_id, page, member_id)
    return {"deleted": len(saved.deleted)}


def _fill(emulator: Emulator, body: dict[str, Any]) -> Any:
    project, store = _project(emulator, body), emulator.store
    dataset_id, label_file_id = int(body["dataset_id"]), int(body["label_file_id"])
    dataset = store.one("SELECT project_id FROM directory WHERE id = ?", dataset_id)
    label = find_file(store, label_file_id)
    if dataset is None or dataset["project_id"] != project.id:
        raise ValueError(f"no dataset {dataset_id} in the project")
    if label is None or label["project_id"] != project.id or label["type"] != "label":
        raise ValueError(f"no label {label_file_id} in the project")
    first = fill(store, project, dataset_id, label_file_id, int(body["files"]), int(body.get("boxes", 0)))
    return {"first_file_id": first}


def _set_public(emulator: Emulator, body: dict[str, Any]) -> Any:
    project = _project(emulator, body)
    is_public = bool(body.get("is_public", True))
    with emulator.store.write() as connection:
        update(connection, "project", project.id, is_public=int(is_public))
    return {"is_public": is_public}


ACTIONS: dict[tuple[str, str], Callable[[Emulator, dict[str, Any]], Any]] = {
    ("POST", "/emulator/connections"): _new_connection,
    ("POST", "/emulator/connections/change"): _change_connection,
    ("POST", "/emulator/tasks"): _set_tasks,
    ("POST", "/emulator/jobs"): _set_job,
    ("POST", "/emulator/people"): _person,
    ("POST", "/emulator/files"): _set_file,
    ("POST", "/emulator/instances"): _delete_instances,
    ("POST", "/emulator/fill"): _fill,
    ("POST", "/emulator/public"): _set_public,
}
