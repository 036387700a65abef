"""Passes what a generator yields from the thread that runs it to the thread that sends."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """Takes values in one thread and passes them in portions to another.

    A generator may work for minutes before it yields the next value, so a portion is passed on when it is
    full, when its first value has waited for ``seconds``, and at the end. A generator that is faster than the
    reader is slowed down.

    :param size: values of a full portion; at most this many wait here.
    :param seconds: how long a value waits for others at most.
    """

    def __init__(self, size: int, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        self._waiting: deque[tuple[float, T]] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._closed = False

    def fill(self, values: Iterable[T]) -> Exception | None:
        """Take what ``values`` yields, until it ends, raises, or the feed is closed.

        :return: what it raised, so that the caller can raise it after the earlier values are handled.
        """
        rest = iter(values)
        raised = None
        while not self._closed:
            try:
                value = next(rest)
            except StopIteration:
                break
            except Exception as error:  # noqa: BLE001  # returned
                raised = error
                break
            with self._changed:
                self._changed.wait_for(lambda: len(self._waiting) < self._size or self._closed)
                if not self._closed:
                    self._waiting.append((time.monotonic(), value))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        return raised

    def close(self) -> None:
        """Stop taking and passing on values, and drop those that wait."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[list[T]]:
        """Yield portions, none of them empty."""
        while portion := self._portion():
            yield portion

    def _portion(self) -> list[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended or self._closed)
            if self._waiting:
                left = self._waiting[0][0] + self._seconds - time.monotonic()
                self._changed.wait_for(lambda: self._is_full() or self._ended or self._closed, max(0, left))
            portion = [value for _, value in self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
            return portion

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._size
