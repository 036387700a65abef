"""Extracts the server's own words from answers of any form (server.md 1.4), safe to show. No I/O."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from ..models.received import without_signatures

SHOWN = 400
"""Most characters of the server's words that are shown."""

_SHOWN_VALUE = 60
_SHOWN_FIELDS = 20
_SHOWN_OF_PAGE = 120
_READ_OF_PAGE = 20_000
_LEAST_SECRET = 8
"""Shorter secrets are not hidden, because they match ordinary words; the server's own are far longer."""

NO_JSON = object()
"""Stands for a body that is not JSON."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an answer says.

    :param text: the whole text, shortened.
    :param fields: what it says about each field.
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
    """Return ``value`` as printable text, shortened and without secrets."""
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
    """Return a sent value in a few characters."""
    short = value[:SHOWN] if isinstance(value, str | list) else value
    return shown(repr(short), secrets)[:_SHOWN_VALUE]


def _error(parsed: Any) -> Any:
    """Return the value of ``error``, inside or beside ``log`` (E1 to E5)."""
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
    if is_marked_up(body):
        return text_of_page(body)
    return body[: 4 * SHOWN].decode("utf-8", "replace")


def is_marked_up(body: bytes) -> bool:
    """Whether a body is HTML or XML, like that of a proxy or an object storage."""
    return body[:1024].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<"


def text_of_page(body: bytes) -> str:
    """Return the visible text of a page in one short line: ``502 Bad Gateway; nginx``."""
    page = _Page()
    page.feed(body[:_READ_OF_PAGE].decode("utf-8-sig", "replace"))
    return "; ".join(dict.fromkeys(page.texts))[:_SHOWN_OF_PAGE]


class _Page(HTMLParser):
    """Collects the texts of a page, except scripts and styles."""

    _UNSEEN = frozenset({"script", "style", "template", "noscript"})

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in self._UNSEEN:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and tag == self._within[-1]:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not self._within:
            self.texts.append(text)
