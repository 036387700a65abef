"""Predictions written into files that are there: in at once, proved by the answer, and people's work kept.

A file takes two requests: its living rows are read, and written back with what is to change (server.md 10.8).
What somebody saves between the two is undone by the write, as its answer tells; it is given back at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ...client import DiffgramClient, DiffgramError, OutcomeUnknownError, RefusedError, StoppedError, routes
from ...client.attempts import backoff
from ...client.request import Steps, ask, pause, poll
from ...models import File, Input
from ..check.labels import Ref
from ..check.wire import instances_of_body
from ..server.past import Rows, look_back, undone_since
from ..server.rewrite import (
    Rewrite,
    Row,
    appended,
    can_be_rewritten,
    count_gone,
    judge,
    repaired,
    replaced,
)
from ..server.rows import references
from .at_work import AtWork
from .batches import Memory
from .brought import Brought
from .decide import LONG, Action, Amendable, DeliverBy, why_by_queue
from .item import Item
from .model_ids import Ids, ModelIds
from .refresh import Counts, Refreshing, Rules, Run, is_earlier, refreshed
from .settle import PATIENCE
from .threads import Gate

_log = logging.getLogger(__name__)

_GIVEN_BACK = "file %s: others saved while it was written; %s row(s) are as they left them again"

_ROUNDS = 8
"""So often a file is written, or repaired, before it is given up: each time somebody had saved in between."""


@dataclass(frozen=True, slots=True)
class Amended:
    """What became of an item that was written into its file.

    :param file: as it was read last.
    :param added: how many rows were added.
    :param removed: how many were taken back.
    :param equal: how many predictions equal a row that was there, which stays.
    :param restored: how many rows of people were given back, or deleted again, since the write had undone
        that.
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


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of an item of a later run.

    :param amended: what was written.
    :param counts: of the decision.
    :param introduces: references to add, of a run that the server has to be told of first; nothing is
        written.
    """

    amended: Amended
    counts: Counts
    introduces: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Going:
    """One file on its way: what was written so far."""

    added: set[str] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    equal: set[str] = field(default_factory=set)
    restored: int = 0


class Amendments:
    """Writes items into their files, one writer a file. Safe to use from several threads.

    :param client: of the project.
    :param gate: lets as many files be written at once as the server stands.
    :param delivery: ``queue`` leaves everything to the queue; ``auto`` what people are at work on.
    :param refreshes: whether to look at finished reviews, too.
    :param memory: told of files before they are written where people may be at work, and after they are
        proved.
    """

    def __init__(
        self,
        client: DiffgramClient,
        gate: Gate,
        delivery: DeliverBy,
        memory: Memory | None = None,
        *,
        refreshes: bool = False,
    ) -> None:
        self._client = client
        self._gate = gate
        self._delivery = delivery
        self._memory = memory
        self._at_work = AtWork(client, reviewed=refreshes)
        self._rows = Rows()
        self._brought = Brought(client, self._rows)
        self._ids = ModelIds(client)
        self._pending: set[int] | None = None
        self._are_more_pending = False
        self._queued: set[int] = set()
        self._lock = threading.Lock()
        self._in_flight = dict(memory.in_flight()) if memory else {}
        self._recovered: dict[int, str] = {}
        self._busy: set[int] = set()
        self._changed = threading.Condition()

    def recover(self) -> None:
        """Give people back what an earlier attempt undid, and had no time to.

        :raises DiffgramError: if that fails; the files stay remembered.
        """
        for file_id, since in list(self._in_flight.items()):
            _log.info("file %s was being written when an earlier attempt ended: looking at its past", file_id)
            with self._alone(file_id):
                file = self._read(file_id)
                self._mend(file, since)
            self._recovered[file_id] = since
            self._note_in_flight(file_id, None)

    def amend(self, action: Action, item: Item, file_id: int) -> Amended | str | None:
        """Append an item's predictions to a file, or replace what it holds by them.

        :return: None if it was to go by the queue; why it goes there, in the singular, if it might have been
            written.
        :raises RefusedError: if the server refuses it, or people's work could not be given back.
        :raises OutcomeUnknownError: if the server stays silent.
        """
        if self._delivery == "queue" or item.is_video or not item.references:
            return None
        refs = item.labels.refs_of(item.packet.instances)
        ids = self._ids.of(refs, file_id, item.parent_file_id) if refs else {}
        if ids is None:
            return self._left_to_queue(
                item, self._read(file_id), "brings a model run that Diffgram does not know"
            )
        if self._is_pending(file_id):
            return "belongs to a file that the queue is about to change"
        wanted = [_with_ids(row, ids) for row in instances_of_body(item.keys)]
        with self._alone(file_id):
            with self._gate.turn():
                file = self._read(file_id)
                reason = self._why_by_queue(item, file)
                if reason is not None:
                    return self._left_to_queue(item, file, reason)
                replaces, since = action is Action.REPLACE, self._recovered.get(file.id, "")
                if not self._brought.is_doubtful(item, file, replaces=replaces, since=since):
                    return self._write(action, item.name, file, wanted, set())
            if action is Action.REPLACE:
                if self._brought.is_replaced(item, file, since):
                    return Amended(file)
                known = set[str]()
            else:
                known = self._brought.before(item, file, item.references - references(file.instance_list))
            with self._gate.turn():  # anew: looking back takes time, in which somebody may have saved
                return self._write(action, item.name, self._read(file_id), wanted, known)

    def refresh(self, item: Item, file_id: int, rules: Rules, *, is_introduced: bool = False) -> Refreshed:
        """Put an item's predictions in the place of those of earlier runs of its model that nobody touched.

        :param is_introduced: whether the server was told of the item's run since the last call.
        :raises RefusedError: for a file that cannot be written, or an item that names no model.
        :raises OutcomeUnknownError: if the server stays silent.
        """
        self._await_queue(file_id)
        refs = item.labels.refs_of(item.packet.instances) or {ref for ref in [item.labels.origin] if ref}
        if not refs:
            raise RefusedError(
                f"{item.name} names no model: whose earlier predictions should make room? Set origin, or "
                "model_ref and model_run_ref of each instance"
            )
        ids = self._ids.of(refs, file_id, item.parent_file_id, anew=is_introduced)
        runs = [self._run_of(ref, ids, file_id, item.parent_file_id) for ref in sorted(refs, key=str)]
        with self._alone(file_id):
            with self._gate.turn():
                file = self._read(file_id)
                left = self._left_alone(item, file, rules)
                if left is not None:
                    return Refreshed(Amended(file), left)
                if not (item.references and rules.respect_people and count_gone(file)):
                    return self._refresh(item, file, rules, runs, ids, [])
            deleted = self._brought.deleted_by_people(item, file, has_jobs=self._at_work.has_jobs)
            if deleted is None:
                return Refreshed(Amended(file), Counts(settled=item.expected))
            with self._gate.turn():
                return self._refresh(item, self._read(file_id), rules, runs, ids, deleted)

    def _refresh(
        self,
        item: Item,
        file: File,
        rules: Rules,
        runs: list[Run],
        ids: dict[Ref, Ids] | None,
        deleted: list[Row],
    ) -> Refreshed:
        wanted = [_with_ids(row, ids or {}) for row in instances_of_body(item.keys)]
        people = {row["member_created_id"] for row in file.instance_list if self._at_work.is_of_person(row)}
        told = [row for row in deleted if row.get("machine_made") or row.get("model_id") is not None]

        def decided(there: File) -> Refreshing:
            given_back = self._given_back(there, people)
            rows = there.instance_list
            return refreshed(rows, wanted, runs, rules, people=people, given_back=given_back, deleted=told)

        first = decided(file)
        if first.new and ids is None:
            return Refreshed(
                Amended(file), first.counts, frozenset(row["creation_ref_id"] for row in first.new)
            )
        done = self.write(
            item.name,
            file,
            lambda there: decided(there).rewrite(there.instance_list),
            lambda row: any(is_earlier(row, run) for run in runs),
        )
        counts = replace(first.counts, added=done.added, taken_back=done.removed)
        return Refreshed(done, counts)

    def _given_back(self, file: File, people: Collection[int]) -> set[int]:
        """Return the ids of living rows that a push gave back, and that no person ever touched."""
        found = set()
        for row in file.instance_list:
            if row.get("action_type") == "undeleted" and row.get("member_created_id") not in people:
                history = self._client.send(routes.view_history(self._client.project, row["id"])).rows
                if not any(each["is_by_person"] for each in history):
                    found.add(row["id"])
        return found

    def _run_of(self, ref: Ref, ids: dict[Ref, Ids] | None, file_id: int, parent_file_id: int | None) -> Run:
        """Return a run by its ids, or a model without a run where the server does not know the run yet."""
        for wanted in (ref, (ref[0], None)):
            known = ids or self._ids.of([wanted], file_id, parent_file_id, anew=False) or {}
            if wanted in known:
                return Run(*known[wanted])
        return Run(0, None)

    def _left_alone(self, item: Item, file: File, rules: Rules) -> Counts | None:
        """Return what is counted of a file that is not refreshed now.

        :raises RefusedError: if it never can be.
        """
        if not can_be_rewritten(file):
            brought = self._brought.of_inputs(self._brought.inputs_of(item, file.id), file)
            if item.references <= brought.union(references(file.instance_list)):
                return Counts(unchanged=item.expected)
            raise RefusedError(
                f"{item.name}: file {file.id} is of type {file.type}, and only predictions of images can be "
                "refreshed without endangering what people did. Use if_exists='append' for it"
            )
        is_begun = self._at_work.state(file.id) is not None
        if is_begun or (self._delivery == "auto" and self._at_work.has_just_saved(file)):
            return Counts(waiting=1)
        if rules.reviewed == "leave" and self._at_work.is_reviewed(file.id):
            return Counts(reviewed=1)
        return None

    def _await_queue(self, file_id: int) -> None:
        """Wait until the queue has changed a file that it is about to change."""

        def look() -> Steps[bool | None]:
            rows = yield from ask(
                routes.list_inputs(self._client.project, status="Processing", file_id=file_id)
            )
            return not [row for row in rows if row.mode and not row.hangs] or None

        if self._is_pending(file_id) and self._client.run(poll(look, every=1.0, patience=PATIENCE)) is None:
            raise OutcomeUnknownError(
                f"file {file_id}: the queue did not apply its pending update within "
                f"{PATIENCE:.0f} s. Retry later"
            )

    @staticmethod
    def _left_to_queue(item: Item, file: File, reason: str) -> str:
        """Return why a change is left to the queue.

        :raises RefusedError: for a compound file: in the queue its change would hang for ever (quirk 33).
        """
        if (file.type or "").startswith("compound"):
            raise RefusedError(
                f"{item.name} {reason}, and the queue cannot change a compound file. Send it again "
                "later, or with delivery='upload'"
            )
        return reason

    def _why_by_queue(self, item: Item, file: File) -> str | None:
        """Return why the change of a file is left to the queue."""
        state, is_recent, is_long = None, False, False
        if self._delivery == "auto":
            state = self._at_work.state(file.id)
            is_recent = self._at_work.has_just_saved(file)
            rows = len(file.instance_list) + item.expected
            is_long = rows >= LONG and self._at_work.has_task(file.id)
        return why_by_queue(Amendable(can_be_rewritten(file), state, is_recent, is_long))

    def _write(self, action: Action, name: str, file: File, wanted: list[Row], known: set[str]) -> Amended:
        if action is Action.REPLACE:
            among = {row["id"] for row in file.instance_list}
            return self.write(name, file, lambda there: replaced(there.instance_list, wanted, among))
        return self.write(name, file, lambda there: appended(there.instance_list, wanted, known))

    def write(
        self,
        name: str,
        file: File,
        planned: Callable[[File], Rewrite],
        is_ours: Callable[[Row], bool] = lambda row: False,
    ) -> Amended:
        """Write a file until it is as planned, and what people saved meanwhile is as they left it.

        :param name: of the item, for errors.
        :param file: as it was just read.
        :param planned: what is to be written into a file as it is by then.
        :param is_ours: whether a row that nobody touched need not be given back if it is lost.
        """
        going, deadline = _Going(), self._client.clock.monotonic() + self._client.settings.retry_timeout
        failures = rounds = 0
        since = file.time_last_updated or ""  # what people saved after it was read first stays
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
                    file = self._read(file.id) if going.restored else file
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
            file = self._read(file.id)
            if rounds == _ROUNDS:
                raise RefusedError(
                    f"{name}: file {file.id} was written {rounds} times, but the server still lacks "
                    f"{len(verdict.unadded)} prediction(s) and keeps {len(verdict.unremoved)} that were to "
                    "be removed"
                )
        return Amended(file, len(going.added), len(going.removed), len(going.equal), going.restored)

    # Requests

    def _read(self, file_id: int) -> File:
        file = self._client.send(routes.list_annotations(self._client.project, file_id))
        self._rows.note(file)
        return file

    def _after(self, error: DiffgramError, file_id: int, failures: int) -> File:
        """Wait a moment after a write without an answer, and read what there is."""
        _log.info("%s; reading file %s again", error, file_id)
        try:
            self._client.run(pause(backoff(failures)))
        except StoppedError:
            raise error from None
        return self._read(file_id)

    def _is_pending(self, file_id: int) -> bool:
        """Whether the queue held an update of a file when this was asked first, or holds one of this push."""
        with self._lock:
            if self._pending is None:
                rows = self._updates(None)
                self._pending = {row.file_id for row in rows if row.file_id is not None}
                self._are_more_pending = len(rows) >= routes.PAGE
            is_known = file_id in self._pending or file_id in self._queued
            if is_known or not self._are_more_pending:
                return is_known
        return bool(self._updates(file_id))

    def _updates(self, file_id: int | None) -> list[Input]:
        listing = routes.list_inputs(self._client.project, status="Processing", file_id=file_id)
        return [row for row in self._client.send(listing) if row.mode and not row.hangs]

    def leave_to_queue(self, file_id: int) -> None:
        """Take note that the queue is about to change a file: two would undo each other."""
        with self._lock:
            self._queued.add(file_id)

    # What others saved meanwhile

    def _has_arrived(self, rewrite: Rewrite, before: File, after: File) -> bool:
        """Whether a write without an answer was executed, if only to be undone by somebody since."""
        there = {row["id"] for row in after.instance_list}
        if rewrite.added & references(after.instance_list):
            return True
        if rewrite.removed and not rewrite.removed & there:
            return True
        if count_gone(after) <= count_gone(before):
            return False
        return not rewrite.added.isdisjoint(look_back(self._client, after, self._rows).fates())

    def _mend_unseen(self, before: File, rewrite: Rewrite, after: File) -> int:
        """Give back what a write whose answer was lost has undone; return how many rows."""
        going = [row for row in before.instance_list if row["id"] in rewrite.removed]
        expected = count_gone(before) + sum((row.get("version") or 1) + 1 for row in going)
        if count_gone(after) <= expected:
            return 0
        return self._mend(after, before.time_last_updated or "")

    def _mend(self, file: File, since: str) -> int:
        """Give back what a write since then has undone, as the histories tell; return how many rows."""
        if not count_gone(file):
            return 0
        undone = undone_since(look_back(self._client, file, self._rows), since)
        return self._repair(file.id, {chain[0]["id"] for chain in undone}, set()) if undone else 0

    def _repair(
        self,
        file_id: int,
        touched: set[int],
        lost: set[int],
        is_ours: Callable[[Row], bool] = lambda row: False,
    ) -> int:
        """Give back what a write has undone; return how many rows.

        :param touched: ids of rows that it brought back by mistake.
        :param lost: ids of rows that it deleted by mistake.
        :param is_ours: whether a row that nobody touched need not come back.
        :raises RefusedError: if people save the file faster than it can be given back.
        """
        project, failures, restored = self._client.project, 0, 0
        for rounds in range(_ROUNDS):
            if rounds > 1:  # two programs that write one file at the same pace would undo each other for ever
                self._client.run(pause(backoff(rounds - 1)))
            ids = sorted(lost | touched)
            histories = [self._client.send(routes.view_history(project, each)).rows for each in ids]
            file = self._read(file_id)
            theirs = [each for each in _each_once(histories) if not all(map(is_ours, each))]
            fix = repaired(file.instance_list, theirs, lost)
            if not fix.is_needed:
                _log.info(
                    "file %s: others saved while it was written; %s row(s) given back", file_id, restored
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
                    "file %s: others saved while it was written; %s row(s) given back", file_id, restored
                )
                return restored
        raise RefusedError(
            f"file {file_id}: others kept saving it while it was written, and their row(s) "
            f"{sorted(lost | touched)} could not be given back. See the history of these rows in Diffgram"
        )

    def _refused(self, name: str, file_id: int, rewrite: Rewrite, error: RefusedError) -> RefusedError:
        """Return what a refusal means: the rows before the wrong one are stored (server.md 10.8.2)."""
        if error.status != 400:
            return error
        stored = rewrite.added & references(self._read(file_id).instance_list)
        error.args = (
            f"{error}. {name}: {len(stored)} of its {len(rewrite.added)} predictions are stored in file "
            f"{file_id}",
        )
        return error

    # What is remembered

    def _note_if_at_work(self, file: File, since: str) -> bool:
        """Remember a file before it is written, if people may be at work on it; return whether it is."""
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
    def _alone(self, file_id: int) -> Iterator[None]:
        """Keep other threads from the same file."""
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
    """Return the histories of different instances: several of their rows may have led to one."""
    return list({min(row["id"] for row in history): history for history in histories if history}.values())


def _with_ids(row: Row, ids: Mapping[Ref, Ids]) -> Row:
    """Return an instance with the ids of its model and run, where known, in the place of their references."""
    kept = {key: value for key, value in row.items() if key not in ("model_ref", "model_run_ref")}
    known = ids.get((str(row.get("model_ref")), row.get("model_run_ref")))
    if known is None:
        return kept
    model_id, run_id = known
    return {**kept, "model_id": model_id, **({} if run_id is None else {"model_run_id": run_id})}
