"""Measures the progress of pending inputs, and estimates when all should be done. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...models import InputRow
from ..server.rows import progress_of, was_taken_up

_SHARE = 0.7
"""Share of the rest that should be done before all are listed; too early only costs a longer answer."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the server is with an input.

    :param at: status, percentage, time of the last change by the server's clock, and number of retries.
    :param since: when this state was first seen, by the client's clock.
    :param taken_up: whether a worker of the server has started on it.
    """

    at: tuple[Any, ...]
    since: float
    taken_up: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """What the polls so far show about the pending inputs of a batch. Times are monotonic seconds.

    :param left: how many are pending; an estimate if only a sample of them was listed.
    :param moved_at: when one of them last moved; at first, the time of the first poll.
    :param marks: marks from the last listing, by input id.
    :param moves: whether one moved between the last two polls.
    :param rate: how many finished per second between the last two polls.
    :param seen_at: when they were last listed.
    """

    left: float
    moved_at: float | None = None
    marks: Mapping[int, Mark] = field(default_factory=dict)
    moves: bool = True
    rate: float = 0.0
    seen_at: float | None = None

    def after(self, rows: Iterable[InputRow], now: float, *, whole: bool) -> Movement:
        """Return the movement after a poll at ``now``.

        :param rows: pending inputs, newest first.
        :param whole: whether these are all pending inputs.
        """
        marks = {}
        for row in rows:
            at = *progress_of(row), row.retry_count
            old = self.marks.get(row.id)
            marks[row.id] = old if old is not None and old.at == at else Mark(at, now, was_taken_up(row))
        oldest = 0 if whole else min(marks, default=0)
        comparable = [each for each in self.marks if each >= oldest]
        gone = sum(each not in marks for each in comparable)
        moves = bool(gone) or any(
            each in marks and marks[each] is not old for each, old in self.marks.items()
        )
        stay = 1 - gone / len(comparable) if comparable else 1
        left = len(marks) if whole else self.left * stay
        rate = self.rate
        if self.seen_at is not None and now > self.seen_at:
            rate = max(0.0, (self.left - left) / (now - self.seen_at))
        moved_at = now if moves or self.moved_at is None else self.moved_at
        return Movement(left, moved_at, marks, moves, rate, now)

    def is_end_due(self, now: float) -> bool:
        """Whether few should be left if inputs finish as fast as between the last two polls."""
        return self.seen_at is not None and 0 < self.left * _SHARE <= self.rate * (now - self.seen_at)

    def measured_from(self, now: float) -> Movement:
        """Return the same movement as if each input had just moved: the server could not be reached."""
        marks = {each: replace(mark, since=now) for each, mark in self.marks.items()}
        return replace(self, moved_at=now, marks=marks)
