"""Polls a server for hours or weeks, even if it is unavailable at times."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import TypeVar

from ..models.problems import count_of
from .errors import (
    DiffgramError,
    NotProcessedError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerUnavailableError,
)
from .request import Steps, now, pause

_log = logging.getLogger(__name__)

T = TypeVar("T")


_FIRST = 1.0
_GROWTH = 1.5
_AT_ONCE = 0.05
_JITTER = 0.75
"""Minimum share of an interval to pause; a pause is never longer than it, to see the end in time."""


class Pace:
    """How often to poll: soon at first, then less and less often.

    :param longest: most seconds between two polls.
    :param first: seconds between the first two polls.
    """

    def __init__(self, longest: float, first: float = _FIRST) -> None:
        self._longest = longest
        self._routine, self._settling = first, _FIRST

    def pause(self, *, soon: bool = False, settling: bool = False) -> float:
        """Return the seconds until the next poll.

        :param soon: whether the last poll raised a question that should not wait.
        :param settling: whether everything pending will be decided within seconds.
        """
        if soon:
            return min(_AT_ONCE, self._longest)
        if settling:
            seconds, self._settling = self._settling, self._settling * _GROWTH
        else:
            seconds, self._routine = self._routine, min(self._routine * _GROWTH, self._longest)
            self._settling = _FIRST
        return min(seconds, self._longest) * random.uniform(_JITTER, 1.0)


def look_until_decided(
    look: Callable[[bool], Steps[T | None]],
    pause_after: Callable[[float, bool], float],
    *,
    timeout: float,
    first_pause: float,
    max_failures: int,
    lost: type[DiffgramError],
) -> Steps[T]:
    """Poll until there is a result; later polls make up for failed ones.

    :param look: polls once. Its argument says whether this is the last poll, which must return a result; None
        means poll again.
    :param pause_after: returns the seconds until the next poll, given the time and whether the last poll
        failed; the pause is longer if the server asks for it.
    :param timeout: seconds; the last poll is made when they have passed.
    :param first_pause: seconds before the first poll.
    :param max_failures: failed polls in a row after which to give up.
    :param lost: the class of the error to raise then.
    :raises DiffgramError: if the server refused.
    """
    end = (yield from now()) + timeout
    seconds, failures, said = first_pause, 0, ""
    while True:
        left = max(0.0, end - (yield from now())) + 0.01
        is_last = (yield from pause(min(seconds, left))) > end
        told = 0.0
        try:
            found = yield from look(is_last)
        except (NotProcessedError, OutcomeUnknownError) as error:
            failures += 1
            words = "as before" if str(error) == said else str(error)
            said = str(error)
            _log.warning("poll %s of %s failed: %s", failures, max_failures, words)
            if failures >= max_failures or is_last:
                raise lost(f"{count_of(failures, 'poll')} in a row failed; the last one: {error}") from None
            if isinstance(error, RateLimitedError | ServerUnavailableError):
                told = error.retry_after
        else:
            failures, said = 0, ""
            if found is not None:
                return found
        seconds = max(told, pause_after((yield from now()), failures > 0))
