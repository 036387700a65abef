"""Model runs and events of a project (server.md 2.18, 10.4)."""

from __future__ import annotations

from ..base import Received


class ModelRun(Received):
    """A run of a model; ``reference_id`` is the ``model_run_ref`` with which it was sent."""

    id: int
    reference_id: str | None = None
    model_id: int | None = None


class Event(Received):
    """An event. Some kinds come twice: for a finished task, once with its job and once without."""

    id: int
    job_id: int | None = None
    member_id: int | None = None
    description: str | None = None
