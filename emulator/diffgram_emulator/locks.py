"""Files that are being written, and requests that wait for their turn."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class LockedFiles:
    """Which files are locked; nobody waits for one (server.md 10.8.3)."""

    def __init__(self) -> None:
        self._locked: set[int] = set()
        self._lock = threading.Lock()

    def take(self, file_id: int) -> bool:
        """Lock a file, and tell whether it was free."""
        with self._lock:
            is_free = file_id not in self._locked
            self._locked.add(file_id)
            return is_free

    def give_back(self, file_id: int) -> None:
        """Unlock a file."""
        with self._lock:
            self._locked.discard(file_id)


class Turns:
    """Lets as many requests of a service be served at once as it has processes; the others wait in order.

    It belongs to one event loop.

    :param limit: how many; it may change.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._busy = 0
        self._waiting: deque[asyncio.Event] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and have it."""
        if self._waiting or self._busy >= self._limit():
            mine = asyncio.Event()
            self._waiting.append(mine)
            try:
                await mine.wait()
            except BaseException:
                if mine.is_set():
                    self._busy -= 1
                    self._wake()
                else:
                    self._waiting.remove(mine)
                raise
        else:
            self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._wake()

    def _wake(self) -> None:
        while self._waiting and self._busy < self._limit():
            self._busy += 1
            self._waiting.popleft().set()
