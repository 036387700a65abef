"""Packets to the server, each once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..client import DiffgramClient, DiffgramError, RefusedError, routes
from ..models import File, Handle, Input, InvalidValueError, Packet, PathMedia
from .batches import Batches, Place
from .existing import Existing
from .naming import name_of
from .packets import append, send_packet
from .prepare import Candidate, Plan, prepare, validated
from .runs import ModelRuns
from .settle import Unsettled, settle
from .sources import PathOpener, universal_path
from .uploads import Uploads
from .wire import instance_keys, instances_of_body

_log = logging.getLogger(__name__)

_SHOWN = 20


class PushError(DiffgramError):
    """Not everything was sent. Says what arrived, what did not and what is unknown.

    :ivar permanent: whether sending again would be refused again.
    """

    permanent: bool = False


@dataclass(slots=True)
class Outcome:
    """What happened to the packets so far, by number."""

    sent: int = 0
    skipped: int = 0
    uploaded: int = 0
    failures: list[tuple[str, DiffgramError]] = field(default_factory=list)

    def fail(self, name: str, error: DiffgramError) -> None:
        """Note that the packet ``name`` was refused; the others go on."""
        _log.error("%s: %s", name, error)
        self.failures.append((name, error))

    def counts(self) -> str:
        """Return the counts as text."""
        return f"{self.sent + self.uploaded} arrived, {self.skipped} were there, {len(self.failures)} failed"


def push(
    client: DiffgramClient,
    packets: Iterable[Candidate],
    *,
    dataset: str | int | None,
    label_schema: str | int | None = None,
    if_exists: str = "skip",
    path_of: PathOpener = universal_path,
) -> Handle:
    """Send packets to a dataset and return the handle to wait with.

    Everything is checked first. What is in the dataset already under the same name is not sent again; a
    file that never held an instance gets its predictions. A second push of the same packets sends nothing.

    :param packets: packets, or mappings of their fields; iterated twice.
    :param dataset: name or id.
    :param label_schema: name or id; the project's default schema when None.
    :param if_exists: ``skip`` or ``fail``, for media whose name is in the dataset already.
    :param path_of: opens the paths of media.
    :raises InvalidValueError: with all problems; nothing was sent.
    :raises PushError: if some packets did not arrive.
    """
    if iter(packets) is packets:
        raise TypeError("packets are read twice, to check and to send: give a list, not an iterator")
    if if_exists not in ("skip", "fail"):
        raise InvalidValueError("if_exists", [f"must be 'skip' or 'fail', not {if_exists!r}"])
    plan = prepare(client, packets, dataset=dataset, label_schema=label_schema, path_of=path_of)
    run = _Push(client, plan, path_of)
    if if_exists == "fail":
        run.refuse_existing(packets)
    return run.run(packets)


class _Push:
    def __init__(self, client: DiffgramClient, plan: Plan, path_of: PathOpener) -> None:
        self._client = client
        self._plan = plan
        self._existing = Existing(client, plan.directory_id, plan.names, plan.children, plan.media_types)
        self._batches = Batches(client)
        self._runs = ModelRuns(client)
        self._uploads = Uploads(client, plan, path_of)
        self._outcome = Outcome()
        self._unsettled: list[Unsettled] = []

    def refuse_existing(self, packets: Iterable[Candidate]) -> None:
        problems = [
            f"{name_of(packet)!r} is in the dataset already"
            for packet in _valid(packets)
            if packet.file_id is None and self._is_there(packet)
        ]
        if problems:
            raise InvalidValueError("if_exists='fail'", problems)

    def _is_there(self, packet: Packet) -> bool:
        name = name_of(packet)
        return (
            self._existing.file(packet, name) is not None or self._existing.pending(packet, name) is not None
        )

    def run(self, packets: Iterable[Candidate]) -> Handle:
        name = "(none)"
        try:
            for packet in _valid(packets):
                name = _called(packet)
                self._one(packet, name)
            name = "(healing)"
            self._heal()
            name = "(proving uploads)"
            self._prove_uploads()
        except DiffgramError as error:
            raise self._stopped(name, error) from error
        if self._outcome.failures:
            raise self._incomplete()
        return Handle(
            project=self._client.project,
            directory_id=self._plan.directory_id,
            batches=self._batches.sent(),
            expected=self._plan.expected,
            skipped=self._outcome.skipped,
            done_at_send=self._outcome.uploaded,
        )

    def _one(self, packet: Packet, name: str) -> None:
        if packet.file_id is not None:
            if packet.mode == "update" and packet.instances:
                self._append(packet, name, packet.file_id)
            else:
                self._send(packet, name)
            return
        file = self._existing.file(packet, name)
        pending = self._existing.pending(packet, name)
        if pending is not None:
            self._adopt(packet, name, pending)
        elif file is not None:
            self._is_present(packet, name, file)
        elif isinstance(packet.media, PathMedia):
            self._upload(packet, name)
        else:
            self._send(packet, name)

    def _adopt(self, packet: Packet, name: str, row: Input) -> None:
        """Wait for an input of an earlier attempt instead of sending its packet again."""
        assert row.batch_id is not None
        self._batches.adopt(row)
        self._outcome.sent += 1
        self._runs.introduce(packet, name, Place(row.batch_id, row.parent_file_id, row.original_filename))

    def _is_present(self, packet: Packet, name: str, file: File) -> None:
        """Skip what is complete, or was; give a file whose input failed what it lacks.

        An instance that a person deleted stays deleted: the counter only grows.
        """
        expected = len(instances_of_body(instance_keys(packet, self._plan.labels, name)))
        counted = file.count_instances_changed
        if not expected or (counted is not None and counted >= expected):
            self._outcome.skipped += 1
        elif counted is None and packet.instance_list:
            self._unsettled.append(Unsettled(packet, name, file.id, expected))
        elif self._lost_some(packet, file):
            _log.warning("%s (file %s) lacks predictions: sending them", name, file.id)
            self._append(packet, name, file.id)
        else:
            self._outcome.skipped += 1

    def _lost_some(self, packet: Packet, file: File) -> bool:
        """Whether the input that made the file failed, or stored fewer instances than it was sent."""
        rows = self._client.send(
            routes.list_inputs(self._client.project, file_id=file.id, parent_file_id=packet.parent_file_id)
        )
        counted = file.count_instances_changed or 0
        return any(
            row.failed or (row.succeeded and len(row.instance_list) > counted)
            for row in rows
            if row.mode is None
        )

    def _upload(self, packet: Packet, name: str) -> None:
        try:
            there = self._uploads.send(packet, name)
        except OSError as error:
            self._outcome.fail(name, RefusedError(f"cannot read {name}: {error}"))
            return
        except RefusedError as error:
            if not _is_of_one_packet(error):
                raise
            self._outcome.fail(name, error)
            return
        if there is not None:
            self._is_present(packet, name, there)
        else:
            self._outcome.uploaded += 1
            self._runs.note(packet)

    def _send(self, packet: Packet, name: str) -> None:
        try:
            place = send_packet(self._client, self._batches, self._plan, packet, name)
        except RefusedError as error:
            if not _is_of_one_packet(error):
                raise
            self._outcome.fail(name, error)
            return
        self._outcome.sent += 1
        self._runs.introduce(packet, name, place)

    def _append(self, packet: Packet, name: str, file_id: int) -> None:
        try:
            appended = append(self._client, self._batches, self._plan, packet, name, file_id)
        except RefusedError as error:
            if not _is_of_one_packet(error):
                raise
            self._outcome.fail(name, error)
            return
        if appended == "complete":
            self._outcome.skipped += 1
            return
        self._outcome.sent += 1
        if appended != "adopted":
            self._runs.introduce(packet, name, appended)

    def _heal(self) -> None:
        """Give files that lack their predictions what they lack, once it is sure that they do."""
        if not self._unsettled:
            return
        settled, lacking = settle(self._client, self._plan.directory_id, self._unsettled)
        self._outcome.skipped += len(settled)
        for each in lacking:
            _log.warning("%s (file %s) lacks its predictions: sending them", each.name, each.file_id)
            self._append(each.packet, each.name, each.file_id)

    def _prove_uploads(self) -> None:
        for name, error in self._uploads.prove():
            self._outcome.uploaded -= 1
            self._outcome.fail(name, error)

    def _stopped(self, name: str, error: DiffgramError) -> PushError:
        done = self._outcome
        unsent = self._plan.expected - done.sent - done.uploaded - done.skipped - len(done.failures)
        stopped = PushError(
            f"stopped at {name}: {error}\nOf {self._plan.expected} packets {done.counts()}, {unsent} were "
            "not sent or are unknown. A retry finds what arrived and sends only the rest.",
            status=error.status,
        )
        stopped.permanent = isinstance(error, RefusedError)
        return stopped

    def _incomplete(self) -> PushError:
        failures = self._outcome.failures
        lines = [f"{name}: {error}" for name, error in failures[:_SHOWN]]
        more = [f"and {len(failures) - _SHOWN} more"] if len(failures) > _SHOWN else []
        error = PushError(
            "\n".join([f"of {self._plan.expected} packets {self._outcome.counts()}:", *lines, *more])
        )
        error.permanent = all(isinstance(each, RefusedError) for _, each in failures)
        return error


def _valid(packets: Iterable[Candidate]) -> Iterable[Packet]:
    return (packet for packet in validated(Packet, packets, "packet") if isinstance(packet, Packet))


def _called(packet: Packet) -> str:
    return f"file {packet.file_id}" if packet.file_id is not None else name_of(packet)


def _is_of_one_packet(error: RefusedError) -> bool:
    """Whether a refusal is about this packet, so that others may pass: not a credential, not the address."""
    return type(error) is RefusedError or error.status == 413
