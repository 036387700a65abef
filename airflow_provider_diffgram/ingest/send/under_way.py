"""Runs a push: decides which items are sent when, and how many at once. :mod:`.deal` handles each item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ...client import DiffgramClient, DiffgramError
from ...models import File, Handle, InvalidValueError, Packet
from ...models.media import MEDIA_TYPES
from ...models.problems import NOTHING, count_of, telling
from ..check.check import Candidate, Preparation, validated
from ..server.files import SEARCH_ONE_BY_ONE
from ..server.rows import is_update
from .collisions import Collisions
from .deal import Dealer
from .decisions.item import ChildPlace, Item
from .options import Options
from .outcomes.errors import PushError
from .outcomes.outcomes import Outcomes
from .pace.threads import Senders
from .queue.videos import Videos


@dataclass(frozen=True, slots=True)
class Sent:
    """What a push did.

    :param handle: names the batches to wait for.
    :param children: children by parent file id, as listed when the push had proved its uploads.
    """

    handle: Handle
    children: dict[int, list[File]]


class Push:
    """Sends packets chunk by chunk, and several items of a chunk at once.

    :param client: connected to the project; its waits end when the push must stop.
    :param preparation: checked the packets, and will check what an iterator yields.
    :param outcomes: records what becomes of each packet.
    :param senders: the threads that send several items at once.
    """

    def __init__(
        self,
        client: DiffgramClient,
        preparation: Preparation,
        options: Options,
        outcomes: Outcomes,
        senders: Senders,
    ) -> None:
        self._client = client
        self._preparation = preparation
        self._plan = preparation.plan
        self._options = options
        self._outcomes = outcomes
        self._senders = senders
        self._dealer = Dealer(client, preparation.plan, options, outcomes, senders)
        self._inventory = self._dealer.inventory
        self._videos = Videos(client, self._dealer.batches)
        self._collisions = Collisions(client, preparation.plan.limits.chunk)
        self._busy: set[int] = set()
        self._together = 0
        self._has_looked = False
        self._has_warned = False

    def make_ready(self, packets: Iterable[Candidate], *, whole: bool) -> None:
        """Prepare to send packets that were checked: the last step before the first of them is sent.

        :param whole: whether these are all packets of the push.
        :raises InvalidValueError: if something exists already that must be new.
        """
        self._look(whole=whole)
        if self._options.if_exists == "fail":
            self._refuse_existing(self._items(packets), whole=whole)
        self._outcomes.open()
        self._plan.labels.settle_unknown()
        self._inventory.archive_doubled()
        self._warn_beyond_the_cap()

    def run(self, chunks: Iterable[Sequence[Candidate]], *, checked: bool) -> Sent:
        """Send packets chunk by chunk.

        :param checked: whether :meth:`make_ready` has already been called for them.
        """
        tally = self._outcomes.tally
        try:
            self._dealer.recover()
            self._send_all(chunks, checked=checked)
        except DiffgramError as error:
            self._senders.finish()
            raise tally.stopped(error, self._preparation.checked) from error
        except InvalidValueError as error:
            if not tally.done:
                with telling(NOTHING):
                    raise
            raise tally.refused(error, self._together) from error
        finally:
            self._dealer.close()
        failed, expected = tally["failed"], self._preparation.checked
        if self._options.too_many(failed, expected):
            raise tally.incomplete(expected)
        delivered = tally.delivered()
        handle = Handle(
            project=self._client.project,
            directory_id=self._plan.directory_id,
            batches=self._dealer.batches.sent(),
            expected=expected,
            skipped=tally["skipped"],
            done_at_send=delivered.get("upload", 0) + delivered.get("update", 0),
            not_sent=failed,
            unchecked=self._plan.blobs.unchecked,
            delivered=delivered,
            file_ids=tally.file_ids(),
            refreshed=tally.refreshed.to_json(),
            record=self._options.record,
            uploaded_bytes=tally.bytes,
        )
        return Sent(handle, self._dealer.uploads.children)

    # What exists already

    def _look(self, *, whole: bool) -> None:
        """Look once what exists, before the first packet that makes a root file is sent."""
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
            self._outcomes.tally.warn(
                f"{count_of(there, 'file')} in the dataset, and {new:,} to be sent; Diffgram takes "
                f"{count_of(cap, 'image')} a dataset and fails the others: use several datasets"
            )

    def _refuse_existing(self, items: Iterable[Item], *, whole: bool) -> None:
        new = (item for item in items if not item.is_update)
        while chunk := list(islice(new, self._plan.limits.chunk)):
            self._look_at_children(chunk)
            for item in chunk:
                there = self._inventory.file(item) or self._inventory.pending(item)
                if there is not None:
                    self._collisions.note(item, there)
        self._collisions.refuse(whole=whole)

    def _look_at_children(self, items: Iterable[Item]) -> None:
        of_parent: dict[int, dict[ChildPlace, frozenset[str]]] = defaultdict(dict)
        for item in items:
            if item.parent_file_id is not None:
                is_known = self._plan.labels.knows(item.packet.instances)  # if not, no push has sent it
                brought = replace(item).references if is_known else frozenset()  # a copy: not kept
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
            if self._dealer.unsettled >= self._plan.limits.chunk:
                self._settle()
            self._send_videos(more=True)
        self._send_videos(more=False)
        self._videos.tell()
        self._settle()
        if self._outcomes.tally.done != self._preparation.checked:
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
        """Have one item sent. If it introduces a model run, send it at once: the others wait for it."""
        if item.packet.file_id is not None:
            # one update of a file at a time
            if item.packet.file_id in self._busy or len(self._busy) >= self._plan.limits.chunk:
                self._senders.drain()
                self._busy = set()
            self._busy.add(item.packet.file_id)
        if self._dealer.introduces(item):
            self._senders.drain()
            self._dealer.deal(item, introduces=True)
        else:
            self._senders.submit(lambda: self._dealer.deal(item, introduces=False))

    def _send_videos(self, *, more: bool) -> None:
        """Send the videos that were held back, if they are due, one at a time (quirk 62)."""
        if not self._videos.held:
            return
        self._senders.drain()
        if not more:
            self._settle()
        due = self._videos.due(more=more)
        self._look_at_children(due)
        self._inventory.archive_doubled()
        for item in due:
            place = self._dealer.deal(item, introduces=self._dealer.introduces(item))
            row = self._videos.await_place(place) if place is not None else None
            if row is not None and row.hangs and not is_update(row):
                self._videos.await_place(self._dealer.again(item, row))

    def _settle(self) -> None:
        """Wait for the items under way, then add missing predictions to files, and prove the uploads."""
        self._senders.drain()
        self._dealer.settle()


def chunks_of(packets: Iterable[Candidate], size: int) -> Iterator[list[Candidate]]:
    """Yield packets in lists of up to ``size``."""
    rest = iter(packets)
    while chunk := list(islice(rest, size)):
        yield chunk
