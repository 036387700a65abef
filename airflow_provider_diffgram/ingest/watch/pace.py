"""When to look again."""

from __future__ import annotations

import random

_FIRST = 1.0
_GROWTH = 1.5
_AT_ONCE = 0.05
_JITTER = 0.75
"""Least share of an interval to pause; never more than the whole, or the end would be seen late."""


class Pace:
    """Looks soon at first, then ever less often.

    :param longest: most seconds between two looks.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._routine = self._settling = _FIRST

    def pause(self, *, soon: bool, settling: bool) -> float:
        """Return the seconds until the next look.

        :param soon: whether the last look raised a question that should not wait.
        :param settling: whether everything left will be decided within seconds.
        """
        if soon:
            return min(_AT_ONCE, self._longest)
        if settling:
            seconds, self._settling = self._settling, self._settling * _GROWTH
        else:
            seconds, self._routine = self._routine, min(self._routine * _GROWTH, self._longest)
            self._settling = _FIRST
        return min(seconds, self._longest) * random.uniform(_JITTER, 1.0)
