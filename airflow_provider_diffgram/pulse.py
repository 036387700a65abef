"""How far something is that takes long, said now and then, in the same words for all that takes long."""

from __future__ import annotations

EVERY = 30.0
"""Seconds between two lines."""


def duration(seconds: float) -> str:
    """Return a duration in words: ``40 s``, ``12 min``, ``3 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Pulse:
    """Says how many are done, how fast it goes, and when at this rate the rest will be.

    :param what: what is counted, such as ``in Diffgram``.
    :param every: seconds between two lines.
    """

    def __init__(self, what: str, every: float = EVERY) -> None:
        self._what = what
        self._every = every
        self._first: tuple[float, int] | None = None
        self._told_at: float | None = None
        self._moved: tuple[float, int] | None = None

    def beat(self, now: float, done: int, total: int | None, *, failed: int = 0) -> str | None:
        """Return a line if one is due: at first, then one in ``every`` seconds.

        :param now: seconds of any clock that does not go back.
        :param done: how many are done, those that failed included.
        :param total: how many there are to be; None if nobody knows.
        """
        self._first = self._first or (now, done)
        if self._moved is None or self._moved[1] != done:
            self._moved = now, done
        if self._told_at is not None and now - self._told_at < self._every:
            return None
        self._told_at = now
        return self.words(now, done, total, failed=failed)

    def words(self, now: float, done: int, total: int | None, *, failed: int = 0) -> str:
        """Return the line."""
        of = f" of {total:,}" if total is not None else ""
        parts = [f"{done - failed:,}{of} {self._what}{f', {failed:,} failed' if failed else ''}"]
        left = None if total is None else max(0, total - done)
        if left == 0:
            return parts[0]
        began, at_first = self._first or (now, done)
        rate = (done - at_first) / (now - began) if now > began else 0.0
        if rate > 0:
            parts.append(f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min")
            if left is not None:
                parts.append(f"about {duration(left / rate)} left")
        moved = now if self._moved is None else self._moved[0]
        if now - moved >= 2 * self._every:
            parts.append(f"nothing new for {duration(now - moved)}")
        return " · ".join(parts)
