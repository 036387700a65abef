"""Sends packets exactly once: :func:`prepare` checks them, :meth:`Prepared.send` sends them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Unpack

from ...client import DiffgramClient
from ...models import Handle, Packet
from ..check.check import Candidate, Plan, Preparation, Target, validated
from ..read.storage import patient
from .options import Options, Pushing
from .outcomes.errors import PushError, before_anything_is_sent
from .outcomes.lines import Lines
from .outcomes.outcomes import Outcomes
from .outcomes.record import Record
from .outcomes.tally import Tally
from .pace.feed import Feed
from .pace.threads import Senders
from .under_way import Push, Sent, chunks_of

Packets = Iterable[Candidate] | Callable[[], Iterable[Candidate]]
"""Packets, or a function that returns them, such as a model that may run for hours."""


def push(client: DiffgramClient, packets: Packets, **options: Unpack[Pushing]) -> Handle:
    """Send packets to a dataset and return the handle to wait with.

    A list is checked as a whole before anything is sent. A function is called once the dataset and the label
    schema are known to exist and the output files can be written. An iterator runs in the calling thread,
    while another thread checks and sends what it yields: a thousand packets at a time, or fewer after five
    seconds. If it raises, what it yielded before is sent, and then its exception is raised again, with a note
    of the counts.

    By default, a medium whose name is already in the dataset is not sent again, but a file that never held an
    instance gets its predictions. A second push of the same packets sends nothing.

    :param client: connected to the project.
    :param packets: packets, or mappings of their fields; any number of them; or a function that returns them.
    :param options: the fields of :class:`~.options.Options`.
    :raises InvalidValueError: with all problems; nothing was sent.
    :raises StorageError: if a storage fails while packets are checked, which may pass; nothing was sent.
    :raises PushError: if some packets did not arrive, or the report is incomplete.
    """
    with prepare(client, packets, **options) as prepared:
        return prepared.send().handle


def prepare(client: DiffgramClient, packets: Packets, **options: Unpack[Pushing]) -> Prepared:
    """Check packets and send nothing. For a function or an iterator, check what can be checked beforehand.

    :param client: connected to the project.
    :param packets: packets, or mappings of their fields; any number of them; or a function that returns them.
    :param options: the fields of :class:`~.options.Options`.
    :raises InvalidValueError: with all problems.
    """
    with before_anything_is_sent():
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
            compares_shapes=chosen.if_exists == "refresh" and chosen.rules.respect_people,
        )
        preparation = Preparation(client, target, path_of, chosen.limits)
        try:
            if callable(packets) or isinstance(packets, Iterator):
                expected, may_be_refused = None, False
                preparation.check_targets()
            else:
                preparation.look_at(packets)
                expected, may_be_refused = preparation.checked, chosen.if_exists == "fail"
            report, record = (
                Lines(what, path, path_of, opened=not may_be_refused)
                for what, path in (("report", chosen.report), ("record", chosen.record))
            )
            outcomes = Outcomes(
                Tally(expected, report, progress=chosen.progress),
                Record(record, preparation.plan.directory_id),
            )
        except BaseException:
            preparation.plan.documents.close()
            raise
    return Prepared(client, packets, preparation, chosen, outcomes)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Checked packets, to be sent once. Use it as a context manager, because it holds files open.

    :param client: connected to the project.
    :param packets: the packets as given.
    :param preparation: checked them, and will check what an iterator yields.
    :param options: options of the push.
    :param outcomes: records what becomes of each packet.
    """

    client: DiffgramClient
    packets: Packets
    preparation: Preparation
    options: Options
    outcomes: Outcomes

    @property
    def plan(self) -> Plan:
        """The plan that the check made."""
        return self.preparation.plan

    def send(self) -> Sent:
        """Send what is missing.

        :raises InvalidValueError: with all problems; nothing was sent.
        :raises PushError: if some packets did not arrive.
        """
        with before_anything_is_sent():
            packets = self._called(self.packets) if callable(self.packets) else self.packets
        if isinstance(packets, Iterator):
            return self._send_while_it_yields(packets)
        with self._senders() as senders:
            pushing = self._with(senders, self.client)
            with before_anything_is_sent():
                pushing.make_ready(packets, whole=True)
            return pushing.run(chunks_of(packets, self.plan.limits.chunk), checked=True)

    def _senders(self) -> Senders:
        return Senders(self.options.concurrency, way=lambda: self.client.least_seconds)

    def _with(self, senders: Senders, client: DiffgramClient) -> Push:
        return Push(client, self.preparation, self.options, self.outcomes, senders)

    def _called(self, function: Callable[[], Iterable[Candidate]]) -> Iterable[Candidate]:
        """Call the function that returns packets; check them now if they can be read twice."""
        packets = function()
        if not isinstance(packets, Iterator):
            self.preparation.look_at(packets)
            self.outcomes.tally.expected = self.preparation.checked
        return packets

    def _send_while_it_yields(self, packets: Iterator[Candidate]) -> Sent:
        """Run the generator in this thread, as its author expects; check and send in another one."""
        abandoned = threading.Event()  # a timeout or a signal ends this thread at once
        feed: Feed[Packet | list[str]] = Feed(self.plan.limits.chunk, self.plan.limits.linger)
        with self._senders() as senders, ThreadPoolExecutor(1, "diffgram-push") as thread:
            pushing = self._with(senders, self.client.interrupted_by(abandoned))
            sending = thread.submit(copy_context().run, pushing.run, feed, checked=False)
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
        self.outcomes.tally.note_what_was_sent(raised, sending.exception(), self.preparation.checked)
        raise raised

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close report and record; if one is incomplete, say so in the error, or raise that."""
        self.plan.labels.tell_left_out()
        self.plan.unseen.tell()
        self.plan.documents.close()
        unwritten = self.outcomes.close()
        if not unwritten:
            return
        words = "\n".join(map(str, unwritten))
        if isinstance(error, PushError):
            error.args = (f"{error}\n{words}",)
        if error is None:
            counts = self.outcomes.tally.counts()
            told = f"The packets themselves are not affected: {counts}. A retry sends none of them again"
            raise PushError(f"{words}\n{told}", permanent=any(each.permanent for each in unwritten))
