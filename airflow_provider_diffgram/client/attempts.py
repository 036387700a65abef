"""From a request to its answer: which path to use, when to send again, when to give up. No I/O.

A transport runs :func:`attempts` as httpx runs an authentication flow: it exchanges bytes, sleeps the pauses,
and decides nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from .errors import (
    CredentialError,
    DiffgramError,
    NotProcessedError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    UnexpectedReplyError,
    WrongAddressError,
)
from .outage import Outage
from .pacing import Pacer
from .replies import value_of
from .request import Pause, Request
from .settings import Settings

T = TypeVar("T")

RATE_LIMIT_PATIENCE = 600.0
"""Seconds to keep trying after 429: the server is healthy, but others use the same address."""

_FAULTS_TOLERATED = 3
"""Attempts that may end in 500, which on a look-up mostly means that the id does not exist (quirk 39)."""

_OF_THE_PLACE = (CredentialError, WrongAddressError, ServerUnavailableError)
"""Errors about the place to which the request went, so the message names it."""

_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.2, 10.0

_documented: set[tuple[str, str]] = set()
"""Server and project of each that takes packets only at the documented path. Shared by all clients of the
process, so that it is found out once; adding or removing one element needs no lock."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send the request to ``path``; the transport answers with a :class:`Reply`, or raises its error."""

    path: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over the network.

    :param headers: headers by lower-case name.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """Parse a body of ``size`` bytes by calling ``read``; a large one may go to a thread."""

    size: int
    read: Callable[[], Any]


Attempts = Generator["Exchange | Reading | Pause", Any, T]


def attempts(
    request: Request[T],
    settings: Settings,
    secrets: Sequence[str],
    pacer: Pacer | None = None,
    outage: Outage | None = None,
) -> Attempts[T]:
    """Yield what to do until ``request`` has its answer, and return the value of the answer.

    A request that was certainly not processed is sent again. So is a read, whatever happened to it, but not a
    write whose outcome is unknown.

    :param secrets: texts that no error may show.
    :param pacer: paces the limit that the request counts against.
    :param outage: records requests that the server does not answer.
    :raises DiffgramError: the meaning of the last answer.
    """
    ask = partial(_ask, request, secrets, pacer)
    began: float = yield Pause(0.0)
    failures = 0
    while True:
        try:
            answer = yield from _at_either_path(request, settings, ask)
            if outage is not None and outage.is_on:
                outage.end((yield Pause(0.0)))
            return answer
        except DiffgramError as error:
            failures += 1
            now: float = yield Pause(0.0)
            seconds = pause_after(error, request, failures, now - began, settings.retry_timeout)
            if outage is not None:
                outage.note(error, now, settings.retry_timeout)
            if seconds is None:
                if isinstance(error, _OF_THE_PLACE):
                    error.args = (f"{error}. Asked: {settings.where}",)
                raise
        yield Pause(seconds)


def pause_after(
    error: DiffgramError, request: Request[Any], failures: int, elapsed: float, patience: float
) -> float | None:
    """Return the seconds before the next attempt: the server's own delay, or full jitter; None to give up.

    A request under a limit waits for its turn by itself.

    :param failures: number of failed attempts, including this one.
    :param elapsed: seconds since the first attempt began.
    :param patience: seconds during which to try again; after 429 it is :data:`RATE_LIMIT_PATIENCE`.
    """
    if not _may_resend(error, request):
        return None
    if isinstance(error, ServerFaultError):
        is_absent = request.if_absent is not None and request.if_absent in str(error)
        if is_absent or failures >= _FAULTS_TOLERATED:
            return None
    seconds = backoff(failures)
    if isinstance(error, RateLimitedError):
        patience = RATE_LIMIT_PATIENCE
        seconds = 0.0 if request.limit else error.retry_after + seconds / 4
    elif isinstance(error, ServerUnavailableError):
        seconds = max(error.retry_after, seconds)
    return seconds if elapsed + seconds <= patience else None


def backoff(failures: int) -> float:
    """Return the seconds to wait after ``failures`` failures, with full jitter."""
    return random.uniform(0, min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(failures - 1, 9)))


def _may_resend(error: DiffgramError, request: Request[Any]) -> bool:
    if isinstance(error, NotProcessedError):
        return True
    if isinstance(error, UnexpectedReplyError):
        return False  # the next answer would be the same
    return isinstance(error, OutcomeUnknownError) and not request.write


def _at_either_path(
    request: Request[T], settings: Settings, ask: Callable[[str], Attempts[T]]
) -> Attempts[T]:
    """Try the path where the server is known or believed to serve the request, then the other (6)."""
    path, *others = paths_of(request, settings)
    try:
        return (yield from ask(path))
    except WrongAddressError as error:
        if not others or not _is_missing(error):
            raise
        missing = error
    try:
        answer = yield from ask(others[0])
    except DiffgramError as error:
        if _is_missing(error):
            raise missing from None
        if type(error) in (RefusedError, RateLimitedError):  # only an endpoint for packets answers like this
            _remember(request, settings, others[0])
        raise
    _remember(request, settings, others[0])
    return answer


def _ask(request: Request[T], secrets: Sequence[str], pacer: Pacer | None, path: str) -> Attempts[T]:
    """Send the request as soon as the server's limit has room, and read the answer."""
    reply: Reply = yield from (_exchange(path) if pacer is None else _paced(pacer, path))
    read = partial(value_of, request, reply.status, reply.headers, reply.body, path=path, secrets=secrets)
    answer: T = yield Reading(len(reply.body), read)
    return answer


def _exchange(path: str) -> Attempts[Reply]:
    reply: Reply = yield Exchange(path)
    return reply


def _paced(pacer: Pacer, path: str) -> Attempts[Reply]:
    while isinstance(turn := pacer.take(), float):
        yield Pause(turn)
    headers: Mapping[str, str] = {}
    refused = False
    try:
        reply = yield from _exchange(path)
        headers, refused = reply.headers, reply.status == 429
        return reply
    finally:  # even if the transport failed
        pacer.give_back(turn, headers, refused)


def paths_of(request: Request[Any], settings: Settings) -> list[str]:
    """Return the path to use, followed by the one to try if the server does not have the first (6)."""
    if request.documented_path is None or settings.packet_path == "served":
        return [request.path]
    if settings.packet_path == "documented":
        return [request.documented_path]
    paths = [request.path, request.documented_path]
    return paths[::-1] if _key(settings) in _documented else paths


def _is_missing(error: DiffgramError) -> bool:
    """Whether the answer means that the server has no such path. 503 or no answer never does: quirk 28."""
    return isinstance(error, WrongAddressError) and error.status in (404, 405)


def _remember(request: Request[Any], settings: Settings, path: str) -> None:
    """Remember that the server has ``path`` and not the other."""
    if path == request.documented_path:
        _documented.add(_key(settings))
    else:
        _documented.discard(_key(settings))


def _key(settings: Settings) -> tuple[str, str]:
    return settings.base_url, settings.project
