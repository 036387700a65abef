"""Finds the deleted rows of a file, which no listing shows (server.md 10.3.6).

Only the history of an instance has a deleted row, and a history is requested by id. The rows of one write
have consecutive ids, except where others write at the same moment. So the ids next to those of living rows
lead to the deleted ones, and the file's counter says how many there are to find.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ...client import CredentialError, DiffgramClient, RefusedError, ServerFaultError, routes
from ...client.request import Steps, ask
from ...models.received import Event, File
from .rewrite import Row, count_gone, is_deletion, is_same
from .rows import references

_NEAR, _FAR = 12, 200
"""The search from one id ends after this many consecutive ids of other files, since others may write at the
same moment. If rows are still missing, a second search goes further."""

_MOST_LOOKS = 400
"""Most histories read for one file; a search for references may read three for each, if that is more."""

_NEAREST = 8
"""How many neighbouring files are used to find the rows of a file."""

_ROWS_KEPT = 200_000
_NOBODY = 0


class Fate(Enum):
    """What became of an instance."""

    LIVES = "it lives"
    DELETED_BY_PERSON = "a person deleted it"
    TAKEN_BACK = "it was deleted by the API"
    LOST = "it went with a list that did not name it: a stale page's, or a replacement by the queue"


def fate_of(history: Sequence[Row]) -> Fate:
    """Return what became of an instance, judged by its own history.

    If a program undid a person's deletion and then repeated it, it still counts as the person's.

    :param history: all its rows, newest first, as in
        :class:`~airflow_provider_diffgram.models.InstanceHistory`.
    """
    newest = history[0]
    if not newest.get("soft_delete"):
        return Fate.LIVES
    for row in history:
        if row.get("is_by_person"):
            return Fate.DELETED_BY_PERSON if is_deletion(row) else _unless_by_person(newest)
        if not (is_deletion(row) or row.get("action_type") == "undeleted"):
            break
    return _unless_by_person(newest)


def _unless_by_person(newest: Row) -> Fate:
    return Fate.TAKEN_BACK if is_deletion(newest) else Fate.LOST


@dataclass(slots=True)
class Past:
    """The deleted instances that were found for a file.

    :param chains: the rows of each instance, newest first.
    :param unfound: how many more rows must exist; for a video, how many references are unaccounted for.
    :param living: histories of living instances that have more rows than versions.
    """

    chains: list[list[Row]] = field(default_factory=list)
    unfound: int = 0
    living: list[list[Row]] = field(default_factory=list)

    def fate(self, chain: Sequence[Row]) -> Fate:
        """Return what became of a dead instance.

        If a person deletes a row that equals one a person deleted before, the server makes no new row. By its
        own history such an instance looks lost.
        """
        fate = fate_of(chain)
        if fate is Fate.LOST and any(
            row["is_by_person"]
            and is_deletion(row)
            and row["file_id"] == chain[0]["file_id"]
            and is_same(chain[0], row)
            for other in self.chains
            for row in other
        ):
            return Fate.DELETED_BY_PERSON
        return fate

    def fates(self) -> dict[str, Fate]:
        """Return what became of each reference; if several dead instances share one, the newest counts."""
        chains = sorted(self.chains, key=lambda chain: int(chain[0]["id"]))
        return {ref: self.fate(chain) for chain in chains for ref in references(chain)}


class Rows:
    """Remembers which file each row belongs to, for the rows that one push has seen. Thread-safe.

    Files that were made one after another also get their rows one after another, night after night. So if no
    row of a file lives, the rows of its neighbours lead to its deleted ones. A row that was met during the
    search for another file need not be requested again.
    """

    def __init__(self) -> None:
        self._owners: dict[int, int] = {}
        self._ids: dict[int, list[int]] = {}
        self._newest = 0
        self._lock = threading.Lock()

    def note(self, file: File) -> None:
        """Remember the living rows of a file that was read."""
        self.tell(file.id, (row["id"] for row in file.instance_list))

    def tell(self, file_id: int, ids: Iterable[int]) -> None:
        """Remember which file some rows belong to."""
        with self._lock:
            for each in ids:
                if each not in self._owners and len(self._owners) < _ROWS_KEPT:
                    self._owners[each] = file_id
                    self._ids.setdefault(file_id, []).append(each)
                    self._newest = max(self._newest, each)

    def tell_foreign(self, row_id: int) -> None:
        """Remember that no row of the project has this id, unless it is so high that one may still get it."""
        with self._lock:
            if row_id < self._newest and len(self._owners) < _ROWS_KEPT:
                self._owners.setdefault(row_id, _NOBODY)

    def is_of_others(self, row_id: int, file_id: int) -> bool:
        """Whether a row is known to belong to another file, or to none."""
        with self._lock:
            return self._owners.get(row_id, file_id) != file_id

    def is_foreign(self, row_id: int) -> bool:
        """Whether no row of the project is known to have this id."""
        with self._lock:
            return self._owners.get(row_id) == _NOBODY

    def of(self, file_id: int) -> list[int]:
        """Return the ids of a file's known rows."""
        with self._lock:
            return list(self._ids.get(file_id, ()))

    def beside(self, file_id: int) -> list[int]:
        """Return the ids of known rows of the files whose ids are nearest to this one."""
        with self._lock:
            nearest = heapq.nsmallest(_NEAREST + 1, self._ids, key=lambda each: abs(each - file_id))
            return sorted({row for each in nearest for row in self._ids[each]})


