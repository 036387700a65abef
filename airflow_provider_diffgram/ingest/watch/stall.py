"""Whether the server has left inputs behind (server.md 3.2, quirk 50)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...client import routes
from ...client.request import Steps, ask
from ...models import InputRow
from ..limits import LIMITS, Limits
from ..server.rows import is_retryable, is_update, progress_of
from .batch import Batch
from .compare import compare, distinct
from .movement import Mark
from .proof import stored_files
from .verdicts import Verdict


@dataclass(slots=True, eq=False)
class Stall:
    """Watches for movement, among the expected inputs and the server's other ones.

    The queue is not first in, first out, so that an input waits in it is no reason to worry while others
    move. One that a worker has begun with moves, or that worker is dead.

    :param timeout: seconds; None never to worry.
    :param clock: monotonic seconds.
    """

    project: str
    timeout: float | None
    clock: Callable[[], float]
    limits: Limits = LIMITS
    _moved_at: float = field(init=False)
    _others: dict[int, Any] | None = None

    def __post_init__(self) -> None:
        self._moved_at = self.clock()

    def lose_sight(self) -> None:
        """Begin to measure anew: the server was out of sight."""
        self._moved_at, self._others = self.clock(), None

    def look(self, batches: Iterable[Batch]) -> Steps[None]:
        """Tell those of ``batches`` that have inputs which are stuck."""
        unsettled = [batch for batch in batches if batch.phase != "settled"]
        if self.timeout is None or not unsettled:
            return
        yield from self._note_movement(unsettled)
        for batch in unsettled:
            if self._queue_stands() or any(self._is_left(mark) for mark in batch.movement.marks.values()):
                yield from self._look_at(batch)

    def _note_movement(self, batches: Iterable[Batch]) -> Steps[None]:
        assert self.timeout is not None
        moved_at = max(batch.movement.moved_at for batch in batches)
        if moved_at > self._moved_at:
            self._moved_at, self._others = moved_at, None
        if self.clock() - self._moved_at >= self.timeout * self.limits.doubtful_after:
            # Only what is being worked on: few rows, however long the queue is.
            rows = yield from ask(
                routes.list_rows(
                    self.project, status="Processing", show_deferred=False, limit=self.limits.sample
                )
            )
            others = {row.id: progress_of(row) for row in rows}
            if self._others is not None and others != self._others:
                self._moved_at = self.clock()
            self._others = others

    def _queue_stands(self) -> bool:
        assert self.timeout is not None
        return self.clock() - self._moved_at >= self.timeout

    def _look_at(self, batch: Batch) -> Steps[None]:
        rows = yield from batch.list_pending()
        self._moved_at = max(
            self._moved_at, batch.movement.moved_at
        )  # the list may show that they were retried since
        queue_stands = self._queue_stands()
        stuck = [row for row in rows if queue_stands or self._is_left(batch.movement.marks[row.id])]
        found: dict[int, Verdict] = {}
        for row in stuck:
            if not is_update(row):
                retries = row.retry_count if is_retryable(row) else None
                found[row.id] = Verdict.of("stuck", row, self._words(row), retries=retries)
            else:
                found[row.id] = yield from self._reconciled(row)
        batch.note_stuck(found)

    def _is_left(self, mark: Mark) -> bool:
        """Whether a worker began with an input and does nothing with it any more."""
        assert self.timeout is not None
        return mark.taken_up and self.clock() - mark.since >= self.timeout

    def _reconciled(self, row: InputRow) -> Steps[Verdict]:
        """Judge an update by what its file holds: a retry could store it twice, or remove the file."""
        (file,) = yield from stored_files(self.project, [row.file_id or 0])
        if file is not None and row.instance_list:
            replaces = row.mode == "update_with_existing"
            compared = compare(row.instance_list, file.instance_list, older_count=replaces)
            others = len(file.instance_list) - distinct(row.instance_list) if replaces else 0
            if not compared.missing and not others:
                return Verdict.of("succeeded", row, kept=compared.kept)
            if compared.missing:
                return Verdict.of("stuck", row, self._words(row), missing=compared.missing)
        return Verdict.of("stuck", row, self._words(row))

    def _words(self, row: InputRow) -> str:
        retried = f", retried {row.retry_count} time(s)" if row.retry_count else ""
        return f"stuck: {row.status}, nothing has moved for {self.timeout:.0f} s{retried}"
