"""Expected against actual: where everything that was sent stands (wire contract 3.2)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..client import routes
from ..client.request import Steps, ask
from ..models import File, Handle, Input, InvalidValueError, Receipt, ReceiptFailure, SentBatch
from ..models.handle import SHOWN_FAILURES, SHOWN_FILE_IDS
from .counters import read_files, settle_seconds

State = Literal["pending", "succeeded", "skipped", "failed", "archived"]


_BEST_FIRST: list[State] = ["succeeded", "skipped", "pending", "failed", "archived"]

Identity = str | int
"""Name of a new root file, which may have several inputs; else the id of the input."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input. Holds no instances: there may be a thousand inputs in a batch."""

    state: State
    input_id: int | None
    name: str | None
    file_id: int | None
    reason: str

    @classmethod
    def of(cls, state: State, row: Input, reason: str = "") -> Verdict:
        """Return the verdict on ``row``."""
        return cls(state, row.id, row.original_filename, row.file_id, reason or str(row.status))

    def words(self) -> str:
        """Return name, input and status, or reason."""
        return f"{self.name or f'update of file {self.file_id}'} (input {self.input_id}): {self.reason}"


@dataclass(slots=True)
class _BatchState:
    sent: SentBatch
    verdicts: dict[Identity, Verdict] = field(default_factory=dict)
    proven: dict[int, Verdict] = field(default_factory=dict)
    archived: int = 0

    @property
    def missing(self) -> int:
        """How many of the inputs the server does not list."""
        return max(0, self.sent.inputs - len(self.verdicts) - self.archived)

    @property
    def settled(self) -> bool:
        return not self.missing and all(each.state != "pending" for each in self.verdicts.values())


