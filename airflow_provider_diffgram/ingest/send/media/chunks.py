"""Uploads root media that are too large for one request, in chunks (server.md 2.9)."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

from ....client import DiffgramClient, OutcomeUnknownError, RefusedError, StorageError, routes
from ....client.request import pause
from ....client.routes import MIN_CHUNK
from ....models import Input, PathMedia
from ...check.check import Plan
from ...read.paths import PathOpener, upload_of
from ...server.names import Pending
from ...server.once import send_once
from ...server.repair import archive
from ...server.rows import awaits_chunks
from ..decisions.item import Item
from ..queue.batches import Place
from ..queue.inventory import pending_of
from ..queue.settle import wait_for_end

PATIENCE = 3600.0
"""Seconds to wait until the server has ingested a large medium, so that predictions can follow."""

_TRIES = 3
_IN_ONE_SECOND = 4
"""Chunks that a server admits in a second (server.md 1.5)."""

_LOOKS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each look for the last chunk whose answer was lost: the server is joining the chunks."""


def chunk_size(size: int, most: int, failures: int = 0) -> int:
    """Return the size of a chunk in bytes: if possible, large enough that the rate limit does not slow it.

    A server ends a process that is busy with one request for two minutes, so a chunk may be too large for a
    slow line. Each further attempt quarters it.

    :param size: bytes of the whole medium.
    :param most: most bytes of a chunk.
    :param failures: how many attempts have failed.
    """
    wanted = min(math.ceil(size / _IN_ONE_SECOND), most)
    return max(MIN_CHUNK, wanted >> 2 * failures)


class LargeUploads:
    """Uploads in chunks, each until the server certainly has all of it.

    The server does not say which chunks it has, and a chunk that arrives twice is in the file twice. So an
    upload that was broken off is never continued: its input is archived, and the medium is sent again.

    :param plan: dataset, and which media are large.
    :param read: called with the number of bytes after each read.
    """

    def __init__(
        self, client: DiffgramClient, plan: Plan, path_of: PathOpener, read: Callable[[int], None]
    ) -> None:
        self._client = client
        self._plan = plan
        self._path_of = path_of
        self._read = read

    def is_broken_off(self, pending: Pending) -> bool:
        """Archive an upload under way if its chunks have stopped coming; return whether they have."""
        for seconds in (0.0, *_LOOKS):
            self._client.run(pause(seconds))
            row = self._client.send(routes.view_input(self._client.project, pending.id))
            if not awaits_chunks(row):
                return False
        self._archive_broken_off([row])
        return True

    def send(self, item: Item, batch_id: int) -> Place:
        """Upload an item's medium, without its predictions; return where its input is listed.

        :raises RefusedError: if the server refuses it.
        :raises OutcomeUnknownError: if answers are lost again and again.
        :raises StorageError: if the medium's storage fails, which may pass.
        :raises OSError: if the medium cannot be read.
        """
        packet = item.packet
        assert isinstance(packet.media, PathMedia)
        place = Place(batch_id, original_filename=item.name)
        upload = upload_of(packet.media, item.name, self._path_of, self._read)
        split = (packet.video_split_duration or 0) if packet.media.type == "video" else None
        tries = 0

        def send() -> None:
            chunks = routes.upload_large(
                self._client.project,
                upload,
                directory_id=self._plan.directory_id,
                upload_id=uuid.uuid4().hex,
                chunk_size=chunk_size(upload.size, self._plan.limits.upload_chunk, tries),
                batch_id=batch_id,
                video_split_duration=split,
            )
            for chunk in chunks:
                self._client.send(chunk)

        def give_up(error: OutcomeUnknownError) -> None:
            nonlocal tries
            tries += 1
            self._archive_broken_off(self._unfinished(place))
            if tries == _TRIES:
                raise error

        try:
            send_once(
                self._client,
                send,
                lambda: self._has_arrived(place) or None,
                looks=_LOOKS,
                patience=math.inf,
                give_up=give_up,
            )
        except (RefusedError, StorageError, OSError):
            self._archive_broken_off(self._unfinished(place))
            raise
        # The newest is the one that arrived.
        self._archive_broken_off([row for row in self._rows(place)[1:] if awaits_chunks(row)])
        return place

    def wait(self, place: Place) -> Input:
        """Wait until the server has ingested an upload, and return its input.

        :return: has ``file_id``, or ``existing_file_id`` if another file took the name meanwhile.
        :raises RefusedError: if the server could not ingest it.
        :raises OutcomeUnknownError: if that takes more than an hour.
        """
        rows = self._client.run(place.rows(self._client.project))
        if not rows:
            raise OutcomeUnknownError(
                f"upload {place.original_filename!r}: no input is listed in batch {place.batch_id}: was it "
                "archived meanwhile? A retry looks again"
            )
        row = wait_for_end(self._client, pending_of(rows[0]), PATIENCE)
        if row.file_id is None and row.existing_file_id is None:
            raise RefusedError(
                f"upload {place.original_filename!r}: the server ingested it as {row.status}: {row.reason}",
                server_text=row.reason,
            )
        return row

    def _rows(self, place: Place) -> list[Input]:
        return self._client.run(place.rows(self._client.project))

    def _unfinished(self, place: Place) -> list[Input]:
        return [row for row in self._rows(place) if awaits_chunks(row)]

    def _has_arrived(self, place: Place) -> bool:
        """Return whether the last chunk has arrived."""
        return any(not awaits_chunks(row) for row in self._rows(place))

    def _archive_broken_off(self, rows: list[Input]) -> None:
        archive(self._client, rows, "uploads that broke off")
