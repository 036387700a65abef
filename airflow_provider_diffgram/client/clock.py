"""The clock of a client. All of its waits use it, so that a test can make time pass faster."""

from __future__ import annotations

import threading
import time

from .errors import StoppedError

_PIECE = 0.5
"""Seconds after which a wait checks whether it must end."""


class Clock:
    """Real time; tests use another clock."""

    def monotonic(self) -> float:
        """Return seconds that never decrease, counted from an arbitrary moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait for ``seconds`` without blocking the event loop."""
        import asyncio  # slow to import, and workers never need it

        await asyncio.sleep(seconds)


class StoppableClock(Clock):
    """A clock whose waits end with StoppedError soon after ``stop`` is set.

    :param clock: the clock that it wraps.
    :param stop: set to end the waits.
    """

    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock = clock
        self._stop = stop

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        # Not stop.wait: a signal handler that sets the event while this very thread waits for it would hang.
        while not self._stop.is_set():
            self._clock.sleep(min(seconds, _PIECE))
            seconds -= _PIECE
            if seconds <= 0:
                return
        raise StoppedError("asked to stop")
