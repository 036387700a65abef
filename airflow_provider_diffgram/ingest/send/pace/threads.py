"""Sends several requests at once, in a bounded number, so that latency does not limit the rate."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from ....client import DiffgramError, OutcomeUnknownError, StoppedError
from ...defaults import CONCURRENCY
from .congestion import Answer, Congestion

_SERVER_ERROR = 500


class Senders:
    """Threads that carry out jobs; the first error of one stops the rest.

    :param concurrency: number of threads.
    :param way: returns the minimum seconds of any request to the server.
    :ivar uploads: gate for requests that ingest a medium before they are answered.
    :ivar updates: gate for requests that write into existing files, which another service of the server does.
    """

    def __init__(self, concurrency: int = CONCURRENCY, way: Callable[[], float] = lambda: 0.0) -> None:
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="diffgram")
        self._most = 2 * concurrency
        self._changed = threading.Condition()
        self._under_way = 0
        self._error: BaseException | None = None
        self.uploads = Gate(concurrency, self._has_failed, way)
        self.updates = Gate(concurrency, self._has_failed, way)

    def _has_failed(self) -> bool:
        return self._error is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def finish(self) -> None:
        """Let jobs that have begun finish; drop the others."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, job: Callable[[], object]) -> None:
        """Queue ``job`` for a thread; wait while enough jobs are queued.

        :raises BaseException: what an earlier job raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error or self._under_way < self._most)
            self._reraise()
            self._under_way += 1
        self._pool.submit(self._do, job)

    def drain(self) -> None:
        """Wait until all submitted jobs are done.

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
        except BaseException as raised:  # noqa: BLE001  # the next submit or drain raises it
            error = raised
        with self._changed:
            self._under_way -= 1
            self._error = self._error or error
            self._changed.notify_all()
        if error is not None:
            self.uploads.look()
            self.updates.look()


class Gate:
    """Admits as many requests at once as the server handles without getting slower.

    :param most: most requests at once, however fast the server answers.
    :param is_closed: returns whether no more requests may pass.
    :param way: returns the minimum seconds of any request.
    :param clock: returns seconds.
    """

    def __init__(
        self,
        most: int,
        is_closed: Callable[[], bool] = lambda: False,
        way: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._congestion = Congestion.of(most)
        self._is_closed = is_closed
        self._way = way
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way = 0
        self._began = -math.inf

    @property
    def limit(self) -> int:
        """How many requests it admits at once now."""
        return self._congestion.limit

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it for the block: one request, or several that belong together.

        :raises StoppedError: if nothing more may be sent.
        """
        with self._changed:
            while not self._is_closed() and (wait := self._seconds_to_wait()) > 0:
                self._changed.wait(None if wait == math.inf else wait)
            if self._is_closed():
                raise StoppedError("another request has failed")
            self._under_way += 1
            self._began = self._clock()
            at_once = self._under_way
        began, failed = self._clock(), False
        try:
            yield
        except DiffgramError as error:
            failed = isinstance(error, OutcomeUnknownError) or (error.status or 0) >= _SERVER_ERROR
            raise
        finally:
            with self._changed:
                self._under_way -= 1
                answer = Answer(self._clock() - began, at_once, failed=failed, way=self._way())
                self._congestion = self._congestion.after(answer)
                self._changed.notify_all()

    def _seconds_to_wait(self) -> float:
        """Return the seconds until the next possible turn; infinite if another must end first."""
        if self._under_way >= self._congestion.limit:
            return math.inf
        if not self._under_way:
            return 0.0
        return self._began + self._congestion.gap - self._clock()

    def look(self) -> None:
        """Wake all threads that wait, so that they see whether the gate is closed."""
        with self._changed:
            self._changed.notify_all()
