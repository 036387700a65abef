"""Keeps names and what is known of them on disk: ten million packets must not fill the memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...models import File


@dataclass(frozen=True, slots=True)
class Pending:
    """An input under way: the few fields that a push needs.

    :param references: references of the instances that the input of a child brings.
    """

    id: int
    batch_id: int
    parent_file_id: int | None
    original_filename: str | None
    references: frozenset[str] = frozenset()


class Known:
    """Names of packets, and the root files and pending inputs with such a name. Thread-safe.

    Kept in a temporary SQLite database, which moves to a file of its own when it grows, and is then removed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect("", check_same_thread=False)
        self._base.executescript(
            "PRAGMA cache_size = -8000; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE packet (name TEXT PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE child (name TEXT, parent INTEGER, ordinal INTEGER,"
            " PRIMARY KEY (name, parent, ordinal)) WITHOUT ROWID;"
            "CREATE TABLE target (id INTEGER PRIMARY KEY, replaces INTEGER);"
            "CREATE TABLE listed (id INTEGER PRIMARY KEY, type TEXT, name TEXT);"
            "CREATE TABLE root (id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE INDEX root_name ON root (name);"
            "CREATE TABLE file (name TEXT PRIMARY KEY, id INTEGER, counted INTEGER) WITHOUT ROWID;"
            "CREATE TABLE doubled (name TEXT PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE pending (name TEXT PRIMARY KEY, id INTEGER, batch_id INTEGER) WITHOUT ROWID;"
        )

    def add_packet(self, name: str) -> bool:
        """Add a packet's name; return False if another packet has it."""
        return self._do("INSERT OR IGNORE INTO packet VALUES (?)", name).rowcount == 1

    def first_packets(self, most: int) -> list[str]:
        """Return up to ``most`` names of packets."""
        with self._lock:
            return [name for (name,) in self._base.execute("SELECT name FROM packet LIMIT ?", (most,))]

    def add_child(self, parent_file_id: int, name: str, ordinal: int) -> bool:
        """Add the place of a child to be sent; return False if another child has it."""
        noted = self._do("INSERT OR IGNORE INTO child VALUES (?, ?, ?)", name, parent_file_id, ordinal)
        return noted.rowcount == 1

    def count_children(self, parent_file_id: int, name: str) -> int:
        """Return how many children to be sent have that parent and name."""
        return self._number("SELECT count(*) FROM child WHERE parent = ? AND name = ?", parent_file_id, name)

    def add_root(self, file: File) -> None:
        """Add a root file that a check of children came across."""
        self._do("INSERT OR IGNORE INTO root VALUES (?, ?)", file.id, file.original_filename)

    def newest_root(self) -> int:
        """Return the highest id that :meth:`add_root` added; 0 if there is none."""
        return self._number("SELECT coalesce(max(id), 0) FROM root")

    def has_root(self, file_id: int) -> bool:
        """Return whether :meth:`add_root` added this file."""
        return self._one("SELECT 1 FROM root WHERE id = ?", file_id) is not None

    def names_root(self, name: str) -> bool:
        """Return whether :meth:`add_root` added a file with this name."""
        return self._one("SELECT 1 FROM root WHERE name = ?", name) is not None

    def forget_listed(self) -> None:
        """Remove all files that :meth:`add_listed` added."""
        self._do("DELETE FROM listed")

    def add_listed(self, files: Iterable[File]) -> None:
        """Add files that updates may refer to."""
        rows = [(file.id, file.type, file.original_filename) for file in files]
        with self._lock:
            self._base.executemany("INSERT OR IGNORE INTO listed VALUES (?, ?, ?)", rows)

    def listed(self, file_id: int) -> File | None:
        """Return a file that :meth:`add_listed` added: its id, type and name."""
        row = self._one("SELECT type, name FROM listed WHERE id = ?", file_id)
        return File(id=file_id, type=row[0], original_filename=row[1]) if row else None

    def add_target(self, file_id: int, *, replaces: bool) -> bool:
        """Add an update of a file; return False if it and an earlier one would undo each other."""
        with self._lock:
            noted = self._base.execute("INSERT OR IGNORE INTO target VALUES (?, ?)", (file_id, replaces))
            if noted.rowcount == 1:
                return True
            (other,) = self._base.execute("SELECT replaces FROM target WHERE id = ?", (file_id,)).fetchone()
            return not (replaces or other)

    def add_file(self, file: File) -> None:
        """Add a root file of the dataset."""
        values = file.original_filename, file.id, file.count_instances_changed
        self._do("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", *values)

    def file(self, name: str) -> File | None:
        """Return the root file with that name: its id, name and counter."""
        row = self._one("SELECT id, counted FROM file WHERE name = ?", name)
        return File(id=row[0], original_filename=name, count_instances_changed=row[1]) if row else None

    def forget_file(self, name: str) -> None:
        """Remove the root file with that name."""
        self._do("DELETE FROM file WHERE name = ?", name)

    def add_doubled(self, name: str) -> None:
        """Record that several root files have that name."""
        self._do("INSERT OR IGNORE INTO doubled VALUES (?)", name)

    def take_doubled(self, most: int) -> list[str]:
        """Return, and forget, up to ``most`` names that a packet and several root files have."""
        query = "SELECT name FROM doubled WHERE name IN (SELECT name FROM packet) LIMIT ?"
        with self._lock:
            rows = self._base.execute(query, (most,)).fetchall()
            self._base.executemany("DELETE FROM doubled WHERE name = ?", rows)
        return [name for (name,) in rows]

    def count_files(self) -> int:
        """Return the number of root files that :meth:`add_file` added."""
        return self._number("SELECT count(*) FROM file")

    def count_new(self) -> int:
        """Return how many names of packets no such root file has."""
        return self._number("SELECT count(*) FROM packet WHERE name NOT IN (SELECT name FROM file)")

    def newest_file(self) -> int:
        """Return the highest id of such a root file; 0 if there is none."""
        return self._number("SELECT coalesce(max(id), 0) FROM file")

    def add_pending(self, rows: Iterable[Pending]) -> None:
        """Add pending inputs of root files."""
        values = [(row.original_filename, row.id, row.batch_id) for row in rows if row.original_filename]
        with self._lock:
            self._base.executemany("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", values)

    def pending(self, name: str) -> Pending | None:
        """Return the input that is about to make the root file with that name."""
        row = self._one("SELECT id, batch_id FROM pending WHERE name = ?", name)
        return Pending(row[0], row[1], None, name) if row else None

    def _do(self, sql: str, *values: str | int | None) -> sqlite3.Cursor:
        with self._lock:
            return self._base.execute(sql, values)

    def _one(self, sql: str, *values: str | int | None) -> Any:
        with self._lock:
            return self._base.execute(sql, values).fetchone()

    def _number(self, sql: str, *values: str | int) -> int:
        return int(self._one(sql, *values)[0])
