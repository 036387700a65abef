"""Changes predictions of existing files: writes them directly, or says that the queue is safer.

This module decides what happens to a file's rows; :mod:`.writing` writes them.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ....client import DiffgramClient, OutcomeUnknownError, RefusedError, routes
from ....client.request import Steps, ask, poll
from ....models import File, Input
from ...check.labels import Ref
from ...check.wire import instances_of_body
from ...server.rewrite import (
    Row,
    appended,
    can_be_rewritten,
    count_gone,
    replaced,
)
from ...server.rows import references
from ..decisions.decide import LONG, Action, Amendable, DeliverBy, why_by_queue
from ..decisions.item import Item
from ..decisions.refresh import Counts, Refreshing, Rules, Run, is_earlier, refreshed
from ..pace.threads import Gate
from ..queue.brought import Brought
from ..queue.settle import PATIENCE
from .at_work import AtWork
from .model_ids import Ids, ModelIds
from .writing import Amended, FileWriter


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did with an item.

    :param amended: what was written.
    :param counts: what was decided, in numbers.
    :param introduces: references to add that belong to a run unknown to the server, which must be introduced
        first; then nothing was written.
    :param knows_runs: whether the server is known to have all runs of the item.
    """

    amended: Amended
    counts: Counts
    introduces: frozenset[str] = frozenset()
    knows_runs: bool = False