class Watch:
    """Looks at what a handle names, again and again, and remembers what is settled.

    A success is provisional until the file's counter shows the instances that were sent: until then the
    server may still turn it into a failure. What stays without them for 5 s + 0.1 s per instance is failed.

    :param handles: of one project.
    :param clock: monotonic seconds.
    :raises InvalidValueError: if the handles are of no project, or of several.
    """

    def __init__(self, handles: Iterable[Handle], clock: Callable[[], float] = time.monotonic) -> None:
        self._handles = list(handles)
        projects = {handle.project for handle in self._handles}
        if len(projects) != 1:
            told = f"must be of exactly one project, not of {', '.join(sorted(projects)) or 'none'}"
            raise InvalidValueError("handles", [told])
        self.project = projects.pop()
        self._clock = clock
        self._first_seen: dict[int, float] = {}
        self._batches = [
            (handle.directory_id, _BatchState(sent)) for handle in self._handles for sent in handle.batches
        ]

    @property
    def settling(self) -> bool:
        """Whether all that is pending are successes whose instances are not written yet."""
        pending = [
            each.input_id
            for _, batch in self._batches
            for each in batch.verdicts.values()
            if each.state == "pending"
        ]
        return bool(pending) and all(input_id in self._first_seen for input_id in pending)

    def look(self) -> Steps[Receipt]:
        """Ask the server about all that is not settled and return where everything stands."""
        for directory_id, batch in self._batches:
            if not batch.settled:
                yield from self._look_at(directory_id, batch)
        return self._receipt()

    def _look_at(self, directory_id: int, batch: _BatchState) -> Steps[None]:
        rows = yield from self._rows(batch.sent, archived=False)
        found: dict[int, Verdict] = {}
        provisional: list[Input] = []
        for row in rows:
            assert row.id is not None
            verdict = batch.proven.get(row.id) or self._verdict(row)
            found[row.id] = verdict or Verdict.of("pending", row)
            if verdict is None:
                provisional.append(row)
        yield from self._prove(directory_id, batch.sent.parent_file_id, provisional, found)
        batch.proven = {input_id: each for input_id, each in found.items() if each.state == "succeeded"}
        batch.verdicts = _by_identity(rows, found)
        batch.archived = 0
        if batch.missing:
            listed = yield from self._rows(batch.sent, archived=True)
            gone = [row for row in listed if row.archived and _identity(row) not in batch.verdicts]
            batch.archived = min(len(gone), batch.missing)

    def _rows(self, sent: SentBatch, *, archived: bool) -> Steps[list[Input]]:
        rows = yield from ask(
            routes.list_inputs(
                self.project,
                batch_id=sent.id,
                parent_file_id=sent.parent_file_id,
                show_archived=archived,
            )
        )
        return [row for row in rows if row.id is not None and (sent.only is None or row.id in sent.only)]

    def _verdict(self, row: Input) -> Verdict | None:
        """Judge a row by itself; None if the files must be asked."""
        if row.archived:
            return Verdict.of("archived", row)
        if row.failed:
            # A child collides with root files only (wire contract 3.5): it is not there, whatever is.
            if row.existing_file_id is not None and row.parent_file_id is None:
                return None if row.instance_list else Verdict.of("skipped", row)
            if row.media_type == "video" and not self._waited(row, settle_seconds(0)):
                return Verdict.of("pending", row)  # a video's failure may become success (quirk 52)
            return Verdict.of("failed", row, row.reason)
        if not row.succeeded:
            return Verdict.of("pending", row)
        if row.media_type == "video" and not self._waited(row, settle_seconds(0)):
            return Verdict.of("pending", row)  # and a first success failure (wire contract 3.2)
        if row.media_type == "video":
            errors = (row.update_log or {}).get("error")
            return Verdict.of("failed", row, row.reason) if errors else Verdict.of("succeeded", row)
        return None if row.instance_list else Verdict.of("succeeded", row)

    def _prove(
        self, directory_id: int, parent_file_id: int | None, rows: list[Input], found: dict[int, Verdict]
    ) -> Steps[None]:
        """Settle successes with instances, and duplicates, by what their files hold."""
        new = [row for row in rows if row.mode is None]
        ids = {file_id for row in new if (file_id := row.existing_file_id or row.file_id) is not None}
        files: dict[int, File] = {}
        if ids:
            files = yield from read_files(self.project, directory_id, ids, parent_file_id)
        for row in new:
            file = files.get(row.existing_file_id or row.file_id or 0)
            if file is None and row.file_id is not None and self._late(row):
                # Not among the living files of the dataset: removed, or moved, by a person.
                file = yield from ask(routes.view_file(self.project, row.file_id))
            if file is not None and file.removed:
                assert row.id is not None
                found[row.id] = Verdict.of("archived", row)
            else:
                self._judge(found, row, None if file is None else file.count_instances_changed)
        for row in rows:
            # What is replaced is there until it is: only time tells (wire contract 3.2).
            too_early = row.mode == "update_with_existing" and not self._late(row)
            if row.mode is not None and row.file_id is not None and not too_early:
                stored = yield from ask(routes.list_annotations(self.project, row.file_id))
                self._judge(found, row, _stored_of(row, stored))

    def _late(self, row: Input) -> bool:
        return self._waited(row, settle_seconds(len(row.instance_list)))

    def _judge(self, found: dict[int, Verdict], row: Input, stored: int | None) -> None:
        assert row.id is not None
        expected = len(row.instance_list)
        if row.existing_file_id is not None:
            if stored is not None:
                found[row.id] = Verdict.of("skipped", row)
            elif self._late(row):
                why = f"file {row.existing_file_id} has the name already, without predictions"
                found[row.id] = Verdict.of("failed", row, why)
        elif stored is not None and stored >= expected:
            found[row.id] = Verdict.of("succeeded", row)
        elif self._late(row):
            why = f"success, but file {row.file_id} holds {stored or 0} of {expected} instances"
            found[row.id] = Verdict.of("failed", row, why)

    def _waited(self, row: Input, seconds: float) -> bool:
        assert row.id is not None
        return self._clock() - self._first_seen.setdefault(row.id, self._clock()) > seconds

    def _receipt(self) -> Receipt:
        verdicts = [each for _, batch in self._batches for each in batch.verdicts.values()]
        states = Counter(each.state for each in verdicts)
        failures = [
            ReceiptFailure(name=each.name, input_id=each.input_id, reason=each.reason)
            for each in verdicts
            if each.state == "failed"
        ]
        file_ids = sorted(each.file_id for each in verdicts if each.state == "succeeded" and each.file_id)
        return Receipt(
            project=self.project,
            expected=sum(handle.expected for handle in self._handles),
            succeeded=states["succeeded"] + sum(handle.done_at_send for handle in self._handles),
            skipped=states["skipped"] + sum(handle.skipped for handle in self._handles),
            failed=states["failed"],
            archived=states["archived"] + sum(batch.archived for _, batch in self._batches),
            pending=states["pending"],
            missing=sum(batch.missing for _, batch in self._batches),
            not_sent=sum(handle.not_sent for handle in self._handles),
            unchecked=sum(handle.unchecked for handle in self._handles),
            failures=failures[:SHOWN_FAILURES],
            waiting=[each.words() for each in verdicts if each.state == "pending"][:SHOWN_FAILURES],
            file_ids=file_ids if len(file_ids) <= SHOWN_FILE_IDS else [],
        )


def _identity(row: Input) -> Identity:
    """Return what tells the inputs of different packets apart.

    A packet that was sent again because its answer was lost has two inputs; the second fails as a duplicate
    of the first. Children of one name may be different ones, and updates have no name.
    """
    assert row.id is not None
    named = row.parent_file_id is None and row.mode is None and row.original_filename is not None
    return row.original_filename or row.id if named else row.id


def _by_identity(rows: Iterable[Input], found: dict[int, Verdict]) -> dict[Identity, Verdict]:
    """Return the best verdict of each packet."""
    best: dict[Identity, Verdict] = {}
    for row in rows:
        assert row.id is not None
        verdict, identity = found[row.id], _identity(row)
        old = best.get(identity)
        if old is None or _BEST_FIRST.index(verdict.state) < _BEST_FIRST.index(old.state):
            best[identity] = verdict
    return best


def _stored_of(row: Input, file: File) -> int | None:
    """Return how many of an update's instances the file holds.

    ``replace`` keeps equal instances with their old references (wire contract 2.7), so there the file's
    own number counts; ``update`` is told by the references that were sent with it.
    """
    if row.mode == "update_with_existing":
        return len(file.instance_list)
    held = {each.get("creation_ref_id") for each in file.instance_list}
    return sum(1 for each in row.instance_list if each.get("creation_ref_id") in held)
