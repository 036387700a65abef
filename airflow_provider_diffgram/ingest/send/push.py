"""Packets to the server, each once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from itertools import islice

from ...client import DiffgramClient, DiffgramError, RefusedError
from ...models import Handle, InvalidValueError, Packet
from ...models.media import MEDIA_TYPES
from ...models.problems import NOTHING, telling
from ..check.check import Candidate, Plan, Preparation, validated
from ..check.labels import Ref, UnknownLabels
from ..check.names import name_of
from ..defaults import CONCURRENCY
from ..read.paths import PathOpener, universal_path
from ..read.storage import patient
from ..server.files import SEARCH_ONE_BY_ONE
from .batches import Batches, Memory
from .deal import Dealer
from .errors import PushError
from .feed import Feed
from .inventory import Existing
from .model_runs import ModelRuns
from .options import check_options
from .references import references_of_packet
from .tally import Tally
from .threads import Senders
from .upload import Uploads

CHUNK = 1000
LINGER = 5.0
"""Seconds that what a generator yields waits at most for more, to be checked and sent together."""

DATASET_CAP = 90_000
"""Most images of a dataset (server.md 3.3)."""


def push(
    client: DiffgramClient,
    packets: Iterable[Candidate],
    *,
    dataset: str | int | None,
    label_schema: str | int | None = None,
    unknown_labels: UnknownLabels = "fail",
    origin: Ref | None = None,
    if_exists: str = "skip",
    max_failed: float = 0,
    report: str | None = None,
    concurrency: int = CONCURRENCY,
    memory: Memory | None = None,
    stop: threading.Event | None = None,
    introduce_after: float = 0,
    path_of: PathOpener = universal_path,
    before_sending: Callable[[Plan], None] | None = None,
) -> Handle:
    """Send packets to a dataset and return the handle to wait with.

    What can be read twice is checked as a whole before anything is sent. An iterator runs in the calling
    thread, while another one checks and sends what it yields: a thousand packets at a time, or what there is
    after five seconds. What it yielded before it raised is sent, then the exception goes on, with a note of
    the counts. What is in the dataset already under the same name is not sent again; a file that never held
    an instance gets its predictions. A second push of the same packets sends nothing.

    :param packets: packets, or mappings of their fields; any number of them.
    :param dataset: name or id.
    :param label_schema: name or id; the project's default schema when None.
    :param unknown_labels: what to do with labels missing from the schema: ``fail``, naming all; ``drop``
        their instances and log how many; ``create`` the labels, once everything else has been checked.
    :param origin: model and run (or None) of predictions that name no model.
    :param if_exists: what to do with media whose name is in the dataset already: ``skip``; ``fail`` before
        anything is sent; ``append`` the predictions that the file lacks; ``replace`` those it has, what
        people corrected included.
    :param max_failed: how many packets may be refused, or which share of them if below 1.
    :param report: path of a JSON Lines file to write with the outcome of each packet.
    :param concurrency: requests under way at once, at most 32.
    :param memory: remembers batches from attempt to attempt.
    :param stop: once set, nothing more is sent, and the push ends with an error.
    :param introduce_after: seconds to leave to others that may be about to introduce the same model run.
    :param path_of: opens the paths of media and the report.
    :param before_sending: told the plan once all packets are checked, unless they are an iterator.
    :raises InvalidValueError: with all problems; nothing was sent.
    :raises StorageError: if a storage fails while the packets are checked, and may be back; nothing was sent.
    :raises PushError: if some packets did not arrive, or the report is not complete.
    """
    with telling(NOTHING):
        check_options(if_exists, max_failed, concurrency, unknown_labels, origin)
    abandoned = threading.Event()
    stops = [each for each in (stop, abandoned) if each is not None]
    for each in stops:
        client = client.interrupted_by(each)
    path_of = patient(path_of, client.settings.retry_timeout, client.clock)
    preparation = Preparation(
        client,
        dataset=dataset,
        label_schema=label_schema,
        path_of=path_of,
        unknown_labels=unknown_labels,
        origin=origin,
    )
    whole = None if isinstance(packets, Iterator) else packets
    try:
        with telling(NOTHING):
            if whole is None:
                preparation.check_targets()
            else:
                preparation.look_at(whole)
            tally = _tally(preparation.plan.expected if whole is not None else None, report, path_of)
        with _told_with_report(tally), Senders(concurrency) as senders:
            runs = ModelRuns(client, preparation.plan.labels, introduce_after)
            run = _Push(client, preparation, senders, tally, if_exists, memory, stops, path_of, runs)
            if isinstance(packets, Iterator):
                return _send_while_it_yields(run, packets, max_failed, abandoned)
            with telling(NOTHING):
                if before_sending is not None:
                    before_sending(preparation.plan)
                run.make_ready(packets, whole=True)
            return run.run(_chunks(packets), max_failed, checked=True)
    finally:
        preparation.plan.labels.tell_left_out()
        preparation.plan.documents.close()


def _tally(expected: int | None, report: str | None, path_of: PathOpener) -> Tally:
    try:
        return Tally(expected, report, path_of)
    except (OSError, ImportError, ValueError) as error:
        raise InvalidValueError("report", [f"cannot write {report}: {error}"]) from error


def _send_while_it_yields(
    run: _Push, packets: Iterator[Candidate], max_failed: float, abandoned: threading.Event
) -> Handle:
    """Run the generator here, where its author expects it, and check and send what it yields in a thread.

    :param abandoned: set where this thread is to end at once: by a timeout, or whoever ends the process.
    """
    feed: Feed[Packet | list[str]] = Feed(CHUNK, LINGER)
    with ThreadPoolExecutor(1, "diffgram-push") as thread:
        sending = thread.submit(copy_context().run, run.run, feed, max_failed, checked=False)
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
    run.note_what_was_sent(raised, sending.exception())
    raise raised


@contextmanager
def _told_with_report(tally: Tally) -> Iterator[None]:
    """Close the report at the end; that it is not complete is told beside what else there is to tell."""
    try:
        yield
    except BaseException as error:
        unwritten = tally.close()
        if unwritten is not None and isinstance(error, PushError):
            error.args = (f"{error}\n{unwritten}",)
        raise
    unwritten = tally.close()
    if unwritten is not None:
        told = (
            f"{unwritten}\nThe packets are not concerned: {tally.counts()}. A retry sends none of them again"
        )
        failed = PushError(told)
        failed.permanent = unwritten.permanent
        raise failed


class _Push:
    def __init__(
        self,
        client: DiffgramClient,
        preparation: Preparation,
        senders: Senders,
        tally: Tally,
        if_exists: str,
        memory: Memory | None,
        stops: Collection[threading.Event],
        path_of: PathOpener,
        runs: ModelRuns,
    ) -> None:
        self._client = client
        self._preparation = preparation
        self._plan: Plan = preparation.plan
        self._senders = senders
        self._tally = tally
        self._if_exists = if_exists
        self._stops = stops
        self._batches = Batches(client, memory)
        self._existing = Existing(client, self._plan.directory_id, self._plan.known, self._batches)
        self._runs = runs
        self._uploads = Uploads(client, self._plan, path_of, tally)
        self._dealer = Dealer(
            client,
            self._plan,
            self._existing,
            self._batches,
            self._runs,
            self._uploads,
            tally,
            if_exists,
        )
        self._busy: set[int] = set()
        self._together = 0
        self._has_looked = False
        self._has_warned = False

    def make_ready(self, packets: Iterable[Candidate], *, whole: bool) -> None:
        """Make all ready for packets that were checked: the last step before the first of them is sent.

        :param whole: whether there are no others.
        :raises InvalidValueError: if something is there of what is to be new.
        """
        self._look(whole=whole)
        if self._if_exists == "fail":
            self._refuse_existing(_valid(packets))
        self._plan.labels.settle_unknown()
        self._existing.archive_doubled()
        self._warn_beyond_the_cap()

    def _look(self, *, whole: bool) -> None:
        """See once what is there, before the first packet that makes a root file."""
        names = self._plan.known.first_packets(SEARCH_ONE_BY_ONE + 1)
        if self._has_looked or not names:
            return
        self._has_looked = True
        searched = names if whole and len(names) <= SEARCH_ONE_BY_ONE else None
        self._existing.look_at_roots(self._plan.media_types if whole else MEDIA_TYPES, searched)

    def _warn_beyond_the_cap(self) -> None:
        there = self._plan.known.count_files()
        if self._has_warned or there + self._plan.expected <= DATASET_CAP:
            return
        new = self._plan.known.count_new()
        if there + new > DATASET_CAP:
            self._has_warned = True
            self._tally.warn(
                f"{there:,} files are in the dataset and {new:,} new ones are to be sent; Diffgram takes "
                f"{DATASET_CAP:,} images a dataset and fails the others: use several datasets"
            )

    def _refuse_existing(self, packets: Iterable[Packet]) -> None:
        problems = []
        new = (packet for packet in packets if packet.file_id is None)
        while chunk := list(islice(new, CHUNK)):
            self._look_at_children(chunk)
            problems += [
                f"{name_of(packet)!r} is in the dataset already" for packet in chunk if self._is_there(packet)
            ]
        if problems:
            raise InvalidValueError("if_exists='fail'", problems[:CHUNK], max(0, len(problems) - CHUNK))

    def _is_there(self, packet: Packet) -> bool:
        name = name_of(packet)
        return bool(self._existing.file(packet, name) or self._existing.pending(packet, name))

    def run(self, chunks: Iterable[Sequence[Candidate]], max_failed: float, *, checked: bool) -> Handle:
        try:
            self._send_all(chunks, checked=checked)
        except DiffgramError as error:
            self._senders.finish()
            raise self._stopped(error) from error
        except InvalidValueError as error:
            if not self._tally.done:
                with telling(NOTHING):
                    raise
            raise self._refused(error) from error
        failed = self._tally["failed"]
        allowed = max_failed * self._plan.expected if max_failed < 1 else max_failed
        if failed > allowed:
            raise self._incomplete()
        return Handle(
            project=self._client.project,
            directory_id=self._plan.directory_id,
            batches=self._batches.sent(),
            expected=self._plan.expected,
            skipped=self._tally["skipped"],
            done_at_send=self._dealer.uploaded,
            not_sent=failed,
            unchecked=self._plan.blobs.unchecked,
        )

    def _send_all(self, chunks: Iterable[Sequence[Candidate]], *, checked: bool) -> None:
        for chunk in chunks:
            if not checked:
                self._check(chunk)
            valid = list(_valid(chunk))
            self._look_at_children(valid)
            for packet in valid:
                self._one(packet, _called(packet))
            if max(self._dealer.unsettled, self._uploads.unproven) >= CHUNK:
                self._settle()
        self._settle()
        if self._tally.done != self._plan.expected:
            raise PushError("the packets that were checked are not the ones that could be read afterwards")

    def _check(self, chunk: Sequence[Candidate]) -> None:
        self._together = len(chunk)
        try:
            self._preparation.look_at(chunk)
            self.make_ready(chunk, whole=False)
        except InvalidValueError:
            self._settle()
            raise

    def _settle(self) -> None:
        self._senders.drain()
        self._raise_if_stopped()
        self._dealer.heal()
        self._dealer.prove_uploads()

    def _look_at_children(self, packets: Iterable[Packet]) -> None:
        of_parent: dict[int, dict[tuple[str, int], set[str]]] = {}
        for packet in packets:
            if packet.parent_file_id is not None:
                name = name_of(packet)
                place = name, packet.ordinal or 0
                labels = self._plan.labels
                is_known = labels.knows(packet.instances)  # else no push can have sent it
                brought = references_of_packet(packet, labels, name) if is_known else set()
                of_parent.setdefault(packet.parent_file_id, {})[place] = brought
        if of_parent:
            self._senders.drain()  # they use what the last look found
        for parent, children in of_parent.items():
            self._existing.look_at_children(parent, children)

    def _one(self, packet: Packet, name: str) -> None:
        """Have one packet sent; at once where it introduces a model run, which the others wait for."""
        if packet.file_id is not None:
            if packet.file_id in self._busy or len(self._busy) >= CHUNK:  # one update of a file at a time
                self._senders.drain()
                self._busy = set()
            self._busy.add(packet.file_id)
        if self._runs.is_new(packet):
            self._senders.drain()
            self._deal(packet, name, introduces=True)
        else:
            self._senders.submit(lambda: self._deal(packet, name, introduces=False))

    def _deal(self, packet: Packet, name: str, *, introduces: bool) -> None:
        self._raise_if_stopped()
        self._dealer.deal(packet, name, introduces=introduces)

    def _raise_if_stopped(self) -> None:
        if any(stop.is_set() for stop in self._stops):
            raise PushError("asked to stop")

    def note_what_was_sent(self, error: Exception, problem: BaseException | None) -> None:
        """Tell in the log, and as a note on what a generator raised, what became of what it yielded before.

        :param problem: what kept that from being sent.
        """
        what = f"{self._plan.expected} packets were yielded before"
        words = f"{what}: {self._tally.counts()}" if problem is None else f"{what}; of those {problem}"
        error.add_note(f"{words}. A retry finds what arrived.")
        self._tally.warn(f"the generator raised {type(error).__name__}: {words}")

    def _stopped(self, error: DiffgramError) -> PushError:
        left = self._plan.expected - self._tally.done
        stopped = PushError(
            f"stopped: {error}\nOf {self._plan.expected} packets {self._tally.counts()}, {left} were not "
            "sent. A retry finds what arrived and sends only the rest.",
            status=error.status,
        )
        stopped.permanent = isinstance(error, RefusedError)  # not a StorageError: the storage may be back
        return stopped

    def _refused(self, error: InvalidValueError) -> PushError:
        head = (
            f"{error.what}: {len(error.problems) + error.unshown} problem(s), nothing was sent of these "
            f"{self._together:,} packets; of those before {self._tally.counts()}"
        )
        refused = PushError("\n".join([head, *str(error).splitlines()[1:]]))
        refused.permanent = True
        return refused

    def _incomplete(self) -> PushError:
        more = self._tally["failed"] - len(self._tally.examples)
        lines = [*self._tally.examples, *([f"and {more} more"] if more > 0 else [])]
        error = PushError("\n".join([f"of {self._plan.expected} packets {self._tally.counts()}:", *lines]))
        error.permanent = True
        return error


def _chunks(packets: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    rest = iter(packets)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _valid(packets: Iterable[Candidate]) -> Iterator[Packet]:
    return (packet for packet in validated(Packet, packets, "packet") if isinstance(packet, Packet))


def _called(packet: Packet) -> str:
    return f"file {packet.file_id}" if packet.file_id is not None else name_of(packet)
