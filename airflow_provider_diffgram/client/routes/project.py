"""A project: health, storage connections, model runs, events (server.md 1.1, 2.15, 2.18, 10.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from ...models.received import Event, ModelRun, StorageConnection
from ..request import Request
from .common import PAGE, given, items, path_of

_TRUE: TypeAdapter[Literal[True]] = TypeAdapter(Literal[True])


def health(service: Literal["default", "walrus"] = "default") -> Request[bool]:
    """Ask whether a service is up: walrus ingests and exports, default does the rest (server.md 1.1)."""
    path = "/api/walrus/status" if service == "walrus" else "/api/status"
    return Request(f"ask for the health of {service}", "GET", path, _healthy)


def _healthy(body: Any) -> bool:
    return _TRUE.validate_python(body)


def list_connections(project: str) -> Request[list[StorageConnection]]:
    """List the project's connections to cloud storage (server.md 2.15)."""
    path = path_of("/api/project/{p}/connections", project)
    return Request("list connections", "GET", path, items(StorageConnection, "connection_list"))


def list_model_runs(project: str, ids: Sequence[int] | None = None) -> Request[list[ModelRun]]:
    """List the model runs of the project (server.md 2.18)."""
    path = path_of("/api/v1/project/{p}/model-runs/list", project)
    body = given(id_list=list(ids) if ids is not None else None)
    return Request("list model runs", "POST", path, items(ModelRun, "model_run_list"), json=body)


def list_events(
    project: str,
    *,
    kind: str | None = None,
    file_id: int | None = None,
    limit: int = PAGE,
) -> Request[list[Event]]:
    """List events of the project, newest id first, at most 1000; filter to see older ones (server.md 10.4).

    Ids grow, but an event may appear after one with a higher id: read some again, and drop the known ones.

    :param kind: such as ``task_completed``, which comes twice for each task.
    :raises ValueError: if ``limit`` is not 1 to 1000.
    """
    if not 1 <= limit <= PAGE:
        raise ValueError(f"limit {limit}: ask for 1 to {PAGE} events at once")
    path = path_of("/api/v1/project/{p}/event/list", project)
    body = {"limit": limit, **given(kind=kind, file_id=file_id)}
    return Request("list events", "POST", path, items(Event, "event_list"), json=body)
