"""Logs an outage of the server when it begins, from time to time, and when it ends.

Many requests meet the same outage at the same time, and none of them knows whether it is the first.
"""

from __future__ import annotations

import logging
import threading

from ..models.problems import count_of
from ..pulse import EVERY, duration
from .errors import DiffgramError, HostUnreachableError, NoReplyError, ServerUnavailableError

_log = logging.getLogger(__name__)

_SHORT = 2.0
"""Seconds: an outage that is shorter, such as a single failed request, is not logged."""


class Outage:
    """An outage that all requests of one client share. Thread-safe.

    :param where: host of the server.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._began: float | None = None
        self._told: float | None = None
        self._met = 0

    @property
    def is_on(self) -> bool:
        """Whether the last finished request met the outage."""
        return self._began is not None

    def note(self, error: DiffgramError, now: float, patience: float) -> None:
        """Record that a request failed and will be sent again.

        :param now: seconds of any monotonic clock.
        :param patience: seconds during which a request is sent again.
        """
        if not isinstance(error, HostUnreachableError | NoReplyError | ServerUnavailableError):
            return
        with self._lock:
            self._met += 1
            if self._began is None:
                self._began = now
            lasted = now - self._began
            if self._told is None and lasted >= _SHORT:
                _log.warning(
                    "%s Each request is sent again for %s.", self._sentence(error), duration(patience)
                )
            elif self._told is not None and now - self._told >= EVERY:
                _log.warning(
                    "no answer from %s for %s; %s met it",
                    self._where,
                    duration(lasted),
                    count_of(self._met, "request"),
                )
            else:
                return
            self._told = now

    def end(self, now: float) -> None:
        """Record that a request was answered."""
        with self._lock:
            if self._told is not None and self._began is not None:
                _log.info("%s answers again, after %s", self._where, duration(now - self._began))
            self._began = self._told = None
            self._met = 0

    def _sentence(self, error: DiffgramError) -> str:
        words = f"{str(error).removesuffix(error.remedy).strip().removesuffix('.')}."
        return words if self._where in words else f"{words} Asked: {self._where}."
