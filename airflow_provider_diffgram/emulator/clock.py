"""Waiting that ends when the emulator does, and work that shares one processor."""

from __future__ import annotations

import random
import threading
import time

_SLICE = 0.02


class Stopped(Exception):
    """The emulator is ending; whatever was being processed is left as it is, as after a kill."""


class Clock:
    """Time as the ingest threads spend it."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._working = 0

    def stop(self) -> None:
        """End all waiting."""
        self._stop.set()

    @property
    def is_stopped(self) -> bool:
        """Tell whether the emulator is ending."""
        return self._stop.is_set()

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises Stopped: if the emulator ends meanwhile.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def about(self, seconds: float) -> None:
        """Wait for a time give or take a quarter."""
        self.pause(seconds * random.uniform(0.75, 1.25))

    def work(self, seconds: float) -> None:
        """Take so many seconds of the one processor all callers share.

        Alone this lasts as long as it says, among n callers n times as long. With it the time between
        ``success`` and the instances grows under load as observed (wire contract, 3.2, "flip").
        """
        with self._lock:
            self._working += 1
        try:
            left = seconds
            while left > 0:
                before = time.monotonic()
                self.pause(min(_SLICE, left * self._working))
                left -= (time.monotonic() - before) / max(1, self._working)
        finally:
            with self._lock:
                self._working -= 1
