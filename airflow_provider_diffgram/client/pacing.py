"""Keep under a limit of the server, from its own headers (wire contract 1.5). No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

WINDOW = 1.0
"""Length of the server's window, in seconds."""

_RESET_IS_LATE_BY = 1.0


def seconds_until_window(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float:
    """Return how long until the server admits requests again, in seconds, 0 to 1.

    ``X-RateLimit-Reset`` is one second late: the window ends at Reset - 1 s. Where our clock and the
    server's disagree so that this makes no sense, a whole window.
    """
    try:
        left = float(headers.get("x-ratelimit-reset", "")) - _RESET_IS_LATE_BY - now()
    except ValueError:
        return WINDOW
    return left if 0 <= left <= WINDOW else WINDOW


class Pacer:
    """Tells how long to wait before the next request that counts against one limit.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._not_before = 0.0

    def delay(self) -> float:
        """Return the seconds to wait before sending; 0 if it may go now."""
        return max(0.0, self._not_before - self._clock())

    def observe(self, headers: Mapping[str, str], now: Callable[[], float] = time.time) -> None:
        """Take note of an answer: a window without remaining requests must end first."""
        if headers.get("x-ratelimit-remaining") == "0":
            self._not_before = self._clock() + seconds_until_window(headers, now)
