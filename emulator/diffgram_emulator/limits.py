"""Rate limits: fixed windows per endpoint and address, in the memory of a process (server.md 1.5)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds.

    :param text: what a 429 says.
    :param own: whether it is the endpoint's own, not the one of all others.
    :param also: longer limits that hold as well.
    """

    amount: int
    seconds: int
    text: str
    own: bool = True
    also: tuple[Limit, ...] = ()


DEFAULT = Limit(
    10000,
    1,
    "10000 per 1 second",
    own=False,
    also=(Limit(900000, 3600, "900000 per 1 hour"), Limit(6000000, 86400, "6000000 per 1 day")),
)
LAST_MOMENT = 0.14
"""Seconds at the end of a window in which ``Retry-After`` is 0: 73 of 520 answers (server.md 10.1)."""
PACKET = Limit(20, 1, "20 per 1 second")
UPLOAD = Limit(4, 1, "4 per 1 second")
INPUT_UPDATE = Limit(300, 86400, "300 per 1 day")
DIRECTORY_NEW = Limit(200000, 86400, "200000 per 1 day")
GROUP_NEW = Limit(10, 86400, "10 per 1 day")
EXPORT_NEW = Limit(1000, 60, "1000 per 1 minute")
BUILDER_INFO = Limit(300, 86400, "300 per 1 day")
TASK = Limit(
    1, 1, "1 per 1 second", also=(Limit(50, 60, "50 per 1 minute"), Limit(500, 86400, "500 per 1 day"))
)
JOB_CANCEL = Limit(10, 86400, "10 per 1 day")
DIRECTORY_ATTACH = Limit(20, 86400, "20 per 1 day")


@dataclass
class Window:
    """One window of one endpoint and address."""

    limit: Limit
    end: float
    used: int = 0

    def headers(self, now: float) -> dict[str, str]:
        """Return the headers every answer carries, throttled or not (quirk 25).

        ``X-RateLimit-Reset`` is one second after the real end of the window, as on the server.
        """
        over = now >= self.end
        remaining = self.limit.amount if over else max(0, self.limit.amount - self.used)
        reset = self.end + 1
        return {
            "X-RateLimit-Limit": str(self.limit.amount),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": repr(reset),
            "Retry-After": str(max(0, int(reset - now - LAST_MOMENT))),
        }


class Limiter:
    """Counts requests. Not per credential and not per project (quirk 24).

    :param processes: server processes; whichever serves a request counts it, knowing nothing of the others.
    """

    def __init__(
        self, enabled: bool = True, clock: Callable[[], float] = time.time, processes: int = 1
    ) -> None:
        self.enabled = enabled
        self.processes = processes
        self._clock = clock
        self._windows: dict[tuple[int, str, str, int], Window] = {}
        self._lock = threading.Lock()

    def hit(self, endpoint: str, address: str, limit: Limit) -> tuple[Window | None, bool]:
        """Count a request.

        :returns: the window that an answer tells of, which is the shortest one or the one that is exceeded
            (None while limits are off), and whether the request is within all of them.
        """
        if not self.enabled:
            return None, True
        process = random.randrange(self.processes) if self.processes > 1 else 0
        now = self._clock()
        with self._lock:
            told = self._count(process, endpoint, address, limit, now)
            within = told.used <= limit.amount
            for longer in limit.also if within else ():
                window = self._count(process, endpoint, address, longer, now)
                if window.used > longer.amount:
                    return window, False
            return told, within

    def _count(self, process: int, endpoint: str, address: str, limit: Limit, now: float) -> Window:
        key = (process, endpoint, address, limit.seconds)
        window = self._windows.get(key)
        if window is None or now >= window.end:
            window = self._windows[key] = Window(limit, now + limit.seconds)
        window.used += 1
        return window

    def headers(self, window: Window | None) -> dict[str, str]:
        """Return the headers of a window as of now."""
        return {} if window is None else window.headers(self._clock())

    def reset(self) -> None:
        """Forget all windows."""
        with self._lock:
            self._windows.clear()
