"""What a file held before: deleted rows, which no listing shows (server.md 10.3.6).

Only the history of an instance has a deleted row, and a history is requested by id. The rows of one write
have consecutive ids, except for what others write at the same moment. So the ids next to those of living rows
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
"""So many ids of other files in a row end the way from one id, since others write at the same moment; if rows
are left to find, the way is gone once more, further."""

_MOST_LOOKS = 400
"""Histories read for one file; of one that is looked through for references, as many as there are of those,
if that is more."""

_NEAREST = 8
"""Files whose rows may lead to those of another one."""

_ROWS_KEPT = 200_000
_NOBODY = 0


class Fate(Enum):
    """What became of an instance."""

    LIVES = "it lives"
    DELETED_BY_PERSON = "a person deleted it"
    TAKEN_BACK = "it was deleted by the API"
    LOST = "it went with a list that did not name it: a stale page's, or a replacement by the queue"


def fate_of(history: Sequence[Row]) -> Fate:
    """Return what became of an instance, by its own history.

    What the API undid of a person's deletion, and did again, leaves it a person's.

    :param history: all its rows, newest first, as :class:`~airflow_provider_diffgram.models.InstanceHistory`
        has them.
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
    """The deleted instances of a file that were found.

    :param chains: all rows of each, newest first.
    :param unfound: how many rows there must have been beyond those; of a video, how many references.
    :param living: histories of living instances that have more rows than versions.
    """

    chains: list[list[Row]] = field(default_factory=list)
    unfound: int = 0
    living: list[list[Row]] = field(default_factory=list)

    def fate(self, chain: Sequence[Row]) -> Fate:
        """Return what became of a dead instance.

        A person's deletion makes no row where an equal one was deleted before, by a person: the server knows
        it again. It looks like a loss.
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
        """Return what became of the references of dead instances; of several of one, of the newest."""
        chains = sorted(self.chains, key=lambda chain: int(chain[0]["id"]))
        return {ref: self.fate(chain) for chain in chains for ref in references(chain)}


class Rows:
    """Which file each row is of, as far as one push has seen. Safe to use from several threads.

    Files that were made one after another get their rows one after another, too, night after night. So where
    nothing of a file lives, the rows of its neighbours lead to those that it had; and a row that was met on
    the way to those of another file need not be asked for again.
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
        """Remember whose some rows are."""
        with self._lock:
            for each in ids:
                if each not in self._owners and len(self._owners) < _ROWS_KEPT:
                    self._owners[each] = file_id
                    self._ids.setdefault(file_id, []).append(each)
                    self._newest = max(self._newest, each)

    def tell_foreign(self, row_id: int) -> None:
        """Remember that an id is of no row of the project. Those above all others may become one."""
        with self._lock:
            if row_id < self._newest and len(self._owners) < _ROWS_KEPT:
                self._owners.setdefault(row_id, _NOBODY)

    def is_of_others(self, row_id: int, file_id: int) -> bool:
        """Whether a row is known not to be of a file."""
        with self._lock:
            return self._owners.get(row_id, file_id) != file_id

    def is_foreign(self, row_id: int) -> bool:
        """Whether an id is known to be of no row of the project."""
        with self._lock:
            return self._owners.get(row_id) == _NOBODY

    def of(self, file_id: int) -> list[int]:
        """Return the rows that are known of a file."""
        with self._lock:
            return list(self._ids.get(file_id, ()))

    def beside(self, file_id: int) -> list[int]:
        """Return rows of the files that were made nearest in time to this one."""
        with self._lock:
            nearest = heapq.nsmallest(_NEAREST + 1, self._ids, key=lambda each: abs(each - file_id))
            return sorted({row for each in nearest for row in self._ids[each]})


def look_back(client: DiffgramClient, file: File, rows: Rows) -> Past:
    """Find the deleted instances of a file.

    :param file: with its living instances.
    :param rows: what is known of other files; what is found is added.
    """
    return client.run(looking_back(client.project, file, rows))


