"""Rate limits: a fixed window per endpoint and address (wire contract, 1.5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds; ``text`` is what a 429 says."""

    amount: int
    seconds: int
    text: str
    own: bool = True


DEFAULT = Limit(10000, 1, "10000 per 1 second", own=False)
PACKET = Limit(20, 1, "20 per 1 second")
UPLOAD = Limit(4, 1, "4 per 1 second")
INPUT_UPDATE = Limit(300, 86400, "300 per 1 day")
DIRECTORY_NEW = Limit(200000, 86400, "200000 per 1 day")
GROUP_NEW = Limit(10, 86400, "10 per 1 day")


@dataclass
class Window:
    """The window of one endpoint and address."""

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
            "Retry-After": str(max(0, int(reset - now))),
        }


class Limiter:
    """Counts requests. Not per credential and not per project (quirk 24)."""

    def __init__(self, enabled: bool = True, clock: Callable[[], float] = time.time) -> None:
        self.enabled = enabled
        self._clock = clock
        self._windows: dict[tuple[str, str], Window] = {}
        self._lock = threading.Lock()

    def hit(self, endpoint: str, address: str, limit: Limit) -> tuple[Window | None, bool]:
        """Count a request.

        :returns: its window (None while limits are off), and whether it is within the limit.
        """
        if not self.enabled:
            return None, True
        now = self._clock()
        with self._lock:
            window = self._windows.get((endpoint, address))
            if window is None or now >= window.end:
                window = Window(limit, now + limit.seconds)
                self._windows[endpoint, address] = window
            window.used += 1
            return window, window.used <= limit.amount

    def headers(self, window: Window | None) -> dict[str, str]:
        """Return the headers of a window as of now."""
        return {} if window is None else window.headers(self._clock())

    def reset(self) -> None:
        """Forget all windows."""
        with self._lock:
            self._windows.clear()
