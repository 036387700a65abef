"""How many files were reviewed since somebody was last told. No I/O.

What is remembered fits into a few hundred bytes, however large the job is: the time up to which reviews were
told, and the tasks completed shortly before. The server takes the time of a completion before it commits it,
so a task may become visible after one that was finished later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..models.received import TaskState
from .progress import epoch_of

OVERLAP = 600
"""Seconds before the last told completion in which others may still become visible."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to where reviews were told.

    :param at: epoch seconds at which they were told, or at which the watch began.
    :param until: when the last of the told tasks was completed, in epoch seconds; 0 for none.
    :param recent: task id -> its completion, of those told within :data:`OVERLAP` before ``until``.
    """

    at: float
    until: int = 0
    recent: Mapping[int, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "at": self.at,
            "until": self.until,
            "recent": {str(task_id): moment for task_id, moment in self.recent.items()},
        }

    @classmethod
    def from_json(cls, value: Any) -> Cursor | None:
        """Return the cursor of :meth:`to_json`; None of anything else, which begins anew."""
        try:
            recent = {int(task_id): int(moment) for task_id, moment in value["recent"].items()}
            return cls(float(value["at"]), int(value["until"]), recent)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class News:
    """What was reviewed since a cursor.

    :param files: how many tasks were completed, those that were completed anew included.
    :param complete: how many are complete in all.
    :param cursor: what to remember once this was told.
    """

    files: int
    complete: int
    cursor: Cursor


def news_since(cursor: Cursor, states: Iterable[TaskState], now: float) -> News:
    """Return what was completed since.

    A task that was opened again and completed again counts again: its file may have changed.

    :param states: of all tasks.
    :param now: epoch seconds.
    """
    completed = {
        state.id: moment
        for state in states
        if state.done
        for moment in [epoch_of(state.time_completed) or epoch_of(state.time_updated)]
        if moment is not None
    }
    new = sum(
        moment > cursor.until - OVERLAP and cursor.recent.get(task_id) != moment
        for task_id, moment in completed.items()
    )
    until = max(completed.values(), default=cursor.until)
    until = max(until, cursor.until)
    recent = {task_id: moment for task_id, moment in completed.items() if moment > until - OVERLAP}
    return News(new, len(completed), Cursor(now, until, recent))


def is_due(news: News, cursor: Cursor, now: float, *, min_files: int, max_wait: float | None) -> bool:
    """Whether it is time to tell: enough files, or some and long enough since the last time.

    :param min_files: so many files are enough.
    :param max_wait: seconds after which fewer are enough, but at least one; None for never.
    """
    if news.files >= min_files:
        return True
    return bool(news.files) and max_wait is not None and now - cursor.at >= max_wait


def moment_of(epoch: int) -> str | None:
    """Return epoch seconds in ISO form, None of 0."""
    return datetime.fromtimestamp(epoch, UTC).isoformat() if epoch else None
