"""Health, storage connections and model runs (server.md 1.1, 2.15, 2.18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from ...models.received import ModelRun, StorageConnection
from ..request import Request
from .common import given, items, path_of

_TRUE: TypeAdapter[Literal[True]] = TypeAdapter(Literal[True])


def health(service: Literal["default", "walrus"] = "default") -> Request[bool]:
    """Ask whether a service is there: walrus ingests and exports, default does the rest (server.md 1.1)."""
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
