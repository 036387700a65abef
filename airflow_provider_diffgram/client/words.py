"""The server's own words, in whatever shape they arrive (server.md 1.4), safe to show. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..models.received import without_signatures

SHOWN = 400
"""Most characters of the server's words that are shown."""

_SHOWN_VALUE = 60
_SHOWN_FIELDS = 20
_LEAST_SECRET = 8
"""A shorter secret would match ordinary words; the server's own are far longer."""

NO_JSON = object()
"""Stands for a body that is not JSON."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an answer says.

    :param text: all of it, cut.
    :param fields: what it says of each field.
    """

    text: str
    fields: dict[str, str]


def words_of(body: bytes, parsed: Any, secrets: Sequence[str] = ()) -> Words:
    """Return what ``body`` says; ``parsed`` is its JSON, or :data:`NO_JSON`."""
    fields = {
        shown(key, secrets): shown(value, secrets)
        for key, value in list(_error_object(parsed).items())[:_SHOWN_FIELDS]
    }
    if fields:
        text = "; ".join(f"{key}: {value}" for key, value in fields.items())[:SHOWN]
        return Words(text, fields)
    return Words(shown(_sentence(body, parsed), secrets), {})


def shown(value: Any, secrets: Sequence[str] = ()) -> str:
    """Return ``value`` as printable text, cut, and without secrets."""
    try:
        text = str(value)
    except RecursionError:
        text = "..."
    for secret in secrets:
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(secret, "...")
    text = without_signatures(text.strip())
    return text[:SHOWN].encode("utf-8", "replace").decode()


def shown_value(value: Any, secrets: Sequence[str] = ()) -> str:
    """Return what was sent, in a few characters."""
    short = value[:SHOWN] if isinstance(value, str | list) else value
    return shown(repr(short), secrets)[:_SHOWN_VALUE]


def _error(parsed: Any) -> Any:
    """Return what stands under ``error``: in the log, or beside it (E1 to E5)."""
    if not isinstance(parsed, Mapping):
        return None
    log = parsed.get("log")
    return (log.get("error") if isinstance(log, Mapping) else None) or parsed.get("error")


def _error_object(parsed: Any) -> Mapping[Any, Any]:
    """Return the fields that an answer names, except those of the dispatcher (E5)."""
    error = _error(parsed)
    if not isinstance(error, Mapping) or {"message", "service"} <= set(error):
        return {}
    return error


def _sentence(body: bytes, parsed: Any) -> Any:
    if isinstance(parsed, Mapping):
        error = _error(parsed)
        if isinstance(error, Mapping):
            return error.get("message") or ""
        return error or parsed.get("message") or ""
    if isinstance(parsed, str):
        return parsed
    return body[: 4 * SHOWN].decode("utf-8", "replace")
