"""When a request is sent again, for both transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenacity import RetryCallState, wait_random_exponential

from .errors import (
    NotProcessedError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerFaultError,
    ServerUnavailableError,
    UnexpectedReplyError,
)
from .request import Request

RATE_LIMIT_PATIENCE = 600.0
"""Seconds to go on after 429: the server is well, only others use the same address."""

_FAULTS_TOLERATED = 3
_backoff = wait_random_exponential(multiplier=0.2, max=10)


def may_resend(request: Request[Any]) -> Callable[[RetryCallState], bool]:
    """Return whether an attempt's failure allows another: not processed, or a read."""

    def decide(state: RetryCallState) -> bool:
        error = _error(state)
        if isinstance(error, NotProcessedError):
            return True
        if isinstance(error, UnexpectedReplyError):
            return False  # it would answer so again
        return isinstance(error, OutcomeUnknownError) and not request.write

    return decide


def give_up(retry_timeout: float) -> Callable[[RetryCallState], bool]:
    """Return whether patience is at its end after an attempt.

    A 500 on a look-up mostly means that the id does not exist (quirk 39): three attempts.
    """

    def decide(state: RetryCallState) -> bool:
        elapsed = state.seconds_since_start or 0.0
        error = _error(state)
        if isinstance(error, ServerFaultError) and state.attempt_number >= _FAULTS_TOLERATED:
            return True
        patience = RATE_LIMIT_PATIENCE if isinstance(error, RateLimitedError) else retry_timeout
        return elapsed + state.upcoming_sleep > patience

    return decide


def delay(request: Request[Any]) -> Callable[[RetryCallState], float]:
    """Return how to tell the seconds before the next attempt: the server's own delay, else full jitter.

    A request under the packet limit waits for its turn by itself.
    """

    def decide(state: RetryCallState) -> float:
        error = _error(state)
        if isinstance(error, RateLimitedError) and request.limit:
            return 0.0
        backoff = float(_backoff(state))
        if isinstance(error, ServerUnavailableError):
            return max(error.retry_after, backoff)
        return error.retry_after + backoff / 4 if isinstance(error, RateLimitedError) else backoff

    return decide


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
