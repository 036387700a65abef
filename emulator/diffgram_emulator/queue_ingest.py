"""Processing rows of the queue, as against those that are processed before the answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from .clock import Clock
from .faults import ROW_KINDS_AT_END, ROW_KINDS_OF_VIDEOS, RowFaults
from .ingest import UPDATE_MODES, Ingest
from .inputs import save_input
from .instances import Outcome
from .options import Options
from .store import Store


class QueueIngest(Ingest):
    """Processes rows of the queue, with the faults asked for, until its worker process dies.

    :param waiting: how many rows wait in the memory of the worker process.
    """

    def __init__(
        self,
        store: Store,
        options: Options,
        clock: Clock,
        row_faults: RowFaults,
        waiting: Callable[[], int],
    ) -> None:
        super().__init__(store, options, clock)
        self._row_faults = row_faults
        self._waiting = waiting

    def video_fault(self, row: sqlite3.Row) -> str | None:
        """Return the fault asked for, or ``hang`` if another row waits beside the video (quirk 62)."""
        fault = self._row_faults.take(row["original_filename"], ROW_KINDS_OF_VIDEOS)
        if fault is not None:
            return fault.kind
        is_read = row["mode"] not in UPDATE_MODES
        return "hang" if is_read and self.options.video_hangs and self._waiting() else None

    def fail(self, row: sqlite3.Row, values: dict[str, Any]) -> None:
        """End a row as failed, unless the process died meanwhile."""
        self.clock.check()
        super().fail(row, values)

    def succeed(self, row: sqlite3.Row) -> None:
        """End a row as success, unless the process died meanwhile."""
        self.clock.check()
        super().succeed(row)

    def write_instances(
        self, row: sqlite3.Row, file_id: int, sent: list[Any], member_id: int | None = None
    ) -> Outcome:
        """Store a row's instances, unless a fault keeps them away."""
        fault = self._row_faults.take(row["original_filename"], ROW_KINDS_AT_END)
        if fault is None:
            return super().write_instances(row, file_id, sent, member_id)
        if fault.kind != "lose":
            self.clock.pause(fault.seconds)
        if fault.kind == "late":
            return super().write_instances(row, file_id, sent, member_id)
        if fault.kind == "flip":
            save_input(self.store, row["id"], status="failed", status_text=fault.text)
        return Outcome()
