"""Waiting that ends when the emulator does, and work that shares one processor."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field

_SLICE = 0.02
_LOOK = 0.5
"""Seconds over which the use of the processor is measured."""
_BUSY = 0.8


class Stopped(Exception):
    """The process is ending; whatever was being processed is left as it is, as after a kill."""


@dataclass
class _Processor:
    """The one processor, and how many are working on it."""

    working: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    used: float = 0.0
    changed: float = field(default_factory=time.monotonic)
    looked: tuple[float, float] = field(default_factory=lambda: (time.monotonic(), 0.0))
    share: float = 0.0

    def change(self, by: int) -> None:
        """Note that one more works, or one less."""
        with self.lock:
            self._settle()
            self.working += by

    def _settle(self) -> None:
        now = time.monotonic()
        self.used += (now - self.changed) * (self.working > 0)
        self.changed = now

    def busy(self) -> float:
        """Return the share of the time in which somebody worked, of the last look's time or longer."""
        with self.lock:
            self._settle()
            moment, used = self.looked
            if self.changed - moment >= _LOOK:
                self.share = (self.used - used) / (self.changed - moment)
                self.looked = self.changed, self.used
            return self.share


class Clock:
    """Time as the ingest threads of one process spend it."""

    def __init__(self, processor: _Processor | None = None) -> None:
        self._stop = threading.Event()
        self._processor = processor or _Processor()

    def another(self) -> Clock:
        """Return a clock that is stopped by itself, for a process on the same processor."""
        return Clock(self._processor)

    def stop(self) -> None:
        """End all waiting."""
        self._stop.set()

    @property
    def is_stopped(self) -> bool:
        """Tell whether the process is ending."""
        return self._stop.is_set()

    def check(self) -> None:
        """Go on only while the process lives.

        :raises Stopped: if it is ending.
        """
        if self._stop.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Wait.

        :raises Stopped: if the process ends meanwhile.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def about(self, seconds: float) -> None:
        """Wait for a time give or take a quarter."""
        self.pause(seconds * random.uniform(0.75, 1.25))

    def work(self, seconds: float) -> None:
        """Take so many seconds of the one processor all callers share.

        Alone this lasts as long as it says, among n callers n times as long. With it the time between
        ``success`` and the instances grows under load as observed (server.md 3.2, "flip").
        """
        processor = self._processor
        processor.change(1)
        try:
            left = seconds
            while left > 0:
                before = time.monotonic()
                self.pause(min(_SLICE, left * processor.working))
                left -= (time.monotonic() - before) / max(1, processor.working)
        finally:
            processor.change(-1)

    def while_busy(self, seconds: float) -> None:
        """Wait as long as the processor is in use for more than 80 % of the time, so many seconds each time.

        :raises Stopped: if the process ends meanwhile.
        """
        while seconds and self._processor.busy() > _BUSY:
            self.pause(seconds)
