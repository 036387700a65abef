"""Groups failures by cause, so that one cause of a thousand failures is one line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MOST_LINES = 10
_MOST_NAMES = 5
_MOST_CAUSES = 100
"""Further causes are only counted, so that memory is bounded."""


@dataclass(slots=True)
class _Cause:
    first: str
    count: int = 0
    others: list[str] = field(default_factory=list)

    def in_words(self) -> str:
        if not self.others:
            return self.first
        more = self.count - 1 - len(self.others)
        also = f"{', '.join(self.others)}{f' and {more:,} more' if more else ''}"
        return f"{self.count:,} alike: {self.first}; also {also}"


class Failures:
    """Counts failures by cause, and keeps the first of each. Not safe to use from several threads at once.

    :ivar total: how many there are.
    """

    def __init__(self) -> None:
        self.total = 0
        self._causes: dict[str, _Cause] = {}

    def add(self, name: str, reason: str, count: int = 1) -> int:
        """Count a failure; return how many with its cause there are.

        :param name: name of what failed.
        :param count: how many failures it stands for.
        """
        self.total += count
        kind = re.sub(r"\d+", "*", reason.replace(name, "…"))
        cause = self._causes.get(kind)
        if cause is None:
            cause = _Cause(f"{name}: {reason}")
            if len(self._causes) < _MOST_CAUSES:
                self._causes[kind] = cause
        elif len(cause.others) < _MOST_NAMES:
            cause.others.append(name)
        cause.count += count
        return cause.count

    def sentence(self) -> str:
        """Return the sentence about the first failure that follows the counts; empty if there is none."""
        first = next(iter(self._causes.values()), None)
        if first is None:
            return ""
        return f" The first: {first.first}" if self.total > 1 else f" {first.first}"

    def lines(self, unnamed: int = 0, least: int = 1) -> list[str]:
        """Return one line per cause, the most frequent first, at most ten; empty if one sentence says all.

        :param unnamed: how many more failed than are known here.
        :param least: causes with fewer failures than this are left out.
        """
        if self.total + unnamed < 2:
            return []
        by_count = sorted(self._causes.values(), key=lambda each: each.count, reverse=True)
        causes = [each for each in by_count if each.count >= least]
        shown = causes[:_MOST_LINES]
        left = self.total + unnamed - sum(each.count for each in shown) if least == 1 else 0
        return [*(each.in_words() for each in shown), *([f"and {left:,} more"] if left else [])]
