"""The query index of attribute values: what the server understands, what makes it fail (server.md 5.4).

Whatever is sent is stored and returned unchanged; only the index below looks at it. A plain exception out of
:func:`indexed` is what the real server fails with; the instances stay stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .errors import DatabaseRefused
from .store import Store
from .validation import INT32_MAX

Entry = tuple[int, int | None, str | None]
"""Group id, option id, value."""


def indexed(store: Store, project_id: int, groups: dict[str, Any]) -> list[Entry]:
    """Return the index entries of one instance's ``attribute_groups``.

    :raises DatabaseRefused: for an option that does not exist, or a slider value beyond 32 bit.
    """
    entries: list[Entry] = []
    for key, value in groups.items():
        group = _group(store, project_id, key)
        reader = _READERS.get(group["kind"]) if group is not None else None
        if group is not None and reader is not None:
            entries += [(group["id"], option, text) for option, text in reader(store, value)]
    return entries


def _group(store: Store, project_id: int, key: str) -> sqlite3.Row | None:
    if not key.isdecimal() or int(key) > INT32_MAX:
        return None
    return store.one("SELECT * FROM attribute_group WHERE id = ? AND project_id = ?", int(key), project_id)


Pair = tuple[int | None, str | None]


def _option(store: Store, option_id: Any) -> Pair:
    number = int(option_id)
    if store.one("SELECT 1 FROM attribute_option WHERE id = ?", number) is None:
        raise DatabaseRefused(f"no attribute option {number}")
    return number, None


def _choice(store: Store, value: Any) -> list[Pair]:
    if not isinstance(value, dict) or value.get("id") is None:
        return []
    return [_option(store, value["id"])]


def _choices(store: Store, value: Any) -> list[Pair]:
    if value is None:
        return []
    many = [value] if isinstance(value, dict) else value
    return [_option(store, one.get("id")) for one in many]


def _tree(store: Store, value: Any) -> list[Pair]:
    if not isinstance(value, dict):
        return []
    return [_option(store, key) for key, node in value.items() if node.get("selected")]


def _text(store: Store, value: Any) -> list[Pair]:
    return [(None, str(value))]


def _slider(store: Store, value: Any) -> list[Pair]:
    number = int(value)
    if abs(number) > INT32_MAX:
        raise DatabaseRefused("slider value out of range")
    return [(None, str(number))]


def _date(store: Store, value: Any) -> list[Pair]:
    if not isinstance(value, str):
        return []
    return [(None, datetime.strptime(value, "%Y-%m-%d").date().isoformat())]


def _time(store: Store, value: Any) -> list[Pair]:
    return [(None, datetime.strptime(value, "%H:%M").time().isoformat())]


_READERS: dict[str | None, Callable[[Store, Any], list[Pair]]] = {
    "select": _choice,
    "radio": _choice,
    "multiple_select": _choices,
    "tree": _tree,
    "text": _text,
    "slider": _slider,
    "date": _date,
    "time": _time,
}
