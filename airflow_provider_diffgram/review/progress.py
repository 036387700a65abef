"""The progress of a review: from the states of tasks to a receipt. No I/O.

Only the status of a task counts. The job's counters leave out tasks in review, and tasks invert a file's own
``ann_is_complete`` (server.md 10.1, 10.3.3).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ..models import InvalidValueError
from ..models.received import TaskState
from ..pulse import Pulse

Stand = Literal[
    "complete", "in_review", "requires_changes", "deferred", "open", "archived", "without_task", "removed"
]
"""The state of a file in a review."""

_STANDS: dict[str | None, Stand] = {
    "complete": "complete",
    "in_review": "in_review",
    "requires_changes": "requires_changes",
    "deferred": "deferred",
}
"""Of a task's status; every other one, also one that is not known, means that the work is still open."""

_LEAST_FIRST: tuple[Stand, ...] = ("open", "requires_changes", "deferred", "in_review", "complete")
"""A file with several tasks is as far as the least finished of them."""

_SHOWN = 20
_SHOWN_FILE_IDS = 100
_WINDOW = 3600.0
"""Seconds over which speed is measured."""

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


def stand_of(status: str | None) -> Stand:
    """Return the state of a file whose task has this status."""
    return _STANDS.get(status, "open")


def least_finished(first: Stand, second: Stand) -> Stand:
    """Return the one that is less far."""
    return min(first, second, key=_LEAST_FIRST.index)


def stands_of(tasks: Iterable[tuple[int, str | None]]) -> dict[int, Stand]:
    """Return the state of each file.

    :param tasks: id of the file, and status of the task, of each listed task.
    """
    found: dict[int, Stand] = {}
    for file_id, status in tasks:
        stand = stand_of(status)
        found[file_id] = least_finished(found[file_id], stand) if file_id in found else stand
    return found


