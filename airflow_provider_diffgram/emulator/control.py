"""Out-of-band control under ``/emulator``, for tests and demos; the real server has nothing like it.

================================  =========================================================================
``GET /emulator/state``           ingest threads left, rows waiting, faults pending
``POST /emulator/faults``         a fault (see :class:`.faults.Fault`), as JSON; ``DELETE`` forgets them all
``POST /emulator/projects``       ``{"name", "labels", "datasets"}``: a project with credentials of its own
``POST /emulator/connections``    ``{"project", "integration_name", "name"}``: a storage connection
``POST /emulator/queue``          ``{"paused"}``: whether rows wait, as on a server under load
``POST /emulator/reset``          forget faults and rate-limit windows, replace dead threads, resume the queue
================================  =========================================================================

Only callers on the loopback address are answered.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from .call import Emulator
from .errors import Reply
from .faults import Fault
from .labels import find_schema, new_label
from .store import insert
from .times import now_iso


def answer(emulator: Emulator, method: str, path: str, body: bytes, host: str) -> Reply:
    """Answer a control request."""
    if not _is_loopback(host):
        return Reply({"error": "loopback only"}, 403)
    action = _ACTIONS.get((method, path))
    if action is None:
        return Reply({"error": "no such control"}, 404)
    try:
        return Reply(action(emulator, json.loads(body or b"{}")))
    except (KeyError, TypeError, ValueError) as error:
        return Reply({"error": f"{type(error).__name__}: {error}"}, 400)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _state(emulator: Emulator, body: dict[str, Any]) -> Any:
    row = emulator.store.one("SELECT count(*) AS amount FROM input WHERE processing_deferred = 1")
    return {
        "ingest_threads": emulator.workers.alive,
        "waiting": row["amount"] if row else 0,
        "faults": emulator.faults.pending(),
    }


def _add_fault(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.faults.add(Fault(**body))
    return {"faults": emulator.faults.pending()}


def _clear_faults(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.faults.clear()
    return {"faults": 0}


def _new_project(emulator: Emulator, body: dict[str, Any]) -> Any:
    """Make a project, if it is not there, and add the labels and datasets named."""
    store = emulator.store
    project = store.ensure_project(str(body["name"]))
    schema = find_schema(store, project, None)
    assert schema is not None
    labels = {
        str(name): new_label(store, project, str(name), None, schema["id"])["id"]
        for name in body.get("labels") or []
    }
    with store.write() as connection:
        datasets = {
            str(name): insert(
                connection,
                "directory",
                project_id=project.id,
                nickname=str(name),
                access_type="project",
                created_time=now_iso(),
            )
            for name in body.get("datasets") or []
        }
    return {**credentials(emulator, project.string_id), "labels": labels, "datasets": datasets}


def _set_queue(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.workers.pause(bool(body["paused"]))
    return _state(emulator, body)


def credentials(emulator: Emulator, string_id: str) -> dict[str, Any]:
    """Return a project's name and credentials, as the ready file holds them."""
    project = emulator.store.ensure_project(string_id)
    return {
        "project": string_id,
        "credentials": {
            role: {"client_id": one.client_id, "client_secret": one.client_secret}
            for role, one in emulator.store.credentials(project).items()
        },
    }


def _new_connection(emulator: Emulator, body: dict[str, Any]) -> Any:
    project = emulator.store.project(str(body["project"]))
    if project is None:
        raise ValueError("no such project")
    with emulator.store.write() as connection:
        connection_id = insert(
            connection,
            "connection",
            project_id=project.id,
            name=body.get("name", "storage"),
            integration_name=body["integration_name"],
            private_id=body.get("private_id", "emulated-key-id"),
            private_host=body.get("private_host"),
            archived=int(bool(body.get("archived"))),
            time_created=now_iso(),
        )
    return {"id": connection_id}


def _reset(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.faults.clear()
    emulator.limiter.reset()
    emulator.workers.revive()
    emulator.workers.pause(False)
    return _state(emulator, body)


_ACTIONS: dict[tuple[str, str], Callable[[Emulator, dict[str, Any]], Any]] = {
    ("GET", "/emulator/state"): _state,
    ("POST", "/emulator/faults"): _add_fault,
    ("DELETE", "/emulator/faults"): _clear_faults,
    ("POST", "/emulator/projects"): _new_project,
    ("POST", "/emulator/connections"): _new_connection,
    ("POST", "/emulator/queue"): _set_queue,
    ("POST", "/emulator/reset"): _reset,
}
