"""What a pull has read so far, on disk: a set of a million files must not be held in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from .formats.core import key_of
from .stored import StoredFile, digest_of

_ROOT = -1
"""Place of a file that is no child."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file that belongs to the set now.

    :param id: of the file.
    :param mark: its ``time_last_updated``: another one means that the file may have changed.
    :param name: in the dataset.
    :param type: of the file.
    :param status: of its task; None where no job was asked.
    :param root: the compound file of a child; else the file itself.
    :param place: ordinal of a child; -1 for any other.
    """

    id: int
    mark: str | None
    name: str
    type: str
    status: str | None = None
    root: int = 0
    place: int = _ROOT


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the set: where it stands, and what it holds.

    :param digest: of its content.
    :param count: of its annotations.
    :param line: its content if it was read by this pull; None if it is as the last version has it.
    :param is_same: whether its task's status is that of the last version, too.
    """

    member: Member
    digest: str
    count: int
    line: str | None
    is_same: bool


@dataclass(frozen=True, slots=True)
class Change:
    """How many files the set has now that it did not have, or had otherwise, and how many it lost."""

    added: int
    changed: int
    kept: int
    removed: int


class Shelf:
    """The last version, the members now, and what was read. Used by one thread at a time.

    A temporary database of SQLite's, which it keeps in a file of its own once it grows, and removes.
    """

    def __init__(self) -> None:
        self._base = sqlite3.connect("", check_same_thread=False)
        self._base.create_function("key_of", 1, key_of, deterministic=True)
        columns = (
            "id INTEGER PRIMARY KEY, mark TEXT, name TEXT, type TEXT, status TEXT, root INTEGER,"
            " place INTEGER"
        )
        self._base.executescript(
            "PRAGMA cache_size = -16000; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            f"CREATE TABLE known ({columns}, digest TEXT, count INTEGER);"
            f"CREATE TABLE seen ({columns});"
            "CREATE TABLE read (id INTEGER PRIMARY KEY, mark TEXT, digest TEXT, count INTEGER, line TEXT);"
        )

    def close(self) -> None:
        """Forget everything."""
        self._base.close()

    def know(self, lines: Iterable[list[Any]]) -> None:
        """Take note of the last version, as :meth:`marks` told it."""
        self._base.executemany("INSERT INTO known VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", lines)

    def look_anew(self) -> None:
        """Forget the members: they are about to be told again."""
        self._base.execute("DELETE FROM seen")

    def see(self, members: Iterable[Member]) -> None:
        """Take note of members; one that is told twice counts once, as it was told last."""
        rows = (
            (each.id, each.mark, each.name, each.type, each.status, each.root or each.id, each.place)
            for each in members
        )
        self._base.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def put(self, file: StoredFile, mark: str | None) -> None:
        """Keep what was read of a file."""
        line = file.to_json()
        count = sum(1 for _ in file.rows())
        row = (file.id, mark, digest_of(line), count, line)
        self._base.execute("INSERT OR REPLACE INTO read VALUES (?, ?, ?, ?, ?)", row)

    def mark_of(self, file_id: int) -> str | None:
        """Return the mark with which a file was read, now or for the last version."""
        query = (
            "SELECT coalesce((SELECT mark FROM read WHERE id = ?1), (SELECT mark FROM known WHERE id = ?1))"
        )
        found: str | None = self._base.execute(query, (file_id,)).fetchone()[0]
        return found

    def to_read(self) -> list[tuple[int, str]]:
        """Return id and type of the members that were not read as they are now, lowest id first.

        Frames of videos leave no mark, so a video is read by each pull.
        """
        query = (
            "SELECT seen.id, seen.type FROM seen LEFT JOIN known USING (id) LEFT JOIN read USING (id)"
            " WHERE coalesce(read.mark, known.mark) IS NOT seen.mark"
            " OR (read.id IS NULL AND (seen.type = 'video' OR known.id IS NULL)) ORDER BY seen.id"
        )
        return list(self._base.execute(query))

    def compounds(self) -> list[tuple[int, str]]:
        """Return id and name of the compound files among the members."""
        query = "SELECT id, name FROM seen WHERE type LIKE 'compound%' AND place = ? ORDER BY id"
        return list(self._base.execute(query, (_ROOT,)))

    def entries(self) -> Iterator[Entry]:
        """Yield the files of the set, parents before their children, those in order."""
        query = (
            "SELECT seen.id, seen.mark, seen.name, seen.type, seen.status, seen.root, seen.place,"
            " coalesce(read.digest, known.digest), coalesce(read.count, known.count), read.line,"
            " known.status IS seen.status"
            " FROM seen LEFT JOIN known USING (id) LEFT JOIN read USING (id)"
            " WHERE read.id IS NOT NULL OR known.id IS NOT NULL"
            " ORDER BY seen.root, seen.place, seen.id"
        )
        for row in self._base.execute(query):
            yield Entry(Member(*row[:7]), row[7], row[8], row[9], bool(row[10]))

    def marks(self) -> Iterator[list[Any]]:
        """Yield what the next pull needs to know of each file."""
        query = (
            "SELECT seen.id, coalesce(read.mark, known.mark), seen.name, seen.type, seen.status, seen.root,"
            " seen.place, coalesce(read.digest, known.digest), coalesce(read.count, known.count)"
            " FROM seen LEFT JOIN known USING (id) LEFT JOIN read USING (id)"
            " WHERE read.id IS NOT NULL OR known.id IS NOT NULL ORDER BY seen.id"
        )
        yield from map(list, self._base.execute(query))

    def marks_moved(self) -> bool:
        """Whether the next pull needs to know something else than this one did."""
        known = self._base.execute("SELECT * FROM known ORDER BY id")
        return any(list(before or ()) != now for before, now in zip_longest(known, self.marks()))

    def change(self) -> Change:
        """Compare with the last version."""
        query = (
            "SELECT coalesce(sum(known.id IS NULL), 0),"
            " coalesce(sum(known.id IS NOT NULL AND (coalesce(read.digest, known.digest) != known.digest"
            " OR known.status IS NOT seen.status)), 0), count(*)"
            " FROM seen LEFT JOIN known USING (id) LEFT JOIN read USING (id)"
            " WHERE read.id IS NOT NULL OR known.id IS NOT NULL"
        )
        added, changed, total = self._base.execute(query).fetchone()
        (removed,) = self._base.execute(
            "SELECT count(*) FROM known WHERE id NOT IN (SELECT id FROM seen)"
        ).fetchone()
        return Change(added, changed, total - added - changed, removed)

    def removed(self, most: int) -> list[tuple[int, str]]:
        """Return id and name of files that the last version had, at most so many."""
        query = "SELECT id, name FROM known WHERE id NOT IN (SELECT id FROM seen) ORDER BY id LIMIT ?"
        return list(self._base.execute(query, (most,)))

    def doubled_keys(self) -> set[str]:
        """Return what several files of the set would be called."""
        query = "SELECT key_of(name) AS key FROM seen GROUP BY key HAVING count(*) > 1"
        return {key for (key,) in self._base.execute(query)}
