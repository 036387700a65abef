"""Handles one item: asks :func:`~.decisions.decide.decide`, does what it says, and records the outcome."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ...client import (
    DiffgramClient,
    OutcomeUnknownError,
    RefusedError,
    StorageError,
    StorageRefusedError,
    routes,
)
from ...models import File, Input, InputRow, PathMedia
from ..check.check import Plan
from ..read.remote import Medium
from ..read.storage import raise_if_passing
from ..server.names import Pending
from ..server.repair import archive, retry
from .decisions.decide import (
    Action,
    Found,
    Question,
    decide,
    decide_settled,
    introduces_safely,
    why_not_uploaded,
)
from .decisions.item import Item
from .existing.amend import Amendments, Refreshed
from .existing.at_work import AtWork
from .existing.writing import Amended, FileWriter
from .media.reading import Reader
from .media.upload import Uploads
from .options import Options
from .outcomes.outcomes import Outcomes
from .pace.threads import Senders
from .questions import Questions
from .queue.batches import Batches, Place
from .queue.inventory import Inventory
from .queue.model_runs import IntroductionError, ModelRuns
from .queue.queue import Queue
from .queue.settle import PATIENCE, Unsettled, holding_instances, until_stored

_NEWS = 3
"""How many skipped files are checked for new predictions."""


class Dealer:
    """Handles the items of one push, each by itself. Safe to use from several threads.

    :param client: connected to the project; its waits end when the push must stop.
    :param plan: what the check found out.
    :param options: options of the push.
    :param outcomes: records what becomes of each item.
    :param senders: their gates admit as many requests as the server can handle.
    :ivar batches: the batches that the push sends into.
    :ivar inventory: files and inputs that exist already.
    :ivar uploads: uploads media.
    """

    def __init__(
        self, client: DiffgramClient, plan: Plan, options: Options, outcomes: Outcomes, senders: Senders
    ) -> None:
        tally = outcomes.tally
        self._client = client
        self._plan = plan
        self._options = options
        self._outcomes = outcomes
        self.batches = Batches(client, options.memory, plan.limits.batch)
        self.inventory = Inventory(client, plan, self.batches)
        self.uploads = Uploads(client, plan, options.path_of, tally, senders.uploads)
        self._queue = Queue(client, plan, self.batches)
        at_work = AtWork(client, reviewed=options.if_exists == "refresh")
        self._writer = FileWriter(client, at_work, options.memory)
        self._amendments = Amendments(client, senders.updates, options.delivery, self._writer, at_work)
        self._reader = Reader(client, plan, options.delivery, tally.note_bytes)
        self._questions = Questions(client, plan, options.if_exists, self.uploads.large, self._reader)
        self._runs = ModelRuns(client, plan, options.turns)
        self._unsettled: list[Unsettled] = []
        self._looked_for_news = 0
        self._lock = threading.Lock()

    def recover(self) -> None:
        """Restore people's work that an earlier attempt undid and had no time to restore."""
        self._writer.recover()

    def close(self) -> None:
        """Leave model runs to other tasks, and close the connections to hosts of media."""
        self._runs.close()
        self._reader.close()

    def introduces(self, item: Item) -> bool:
        """Whether an item names a model run that the server may not have."""
        return self._runs.names_new(item.packet)

    def deal(self, item: Item, *, introduces: bool) -> Place | None:
        """Send, skip or change what an item needs, and record the outcome.

        :param introduces: whether to wait until the server knows the item's model run.
        :return: where the item's input is listed, if one is under way.
        """
        self._raise_if_stopped()
        with self._noting_faults(item):
            found = Found()
            if not item.is_update:
                found = Found(pending=self.inventory.pending(item), file=self.inventory.file(item))
            place = self._act(item, found)
            if introduces and place is not None and self.introduces(item):
                return self._introduce(item, place)
            return place
        return None

    def _act(self, item: Item, found: Found) -> Place | None:
        """Decide what to do with an item, asking the server where needed, and do it."""
        options = self._options
        while isinstance(action := decide(item, found, options.if_exists, options.delivery), Question):
            found = self._questions.answer(action, item, found)
        try:
            if not introduces_safely(action, item):
                self._runs.is_new(item.packet)  # waits for its turn if it is
            return self._done(action, item, found)
        finally:
            if found.medium is not None:
                found.medium.close()

    def _done(self, action: Action, item: Item, found: Found) -> Place | None:
        """Carry out a decision; return where the item's input is listed, if one is under way."""
        if action is Action.ADOPT:
            assert found.pending is not None
            return self._adopt(item, found.pending)
        if action is Action.REFUSE:
            why = why_not_uploaded(item, found, self._options.delivery)
            told = f"{item.name} was to be uploaded: it {why}"
            if found.failing_storage is not None:
                where = f"at {found.failing_storage}. {StorageError.remedy}"
                raise StorageRefusedError(f"{told}, {where}", permanent=False)
            raise RefusedError(told)
        if action is Action.SEND:
            place = self._queue.send(item)
            why = why_not_uploaded(item, found, self._options.delivery)
            self._outcomes.arrived(item, "queue", why=None if self._options.delivery == "queue" else why)
            return place
        if action is Action.UPLOAD:
            return self._upload(item, found.medium)
        if action is Action.UPLOAD_IN_CHUNKS:
            return self._upload_in_chunks(item)
        file_id = item.packet.file_id if found.file is None else found.file.id
        assert file_id is not None
        return self._change(action, item, file_id)

    def _change(self, action: Action, item: Item, file_id: int) -> Place | None:
        """Carry out a decision about an existing file."""
        if action is Action.SETTLE:
            with self._lock:
                self._unsettled.append(Unsettled(replace(item), file_id))  # a copy without its bodies
            return None
        if action is Action.SKIP:
            self._tell_news(item, file_id)
            self._outcomes.arrived(item, None, file_id)
            return None
        if action is Action.REFRESH:
            self._refresh(item, file_id)
            return None
        amended = self._amendments.amend(action, item, file_id)
        if isinstance(amended, Amended):
            self._runs.note(item.packet)
            self._outcomes.arrived(item, "update" if amended.has_changed else None, amended.file.id)
            return None
        change = self._queue.replace if action is Action.REPLACE else self._queue.append
        done = change(item, file_id)
        if isinstance(done, Pending):
            return self._adopt(item, done, file_id)
        if done is None:
            self._outcomes.arrived(item, None, file_id)
            return None
        self._amendments.leave_to_queue(file_id)
        self._outcomes.arrived(item, "queue", file_id, why=amended)
        return done

    def _tell_news(self, item: Item, file_id: int) -> None:
        """Warn once if one of the first skipped files has new predictions."""
        with self._lock:
            if self._looked_for_news >= _NEWS or not item.expected:
                return
            self._looked_for_news += 1
        if self._questions.brings_news(item, file_id):
            self._looked_for_news = _NEWS
            self._outcomes.tally.warn(
                f"{item.name} is skipped, like every file that is there already, although its predictions "
                "are new. if_exists='refresh' replaces those of earlier runs that nobody touched"
            )

    def _refresh(self, item: Item, file_id: int) -> None:
        """Replace the predictions of earlier runs with an item's predictions.

        If the server does not know the run, the item's new predictions go through the queue to introduce it.
        """
        done = self._amendments.refresh(item, file_id, self._options.rules)
        if done.introduces:
            self._introduce_by_update(item, done.amended.file, done.introduces)
            again = self._refresh_with_its_run(item, file_id)
            done = replace(again, counts=done.counts)
        has_changed = done.amended.has_changed or bool(done.counts.added)
        if done.knows_runs:
            self._runs.note(item.packet)
        self._outcomes.arrived(item, "update" if has_changed else None, file_id, counts=done.counts)

    def _adopt(self, item: Item, pending: Pending, file_id: int | None = None) -> Place:
        """Wait for an input of an earlier attempt instead of sending its packet again."""
        self.batches.adopt(pending)
        self._outcomes.adopted(item, pending, file_id)
        return Place(pending.batch_id, pending.parent_file_id, pending.original_filename, file_id)

    def _upload(self, item: Item, medium: Medium | None) -> Place | None:
        made = self.uploads.send(item, medium)
        if isinstance(made, File):
            return self._act(item, Found(file=made))
        self._outcomes.arrived(item, "upload", made)
        self._runs.note(item.packet)
        return None

    def _upload_in_chunks(self, item: Item) -> Place | None:
        """Upload a medium in chunks. They carry no predictions, which follow once it is a file."""
        large = self.uploads.large
        if not item.packet.instances:
            place = self._send_chunks(item)
            self._outcomes.arrived(item, "queue", why="is too large for one request")
            return place
        row = large.wait(large.send(item, self.batches.assign_apart()))
        if row.hangs:
            archive(self._client, [row], "a video that the server lost, to upload it again")
            row = large.wait(large.send(item, self.batches.assign_apart()))
        if row.hangs:
            raise RefusedError(f"upload {item.name!r}: {row.reason}", server_text=row.reason)
        if row.existing_file_id is not None:
            there = self._client.send(routes.view_file(self._client.project, row.existing_file_id))
            return self._act(item, Found(file=there))
        assert row.file_id is not None
        return self._change(Action.APPEND, item, row.file_id)

    def _send_chunks(self, item: Item) -> Place:
        place = self.uploads.large.send(item, self.batches.assign(None, is_video=item.is_video))
        self.batches.count(place.batch_id, None)
        return place

    # Model runs

    def _introduce(self, item: Item, place: Place) -> Place:
        """Wait until the server knows an item's model run; return where its input is listed then."""
        introduction = self._runs.introduction(item.packet, item.name)
        while (stuck := self._runs.wait_for(introduction, place)) is not None:
            place = self.again(item, stuck)
        return place

    def _refresh_with_its_run(self, item: Item, file_id: int) -> Refreshed:
        """Refresh a file that has introduced the item's run, once the server shows that run.

        :raises OutcomeUnknownError: if it does not.
        """
        clock = self._client.clock
        end = clock.monotonic() + PATIENCE
        while True:
            done = self._amendments.refresh(item, file_id, self._options.rules, is_introduced=True)
            if not done.introduces:
                return done
            if clock.monotonic() > end:
                raise OutcomeUnknownError(
                    f"{item.name}: its predictions are in file {file_id}, and Diffgram does not tell of the "
                    "model run that they introduced, so those of earlier runs are there as well. Run it again"
                )
            clock.sleep(1.0)

    def _introduce_by_update(self, item: Item, file: File, references: Collection[str]) -> None:
        """Send some of an item's predictions to its file through the queue, and wait until they are stored.

        :param file: the file as it was read before.
        :raises RefusedError: if they are not stored.
        """
        self._runs.is_new(item.packet)  # waits for its turn
        place = self._queue.bring(item, file.id, references)
        if self.introduces(item):
            place = self._introduce(item, place)
        self.batches.forget_place(place)
        if not self._client.run(until_stored(self._client.project, file, references)):
            raise RefusedError(
                f"{item.name}: its predictions, which introduce a model run, went into the queue and did not "
                f"reach file {file.id}. Is the server ingesting?"
            )

    def again(self, item: Item, row: Input | InputRow) -> Place:
        """Repair a stuck input: retry an update, or archive the input and send the item again.

        :raises IntroductionError: for a replacement, whose retry would remove the file.
        """
        if row.mode == "update_with_existing":
            raise IntroductionError(
                f"{item.name}: input {row.id}, which is to replace the predictions of file {row.file_id}, is "
                f"stuck as {row.status}. Neither a retry nor an archive would leave the file: ask whoever "
                "runs Diffgram"
            )
        if row.mode == "update":
            retry(self._client, [row], "an update that is stuck")
            return Place(row.batch_id or 0, row.parent_file_id, file_id=row.file_id)
        archive(self._client, [row], "what is stuck, to send it again")
        self.batches.forget(row)
        return self._send_chunks(item) if item.is_large else self._queue.send(item)

    # Afterwards: files without their predictions

    @property
    def unsettled(self) -> int:
        """A lower bound of the number of items whose predictions may not be stored yet."""
        return max(len(self._unsettled), self.uploads.unproven)

    def settle(self) -> None:
        """Add missing predictions to files, and prove the uploads."""
        self._raise_if_stopped()
        self._heal()
        for file_id, name, found in self.uploads.prove():
            if isinstance(found, File):
                self._outcomes.stood_for(file_id, found.id)
            else:
                self._outcomes.disproved(file_id, name, found)
        self._outcomes.proved()

    def _heal(self) -> None:
        unsettled, self._unsettled = self._unsettled, []
        if not unsettled:
            return
        project, directory_id = self._client.project, self._plan.directory_id
        holding = self._client.run(holding_instances(project, directory_id, unsettled))
        for each in unsettled:
            item, holds = each.item, each.file_id in holding
            action = decide_settled(holds_instances=holds, if_exists=self._options.if_exists)
            with self._noting_faults(item):
                place = self._change(action, item, each.file_id)
                if place is not None and self._runs.is_new(item.packet):
                    self._introduce(item, place)

    # Faults

    def _raise_if_stopped(self) -> None:
        self._client.clock.sleep(0)

    @contextmanager
    def _noting_faults(self, item: Item) -> Iterator[None]:
        """Record a fault of this item; raise one that would affect the other items as well."""
        note = self._outcomes.tally.note
        try:
            yield
        except OSError as error:
            if not isinstance(item.packet.media, PathMedia):
                raise
            raise_if_passing(error, "read", item.packet.media.path)
            note(item.name, "failed", f"cannot read it: {error}")
        except RefusedError as error:
            if not _is_of_one_packet(error):
                raise
            file_id = item.packet.file_id
            note(item.name, "failed", error, file_id=file_id, may_pass=not error.permanent)
        except OutcomeUnknownError as error:
            note(item.name, "unknown", error, file_id=item.packet.file_id)
            raise


def _is_of_one_packet(error: RefusedError) -> bool:
    """Whether a refusal is about this packet alone, not about the credential or the address."""
    return type(error) in (RefusedError, StorageRefusedError) or error.status == 413
