"""What a file held before: rows that do not live any more, which no listing shows (server.md 10.3.6).

Only the history of an instance tells of a dead row, and that is asked for by id. The rows of one write have
ids in a sequence, broken only by what others write at the same moment. So the ids beside those of living rows
lead to the dead ones, and the file's counter tells how many there are to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ...client import CredentialError, DiffgramClient, RefusedError, ServerFaultError, routes
from ...models.received import File
from .rewrite import Row, count_gone, is_same
from .rows import references

_MISSES = (12, 200)
"""So many ids of other files in a row end the way from one id, since others write at the same moment; if rows
are left to find, the way is gone once more, further."""

_MOST_LOOKS = 400
"""Histories read for one file."""


class Fate(Enum):
    """What became of an instance."""

    LIVES = "it lives"
    DELETED_BY_PERSON = "a person deleted it"
    TAKEN_BACK = "it was deleted by the API"
    LOST = "it went with a list that did not name it: a stale page's, or a replacement by the queue"


def fate_of(history: Sequence[Row]) -> Fate:
    """Return what became of an instance.

    What the API undid of a person's deletion, and did again, leaves it a person's.

    :param history: all its rows, newest first, as :class:`~airflow_provider_diffgram.models.InstanceHistory`
        has them.
    """
    newest = history[0]
    if not newest.get("soft_delete"):
        return Fate.LIVES
    for row in history:
        is_deletion = row.get("action_type") == "deleted"
        if row.get("is_by_person"):
            return Fate.DELETED_BY_PERSON if is_deletion else _unless_by_person(newest)
        if not (is_deletion or row.get("action_type") == "undeleted"):
            break
    return _unless_by_person(newest)


def _unless_by_person(newest: Row) -> Fate:
    return Fate.TAKEN_BACK if newest.get("action_type") == "deleted" else Fate.LOST


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

    def fates(self) -> dict[str, Fate]:
        """Return what became of the references of dead instances; of several of one, of the newest."""
        chains = sorted(self.chains, key=lambda chain: int(chain[0]["id"]))
        return {ref: fate_of(chain) for chain in chains for ref in references(chain)}


def look_back(client: DiffgramClient, file: File, near: Iterable[int] = ()) -> Past:
    """Find the dead instances of a file.

    :param file: with its living instances.
    :param near: ids of other rows that it had.
    """
    looking = _Looking(client, file)
    if looking.left:
        looking.look_at_revived()
        looking.look_around(near)
    return Past(looking.chains, max(0, looking.left), looking.living)


class _Looking:
    def __init__(self, client: DiffgramClient, file: File) -> None:
        self.chains: list[list[Row]] = []
        self.living: list[list[Row]] = []
        self.left = count_gone(file)
        self._client = client
        self._file = file
        self._looks = 0
        self._seen: set[int] = set()

    def look_at_revived(self) -> None:
        """Look at living rows of later versions: their instances may have had more rows than those."""
        for row in self._file.instance_list:
            if (row.get("version") or 1) > 1 and self._may_look():
                history = self._history(row["id"])
                if len(history) > (row.get("version") or 1):
                    self.living.append(history)
                    self.left -= len(history) - (row.get("version") or 1)

    def look_around(self, near: Iterable[int]) -> None:
        """Look at the ids beside those of the file's rows, and on from what is found there."""
        ids = {row.get(key) for row in self._file.instance_list for key in ("id", "root_id", "previous_id")}
        self._seen |= {each for each in ids if each is not None}
        strangers: set[int] = set()
        for most in _MISSES:
            for start in sorted({*self._seen, *near}):
                for step in (-1, 1):
                    self._walk(start, step, most, strangers)

    def _walk(self, at: int, step: int, most: int, strangers: set[int]) -> None:
        misses = 0
        while misses < most and self._may_look() and at + step > 0:
            at += step
            if at in self._seen or (at not in strangers and self._look_at(at)):
                misses = 0
            else:
                strangers.add(at)
                misses += 1

    def _look_at(self, instance_id: int) -> bool:
        """Return whether an id is of a row of this file; take note of its instance if that is dead."""
        history = self._history(instance_id)
        if not history or history[0].get("file_id") != self._file.id:
            return False
        self._seen |= {row["id"] for row in history}
        if fate_of(history) is not Fate.LIVES:
            self.chains.append(history)
            self.left -= len(history)
        return True

    def _may_look(self) -> bool:
        return self.left > 0 and self._looks < _MOST_LOOKS

    def _history(self, instance_id: int) -> list[Row]:
        """Return the history of an instance; nothing for an id of another project, or of none."""
        self._looks += 1
        try:
            return self._client.send(routes.view_history(self._client.project, instance_id)).rows
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
    if theirs.get("action_type") == "deleted":
        return is_alive
    return bool(theirs.get("soft_delete")) and not (is_alive and is_same(theirs, history[0]))


def written_by_api(client: DiffgramClient, file_id: int) -> list[int | None]:
    """Return how many rows each write of the API made in a file, newest first; None if not told."""
    events = client.send(routes.list_events(client.project, kind="annotation_update", file_id=file_id))
    return [_number(event.description) for event in events if event.member_id is None]


def _number(words: Any) -> int | None:
    number = str(words or "").rpartition(" ")[2]
    return int(number) if number.isdigit() else None
