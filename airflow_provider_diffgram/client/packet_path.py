"""Which of two paths a server takes packets at (wire contract 6). No I/O."""

from __future__ import annotations

from typing import Any

from .errors import DiffgramError, RateLimitedError, RefusedError, WrongAddressError
from .request import Request
from .settings import Settings

_documented: set[tuple[str, str]] = set()
"""Server and project of those that take packets at the documented path only. Shared by all clients of the
process, so that it is found out once; adding and removing one element needs no lock."""


def paths_of(request: Request[Any], settings: Settings) -> list[str]:
    """Return the path to ask, and after it the one to ask if the server does not have the first."""
    if request.documented_path is None or settings.packet_path == "served":
        return [request.path]
    if settings.packet_path == "documented":
        return [request.documented_path]
    paths = [request.path, request.documented_path]
    return paths[::-1] if _key(settings) in _documented else paths


def is_missing(error: DiffgramError) -> bool:
    """Whether the answer says that the server has no such path. Never 503, never silence: quirk 28."""
    return isinstance(error, WrongAddressError) and error.status in (404, 405)


def is_served(error: DiffgramError) -> bool:
    """Whether the answer can only come from what handles packets."""
    return type(error) in (RefusedError, RateLimitedError)


def remember(request: Request[Any], settings: Settings, path: str) -> None:
    """Note that ``path`` is served where the other is not."""
    if path == request.documented_path:
        _documented.add(_key(settings))
    else:
        _documented.discard(_key(settings))


def _key(settings: Settings) -> tuple[str, str]:
    return settings.base_url, settings.project
