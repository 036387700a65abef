"""Saving the whole list of a file's instances, as a person's page and ``annotation/update`` do.

A row is recognised by its content. What is live and neither in the list nor replaced by a row of it is
deleted (server.md 10.8).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import DatabaseRefused, ServerCrash
from .files import note_stored_instances
from .geometry import GeometryRefused
from .instances import (
    attribute_entries,
    count_labels,
    identity_of,
    insert_instance,
    prepared,
    require_storable,
    server_order,
    soft_delete,
)
from .store import Project, Store, update


@dataclass
class Saved:
    """What became of a list.

    :param added: ids of all rows created, tombstones of deleted ones among them.
    :param deleted: ids of rows that are live no more: replaced ones, then those that were missing.
    :param missing: those of them that the list did not name.
    :param existing: ids of all rows that the file had, deleted ones too, newest first.
    :param looked_at: how many rows of the list had valid fields.
    :param errors: of the first bad row; then what came before it is stored, and nothing is deleted.
    """

    added: list[int] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    existing: list[int] = field(default_factory=list)
    looked_at: int = 0
    errors: dict[str, Any] | None = None


def save_list(
    store: Store,
    project: Project,
    file_id: int,
    sent: list[Any],
    member_id: int | None,
    work: Callable[[], None] = lambda: None,
    is_locked: bool = True,
) -> Saved:
    """Make a list of instances the one of a file.

    :param work: takes the time that it takes.
    :param is_locked: whether the caller keeps others away meanwhile. If not, what somebody writes between
        reading and writing is not seen: the same row may be stored twice, and the counter be too low.
    :raises DatabaseRefused: for a value or an id that only the database refuses; nothing is stored then.
    :raises ServerCrash: for what the server does not handle; nothing is stored then.
    """
    there = _what_is_there(store, file_id)
    work()
    with store.write() as connection:
        rows, counted = _what_is_there(store, file_id) if is_locked else there
        saving = _Saving(store, connection, project, file_id, rows, member_id)
        saving.go_through(sent)
        if saving.saved.errors is None:
            saving.delete_what_is_missing(sent)
        note_stored_instances(connection, file_id, 0)
        count_labels(connection, file_id)
        if saving.saved.added:
            counted = (counted or 0) + len(saving.saved.added)
            update(connection, "file", file_id, count_instances_changed=counted)
    return saving.saved


def _what_is_there(store: Store, file_id: int) -> tuple[list[sqlite3.Row], int | None]:
    """Return all rows of a file, newest first, and its counter."""
    file = store.one("SELECT count_instances_changed FROM file WHERE id = ?", file_id)
    rows = store.all("SELECT * FROM instance WHERE file_id = ? ORDER BY id DESC", file_id)
    return rows, None if file is None else file["count_instances_changed"]


class _Saving:
    """One list on its way into the database."""

    def __init__(
        self,
        store: Store,
        connection: sqlite3.Connection,
        project: Project,
        file_id: int,
        rows: list[sqlite3.Row],
        member_id: int | None,
    ) -> None:
        self.saved = Saved(existing=[row["id"] for row in rows])
        self._store = store
        self._connection = connection
        self._project = project
        self._file_id = file_id
        self._member_id = member_id
        self._rows = {row["id"]: row for row in rows}
        self._same = {
            _content(row["identity"], bool(row["soft_delete"])): row["id"] for row in rows if _counts(row)
        }
        self._kept: set[int] = set()
        self._replaced: dict[int, str] = {}

    def go_through(self, sent: list[Any]) -> None:
        """Store the rows that are new, up to the first bad one."""
        seen: set[str] = set()
        for row in server_order(sent):
            if not isinstance(row, dict):
                raise ServerCrash(f"'{type(row).__name__}' object has no attribute 'get'")
            try:
                data = prepared(self._store, self._project, row, checks_model=False)
            except GeometryRefused as refused:
                self.saved.errors = refused.errors
                self.saved.looked_at += refused.has_valid_fields
                return
            except (AssertionError, LookupError, TypeError, ValueError, AttributeError) as error:
                raise ServerCrash("" if isinstance(error, AssertionError) else str(error)) from error
            self.saved.looked_at += 1
            content = _content(identity_of(data), bool(row.get("soft_delete")))
            if content in seen:
                continue
            seen.add(content)
            if content in self._same:
                self._kept.add(self._same[content])
            else:
                self._add(row, data)

    def _add(self, row: dict[str, Any], data: dict[str, Any]) -> None:
        """Store a row: a new one, or the next version of the one it names."""
        self._require_storable(data)
        is_deletion, named = bool(row.get("soft_delete")), row.get("id")
        data["member_created_id"] = self._member_id
        if named is not None:
            before = self._rows.get(named)
            was_deleted = before is not None and bool(before["soft_delete"])
            data |= {
                "previous_id": named,
                "root_id": row.get("root_id"),
                "version": (row.get("version") or 0) + 1,
                "action_type": "deleted" if is_deletion else "undeleted" if was_deleted else "edited",
            }
            if before is not None and not was_deleted:
                self._replaced[named] = "user" if is_deletion else "system_deletion"
        entries, _ = attribute_entries(self._store, self._project, data)
        self.saved.added.append(
            insert_instance(self._connection, self._file_id, identity_of(data), data, entries, is_deletion)
        )

    def _require_storable(self, data: dict[str, Any]) -> None:
        if "\x00" in str(data.get("creation_ref_id") or ""):
            raise ServerCrash("A string literal cannot contain NUL (0x00) characters.")
        require_storable(data)
        for key, table in (("model_id", "model"), ("model_run_id", "model_run")):
            known = self._store.one(f"SELECT 1 FROM {table} WHERE id = ?", data.get(key))
            if data.get(key) is not None and known is None:
                raise DatabaseRefused(f"no {table} {data[key]}")

    def delete_what_is_missing(self, sent: list[Any]) -> None:
        """Delete rows that were replaced, and live ones that are not in the list."""
        named = {row.get("id") for row in sent}
        left = [
            one
            for one, row in self._rows.items()
            if not row["soft_delete"] and one not in self._kept and one not in self._replaced
        ]
        for one, kind in self._replaced.items():
            soft_delete(self._connection, [one], kind)
        soft_delete(self._connection, left, "system_deletion")
        self.saved.deleted = [*self._replaced, *left]
        self.saved.missing = [one for one in left if one not in named]


def _counts(row: sqlite3.Row) -> bool:
    """Tell whether a row is recognised: a live one, or the tombstone that a deletion left."""
    return not row["soft_delete"] or json.loads(row["data"]).get("action_type") == "deleted"


def _content(identity: str, is_deleted: bool) -> str:
    """Return what a row is recognised by: a deleted row is another than a live one like it."""
    return f"deleted {identity}" if is_deleted else identity
