"""What a task remembers between attempts (Airflow 3.3 and later)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, cast

_KEY = "diffgram_batches"
_IN_FLIGHT = "diffgram_in_flight"

ONE_AT_A_TIME = threading.Lock()
"""Held while a sender's thread calls Airflow, because ``dag.test()`` answers one request at a time."""


class TaskMemory:
    """What a push remembers in the task's state store. It is for small values, so batch ids become ranges.

    :param store: ``context["task_state_store"]``.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    def batch_ids(self) -> list[int]:
        """Return the ids of the batches of earlier attempts."""
        from ..models.ranges import ids_in

        with ONE_AT_A_TIME:
            return ids_in(self._store.get(_KEY) or [])

    def remember(self, batch_ids: list[int]) -> None:
        """Store the ids of the batches of all attempts."""
        from ..models.ranges import ranges_of

        with ONE_AT_A_TIME:
            self._store.set(_KEY, ranges_of(batch_ids))

    def in_flight(self) -> dict[int, str]:
        """Return the files that an earlier attempt was writing when it ended: id -> last change before."""
        with ONE_AT_A_TIME:
            files = cast("dict[str, str]", self._store.get(_IN_FLIGHT) or {})
        return {int(file_id): since for file_id, since in files.items()}

    def remember_in_flight(self, files: Mapping[int, str]) -> None:
        """Store the files that are being written: id -> when they were last changed before that."""
        with ONE_AT_A_TIME:
            self._store.set(_IN_FLIGHT, {str(file_id): since for file_id, since in files.items()})


def memory_of(context: Any) -> TaskMemory | None:
    """Return the memory of a running task, or None if this Airflow has none."""
    store = context.get("task_state_store")
    return TaskMemory(store) if store is not None else None