class Amendments:
    """Writes items into their files, or leaves them to the queue. Safe to use from several threads.

    :param gate: admits as many writes at once as the server can handle.
    :param delivery: ``queue`` leaves everything to the queue; ``auto`` leaves files that people work on.
    :param writer: writes files.
    :param at_work: finds files that people are working on.
    """

    def __init__(
        self,
        client: DiffgramClient,
        gate: Gate,
        delivery: DeliverBy,
        writer: FileWriter,
        at_work: AtWork,
    ) -> None:
        self._client = client
        self._gate = gate
        self._delivery = delivery
        self._writer = writer
        self._at_work = at_work
        self._brought = Brought(client, writer.rows)
        self._ids = ModelIds(client)
        self._pending: set[int] | None = None
        self._are_more_pending = False
        self._queued: set[int] = set()
        self._lock = threading.Lock()

    def amend(self, action: Action, item: Item, file_id: int) -> Amended | str | None:
        """Append an item's predictions to a file, or replace its contents with them.

        :return: what was written; None if the item belongs in the queue anyway; the reason, in the singular,
            if it is left to the queue although it might have been written.
        :raises RefusedError: if the server refuses it, or people's work could not be restored.
        :raises OutcomeUnknownError: if the server does not answer.
        """
        if self._delivery == "queue" or item.is_video or not item.references:
            return None
        refs = item.labels.refs_of(item.packet.instances)
        ids = self._ids.of(refs, file_id, item.parent_file_id) if refs else {}
        if ids is None:
            return self._left_to_queue(
                item, self._writer.read(file_id), "brings a model run that Diffgram does not know"
            )
        if self._is_pending(file_id):
            return "belongs to a file that the queue is about to change"
        wanted = [_with_ids(row, ids) for row in instances_of_body(item.keys)]
        with self._writer.alone(file_id):
            with self._gate.turn():
                file = self._writer.read(file_id)
                reason = self._why_by_queue(item, file)
                if reason is not None:
                    return self._left_to_queue(item, file, reason)
                replaces, since = action is Action.REPLACE, self._writer.recovered_since(file.id)
                if not self._brought.is_doubtful(item, file, replaces=replaces, since=since):
                    return self._write(action, item.name, file, wanted, set())
            if action is Action.REPLACE:
                if self._brought.is_replaced(item, file, since):
                    return Amended(file)
                known = set[str]()
            else:
                known = self._brought.before(item, file, item.references - references(file.instance_list))
            with self._gate.turn():  # read again: somebody may have saved during the look back
                return self._write(action, item.name, self._writer.read(file_id), wanted, known)

    def refresh(self, item: Item, file_id: int, rules: Rules, *, is_introduced: bool = False) -> Refreshed:
        """Replace untouched predictions of earlier runs of the item's model with the item's predictions.

        :param is_introduced: whether the item's run was introduced since the last call.
        :raises RefusedError: if the file cannot be written, or the item names no model.
        :raises OutcomeUnknownError: if the server does not answer.
        """
        self._await_queue(file_id)
        refs = item.labels.refs_of(item.packet.instances) or {ref for ref in [item.labels.origin] if ref}
        if not refs:
            raise RefusedError(
                f"{item.name} names no model: whose earlier predictions should make room? Set origin, or "
                "model_ref and model_run_ref of each instance"
            )
        ids = self._ids.of(refs, file_id, item.parent_file_id, anew=is_introduced) or {}
        for ref in refs - ids.keys():
            ids |= self._ids.of([ref], file_id, item.parent_file_id, anew=False) or {}
        done = self._refreshed(item, file_id, rules, refs, ids)
        return replace(done, knows_runs=refs <= ids.keys())

    def _refreshed(
        self, item: Item, file_id: int, rules: Rules, refs: Collection[Ref], ids: dict[Ref, Ids]
    ) -> Refreshed:
        runs = [self._run_of(ref, ids, file_id, item.parent_file_id) for ref in sorted(refs, key=str)]
        with self._writer.alone(file_id):
            with self._gate.turn():
                file = self._writer.read(file_id)
                left = self._left_alone(item, file, rules)
                if left is not None:
                    return Refreshed(Amended(file), left)
                if not (item.references and rules.respect_people and count_gone(file)):
                    return self._refresh(item, file, rules, runs, ids, [])
            deleted = self._brought.deleted_by_people(item, file, has_jobs=self._at_work.has_jobs)
            if deleted is None:
                return Refreshed(Amended(file), Counts(settled=item.expected))
            with self._gate.turn():
                return self._refresh(item, self._writer.read(file_id), rules, runs, ids, deleted)

    def _refresh(
        self,
        item: Item,
        file: File,
        rules: Rules,
        runs: list[Run],
        ids: dict[Ref, Ids],
        deleted: list[Row],
    ) -> Refreshed:
        sent = instances_of_body(item.keys)
        wanted = [_with_ids(row, ids) for row in sent]
        people = {row["member_created_id"] for row in file.instance_list if self._at_work.is_of_person(row)}
        told = [row for row in deleted if row.get("machine_made") or row.get("model_id") is not None]

        def decided(there: File) -> Refreshing:
            given_back = self._given_back(there, people)
            rows = there.instance_list
            return refreshed(rows, wanted, runs, rules, people=people, given_back=given_back, deleted=told)

        first = decided(file)
        unknown = {row["creation_ref_id"] for row in sent if row.get("model_ref") and _ref_of(row) not in ids}
        introduced = unknown.intersection(row["creation_ref_id"] for row in first.new)
        if introduced:
            return Refreshed(Amended(file), first.counts, frozenset(introduced))
        done = self._writer.write(
            item.name,
            file,
            lambda there: decided(there).rewrite(there.instance_list),
            lambda row: any(is_earlier(row, run) for run in runs),
        )
        counts = replace(first.counts, added=done.added, taken_back=done.removed)
        return Refreshed(done, counts)

    def _given_back(self, file: File, people: Collection[int]) -> set[int]:
        """Return the ids of living rows that a push restored and that no person ever touched."""
        found = set()
        for row in file.instance_list:
            if row.get("action_type") == "undeleted" and row.get("member_created_id") not in people:
                history = self._client.send(routes.view_history(self._client.project, row["id"])).rows
                if not any(each["is_by_person"] for each in history):
                    found.add(row["id"])
        return found

    def _run_of(self, ref: Ref, ids: dict[Ref, Ids], file_id: int, parent_file_id: int | None) -> Run:
        """Return a run with its ids, or the model without a run if the server does not know the run yet."""
        model = (ref[0], None)
        known = ids if ref in ids else self._ids.of([model], file_id, parent_file_id, anew=False) or {}
        return Run(*(known.get(ref) or known.get(model) or (0, None)))

    def _left_alone(self, item: Item, file: File, rules: Rules) -> Counts | None:
        """Return what to count for a file that is not refreshed now; None if it is.

        :raises RefusedError: if the file can never be refreshed.
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
        """If the queue is about to change a file, wait until it has."""

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
        """Return the reason why a change is left to the queue.

        :raises RefusedError: for a compound file, whose change would hang in the queue forever (quirk 33).
        """
        if (file.type or "").startswith("compound"):
            raise RefusedError(
                f"{item.name} {reason}, and the queue cannot change a compound file. Send it again "
                "later, or with delivery='upload'"
            )
        return reason

    def _why_by_queue(self, item: Item, file: File) -> str | None:
        """Return why a file's change is left to the queue; None if it is written directly."""
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
            return self._writer.write(name, file, lambda there: replaced(there.instance_list, wanted, among))
        return self._writer.write(name, file, lambda there: appended(there.instance_list, wanted, known))

    # Requests

    def _is_pending(self, file_id: int) -> bool:
        """Whether the queue held an update of a file at the first call, or holds one of this push."""
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
        """Record that the queue is about to change a file: a direct write and the queue would collide."""
        with self._lock:
            self._queued.add(file_id)


def _with_ids(row: Row, ids: Mapping[Ref, Ids]) -> Row:
    """Return an instance with the ids of its model and run, if known, instead of their references."""
    kept = {key: value for key, value in row.items() if key not in ("model_ref", "model_run_ref")}
    known = ids.get(_ref_of(row))
    if known is None:
        return kept
    model_id, run_id = known
    return {**kept, "model_id": model_id, **({} if run_id is None else {"model_run_id": run_id})}


def _ref_of(row: Row) -> Ref:
    return str(row.get("model_ref")), row.get("model_run_ref")
