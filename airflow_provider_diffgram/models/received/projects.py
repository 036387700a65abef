"""What a project tells of itself: model runs and events (server.md 2.18, 10.4)."""

from __future__ import annotations

from ..base import Received


class ModelRun(Received):
    """A run of a model; ``reference_id`` is the ``model_run_ref`` it was sent with."""

    id: int
    reference_id: str | None = None
    model_id: int | None = None


class Event(Received):
    """Something that happened. Kinds may be doubled: a finished task comes with its job and once without."""

    id: int
    job_id: int | None = None
    member_id: int | None = None
    description: str | None = None
