"""The time formats of the server (server.md 1.6). Times are stored as ISO text in UTC, without zone."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache


def now_iso() -> str:
    """Return the present as ISO text with microseconds."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def rfc1123(moment: str | None) -> str | None:
    """Return a stored time as ``Sat, 21 Nov 2026 20:33:31 GMT``."""
    if moment is None:
        return None
    return f"{_rfc1123_day(moment[:10])} {moment[11:19]} GMT"


@lru_cache(maxsize=64)
def _rfc1123_day(day: str) -> str:
    return format_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC)).partition(" 00:")[0]


def with_blank(moment: str | None, timespec: str = "microseconds") -> str | None:
    """Return a stored time as ``2026-11-21 20:32:38``, as schemas and attribute groups show it."""
    if moment is None:
        return None
    return datetime.fromisoformat(moment).isoformat(sep=" ", timespec=timespec)


def duration(start: str, end: str | None) -> str:
    """Return ``end - start`` as text, or the word ``None`` (the server prints Python's)."""
    if end is None:
        return "None"
    return str(datetime.fromisoformat(end) - datetime.fromisoformat(start))
