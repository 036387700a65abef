"""When a batch should be done, so that its end is asked for in one request rather than two."""

from __future__ import annotations

from dataclasses import dataclass

_SHARE = 0.7
"""Of what was left so much should be done by now: too early a guess costs a longer answer, no request."""


@dataclass(slots=True)
class Forecast:
    """How many inputs are left, and how fast they become fewer.

    :param left: inputs; an estimate where only a sample of them is listed.
    """

    left: float
    _rate: float = 0.0
    _at: float | None = None

    def note(self, left: float, now: float) -> None:
        """Take note of how many are left.

        :param now: monotonic seconds.
        """
        if self._at is not None and now > self._at:
            self._rate = max(0.0, (self.left - left) / (now - self._at))
        self.left, self._at = left, now

    def is_due(self, now: float) -> bool:
        """Whether few should be left, if it goes on as between the last two looks."""
        return self._at is not None and 0 < self.left * _SHARE <= self._rate * (now - self._at)