class ReviewReceipt(BaseModel):
    """The state of every expected file; each is counted once.

    :param project: project_string_id of the project.
    :param expected: how many files should be reviewed.
    :param job_ids: jobs whose tasks these are.
    :param complete: people have finished it.
    :param in_review: finished, and waiting for a reviewer.
    :param requires_changes: sent back by a reviewer.
    :param deferred: put off by the person who opened it.
    :param open: not finished.
    :param archived: its task was archived.
    :param without_task: it has no task.
    :param removed: the file itself was removed.
    :param waiting: file id and state of the first 20 that are not complete.
    :param file_ids: files that are complete, if there are at most 100.
    """

    model_config = ConfigDict(frozen=True)

    project: str
    job_ids: list[int]
    expected: int
    complete: int = 0
    in_review: int = 0
    requires_changes: int = 0
    deferred: int = 0
    open: int = 0
    archived: int = 0
    without_task: int = 0
    removed: int = 0
    waiting: list[str] = []
    file_ids: list[int] = []

    @property
    def reviewable(self) -> int:
        """How many are complete, or can still become complete."""
        return self.expected - self.archived - self.removed

    def to_xcom(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")

    def counts(self) -> dict[str, int]:
        """Return the numbers only."""
        names: tuple[Stand, ...] = (
            "complete",
            "in_review",
            "requires_changes",
            "deferred",
            "open",
            "archived",
            "without_task",
            "removed",
        )
        return {"expected": self.expected} | {name: getattr(self, name) for name in names}

    def summary(self) -> str:
        """Return one line with the counts that are not zero."""
        others = self.others()
        told = f"{self.complete:,} of {self.expected:,} reviewed"
        return f"{told} ({others})" if others else told

    def others(self) -> str:
        """Return how many are not complete, by state; nothing if all are."""
        return ", ".join(
            f"{count:,} {_in_words(name)}"
            for name, count in self.counts().items()
            if count and name not in ("expected", "complete")
        )


def _in_words(name: str) -> str:
    return {
        "in_review": "in review",
        "requires_changes": "to be changed",
        "without_task": "without a task",
    }.get(name, name)


def receipt_of(
    project: str,
    job_ids: Sequence[int],
    stands: Mapping[int, Stand],
) -> ReviewReceipt:
    """Return the receipt.

    :param stands: of every expected file.
    """
    counts = Counter(stands.values())
    unfinished = (
        f"file {file_id}: {_in_words(stand)}" for file_id, stand in stands.items() if stand != "complete"
    )
    complete = [file_id for file_id, stand in stands.items() if stand == "complete"]
    return ReviewReceipt(
        project=project,
        job_ids=list(job_ids),
        expected=len(stands),
        waiting=[each for each, _ in zip(unfinished, range(_SHOWN), strict=False)],
        file_ids=complete if len(complete) <= _SHOWN_FILE_IDS else [],
        **{str(name): count for name, count in counts.items()},
    )


def is_share(value: object) -> bool:
    """Whether a value is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """When a review is over.

    :param min_done: how many files must be complete. A number below 1 is a share of those that can be. None
        means all.
    :param task_timeout: how many seconds files may have no task before the wait fails.
    :raises InvalidValueError: with everything that is wrong.
    """

    min_done: float | None = None
    task_timeout: float = 600.0

    def __post_init__(self) -> None:
        problems = []
        if self.min_done is not None and not _is_positive(self.min_done):
            problems.append(
                f"min_done must be a number of files, or a share below 1, above 0, not {self.min_done!r}"
            )
        elif self.min_done is not None and self.min_done > 1 and self.min_done != int(self.min_done):
            problems.append(f"min_done must be a whole number of files from 1 on, not {self.min_done!r}")
        if not _is_positive(self.task_timeout):
            problems.append(f"task_timeout must be a number of seconds above 0, not {self.task_timeout!r}")
        if problems:
            raise InvalidValueError("review", problems)

    def needed(self, receipt: ReviewReceipt) -> int:
        """Return how many files must be complete. Archived and removed ones do not count."""
        if self.min_done is None:
            return receipt.reviewable
        if self.min_done < 1:
            return math.ceil(self.min_done * receipt.reviewable - 1e-9)
        return int(self.min_done)

    def is_over(self, receipt: ReviewReceipt) -> bool:
        """Whether enough is reviewed. If nothing can be reviewed, it is never enough."""
        return 0 < receipt.complete >= self.needed(receipt)

    def is_hopeless(self, receipt: ReviewReceipt) -> bool:
        """Whether it cannot be over any more, if no further file is expected."""
        return receipt.expected > 0 and receipt.reviewable < max(1, self.needed(receipt))


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def epoch_of(text: str | None) -> int | None:
    """Return a time of a task as epoch seconds, None for none, or for one in another form.

    :param text: as the light listing gives it, ``Thu, 26 Nov 2026 19:41:53 GMT``, or in ISO form. Read by
        place, since thousands are read at each look.
    """
    if not text or text == "None":
        return None
    try:
        if not text.endswith("GMT"):
            return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
        seconds = int(text[17:19]) * 3600 + int(text[20:22]) * 60 + int(text[23:25])
        return _day(text[5:16]) + seconds
    except (ValueError, KeyError):
        return None


@lru_cache(maxsize=64)
def _day(text: str) -> int:
    """Return the first second of a day such as ``26 Nov 2026``."""
    day, month, year = text.split()
    return int(datetime(int(year), _MONTHS[month], int(day), tzinfo=UTC).timestamp())


def speed_of(completed_at: Iterable[int], now: float) -> float | None:
    """Return how many files a second were completed in the last hour; None if it cannot be told.

    It follows from the server's own times, so whoever began to look a moment ago knows it too.

    :param completed_at: epoch seconds at which each complete task was finished.
    :param now: epoch seconds.
    """
    recent = [moment for moment in completed_at if now - moment <= _WINDOW]
    if len(recent) < 2:
        return None
    elapsed = max(now, *recent) - min(recent)
    return (len(recent) - 1) / elapsed if elapsed > 0 else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is, and how fast it goes.

    :param needed: how many files must be complete.
    :param speed: files a second in the last hour, None if it cannot be told.
    :param at: epoch seconds.
    """

    receipt: ReviewReceipt
    needed: int
    speed: float | None
    at: float

    def summary(self) -> str:
        """Return one line: how many, how fast, when at this rate."""
        return Pulse("reviewed").words(self.at, **self.told())

    def told(self) -> dict[str, Any]:
        """Return what a :class:`~airflow_provider_diffgram.pulse.Pulse` is told of it."""
        enough = self.needed < self.receipt.reviewable
        return {
            "done": self.receipt.complete,
            "total": self.needed,
            "among": self.receipt.others(),
            "more": f"{self.receipt.reviewable:,} could be" if enough else "",
            "per_second": self.speed,
        }


def completion_times(states: Iterable[TaskState], task_ids: Collection[int] | None = None) -> list[int]:
    """Return when complete tasks were finished, in epoch seconds.

    :param task_ids: those of interest; None for all.
    """
    told = (
        epoch_of(state.time_completed)
        for state in states
        if state.done and (task_ids is None or state.id in task_ids)
    )
    return [moment for moment in told if moment is not None]
