"""What a file held before: rows that do not live any more, which no listing shows (server.md 10.3.6).

Only the history of an instance tells of a dead row, and that is asked for by id. The rows of one write have
ids in a sequence, broken only by what others write at the same moment. So the ids beside those of living rows
lead to the dead ones, and the file's counter tells how many there are to find.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Sequence
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
"""Histories read for one file."""

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
    """Return what became of an instance, as far as its own history tells.

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
    """The dead instances of a file, as far as they were found.

    :param chains: all rows of each, newest first.
    :param unfound: how many rows there must have been beyond those.
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
            row["is_by_person"] and is_deletion(row) and is_same(chain[0], row)
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

    def of(self, file_id: int) -> list[int]:
        """Return the rows that are known of a file."""
        with self._lock:
            return list(self._ids.get(file_id, ()))

    def beside(self, file_id: int) -> list[int]:
        """Return rows of the files that were made nearest in time to this one."""
        with self._lock:
            nearest = heapq.nsmallest(_NEAREST + 1, self._ids, key=lambda each: abs(each - file_id))
            return sorted({row for each in nearest for row in self._ids[each]})


def look_back(client: DiffgramClient, file: File, rows: Rows | None = None, near: Iterable[int] = ()) -> Past:
    """Find the dead instances of a file.

    :param file: with its living instances.
    :param rows: what is known of others; told what is found.
    :param near: ids of rows beside which it may have had some.
    """
    return client.run(looking_back(client.project, file, rows, near))


def looking_back(project: str, file: File, rows: Rows | None = None, near: Iterable[int] = ()) -> Steps[Past]:
    """Find the dead instances of a file, as :func:`look_back` does."""
    looking = _Looking(project, file, Rows() if rows is None else rows)
    if looking.left:
        yield from looking.look_at_revived()
        yield from looking.look_around(set(near))
    return Past(looking.chains, max(0, looking.left), looking.living)


class _Looking:
    def __init__(self, project: str, file: File, rows: Rows) -> None:
        self.chains: list[list[Row]] = []
        self.living: list[list[Row]] = []
        self.left = count_gone(file)
        self._project = project
        self._file = file
        self._rows = rows
        self._looks = 0
        self._seen: set[int] = set()

    def look_at_revived(self) -> Steps[None]:
        """Look at living rows of later versions: their instances may have had more rows than those."""
        for row in self._file.instance_list:
            if (row.get("version") or 1) > 1 and self._may_look():
                history = yield from self._history(row["id"])
                if len(history) > (row.get("version") or 1):
                    self.living.append(history)
                    self.left -= len(history) - (row.get("version") or 1)

    def look_around(self, near: set[int]) -> Steps[None]:
        """Look at the ids beside those of the file's rows, and on from what is found there."""
        ids = {row.get(key) for row in self._file.instance_list for key in ("id", "root_id", "previous_id")}
        self._seen |= {each for each in ids if each is not None}
        for each in self._rows.of(self._file.id):
            if each not in self._seen and self._may_look():
                yield from self._look_at(each)
        for beside, most in ((False, _NEAR), (True, _NEAR), (True, _FAR)):
            walked: set[int] = set()
            others = near.union(self._rows.beside(self._file.id)) if beside else ()
            while starts := {*self._seen, *others} - walked:  # what is found leads on: a row, its versions
                walked |= starts
                for start in sorted(starts, reverse=True):
                    for step in (-1, 1):
                        yield from self._walk(start, step, most)

    def _walk(self, at: int, step: int, most: int) -> Steps[None]:
        misses = 0
        while misses < most and self._may_look() and at + step > 0:
            at += step
            is_ours = at in self._seen or (yield from self._look_at(at))
            misses = 0 if is_ours else misses + 1

    def _look_at(self, instance_id: int) -> Steps[bool]:
        """Return whether an id is of a row of this file; take note of its instance if that is dead."""
        if self._rows.is_of_others(instance_id, self._file.id):
            return False
        history = yield from self._history(instance_id)
        if not history:
            self._rows.tell_foreign(instance_id)
            return False
        self._rows.tell(history[0]["file_id"], (row["id"] for row in history))
        if history[0]["file_id"] != self._file.id:
            return False
        self._seen |= {row["id"] for row in history}
        if fate_of(history) is not Fate.LIVES:
            self.chains.append(history)
            self.left -= len(history)
        return True

    def _may_look(self) -> bool:
        return self.left > 0 and self._looks < _MOST_LOOKS

    def _history(self, instance_id: int) -> Steps[list[Row]]:
        """Return the history of an instance; nothing for an id of another project, or of none."""
        self._looks += 1
        try:
            return (yield from ask(routes.view_history(self._project, instance_id))).rows
        except CredentialError:
            raise
        except (RefusedError, ServerFaultError):
            return []


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
