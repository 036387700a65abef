"""Writes a file's list until it is as planned, and keeps people's work (server.md 10.8).

A write undoes what somebody saves between the reading and the writing. Its answer shows that, and the work is
restored at once. If the process dies before that, the next attempt restores it, because files are remembered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ....client import DiffgramClient, DiffgramError, OutcomeUnknownError, RefusedError, StoppedError, routes
from ....client.attempts import backoff
from ....client.request import pause
from ....models import File
from ....models.problems import count_of, named
from ...server.past import Rows, look_back, undone_since
from ...server.rewrite import Rewrite, Row, count_gone, judge, repaired
from ...server.rows import references
from ..queue.batches import Memory
from .at_work import AtWork

_log = logging.getLogger(__name__)

_ROUNDS = 8
"""After this many writes, each disturbed by somebody who saved in between, a file is given up."""

_REPAIRS = 12
"""After this many attempts to restore what others saved, a file is given up. The waits grow, so that of two
programs that write one file at the same pace, one gets enough time."""


@dataclass(frozen=True, slots=True)
class Amended:
    """What became of an item that was written into its file.

    :param file: the file as it was last read.
    :param added: number of rows added.
    :param removed: number of rows removed.
    :param equal: number of predictions that equal an existing row, which stays.
    :param restored: number of people's rows that were restored, or deleted again, after the write had undone
        their work.
    """

    file: File
    added: int = 0
    removed: int = 0
    equal: int = 0
    restored: int = 0

    @property
    def has_changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.added or self.removed)


@dataclass(slots=True)
class _Going:
    """What was written into a file so far."""

    added: set[str] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    equal: set[str] = field(default_factory=set)
    restored: int = 0


class FileWriter:
    """Writes files, each by one thread at a time. Safe to use from several threads.

    :param at_work: finds files that people may be working on; they are remembered while they are written.
    :param memory: remembers those files from before they are written until they are proved.
    :ivar rows: the rows of files that were read; deleted rows of other files may be next to them.
    """

    def __init__(self, client: DiffgramClient, at_work: AtWork, memory: Memory | None = None) -> None:
        self._client = client
        self._at_work = at_work
        self._memory = memory
        self.rows = Rows()
        self._in_flight = dict(memory.in_flight()) if memory else {}
        self._recovered: dict[int, str] = {}
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._changed = threading.Condition()

    def recover(self) -> None:
        """Restore people's work that an earlier attempt undid and had no time to restore.

        :raises DiffgramError: if that fails; the files stay remembered.
        """
        for file_id, since in list(self._in_flight.items()):
            _log.info("file %s was being written when an earlier attempt ended: looking at its past", file_id)
            with self.alone(file_id):
                file = self.read(file_id)
                self._mend(file, since)
            self._recovered[file_id] = since
            self._note_in_flight(file_id, None)

    def recovered_since(self, file_id: int) -> str:
        """Return since when an earlier attempt was writing a file; empty if none was."""
        return self._recovered.get(file_id, "")

    def write(
        self,
        name: str,
        file: File,
        planned: Callable[[File], Rewrite],
        is_ours: Callable[[Row], bool] = lambda row: False,
    ) -> Amended:
        """Write a file until it is as planned, and what people saved meanwhile is as they left it.

        :param name: name of the item, for errors.
        :param file: the file as it was just read.
        :param planned: returns the write for the file in its current state.
        :param is_ours: whether an untouched row need not be restored if it is lost.
        """
        going, deadline = _Going(), self._client.clock.monotonic() + self._client.settings.retry_timeout
        failures = rounds = 0
        since = file.time_last_updated or ""  # what people save after the first reading stays
        while True:
            rewrite = planned(file).without(going.added)
            going.equal |= rewrite.equal
            if not rewrite.is_needed:
                break
            is_noted = self._note_if_at_work(file, since)
            try:
                answer = self._client.send(
                    routes.update_annotations(self._client.project, file.id, rewrite.rows)
                )
            except OutcomeUnknownError as error:
                failures += 1
                if self._client.clock.monotonic() > deadline:
                    raise
                before, file = file, self._after(error, file.id, failures)
                if self._has_arrived(rewrite, before, file):
                    going.added |= rewrite.added  # a write is executed as a whole, or not at all
                    going.removed |= rewrite.removed
                    going.restored += self._mend_unseen(before, rewrite, file)
                    file = self.read(file.id) if going.restored else file
                self._forget(file.id, is_noted)
                continue
            except RefusedError as error:
                self._forget(file.id, is_noted)
                raise self._refused(name, file.id, rewrite, error) from error
            verdict = judge(rewrite, answer)
            going.added |= rewrite.added - verdict.unadded
            going.removed |= rewrite.removed
            if verdict.has_undone:
                revived = {row["id"] for row in verdict.revived}
                going.restored += self._repair(file.id, revived, set(verdict.lost), is_ours)
            self._forget(file.id, is_noted)
            if verdict.is_proof:
                break
            rounds += 1
            file = self.read(file.id)
            if rounds == _ROUNDS:
                raise RefusedError(
                    f"{name}: file {file.id} was written {rounds} times, but the server still lacks "
                    f"{count_of(len(verdict.unadded), 'prediction')} and keeps {len(verdict.unremoved)} that "
                    "were to be removed"
                )
        return Amended(file, len(going.added), len(going.removed), len(going.equal), going.restored)

    # Requests

    def read(self, file_id: int) -> File:
        """Return a file with its living rows."""
        file = self._client.send(routes.list_annotations(self._client.project, file_id))
        self.rows.note(file)
        return file

    def _after(self, error: DiffgramError, file_id: int, failures: int) -> File:
        """Wait a moment after a write without an answer, then read the file again."""
        _log.info("%s; reading file %s again", error, file_id)
        try:
            self._client.run(pause(backoff(failures)))
        except StoppedError:
            raise error from None
        return self.read(file_id)

    # What others saved meanwhile

    def _has_arrived(self, rewrite: Rewrite, before: File, after: File) -> bool:
        """Return whether a write without an answer was executed, even if somebody has undone it since.

        Somebody else may have removed the same rows, and rows of an earlier run may have the same references.
        So if the write adds rows, only rows that are newer than the reading count.
        """
        old = {row["id"] for row in before.instance_list}
        if not rewrite.added:
            return not rewrite.removed & {row["id"] for row in after.instance_list}
        if rewrite.added & references(row for row in after.instance_list if row["id"] not in old):
            return True
        if count_gone(after) <= count_gone(before):
            return False
        since = before.time_last_updated or ""
        came = [
            chain
            for chain in look_back(self._client, after, self.rows).chains
            if str(chain[-1].get("created_time")) > since
        ]
        return any(rewrite.added & references(chain) for chain in came)

    def _mend_unseen(self, before: File, rewrite: Rewrite, after: File) -> int:
        """Restore what a write whose answer was lost has undone; return the number of rows."""
        going = [row for row in before.instance_list if row["id"] in rewrite.removed]
        expected = count_gone(before) + sum((row.get("version") or 1) + 1 for row in going)
        if count_gone(after) <= expected:
            return 0
        return self._mend(after, before.time_last_updated or "")

    def _mend(self, file: File, since: str) -> int:
        """Restore what a write since then has undone, according to histories; return the number of rows."""
        if not count_gone(file):
            return 0
        undone = undone_since(look_back(self._client, file, self.rows), since)
        return self._repair(file.id, {chain[0]["id"] for chain in undone}, set()) if undone else 0

    def _repair(
        self,
        file_id: int,
        touched: set[int],
        lost: set[int],
        is_ours: Callable[[Row], bool] = lambda row: False,
    ) -> int:
        """Restore what a write has undone; return the number of rows.

        :param touched: ids of rows that the write brought back by mistake.
        :param lost: ids of rows that it deleted by mistake.
        :param is_ours: whether an untouched row need not be restored.
        :raises RefusedError: if people save the file faster than their work can be restored.
        """
        project, failures, restored = self._client.project, 0, 0
        for rounds in range(_REPAIRS):
            if rounds > 1:  # at the same pace, two programs that write one file would undo each other forever
                self._client.run(pause(backoff(rounds - 1)))
            ids = sorted(lost | touched)
            histories = [self._client.send(routes.view_history(project, each)).rows for each in ids]
            file = self.read(file_id)
            theirs = [each for each in _each_once(histories) if not all(map(is_ours, each))]
            fix = repaired(file.instance_list, theirs, lost)
            if not fix.is_needed:
                _log.info(
                    "file %s: others saved while it was written; %s given back",
                    file_id,
                    count_of(restored, "row"),
                )
                return restored
            try:
                answer = self._client.send(routes.update_annotations(project, file_id, fix.rows))
            except OutcomeUnknownError as error:
                failures += 1
                self._client.run(pause(backoff(failures)))
                _log.info("%s; repairing file %s again", error, file_id)
                continue
            done = judge(fix, answer)
            restored += len(fix.restored) + len(fix.removed)
            lost |= set(done.lost)
            touched |= {row["id"] for row in done.revived}
            if done.is_proof:
                _log.info(
                    "file %s: others saved while it was written; %s given back",
                    file_id,
                    count_of(restored, "row"),
                )
                return restored
        raise RefusedError(
            f"file {file_id}: others kept saving it while it was written, and their "
            f"{named('row', sorted(lost | touched))} could not be given back. See the history of these "
            "rows in Diffgram"
        )

    def _refused(self, name: str, file_id: int, rewrite: Rewrite, error: RefusedError) -> RefusedError:
        """Add to a refusal how much was stored: the rows before the wrong one are (server.md 10.8.2)."""
        if error.status != 400:
            return error
        stored = rewrite.added & references(self.read(file_id).instance_list)
        error.args = (
            f"{error}. {name}: {len(stored):,} of {count_of(len(rewrite.added), 'prediction')} stored in "
            f"file {file_id}",
        )
        return error

    # What is remembered

    def _note_if_at_work(self, file: File, since: str) -> bool:
        """Remember a file before it is written, if people may be working on it; return whether it was."""
        if self._memory is None:
            return False
        if not (any(map(self._at_work.is_of_person, file.instance_list)) or self._at_work.has_jobs):
            return False
        self._note_in_flight(file.id, since)
        return True

    def _forget(self, file_id: int, is_noted: bool) -> None:
        if is_noted:
            self._note_in_flight(file_id, None)

    def _note_in_flight(self, file_id: int, since: str | None) -> None:
        assert self._memory is not None
        with self._lock:
            if since is None:
                self._in_flight.pop(file_id, None)
            else:
                self._in_flight[file_id] = since
            self._memory.remember_in_flight(self._in_flight)

    @contextmanager
    def alone(self, file_id: int) -> Iterator[None]:
        """Keep other threads away from this file."""
        with self._changed:
            self._changed.wait_for(lambda: file_id not in self._busy)
            self._busy.add(file_id)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(file_id)
                self._changed.notify_all()


def _each_once(histories: Iterable[list[Row]]) -> list[list[Row]]:
    """Return the history of each instance once: several of its rows may have led to it."""
    return list({min(row["id"] for row in history): history for history in histories if history}.values())
