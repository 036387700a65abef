"""Model runs (server.md 2.18)."""

from __future__ import annotations

from ..base import Received


class ModelRun(Received):
    """A run of a model; ``reference_id`` is the ``model_run_ref`` it was sent with."""

    id: int
    reference_id: str | None = None
    model_id: int | None = None
    created_time: str | None = None
