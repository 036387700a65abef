"""Finds inputs that the server has abandoned (server.md 3.2, quirk 50)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...client import routes
from ...client.request import Steps, ask, now
from ...models import File, InputRow
from ...models.problems import count_of
from ..limits import LIMITS, Limits
from ..server.rows import is_retryable, is_update, progress_of
from .batch import Batch
from .compare import compare, distinct
from .movement import Mark
from .proof import stored_files
from .verdicts import Verdict


def is_left(mark: Mark, at: float, timeout: float) -> bool:
    """Whether a worker of the server started on an input and has stopped working on it."""
    return mark.taken_up and at - mark.since >= timeout


def judge_stuck(row: InputRow, words: str, file: File | None = None) -> Verdict:
    """Return the verdict on a stuck input.

    An update is judged by what its file holds, because a retry could store it twice or remove the file.

    :param words: why it counts as stuck.
    :param file: the file of an update, with its instances; None if it is gone.
    """
    if not is_update(row):
        return Verdict.of("stuck", row, words, retries=row.retry_count if is_retryable(row) else None)
    if file is None or not row.instance_list:
        return Verdict.of("stuck", row, words)
    replaces = row.mode == "update_with_existing"
    compared = compare(row.instance_list, file.instance_list, older_count=replaces)
    if compared.missing:
        return Verdict.of("stuck", row, words, missing=compared.missing)
    if replaces and len(file.instance_list) != distinct(row.instance_list):
        return Verdict.of("stuck", row, words)  # what it should replace is still there
    return Verdict.of("succeeded", row, kept=compared.kept)


@dataclass(slots=True, eq=False)
class Stall:
    """Watches for movement among the expected inputs and all others of the project.

    The queue is not first in, first out, so an input may wait in it while others move. An input that a worker
    has started either moves, or the worker is dead.

    :param timeout: seconds without movement; None to wait forever.
    """

    project: str
    timeout: float | None
    limits: Limits = LIMITS
    _moved_at: float | None = None
    _others: dict[int, Any] | None = None

    def lose_sight(self, at: float) -> None:
        """Measure times from now on, because the server could not be reached."""
        self._moved_at, self._others = at, None

    def look(self, batches: Iterable[Batch]) -> Steps[None]:
        """Find the stuck inputs of ``batches``, and record them there."""
        unsettled = [batch for batch in batches if batch.phase != "settled"]
        if self.timeout is None or not unsettled:
            return
        yield from self._note_movement(unsettled, self.timeout)
        for batch in unsettled:
            at = yield from now()
            left = (is_left(mark, at, self.timeout) for mark in batch.movement.marks.values())
            if self._stood_for(at) >= self.timeout or any(left):
                yield from self._look_at(batch, self.timeout)

    def _note_movement(self, batches: Iterable[Batch], timeout: float) -> Steps[None]:
        at = yield from now()
        if self._moved_at is None:
            self._moved_at = at
        for batch in batches:
            if batch.movement.moved_at is not None and batch.movement.moved_at > self._moved_at:
                self._moved_at, self._others = batch.movement.moved_at, None
        if self._stood_for(at) >= timeout * self.limits.doubtful_after:
            # Only inputs being worked on: few rows, however long the queue is.
            listed = routes.list_rows(
                self.project, status="Processing", show_deferred=False, limit=self.limits.sample
            )
            others = {row.id: progress_of(row) for row in (yield from ask(listed))}
            if self._others is not None and others != self._others:
                self._moved_at = yield from now()
            self._others = others

    def _stood_for(self, at: float) -> float:
        """Return how long nothing has moved, in seconds."""
        return 0.0 if self._moved_at is None else at - self._moved_at

    def _look_at(self, batch: Batch, timeout: float) -> Steps[None]:
        rows = yield from batch.list_pending()
        at = yield from now()
        if self._moved_at is not None and batch.movement.moved_at is not None:
            # The list may show that some were retried since.
            self._moved_at = max(self._moved_at, batch.movement.moved_at)
        found: dict[int, Verdict] = {}
        for row in rows:
            if self._stood_for(at) >= timeout or is_left(batch.movement.marks[row.id], at, timeout):
                file = (yield from self._read_file(row)) if is_update(row) else None
                found[row.id] = judge_stuck(row, _words(row, timeout), file)
        batch.note_stuck(found)

    def _read_file(self, row: InputRow) -> Steps[File | None]:
        (file,) = yield from stored_files(self.project, [row.file_id or 0])
        return file


def _words(row: InputRow, timeout: float) -> str:
    retried = f", retried {count_of(row.retry_count, 'time')}" if row.retry_count else ""
    return f"stuck: {row.status}, nothing has moved for {timeout:.0f} s{retried}"
