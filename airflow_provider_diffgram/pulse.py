"""Reports the progress of long operations from time to time, always in the same form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, Unpack

Progress = Callable[[int, int | None, int], None]
"""Called with how many are done, of how many (None if unknown), and how many of the done failed."""

EVERY = 30.0
"""Seconds between two lines at the start."""

MOST = 900.0
"""Most seconds between two lines, for operations of hours or days."""

_SHARE = 0.1
"""The pause between lines is this share of the time so far, so that days make few lines."""


def duration(seconds: float) -> str:
    """Return a duration in words: ``40 s``, ``12 min``, ``3.5 h``, ``2.5 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 129_600 else f"{seconds / 86_400:.1f} days"


def rate_in_words(per_second: float) -> str:
    """Return a rate per second, minute or hour: the smallest of these in which it is 1 or more."""
    for factor, unit in ((1, "s"), (60, "min")):
        if factor * per_second >= 1:
            return f"{factor * per_second:,.1f}/{unit}"
    return f"{3600 * per_second:.1f}/h"


class Told(TypedDict, total=False):
    """What a line says besides its numbers.

    :param failed: how many of the done failed.
    :param among: more about the count, such as ``10 of them there already``.
    :param more: text for the end of the line.
    :param per_second: the speed, if the caller knows it better.
    """

    failed: int
    among: str
    more: str
    per_second: float | None


class Pulse:
    """Reports how many are done, how fast, and how long the rest will take at this rate.

    :param what: what is counted, such as ``in Diffgram``.
    :param every: seconds between two lines at the start; later a tenth of the time so far, up to 15 minutes.
    """

    def __init__(self, what: str, every: float = EVERY) -> None:
        self._what = what
        self._every = every
        self._first: tuple[float, int] | None = None
        self._told_at: float | None = None
        self._counted: int | None = None
        self._moved_at: float | None = None

    def moved(self, now: float) -> None:
        """Note progress that is not counted yet, such as a part of a large file."""
        self._moved_at = now

    def begin(self, now: float) -> None:
        """Start to count from 0, without a line."""
        self._first = now, 0
        self._told_at = now

    def beat(self, now: float, done: int, total: int | None, **told: Unpack[Told]) -> str | None:
        """Return a line if one is due: at the first call, then from time to time.

        :param now: seconds of any monotonic clock.
        :param done: how many are done, including those that failed.
        :param total: how many there will be; None if unknown.
        """
        self._first = self._first or (now, done)
        if self._counted != done:
            self._counted, self._moved_at = done, now
        if not self.is_due(now):
            return None
        self._told_at = now
        return self.words(now, done, total, **told)

    def is_due(self, now: float) -> bool:
        """Whether it is time for a line."""
        return self._told_at is None or now - self._told_at >= self._pause(now)

    def _pause(self, now: float) -> float:
        began = now if self._first is None else self._first[0]
        return max(self._every, min(MOST, _SHARE * (now - began)))

    def words(
        self, now: float, done: int, total: int | None, *, is_over: bool = False, **told: Unpack[Told]
    ) -> str:
        """Return the line.

        :param is_over: whether nothing more will follow, even if not all are done.
        """
        of = f" of {total:,}" if total is not None else ""
        failed = told.get("failed", 0)
        lost = f"{failed:,} failed" if failed else ""
        head = [f"{done - failed:,}{of} {self._what}", told.get("among"), lost]
        parts = [", ".join(each for each in head if each)]
        left = None if total is None else max(0, total - done)
        if left != 0:
            parts += self._speed(now, done, None if is_over else left, told.get("per_second"))
        return " · ".join(filter(None, [*parts, told.get("more")]))

    def _speed(self, now: float, done: int, left: int | None, per_second: float | None) -> list[str]:
        began, at_first = self._first or (now, done)
        seen = (done - at_first) / (now - began) if now > began else 0.0
        rate = seen if per_second is None else per_second
        parts = []
        if rate > 0:
            parts.append(rate_in_words(rate))
            if left is not None and left / rate < _NEVER:
                parts.append(f"about {duration(left / rate)} left")
        moved = now if self._moved_at is None else self._moved_at
        if left is not None and now - moved >= 2 * self._every:
            parts.append(f"nothing new for {duration(now - moved)}")
        return parts


_NEVER = 3.2e9
"""Seconds of a century."""