def look_back(client: DiffgramClient, file: File, rows: Rows) -> Past:
    """Find the deleted instances of a file.

    :param file: the file, with its living instances.
    :param rows: known rows of all files; what is found is added.
    """
    return client.run(looking_back(client.project, file, rows))


def looking_back(project: str, file: File, rows: Rows) -> Steps[Past]:
    """Find the deleted instances of a file, as :func:`look_back` does."""
    gone = count_gone(file)
    looking = _Looking(project, file.id, file.instance_list, _Sought(gone), rows)
    if gone:
        yield from looking.look_at_revived()
        yield from looking.look_around()
    return looking.past()


def look_for(
    client: DiffgramClient, file: File, living: Sequence[Row], wanted: Collection[str], rows: Rows
) -> Past:
    """Find only what became of references that a text or a video no longer holds.

    Each save of a text creates all its rows again, without their root. A video has a file for each frame, and
    no counter of their rows.

    :param living: living rows of the file, or of all frames of a video.
    :param wanted: references that none of them has.
    :param rows: as for :func:`look_back`.
    """
    left = None if file.type == "video" else count_gone(file)
    sought = _Sought(left, frozenset(wanted))
    looking = _Looking(client.project, file.id, living, sought, rows)
    if looking.may_look():
        client.run(looking.look_around())
    return looking.past()


@dataclass(frozen=True, slots=True)
class _Sought:
    """Which dead rows to look for.

    :param left: how many there are to find; None if no counter tells.
    :param wanted: only these references; None for all.
    """

    left: int | None
    wanted: frozenset[str] | None = None


