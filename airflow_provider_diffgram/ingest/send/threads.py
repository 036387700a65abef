"""Several requests at once, in bounded number: so that latency does not limit the rate."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from ..defaults import CONCURRENCY


class Senders:
    """Threads that carry out jobs; the first error of one stops the rest.

    :param concurrency: number of threads.
    """

    def __init__(self, concurrency: int = CONCURRENCY) -> None:
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="diffgram")
        self._most = 2 * concurrency
        self._changed = threading.Condition()
        self._under_way = 0
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def finish(self) -> None:
        """Let what is under way come to its end; drop what has not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, job: Callable[[], object]) -> None:
        """Have ``job`` done soon; wait while there are enough of them.

        :raises BaseException: what an earlier job raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._under_way < self._most)
            self._reraise()
            self._under_way += 1
        self._pool.submit(self._do, job)

    def drain(self) -> None:
        """Wait until nothing is under way.

        :raises BaseException: what a job raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or not self._under_way)
            self._reraise()

    def _reraise(self) -> None:
        if self._error is not None:
            self._changed.wait_for(lambda: not self._under_way)
            raise self._error

    def _do(self, job: Callable[[], object]) -> None:
        error: BaseException | None = None
        try:
            if self._error is None:
                job()
        except BaseException as raised:  # noqa: BLE001  # handed to whoever submits or drains next
            error = raised
        with self._changed:
            self._under_way -= 1
            self._error = self._error or error
            self._changed.notify_all()
