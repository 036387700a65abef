"""Out-of-band control under ``/emulator``, for tests and demos; the real server has nothing like it.

================================  =========================================================================
``GET /emulator/state``           ingest threads left, rows waiting, faults pending, options in force
``GET /emulator/requests``        how many requests came, by method, path of the endpoint and status; with
                                  ``?since=N`` also the latest ones after number N (see :mod:`.counters`)
``POST /emulator/faults``         a fault of requests (see :mod:`.faults`), as JSON; ``DELETE`` forgets all
``POST /emulator/release``        requests that are held go on
``POST /emulator/rows``           a fault of rows of the queue (see :mod:`.faults`); ``DELETE`` forgets all
``POST /emulator/options``        options to change (see :data:`.options.TUNABLE`), such as ``{"cycle": 1}``
                                  or ``{"rate_limit": false}``
``POST /emulator/queue``          ``{"paused"}``: whether rows wait, as on a server under load
``POST /emulator/locks``          ``{"file_id", "locked"}``: whether somebody holds the row of a file, so that
                                  saving its instances is refused (server.md 10.8.3)
``POST /emulator/workers``        ``{"kill_process": N}``: a worker process dies with the rows it holds;
                                  ``{"kill_thread": N}``: one of its ingest threads dies;
                                  ``{"revive": true}``: all are replaced, as by a restart
``POST /emulator/projects``       ``{"name", "labels", "datasets"}``: a project with credentials of its own
``POST /emulator/reset``          faults, counters and rate-limit windows forgotten, options as at the start,
                                  dead threads and processes replaced, the queue running
================================  =========================================================================

Those that make data, such as storage connections, are in :mod:`.control_data`. Only callers on the loopback
address are answered.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from . import control_data
from .call import Emulator
from .errors import Reply
from .faults import Fault, RowFault
from .labels import find_schema, new_label
from .options import TUNABLE
from .store import Project, Store, insert
from .times import now_iso


def answer(emulator: Emulator, method: str, path: str, body: bytes, host: str, query: str = "") -> Reply:
    """Answer a control request."""
    if not _is_loopback(host):
        return Reply({"error": "loopback only"}, 403)
    action = _ACTIONS.get((method, path))
    if action is None:
        return Reply({"error": "no such control"}, 404)
    try:
        return Reply(action(emulator, {**dict(parse_qsl(query)), **json.loads(body or b"{}")}))
    except (KeyError, TypeError, ValueError) as error:
        return Reply({"error": f"{type(error).__name__}: {error}"}, 400)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _state(emulator: Emulator, body: dict[str, Any]) -> Any:
    row = emulator.store.one(
        "SELECT count(*) AS amount FROM input WHERE processing_deferred = 1 AND archived = 0"
    )
    return {
        "ingest_threads": emulator.workers.alive,
        "threads": emulator.workers.threads,
        "waiting": row["amount"] if row else 0,
        "faults": emulator.faults.pending(),
        "row_faults": emulator.row_faults.pending(),
        "options": {name: getattr(emulator.options, name) for name in TUNABLE},
    }


def _requests(emulator: Emulator, body: dict[str, Any]) -> Any:
    return emulator.requests.shown(int(body["since"]) if "since" in body else None)


def _add_fault(emulator: Emulator, body: dict[str, Any]) -> Any:
    fault = Fault(**body)
    if fault.kind == "refuse" and not fault.match:
        fault.check()
        emulator.listener.refuse(fault.seconds)
    else:
        emulator.faults.add(fault)
    return {"faults": emulator.faults.pending()}


def _clear_faults(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.faults.clear()
    return {"faults": 0}


def _release(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.faults.release()
    return {"faults": emulator.faults.pending()}


def _add_row_fault(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.row_faults.add(RowFault(**body))
    return {"row_faults": emulator.row_faults.pending()}


def _clear_row_faults(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.row_faults.clear()
    return {"row_faults": 0}


def _set_options(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.tune(body)
    return _state(emulator, body)


def _set_workers(emulator: Emulator, body: dict[str, Any]) -> Any:
    unknown = set(body) - {"kill_process", "kill_thread", "revive"}
    if unknown or not body:
        raise ValueError("say kill_process, kill_thread or revive")
    if "kill_process" in body:
        emulator.workers.kill_process(int(body["kill_process"]))
    if "kill_thread" in body:
        emulator.workers.kill_thread(int(body["kill_thread"]))
    if body.get("revive"):
        emulator.workers.revive()
    return _state(emulator, {})


def _new_project(emulator: Emulator, body: dict[str, Any]) -> Any:
    """Make a project, if it is not there, and add the labels and datasets named."""
    names = [[str(name) for name in body.get(what) or []] for what in ("labels", "datasets")]
    labels, datasets = fill_project(emulator.store, emulator.store.ensure_project(str(body["name"])), *names)
    return {**credentials(emulator, str(body["name"])), "labels": labels, "datasets": datasets}


def fill_project(
    store: Store, project: Project, labels: Iterable[str], datasets: Iterable[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Add labels and datasets to a project; return the id of each name."""
    schema = find_schema(store, project, None)
    assert schema is not None
    made = {name: new_label(store, project, name, None, schema["id"])["id"] for name in labels}
    with store.write() as connection:
        return made, {
            name: insert(
                connection,
                "directory",
                project_id=project.id,
                nickname=name,
                access_type="project",
                created_time=now_iso(),
            )
            for name in datasets
        }


def _set_queue(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.workers.pause(bool(body["paused"]))
    return _state(emulator, body)


def _set_lock(emulator: Emulator, body: dict[str, Any]) -> Any:
    file_id = int(body["file_id"])
    if body["locked"]:
        return {"locked": emulator.locked_files.take(file_id)}
    emulator.locked_files.give_back(file_id)
    return {"locked": False}


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


def _reset(emulator: Emulator, body: dict[str, Any]) -> Any:
    emulator.reset()
    return _state(emulator, body)


_ACTIONS: dict[tuple[str, str], Callable[[Emulator, dict[str, Any]], Any]] = {
    ("GET", "/emulator/state"): _state,
    ("POST", "/emulator/faults"): _add_fault,
    ("DELETE", "/emulator/faults"): _clear_faults,
    ("POST", "/emulator/release"): _release,
    ("GET", "/emulator/requests"): _requests,
    ("POST", "/emulator/rows"): _add_row_fault,
    ("DELETE", "/emulator/rows"): _clear_row_faults,
    ("POST", "/emulator/options"): _set_options,
    ("POST", "/emulator/workers"): _set_workers,
    ("POST", "/emulator/projects"): _new_project,
    ("POST", "/emulator/locks"): _set_lock,
    **control_data.ACTIONS,
    ("POST", "/emulator/queue"): _set_queue,
    ("POST", "/emulator/reset"): _reset,
}