def looking_back(project: str, file: File, rows: Rows) -> Steps[Past]:
    """Find the dead instances of a file, as :func:`look_back` does."""
    gone = count_gone(file)
    looking = _Looking(project, file.id, file.instance_list, _Sought(gone), rows)
    if gone:
        yield from looking.look_at_revived()
        yield from looking.look_around()
    return looking.past()


def look_for(
    client: DiffgramClient, file: File, living: Sequence[Row], wanted: Collection[str], rows: Rows
) -> Past:
    """Find what became of references that a text or a video does not hold any more, and no more than that.

    Each save of a text creates all its rows again, without their root. A video has a file for each frame, and
    nothing counts their rows.

    :param living: rows of the file, of all frames of a video.
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
    """Which dead rows are looked for.

    :param left: how many there are to find; None where nothing counts them.
    :param wanted: references to find, and no more; None: all.
    """

    left: int | None
    wanted: frozenset[str] | None = None


class _Looking:
    """Looks for the dead rows of one file.

    :param file_id: of the file; of a video, whose frames are files of their own.
    :param living: its rows.
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
        """Look at living rows of later versions: their instances may have had more rows than those."""
        for row in self._living:
            if (row.get("version") or 1) > 1 and self.may_look():
                history = yield from self._history(row["id"])
                if len(history) > (row.get("version") or 1):
                    self.living.append(history)
                    self._count(len(history) - (row.get("version") or 1))

    def look_around(self) -> Steps[None]:
        """Look at the ids beside those of the file's rows, and on from what is found there."""
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
                return  # the way goes on from there by itself
            misses = 0 if (yield from self._look_at(at)) else misses + 1

    def _look_at(self, instance_id: int) -> Steps[bool]:
        """Return whether an id is of a row of this file; take note of its instance if that is dead."""
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
        """Whether it is known already. Who looked for another file's rows has met those of a frame under the
        id of the frame, which need not be known here.
        """
        if self.left is None:
            return self._rows.is_foreign(instance_id)
        return self._rows.is_of_others(instance_id, self._file_id)

    def _is_ours(self, history: Sequence[Row]) -> bool:
        """Whether an instance is of this file. A frame of which nothing lives is known by its references."""
        file_id = history[0]["file_id"]
        if file_id not in self._files and self.left is None and references(history) & self._wanted:
            self._files.add(file_id)
        return file_id in self._files

    def _resolve(self, history: Sequence[Row]) -> None:
        """Note that it is known what became of a reference: a row of a text may have had a later one."""
        has_whole_history = self.left is None and history[0].get("root_id") is not None
        if self._unresolved and (is_deletion(history[0]) or has_whole_history):
            self._unresolved -= references(history)

    def may_look(self) -> bool:
        """Whether there is something left to find, and not too much was asked for it."""
        is_found = self.left is not None and self.left <= 0
        is_resolved = self._unresolved is not None and not self._unresolved
        return not (is_found or is_resolved) and self._looks < self._most_looks

    def _history(self, instance_id: int) -> Steps[list[Row]]:
        """Return the history of an instance; nothing for an id of another project, or of none."""
        self._looks += 1
        try:
            return (yield from ask(routes.view_history(self._project, instance_id))).rows
        except CredentialError:
            raise
        except (RefusedError, ServerFaultError):
            return []


def _has_lost_its_version(row: Row) -> bool:
    """Whether a living row took the place of one that its version does not count (server.md 10.3.2)."""
    return row.get("previous_id") is not None and (row.get("version") or 1) == 1


def undone_since(past: Past, since: str) -> list[list[Row]]:
    """Return the histories of instances that a person saved since then, and that are not as they left them.

    :param since: when, as the server tells times.
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
    """Return the events of writes of a file's list, newest first; those of the API name no member."""
    return client.send(routes.list_events(client.project, kind="annotation_update", file_id=file_id))


def rows_made(event: Event) -> int | None:
    """Return how many rows a write made, as its event tells."""
    number = str(event.description or "").rpartition(" ")[2]
    return int(number) if number.isdigit() else None
