"""What is to be done with one packet, and doing it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from ...client import DiffgramClient, OutcomeUnknownError, RefusedError, StorageRefusedError, routes
from ...models import File, Input, Packet, PathMedia
from ..check.check import Plan
from ..check.wire import instance_keys, instances_of_body
from ..read.storage import raise_if_passing
from ..server.names import Pending
from ..server.repair import archive, retry
from ..server.rows import lost_some, references_of_row
from .batches import Batches, Place
from .chunks import PATIENCE as LARGE_PATIENCE
from .inventory import Existing
from .model_runs import IntroductionError, ModelRuns
from .queue import append, replace, send_packet
from .references import references_of_packet
from .settle import PATIENCE, Unsettled, settle, wait_for_file
from .tally import Tally
from .upload import Uploads

_Change = Callable[[DiffgramClient, Batches, Plan, Packet, str, int], "Place | Pending | None"]


class Dealer:
    """Brings packets to the server, each as its state there demands. Safe to use from several threads.

    :param client: of the project.
    :param plan: dataset and labels.
    :param existing: what is there already.
    :param batches: to send in.
    :param runs: model runs that the server knows.
    :param uploads: for media that the worker reads.
    :param tally: told what becomes of each packet.
    :param if_exists: ``append`` or ``replace``; anything else skips what is complete.
    """

    def __init__(
        self,
        client: DiffgramClient,
        plan: Plan,
        existing: Existing,
        batches: Batches,
        runs: ModelRuns,
        uploads: Uploads,
        tally: Tally,
        if_exists: str,
    ) -> None:
        self.uploaded = 0
        self._client = client
        self._plan = plan
        self._existing = existing
        self._batches = batches
        self._runs = runs
        self._uploads = uploads
        self._tally = tally
        self._if_exists = if_exists
        self._unsettled: list[Unsettled] = []
        self._lock = threading.Lock()

    @property
    def unsettled(self) -> int:
        """Number of files that hold no instance yet, although they should."""
        return len(self._unsettled)

    def deal(self, packet: Packet, name: str, *, introduces: bool) -> None:
        """Send a packet if it is missing, and take note of the outcome.

        :param introduces: whether to wait until the server knows the packet's model run.
        :raises RefusedError: if no packet would be taken.
        :raises OutcomeUnknownError: if the server stays silent.
        :raises StorageError: if the medium's storage fails, and may be back.
        """
        self._noting(packet, name, partial(self._deal_one, packet, name, introduces))

    def _deal_one(self, packet: Packet, name: str, introduces: bool) -> None:
        place = self._deal(packet, name)
        if introduces and place is not None:
            self._introduce(packet, name, place)

    def _noting(self, packet: Packet, name: str, job: Callable[[], None]) -> None:
        """Do the job; take note if it fails, and raise what would befall the other packets as well."""
        try:
            job()
        except OSError as error:
            if not isinstance(packet.media, PathMedia):
                raise
            raise_if_passing(error, "read", packet.media.path)
            self._tally.note(name, "failed", f"cannot read it: {error}")
        except RefusedError as error:
            if not _is_of_one_packet(error):
                raise
            self._tally.note(name, "failed", error, file_id=packet.file_id)
        except OutcomeUnknownError as error:
            self._tally.note(name, "unknown", error, file_id=packet.file_id)
            raise

    def _deal(self, packet: Packet, name: str) -> Place | None:
        """Return where the packet's input is listed, if one is under way."""
        if packet.file_id is not None:
            change = replace if packet.mode == "update_with_existing" else append
            return self._change(change, packet, name, packet.file_id)
        pending = self._existing.pending(packet, name)
        large = self._uploads.large.takes(packet)
        if pending is not None and large:
            pending = self._uploads.large.unless_broken_off(pending)
        if pending is not None:
            as_it_is = self._if_exists not in ("append", "replace") and not large
            if as_it_is or self._brings(pending, packet, name):
                return self._adopt(name, pending)
            file = wait_for_file(self._client, pending, LARGE_PATIENCE if large else PATIENCE)
        else:
            file = self._existing.file(packet, name)
        if file is not None:
            return self._is_present(packet, name, file)
        if large:
            return self._upload_large(packet, name)
        if isinstance(packet.media, PathMedia):
            return self._upload(packet, name)
        batch_id = self._batches.assign(packet.parent_file_id, name)
        place = send_packet(self._client, self._batches, self._plan, packet, name, batch_id)
        self._tally.note(name, "sent")
        return place

    def _brings(self, pending: Pending, packet: Packet, name: str) -> bool:
        """Whether an input under way leaves the file as the packet is to leave it."""
        ours = references_of_packet(packet, self._plan.labels, name)
        row = self._client.send(routes.view_input(self._client.project, pending.id))
        theirs = references_of_row(row)
        return theirs == ours if self._if_exists == "replace" else theirs >= ours

    def _introduce(self, packet: Packet, name: str, place: Place) -> None:
        self._runs.introduce(packet, name, place, lambda row: self._again(packet, name, row))

    def _again(self, packet: Packet, name: str, row: Input) -> Place:
        """Repair an input that is stuck: archive it and send the packet again.

        An update is retried instead: to archive its input would remove the file (server.md 2.14).

        :raises IntroductionError: for a replacement, whose retry would remove the file as well.
        """
        assert row.id is not None
        if row.mode == "update_with_existing":
            raise IntroductionError(
                f"{name}: input {row.id}, which is to replace the predictions of file {row.file_id}, is "
                f"stuck as {row.status}. Neither a retry nor an archive would leave the file: ask whoever "
                "runs Diffgram"
            )
        if row.mode == "update":
            retry(self._client, [row], "an update that is stuck")
            return Place(row.batch_id or 0, row.parent_file_id, file_id=row.file_id)
        archive(self._client, [row], "what is stuck, to send it again")
        self._batches.forget(row)
        batch_id = self._batches.assign(packet.parent_file_id, name)
        return send_packet(self._client, self._batches, self._plan, packet, name, batch_id)

    def _adopt(self, name: str, pending: Pending, file_id: int | None = None) -> Place:
        """Wait for an input of an earlier attempt instead of sending its packet again."""
        self._batches.adopt(pending)
        self._tally.note(name, "sent", "by an earlier attempt", input_id=pending.id, file_id=file_id)
        return Place(pending.batch_id, pending.parent_file_id, pending.original_filename, file_id)

    def _change(self, change: _Change, packet: Packet, name: str, file_id: int) -> Place | None:
        done = change(self._client, self._batches, self._plan, packet, name, file_id)
        if isinstance(done, Pending):
            return self._adopt(name, done, file_id)
        self._tally.note(name, "skipped" if done is None else "sent", file_id=file_id)
        return done

    def _is_present(self, packet: Packet, name: str, file: File) -> Place | None:
        """Skip what is complete, or was; give a file whose input failed what it lacks.

        An instance that a person deleted stays deleted: the counter only grows.
        """
        expected = len(instances_of_body(instance_keys(packet, self._plan.labels, name)))
        counted = file.count_instances_changed
        if expected and counted is None and packet.instance_list:
            with self._lock:
                self._unsettled.append(Unsettled(packet, name, file.id, expected))
            return None
        if self._if_exists == "replace":
            return self._change(replace, packet, name, file.id)
        lacking = expected and (counted or 0) < expected and self._lost_some(packet, file)
        if lacking or self._if_exists == "append":
            return self._change(append, packet, name, file.id)
        self._tally.note(name, "skipped", file_id=file.id)
        return None

    def _lost_some(self, packet: Packet, file: File) -> bool:
        """Whether the input that made the file failed, or stored fewer instances than it was sent."""
        rows = self._client.send(
            routes.list_inputs(self._client.project, file_id=file.id, parent_file_id=packet.parent_file_id)
        )
        counted = file.count_instances_changed or 0
        return any(lost_some(row, counted, has_frames=bool(packet.frame_packet_map)) for row in rows)

    def _upload(self, packet: Packet, name: str) -> Place | None:
        there = self._uploads.send(packet, name)
        if there is not None:
            return self._is_present(packet, name, there)
        with self._lock:
            self.uploaded += 1
        self._tally.note(name, "sent")
        self._runs.note(packet)
        return None

    def _upload_large(self, packet: Packet, name: str) -> Place | None:
        """Upload a medium in chunks; its predictions follow once it is a file, since chunks carry none."""
        if not packet.instances:
            place = self._uploads.large.send(packet, name, self._batches.assign(None))
            self._batches.count(place.batch_id, None)
            self._tally.note(name, "sent")
            return place
        row = self._uploads.large.wait(self._uploads.large.send(packet, name, self._batches.assign_apart()))
        if row.existing_file_id is not None:
            there = self._client.send(routes.view_file(self._client.project, row.existing_file_id))
            return self._is_present(packet, name, there)
        assert row.file_id is not None
        return self._change(append, packet, name, row.file_id)

    def heal(self) -> None:
        """Give files that lack their predictions what they lack, once it is sure that they do."""
        settled, lacking = settle(self._client, self._plan.directory_id, self._unsettled)
        self._unsettled = []
        if self._if_exists in ("append", "replace"):
            settled, lacking = [], [*settled, *lacking]
        for each in settled:
            self._tally.note(each.name, "skipped", file_id=each.file_id)
        for each in lacking:
            self._noting(each.packet, each.name, partial(self._heal, each))

    def _heal(self, each: Unsettled) -> None:
        change = replace if self._if_exists == "replace" else append
        place = self._change(change, each.packet, each.name, each.file_id)
        if place is not None and self._runs.is_new(each.packet):
            self._introduce(each.packet, each.name, place)

    def prove_uploads(self) -> None:
        """Take note of uploads that hold fewer instances than were sent with them."""
        for name, error in self._uploads.prove():
            self.uploaded -= 1
            self._tally.retract(name, error)


def _is_of_one_packet(error: RefusedError) -> bool:
    """Whether a refusal is about this packet, so that others may pass: not a credential, not the address."""
    return type(error) in (RefusedError, StorageRefusedError) or error.status == 413