class _Looking:
    """Looks for the dead rows of one file.

    :param file_id: the file; the video, if its frames are files of their own.
    :param living: its living rows.
    """

    def __init__(
        self, project: str, file_id: int, living: Sequence[Row], sought: _Sought, rows: Rows
    ) -> None:
        self.chains: list[list[Row]] = []
        self.living: list[list[Row]] = []
        self.left = sought.left
        self._project = project
        self._file_id = file_id
        self._files = {file_id, *(row["file_id"] for row in living if row.get("file_id") is not None)}
        self._living = living
        self._rows = rows
        self._looks = 0
        self._seen: set[int] = set()
        self._missed: set[int] = set()
        self._unresolved = None if sought.wanted is None else set(sought.wanted)
        self._wanted = sought.wanted or frozenset()
        self._most_looks = max(_MOST_LOOKS, 3 * len(self._wanted))
        if self._unresolved is not None:
            self._count(sum(map(_has_lost_its_version, living)))

    def past(self) -> Past:
        """Return what was found."""
        left = len(self._unresolved or ()) if self.left is None else max(0, self.left)
        return Past(self.chains, left, self.living)

    def _count(self, found: int) -> None:
        if self.left is not None:
            self.left -= found

    def look_at_revived(self) -> Steps[None]:
        """Look at living rows with a later version: their instances may have more rows than versions."""
        for row in self._living:
            if (row.get("version") or 1) > 1 and self.may_look():
                history = yield from self._history(row["id"])
                if len(history) > (row.get("version") or 1):
                    self.living.append(history)
                    self._count(len(history) - (row.get("version") or 1))

    def look_around(self) -> Steps[None]:
        """Look at the ids beside those of the file's rows, then beside each row that is found."""
        ids = {row.get(key) for row in self._living for key in ("id", "root_id", "previous_id")}
        self._seen |= {each for each in ids if each is not None}
        for each in self._rows.of(self._file_id):
            if each not in self._seen and self.may_look():
                yield from self._look_at(each)
        for beside, most in ((False, _NEAR), (True, _NEAR), (True, _FAR)):
            walked: set[int] = set()
            others = self._rows.beside(self._file_id) if beside else ()
            while starts := {*self._seen, *others} - walked:  # what is found leads on: a row, its versions
                walked |= starts
                for start in sorted(starts, reverse=True):
                    for step in (-1, 1):
                        yield from self._walk(start, step, most)

    def _walk(self, at: int, step: int, most: int) -> Steps[None]:
        misses = 0
        while misses < most and self.may_look() and at + step > 0:
            at += step
            if at in self._seen:
                return  # the search goes on from there by itself
            misses = 0 if (yield from self._look_at(at)) else misses + 1

    def _look_at(self, instance_id: int) -> Steps[bool]:
        """Return whether an id belongs to a row of this file; record its instance if that is dead."""
        if instance_id in self._missed or self._is_known_not_to_be_ours(instance_id):
            return False
        history = yield from self._history(instance_id)
        if not history:
            self._missed.add(instance_id)
            self._rows.tell_foreign(instance_id)
            return False
        is_ours = self._is_ours(history)
        owner = self._file_id if is_ours else history[0]["file_id"]
        self._rows.tell(owner, (row["id"] for row in history))
        if not is_ours:
            self._missed.update(row["id"] for row in history)
            return False
        self._seen |= {row["id"] for row in history}
        if fate_of(history) is not Fate.LIVES:
            self.chains.append(history)
            self._count(len(history))
            self._resolve(history)
        return True

    def _is_known_not_to_be_ours(self, instance_id: int) -> bool:
        """Return whether a request is needless, because the row is known not to belong to this file.

        For a video, only ids of no row count: its rows are noted under frames, which may be unknown here.
        """
        if self.left is None:
            return self._rows.is_foreign(instance_id)
        return self._rows.is_of_others(instance_id, self._file_id)

    def _is_ours(self, history: Sequence[Row]) -> bool:
        """Return whether an instance is of this file; a frame without living rows is found by references."""
        file_id = history[0]["file_id"]
        if file_id not in self._files and self.left is None and references(history) & self._wanted:
            self._files.add(file_id)
        return file_id in self._files

    def _resolve(self, history: Sequence[Row]) -> None:
        """Mark references as resolved if the history settles them: a row of a text may have a later one."""
        has_whole_history = self.left is None and history[0].get("root_id") is not None
        if self._unresolved and (is_deletion(history[0]) or has_whole_history):
            self._unresolved -= references(history)

    def may_look(self) -> bool:
        """Whether something is left to find, and the limit of requests is not reached."""
        is_found = self.left is not None and self.left <= 0
        is_resolved = self._unresolved is not None and not self._unresolved
        return not (is_found or is_resolved) and self._looks < self._most_looks

    def _history(self, instance_id: int) -> Steps[list[Row]]:
        """Return the history of an instance; empty if the id is of another project or does not exist."""
        self._looks += 1
        try:
            return (yield from ask(routes.view_history(self._project, instance_id))).rows
        except CredentialError:
            raise
        except (RefusedError, ServerFaultError):
            return []


def _has_lost_its_version(row: Row) -> bool:
    """Whether a living row replaced one that its version does not count (server.md 10.3.2)."""
    return row.get("previous_id") is not None and (row.get("version") or 1) == 1


def undone_since(past: Past, since: str) -> list[list[Row]]:
    """Return the histories of instances that a person saved since then, and that have been changed again.

    :param since: a time, in the server's format.
    """
    return [chain for chain in [*past.chains, *past.living] if _is_undone(chain, since)]


def _is_undone(history: Sequence[Row], since: str) -> bool:
    theirs = next((row for row in history if row["is_by_person"]), None)
    if theirs is None or str(theirs.get("created_time") or "") < since:
        return False
    is_alive = not history[0].get("soft_delete")
    if is_deletion(theirs):
        return is_alive
    return bool(theirs.get("soft_delete")) and not (is_alive and is_same(theirs, history[0]))


def events_of_writes(client: DiffgramClient, file_id: int) -> list[Event]:
    """Return the events of writes to a file, newest first; those made by the API name no member."""
    return client.send(routes.list_events(client.project, kind="annotation_update", file_id=file_id))


def rows_made(event: Event) -> int | None:
    """Return how many rows a write made, according to its event; None if it does not say."""
    number = str(event.description or "").rpartition(" ")[2]
    return int(number) if number.isdigit() else None
