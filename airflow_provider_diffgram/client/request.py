"""Requests to Diffgram as values, and generators that yield requests."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send as a multipart form.

    :param filename: name from which the server derives ``original_filename`` and the media type.
    :param size: length in bytes.
    :param open: opens the bytes; called for each attempt.
    :param form: the other parts of the form.
    :param source: where the bytes come from, for errors; the filename when empty.
    """

    filename: str
    size: int
    open: Callable[[], BinaryIO] = field(repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    source: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """What to send and how to read the answer. No I/O.

    :param what: the request in words, for errors: ``list labels``.
    :param method: HTTP method.
    :param path: absolute path, quoted.
    :param read: turns the parsed body of an answer into a value.
    :param json: JSON body.
    :param params: query.
    :param upload: multipart body, instead of ``json``.
    :param write: whether executing it twice differs from executing it once.
    :param limit: name of the limit per second that it counts against; requests with the same name share it.
    :param edits_rows: whether it edits what others may edit at the same moment: 503 may mean that they do,
        and a refusal may leave a part stored (server.md 10.8).
    :param if_absent: words of the 500 that means an unknown id, so that another attempt is pointless.
    :param documented_path: its path in the vendor's documentation, if different (server.md 6).
    """

    what: str
    method: str
    path: str
    read: Callable[[Any], T] = field(repr=False)
    json: Any = field(default=None, repr=False)
    params: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    upload: Upload | None = None
    write: bool = False
    limit: str | None = None
    edits_rows: bool = False
    if_absent: str | None = None
    documented_path: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A wait of ``seconds``; the transport answers with the time after it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Together:
    """Requests that do not depend on each other; at most 8 run at a time."""

    requests: Sequence[Request[Any]]


AT_ONCE = 8

Steps = Generator["Request[Any] | Together | Pause", Any, T]
"""A generator that yields requests and pauses and returns ``T``; it does no I/O itself.

The same steps run on the worker (:meth:`~.sync.DiffgramClient.run`) and in the triggerer
(:meth:`~.aio.AsyncDiffgramClient.run`).
"""


def ask(request: Request[T]) -> Steps[T]:
    """Yield ``request`` and return its typed answer."""
    return cast(T, (yield request))


def ask_together(requests: Iterable[Request[T]]) -> Steps[list[T]]:
    """Yield ``requests`` and return their answers in the same order."""
    return cast("list[T]", (yield Together(list(requests))))


def pause(seconds: float) -> Steps[float]:
    """Yield a wait of ``seconds``, and return the time after it, as from :func:`now`."""
    return cast(float, (yield Pause(seconds)))


def now() -> Steps[float]:
    """Return the time of the client's clock, in monotonic seconds."""
    return pause(0.0)


def poll(look: Callable[[], Steps[T | None]], *, every: float, patience: float) -> Steps[T | None]:
    """Poll until something is found; return it, or None once ``patience`` seconds have passed.

    The last poll is made when time is up, so that nothing that arrived during the last pause is missed.

    :param look: polls once; returns None until it finds something.
    :param every: seconds between two polls.
    :param patience: seconds.
    """
    end = (yield from now()) + patience
    while (found := (yield from look())) is None:
        left = end - (yield from now())
        if left <= 0:
            return None
        yield from pause(min(every, left))
    return found
