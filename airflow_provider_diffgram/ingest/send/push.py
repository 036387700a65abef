"""Packets to the server, each once: checked with :func:`prepare`, then sent with :meth:`Prepared.send`."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Unpack

from ...client import (
    DiffgramClient,
    DiffgramError,
    OutcomeUnknownError,
    RefusedError,
    StorageRefusedError,
    routes,
)
from ...models import File, Handle, Input, InputRow, InvalidValueError, Packet, PathMedia
from ...models.media import MEDIA_TYPES
from ...models.problems import NOTHING, telling
from ...models.recorded import Delivery
from ..check.check import Candidate, Plan, Preparation, Target, validated
from ..read.remote import Medium
from ..read.storage import patient, raise_if_passing
from ..server.files import SEARCH_ONE_BY_ONE
from ..server.names import Pending
from ..server.repair import archive, retry
from ..server.rows import is_update
from .amend import Amended, Amendments
from .batches import Batches, Place
from .decide import (
    Action,
    Found,
    Question,
    decide,
    decide_settled,
    introduces_safely,
    why_not_uploaded,
)
from .errors import PushError
from .feed import Feed
from .inventory import Inventory
from .item import ChildPlace, Item
from .lines import Lines
from .model_runs import IntroductionError, ModelRuns
from .options import Options, Pushing
from .questions import Questions
from .queue import Queue
from .reading import Reader
from .record import Record
from .refresh import Counts
from .settle import Unsettled, holding_instances, until_stored
from .tally import Result, Tally
from .threads import Senders
from .upload import Uploads
from .videos import Videos

Packets = Iterable[Candidate] | Callable[[], Iterable[Candidate]]
"""Packets, or a function that returns them: a model that may run for hours."""


def push(client: DiffgramClient, packets: Packets, **options: Unpack[Pushing]) -> Handle:
    """Send packets to a dataset and return the handle to wait with.

    What can be read twice is checked as a whole before anything is sent. A function is called once it is
    known that dataset and label schema are there, and that the files to write can be written. An iterator
    runs in the calling thread, while another one checks and sends what it yields: a thousand packets at a
    time, or what there is after five seconds. What it yielded before it raised is sent, then the exception
    goes on, with a note of the counts. What is in the dataset already under the same name is not sent again;
    a file that never held an instance gets its predictions. A second push of the same packets sends nothing.

    :param packets: packets, or mappings of their fields; any number of them; or a function that returns them.
    :param options: as of :class:`~.options.Options`.
    :raises InvalidValueError: with all problems; nothing was sent.
    :raises StorageError: if a storage fails while the packets are checked, and may be back; nothing was sent.
    :raises PushError: if some packets did not arrive, or the report is not complete.
    """
    with prepare(client, packets, **options) as prepared:
        return prepared.send().handle


def prepare(client: DiffgramClient, packets: Packets, **options: Unpack[Pushing]) -> Prepared:
    """Check packets, of a function or an iterator only what is known before the first one; nothing is sent.

    :param packets: packets, or mappings of their fields; any number of them; or a function that returns them.
    :param options: as of :class:`~.options.Options`.
    :raises InvalidValueError: with all problems.
    """
    with telling(NOTHING):
        chosen = Options(**options)
        if chosen.stop is not None:
            client = client.interrupted_by(chosen.stop)
        path_of = patient(chosen.path_of, client.settings.retry_timeout, client.clock)
        chosen = replace(chosen, path_of=path_of)
        target = Target(
            chosen.dataset,
            chosen.label_schema,
            chosen.unknown_labels,
            chosen.origin,
            writes_files=chosen.delivery != "queue",
        )
        preparation = Preparation(client, target, path_of, chosen.limits)
        try:
            if callable(packets) or isinstance(packets, Iterator):
                expected = None
                preparation.check_targets()
            else:
                preparation.look_at(packets)
                expected = preparation.checked
            tally = Tally(expected, Lines("report", chosen.report, path_of))
            record = Record(Lines("record", chosen.record, path_of), preparation.plan.directory_id)
        except BaseException:
            preparation.plan.documents.close()
            raise
    return Prepared(client, packets, preparation, chosen, tally, record)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a push did.

    :param handle: what to wait with.
    :param children: by parent: those that were there when the push had proved its uploads.
    """

    handle: Handle
    children: dict[int, list[File]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Packets that were checked, to be sent once. Leave it as a context manager: it holds files open.

    :param client: of the project.
    :param packets: as they were given.
    :param preparation: what checked them, and goes on to check what an iterator yields.
    :param options: of the push.
    :param tally: told what becomes of each packet.
    :param record: told what was sent.
    """

    client: DiffgramClient
    packets: Packets
    preparation: Preparation
    options: Options
    tally: Tally
    record: Record

    @property
    def plan(self) -> Plan:
        """What the check found out."""
        return self.preparation.plan

    def send(self) -> Sent:
        """Send what is not there.

        :raises InvalidValueError: with what is wrong; nothing was sent.
        :raises PushError: if some packets did not arrive.
        """
        with telling(NOTHING):
            packets = self._called(self.packets) if callable(self.packets) else self.packets
        if isinstance(packets, Iterator):
            return self._send_while_it_yields(packets)
        with Senders(self.options.concurrency) as senders:
            run = _Push(self, self.client, senders)
            with telling(NOTHING):
                run.make_ready(packets, whole=True)
            return run.run(_chunks(packets, self.plan.limits.chunk), checked=True)

    def _called(self, function: Callable[[], Iterable[Candidate]]) -> Iterable[Candidate]:
        """Call what returns packets; check them now if they can be read twice."""
        packets = function()
        if not isinstance(packets, Iterator):
            self.preparation.look_at(packets)
            self.tally.expected = self.preparation.checked
        return packets

    def _send_while_it_yields(self, packets: Iterator[Candidate]) -> Sent:
        """Run the generator here, where its author expects it; check and send what it yields in a thread."""
        abandoned = (
            threading.Event()
        )  # this thread is to end at once, by a timeout or whoever ends the process
        feed: Feed[Packet | list[str]] = Feed(self.plan.limits.chunk, self.plan.limits.linger)
        with Senders(self.options.concurrency) as senders, ThreadPoolExecutor(1, "diffgram-push") as thread:
            run = _Push(self, self.client.interrupted_by(abandoned), senders)
            sending = thread.submit(copy_context().run, run.run, feed, checked=False)
            sending.add_done_callback(lambda _: feed.close())
            try:
                raised = feed.fill(validated(Packet, packets, "packet"))
                wait([sending])
            except BaseException:
                abandoned.set()
                feed.close()
                raise
        if raised is None:
            return sending.result()
        self.tally.note_what_was_sent(raised, sending.exception(), self.preparation.checked)
        raise raised

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close report and record; if one is not complete, that is told beside what else there is to tell."""
        self.plan.labels.tell_left_out()
        self.plan.documents.close()
        unwritten = [each for each in (self.tally.close(), self.record.close()) if each is not None]
        if not unwritten:
            return
        words = "\n".join(map(str, unwritten))
        if isinstance(error, PushError):
            error.args = (f"{error}\n{words}",)
        if error is None:
            told = f"The packets are not concerned: {self.tally.counts()}. A retry sends none of them again"
            failed = PushError(f"{words}\n{told}")
            failed.permanent = any(each.permanent for each in unwritten)
            raise failed


_NEWS = 3
"""Files that are skipped and looked at, whether their predictions are new."""


class _Push:
    """One push under way: asks :func:`decide` what to do with each item, and does it.

    :param prepared: what to send, and how.
    :param client: of the project; its waits end when the push is to end.
    :param senders: do several items at once.
    """

    def __init__(self, prepared: Prepared, client: DiffgramClient, senders: Senders) -> None:
        self._client = client
        self._preparation = prepared.preparation
        self._plan = prepared.plan
        self._options = prepared.options
        self._tally = prepared.tally
        self._record = prepared.record
        self._senders = senders
        self._batches = Batches(client, prepared.options.memory, self._plan.limits.batch)
        self._inventory = Inventory(client, self._plan, self._batches)
        self._queue = Queue(client, self._plan, self._batches)
        options = prepared.options
        self._amendments = Amendments(
            client,
            senders.updates,
            options.delivery,
            options.memory,
            refreshes=options.if_exists == "refresh",
        )
        self._uploads = Uploads(client, self._plan, prepared.options.path_of, prepared.tally, senders.uploads)
        self._reader = Reader(client, self._plan, prepared.options.delivery, prepared.tally.note_bytes)
        self._questions = Questions(
            client, self._plan, prepared.options.if_exists, self._uploads.large, self._reader
        )
        self._runs = ModelRuns(client, self._plan, prepared.options.turns)
        self._videos = Videos(client, self._batches)
        self._unsettled: list[Unsettled] = []
        self._uploaded = 0
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._together = 0
        self._has_looked = False
        self._has_warned = False
        self._looked_for_news = 0

    def make_ready(self, packets: Iterable[Candidate], *, whole: bool) -> None:
        """Make all ready for packets that were checked: the last step before the first of them is sent.

        :param whole: whether there are no others.
        :raises InvalidValueError: if something is there of what is to be new.
        """
        self._look(whole=whole)
        if self._options.if_exists == "fail":
            self._refuse_existing(self._items(packets))
        self._plan.labels.settle_unknown()
        self._inventory.archive_doubled()
        self._warn_beyond_the_cap()

    def run(self, chunks: Iterable[Sequence[Candidate]], *, checked: bool) -> Sent:
        """Send packets, a chunk after the other.

        :param checked: whether they were checked and made ready.
        """
        try:
            self._amendments.recover()
            self._send_all(chunks, checked=checked)
        except DiffgramError as error:
            self._senders.finish()
            raise self._tally.stopped(error, self._preparation.checked) from error
        except InvalidValueError as error:
            if not self._tally.done:
                with telling(NOTHING):
                    raise
            raise self._tally.refused(error, self._together) from error
        finally:
            self._runs.close()
            self._reader.close()
        failed, expected = self._tally["failed"], self._preparation.checked
        if self._options.too_many(failed, expected):
            raise self._tally.incomplete(expected)
        handle = Handle(
            project=self._client.project,
            directory_id=self._plan.directory_id,
            batches=self._batches.sent(),
            expected=expected,
            skipped=self._tally["skipped"],
            done_at_send=self._uploaded,
            not_sent=failed,
            unchecked=self._plan.blobs.unchecked,
            delivered=self._tally.delivered(),
            file_ids=self._tally.file_ids(),
            refreshed=self._tally.refreshed.to_json(),
            record=self._options.record,
            uploaded_bytes=self._tally.bytes,
        )
        return Sent(handle, self._uploads.children)

    # What is there

    def _look(self, *, whole: bool) -> None:
        """See once what is there, before the first packet that makes a root file."""
        names = self._plan.known.first_packets(SEARCH_ONE_BY_ONE + 1)
        if not names and "video" in self._plan.media_types:
            self._inventory.look_at_videos()
        if self._has_looked or not names:
            return
        self._has_looked = True
        searched = names if whole and len(names) <= SEARCH_ONE_BY_ONE else None
        self._inventory.look_at_roots(self._plan.media_types if whole else MEDIA_TYPES, searched)

    def _warn_beyond_the_cap(self) -> None:
        there, cap = self._plan.known.count_files(), self._plan.limits.dataset_cap
        if self._has_warned or there + self._preparation.checked <= cap:
            return
        new = self._plan.known.count_new()
        if there + new > cap:
            self._has_warned = True
            self._tally.warn(
                f"{there:,} files are in the dataset and {new:,} new ones are to be sent; Diffgram takes "
                f"{cap:,} images a dataset and fails the others: use several datasets"
            )

    def _refuse_existing(self, items: Iterable[Item]) -> None:
        problems: list[str] = []
        most = self._plan.limits.chunk
        new = (item for item in items if not item.is_update)
        while chunk := list(islice(new, most)):
            self._look_at_children(chunk)
            there = [item for item in chunk if self._inventory.file(item) or self._inventory.pending(item)]
            problems += [f"{item.name!r} is in the dataset already" for item in there]
        if problems:
            raise InvalidValueError("if_exists='fail'", problems[:most], max(0, len(problems) - most))

    def _look_at_children(self, items: Iterable[Item]) -> None:
        of_parent: dict[int, dict[ChildPlace, frozenset[str]]] = defaultdict(dict)
        for item in items:
            if item.parent_file_id is not None:
                is_known = self._plan.labels.knows(item.packet.instances)  # else no push can have sent it
                brought = replace(item).references if is_known else frozenset()  # of a copy: not to be kept
                of_parent[item.parent_file_id][item.place] = brought
        if of_parent:
            self._senders.drain()  # they use what the last look found
        for parent, children in of_parent.items():
            self._inventory.look_at_children(parent, children)

    # Chunk by chunk

    def _send_all(self, chunks: Iterable[Sequence[Candidate]], *, checked: bool) -> None:
        for chunk in chunks:
            if not checked:
                self._check(chunk)
            items = list(self._items(chunk))
            self._look_at_children(items)
            self._inventory.archive_doubled()
            self._videos.await_all(self._inventory.take_videos())
            for item in items:
                if item.is_video:
                    self._videos.hold(item)
                else:
                    self._start(item)
            if max(len(self._unsettled), self._uploads.unproven) >= self._plan.limits.chunk:
                self._settle()
            self._send_videos(more=True)
        self._send_videos(more=False)
        self._videos.tell()
        self._settle()
        if self._tally.done != self._preparation.checked:
            raise PushError("the packets that were checked are not the ones that could be read afterwards")

    def _check(self, chunk: Sequence[Candidate]) -> None:
        self._together = len(chunk)
        try:
            self._preparation.look_at(chunk)
            self.make_ready(chunk, whole=False)
        except InvalidValueError:
            self._send_videos(more=False)
            self._settle()
            raise

    def _items(self, packets: Iterable[Candidate]) -> Iterator[Item]:
        for packet in validated(Packet, packets, "packet"):
            if isinstance(packet, Packet):
                yield Item(packet, self._plan.labels, getattr(packet.media, "path", None) in self._plan.large)

    def _start(self, item: Item) -> None:
        """Have one item sent; at once where it introduces a model run, which the others wait for."""
        if item.packet.file_id is not None:
            if (
                item.packet.file_id in self._busy or len(self._busy) >= self._plan.limits.chunk
            ):  # one update of a file at a time
                self._senders.drain()
                self._busy = set()
            self._busy.add(item.packet.file_id)
        if self._runs.names_new(item.packet):
            self._senders.drain()
            self._deal(item, introduces=True)
        else:
            self._senders.submit(lambda: self._deal(item, introduces=False))

    def _send_videos(self, *, more: bool) -> None:
        """Send the videos that were held back if it is their turn, each alone (quirk 62)."""
        if not self._videos.held:
            return
        self._senders.drain()
        if not more:
            self._settle()
        due = self._videos.due(more=more)
        self._look_at_children(due)
        self._inventory.archive_doubled()
        for item in due:
            place = self._deal(item, introduces=self._runs.names_new(item.packet))
            row = self._videos.await_place(place) if place is not None else None
            if row is not None and row.hangs and not is_update(row):
                self._videos.await_place(self._again(item, row))

    def _settle(self) -> None:
        """Wait for what is under way, then give files what they lack, and prove the uploads."""
        self._senders.drain()
        self._raise_if_stopped()
        self._heal()
        for file_id, name, found in self._uploads.prove():
            if isinstance(found, File):
                self._tally.move(file_id, found.id)
                self._record.move(file_id, found.id)
                continue
            self._uploaded -= 1
            self._tally.retract(name, found, file_id)
            self._record.retract(file_id)
        self._record.confirm()

    def _raise_if_stopped(self) -> None:
        self._client.clock.sleep(0)

    # One item

    def _deal(self, item: Item, *, introduces: bool) -> Place | None:
        """Do with an item what is to be done, and take note of the outcome.

        :param introduces: whether to wait until the server knows the item's model run.
        :return: where the item's input is listed, if one is under way.
        """
        self._raise_if_stopped()
        return self._noting(item, partial(self._decided, item, introduces))

    def _decided(self, item: Item, introduces: bool) -> Place | None:
        found = Found()
        if not item.is_update:
            found = Found(pending=self._inventory.pending(item), file=self._inventory.file(item))
        place = self._act(item, found)
        still = introduces and place is not None and self._runs.names_new(item.packet)
        return self._introduce(item, place) if still and place is not None else place

    def _act(self, item: Item, found: Found) -> Place | None:
        """Do with an item what is to be done by what was found of it, and by what the server answers."""
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
        """Do what was decided; return where the item's input is listed, if one is under way."""
        if action is Action.ADOPT:
            assert found.pending is not None
            return self._adopt(item, found.pending)
        if action is Action.REFUSE:
            why = why_not_uploaded(item, found, self._options.delivery)
            raise RefusedError(f"{item.name} was to be uploaded: it {why}")
        if action is Action.SEND:
            place = self._queue.send(item)
            why = why_not_uploaded(item, found, self._options.delivery)
            self._arrived(item, "queue", why=None if self._options.delivery == "queue" else why)
            return place
        if action is Action.UPLOAD:
            return self._upload(item, found.medium)
        if action is Action.UPLOAD_IN_CHUNKS:
            return self._upload_in_chunks(item)
        file_id = item.packet.file_id if found.file is None else found.file.id
        assert file_id is not None
        return self._change(action, item, file_id)

    def _change(self, action: Action, item: Item, file_id: int) -> Place | None:
        """Do something about a file that is there."""
        if action is Action.SETTLE:
            with self._lock:
                self._unsettled.append(Unsettled(replace(item), file_id))  # a copy: not to keep its bodies
            return None
        if action is Action.SKIP:
            self._tell_news(item, file_id)
            self._arrived(item, None, file_id)
            return None
        if action is Action.REFRESH:
            return self._refresh(item, file_id)
        amended = self._amendments.amend(action, item, file_id)
        if isinstance(amended, Amended):
            self._amended(item, amended)
            return None
        change = self._queue.replace if action is Action.REPLACE else self._queue.append
        done = change(item, file_id)
        if isinstance(done, Pending):
            return self._adopt(item, done, file_id)
        if done is not None:
            self._amendments.leave_to_queue(file_id)
        why = None if done is None else amended
        self._arrived(item, None if done is None else "queue", file_id, why=why)
        return done

    def _tell_news(self, item: Item, file_id: int) -> None:
        """Tell once, by the first files that are skipped, that their predictions are new."""
        with self._lock:
            if self._looked_for_news >= _NEWS or not item.expected:
                return
            self._looked_for_news += 1
        if self._questions.brings_news(item, file_id):
            self._looked_for_news = _NEWS
            self._tally.warn(
                f"{item.name} is skipped, as all files that are there, although its predictions are new. "
                "if_exists='refresh' puts them in the place of those of earlier runs that nobody touched"
            )

    def _refresh(self, item: Item, file_id: int) -> Place | None:
        """Put an item's predictions in the place of those of earlier runs.

        A run that the server does not know is introduced by the queue, with what is new of this item.
        """
        done = self._amendments.refresh(item, file_id, self._options.rules)
        if done.introduces:
            self._introduce_by_update(item, file_id, done.introduces)
            done = replace(self._amendments.refresh(item, file_id, self._options.rules), counts=done.counts)
        has_changed = done.amended.has_changed or bool(done.counts.added)
        self._runs.note(item.packet)
        if has_changed:
            with self._lock:
                self._uploaded += 1
        self._arrived(item, "update" if has_changed else None, file_id, counts=done.counts)
        return None

    def _introduce_by_update(self, item: Item, file_id: int, references: Collection[str]) -> None:
        """Bring some of an item's predictions to its file by the queue, and wait until they are in.

        :raises RefusedError: if they do not come in.
        """
        self._runs.is_new(item.packet)  # waits for its turn
        place = self._queue.bring(item, file_id, references)
        if self._runs.names_new(item.packet):
            place = self._introduce(item, place)
        self._batches.forget_place(place)
        if not self._client.run(until_stored(self._client.project, file_id, references)):
            raise RefusedError(
                f"{item.name}: its predictions, which introduce a model run, went into the queue and did not "
                f"reach file {file_id}. Is the server ingesting?"
            )

    def _amended(self, item: Item, amended: Amended) -> None:
        """Take note of an item that was written into its file."""
        self._runs.note(item.packet)
        if amended.has_changed:
            with self._lock:
                self._uploaded += 1
        self._arrived(item, "update" if amended.has_changed else None, amended.file.id)

    def _arrived(
        self,
        item: Item,
        delivery: Delivery | None,
        file_id: int | None = None,
        *,
        why: str | None = None,
        counts: Counts | None = None,
    ) -> None:
        """Take note of an item that Diffgram has.

        :param delivery: how it went; None if its predictions were there already.
        :param why: it was not uploaded, or written, although it may be.
        :param counts: what a refresh did with it.
        """
        result: Result = "skipped" if delivery is None else "sent"
        self._tally.note(item.name, result, delivery=delivery, file_id=file_id, refreshed=counts)
        if why is not None:
            self._tally.note_queued(why)
        self._record.note(item, delivery, file_id)

    def _adopt(self, item: Item, pending: Pending, file_id: int | None = None) -> Place:
        """Wait for an input of an earlier attempt instead of sending its packet again."""
        self._batches.adopt(pending)
        self._tally.note(
            item.name,
            "sent",
            "by an earlier attempt",
            delivery="queue",
            input_id=pending.id,
            file_id=file_id,
        )
        self._record.note(item, "queue", file_id)
        return Place(pending.batch_id, pending.parent_file_id, pending.original_filename, file_id)

    def _upload(self, item: Item, medium: Medium | None) -> Place | None:
        made = self._uploads.send(item, medium)
        if isinstance(made, File):
            return self._act(item, Found(file=made))
        with self._lock:
            self._uploaded += 1
        self._arrived(item, "upload", made)
        self._runs.note(item.packet)
        return None

    def _upload_in_chunks(self, item: Item) -> Place | None:
        """Upload a medium in chunks; its predictions follow once it is a file, since chunks carry none."""
        large = self._uploads.large
        if not item.packet.instances:
            place = large.send(item, self._batches.assign(None, is_video=item.is_video))
            self._batches.count(place.batch_id, None)
            self._arrived(item, "queue", why="is too large for one request")
            return place
        row = large.wait(large.send(item, self._batches.assign_apart()))
        if row.hangs:
            archive(self._client, [row], "a video that the server lost, to upload it again")
            row = large.wait(large.send(item, self._batches.assign_apart()))
        if row.hangs:
            raise RefusedError(f"upload {item.name!r}: {row.reason}", server_text=row.reason)
        if row.existing_file_id is not None:
            there = self._client.send(routes.view_file(self._client.project, row.existing_file_id))
            return self._act(item, Found(file=there))
        assert row.file_id is not None
        return self._change(Action.APPEND, item, row.file_id)

    # Model runs

    def _introduce(self, item: Item, place: Place) -> Place:
        """Wait until the server knows an item's model run; return where its input is listed by then."""
        introduction = self._runs.introduction(item.packet, item.name)
        while (stuck := self._runs.wait_for(introduction, place)) is not None:
            place = self._again(item, stuck)
        return place

    def _again(self, item: Item, row: Input | InputRow) -> Place:
        """Repair an input that is stuck: archive it and send the item again; retry an update.

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
        self._batches.forget(row)
        if item.is_large:
            place = self._uploads.large.send(item, self._batches.assign(None, is_video=item.is_video))
            self._batches.count(place.batch_id, None)
            return place
        return self._queue.send(item)

    # What was found without its predictions

    def _heal(self) -> None:
        """Give files that lack their predictions what they lack, once it is sure that they do."""
        unsettled, self._unsettled = self._unsettled, []
        if not unsettled:
            return
        project, directory_id = self._client.project, self._plan.directory_id
        holding = self._client.run(holding_instances(project, directory_id, unsettled))
        for each in unsettled:
            holds = each.file_id in holding
            action = decide_settled(holds_instances=holds, if_exists=self._options.if_exists)
            self._noting(each.item, partial(self._healed, each, action))

    def _healed(self, each: Unsettled, action: Action) -> Place | None:
        place = self._change(action, each.item, each.file_id)
        if place is not None and self._runs.is_new(each.item.packet):
            return self._introduce(each.item, place)
        return place

    # Faults of one item

    def _noting(self, item: Item, job: Callable[[], Place | None]) -> Place | None:
        """Do the job; take note if it fails, and raise what would befall the other items as well."""
        try:
            return job()
        except OSError as error:
            if not isinstance(item.packet.media, PathMedia):
                raise
            raise_if_passing(error, "read", item.packet.media.path)
            self._tally.note(item.name, "failed", f"cannot read it: {error}")
        except RefusedError as error:
            if not _is_of_one_packet(error):
                raise
            self._tally.note(item.name, "failed", error, file_id=item.packet.file_id)
        except OutcomeUnknownError as error:
            self._tally.note(item.name, "unknown", error, file_id=item.packet.file_id)
            raise
        return None


def _chunks(packets: Iterable[Candidate], size: int) -> Iterator[list[Candidate]]:
    rest = iter(packets)
    while chunk := list(islice(rest, size)):
        yield chunk


def _is_of_one_packet(error: RefusedError) -> bool:
    """Whether a refusal is about this packet, so that others may pass: not a credential, not the address."""
    return type(error) in (RefusedError, StorageRefusedError) or error.status == 413
