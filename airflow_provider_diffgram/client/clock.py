"""The time of a client. All of its waits go through here, so that a test can make time pass faster."""

from __future__ import annotations

import threading
import time

from .errors import StoppedError

_PIECE = 0.5
"""Seconds after which a wait looks whether it is to end."""


class Clock:
    """Real time; a test gives a client another one."""

    def monotonic(self) -> float:
        """Return seconds that only grow, counted from some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Let ``seconds`` pass while others use the event loop."""
        import asyncio  # costs workers time, who never come here

        await asyncio.sleep(seconds)


class StoppableClock(Clock):
    """A clock whose waits end with StoppedError soon after ``stop`` is set.

    :param clock: whose time this is.
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
