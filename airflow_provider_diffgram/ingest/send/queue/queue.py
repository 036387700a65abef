"""Sends items to the server's queue: new media, and updates of existing files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ....client import DiffgramClient, RefusedError, routes
from ....models import BlobMedia, Input
from ....models.packet import UpdateMode
from ...check.check import Plan
from ...check.wire import packet_body, update_body, without_known
from ...server.frames import instances_of_frames
from ...server.names import Pending
from ...server.once import send_once
from ...server.rewrite import can_be_rewritten
from ...server.rows import references, references_of_row, since_replaced, stored_nothing
from ..decisions.item import Item
from .batches import Batches, Place
from .brought import Brought
from .inventory import pending_of
from .videos import until_ended

_LOOKS = (0.5, 1.0, 2.0)
"""Seconds before each look for a packet whose answer was lost: its row is written before the answer."""


class Queue:
    """Puts items into the queue, each until it has certainly arrived. Safe to use from several threads.

    :param plan: dataset, and connections of blobs.
    :param batches: the batches to send in.
    """

    def __init__(self, client: DiffgramClient, plan: Plan, batches: Batches) -> None:
        self._client = client
        self._plan = plan
        self._batches = batches
        self._brought = Brought(client)

    def send(self, item: Item) -> Place:
        """Send a new medium with its predictions; return where its input is listed.

        :raises RefusedError: if the server refuses it.
        :raises OutcomeUnknownError: if the server does not answer; a later look by name shows what happened.
        """
        batch_id = self._batches.assign(item.parent_file_id, item.name, is_video=item.is_video)
        media = item.packet.media
        connection_id = self._plan.blobs.connection_id(media) if isinstance(media, BlobMedia) else None
        body = packet_body(
            item.packet,
            item.keys,
            name=item.name,
            directory_id=self._plan.directory_id,
            batch_id=batch_id,
            connection_id=connection_id,
        )
        return self._until_arrived(body, item)

    def append(self, item: Item, file_id: int) -> Place | Pending | None:
        """Append an item's predictions to a file, unless they are already there or under way.

        The server would store them again (quirk 31). So everything that the file holds, or that an earlier
        input brought or will bring, is left out. An instance that a person has deleted since stays deleted.

        :return: where the update is listed; or the update of an earlier attempt that is under way; None if
            nothing is missing.
        """
        listed = self._brought.inputs_of(item, file_id)
        if item.is_video and any(row.failed for row in listed):
            for row in listed:  # a failed one may go on with the remaining frames
                self._client.run(until_ended(self._client.project, row))
            listed = self._brought.inputs_of(item, file_id)
        rows = since_replaced([row for row in listed if not (row.failed or row.hangs)])
        stored = self._client.send(routes.list_annotations(self._client.project, file_id))
        living = references(stored.instance_list)
        known = living | self._brought.known(item, stored, item.references - living, listed)
        missing = without_known(item.keys, known)
        if missing and item.is_video and len(rows) < len(listed):
            missing = without_known(item.keys, known | self._in_frames(item, file_id))
        if missing:
            return self._update(item, file_id, "update", missing)
        under_way = [row for row in rows if row.mode and not row.succeeded and row.batch_id is not None]
        return next((pending_of(row) for row in under_way if item.references & references_of_row(row)), None)

    def bring(self, item: Item, file_id: int, wanted: Collection[str]) -> Place:
        """Append only the predictions of an item that have one of these references."""
        return self._update(
            item, file_id, "update", without_known(item.keys, set(item.references) - set(wanted))
        )

    def replace(self, item: Item, file_id: int) -> Place | Pending | None:
        """Replace the instances of a file with those of an item, unless that was the last change to it.

        If the same predictions were sent before, what people have changed since stays as they left it.

        :return: as for :meth:`append`.
        :raises RefusedError: if the item has no instances: the server would keep the existing ones.
        """
        if not item.references:
            raise RefusedError(
                f"{item.name}: has no predictions to replace those of file {file_id} with, which therefore "
                "stay: an input without instances changes nothing"
            )
        listed = self._brought.inputs_of(item, file_id)
        rows = [row for row in listed if not (row.failed or row.hangs)]
        newest = max(rows, key=lambda row: row.id or 0, default=None)
        is_theirs = newest is not None and self._brought_these_alone(newest, item, file_id)
        if is_theirs and newest is not None and not newest.succeeded and newest.batch_id is not None:
            return pending_of(newest)
        stored = self._client.send(routes.list_annotations(self._client.project, file_id))
        is_done = self._brought.is_replaced(item, stored) if can_be_rewritten(stored) else is_theirs
        return None if is_done else self._update(item, file_id, "update_with_existing", item.keys)

    def _in_frames(self, item: Item, file_id: int) -> set[str]:
        """Return the references in those frames of a video for which the item has predictions."""
        frames = [int(frame) for frame in item.packet.frame_packet_map or {}]
        directory_id = self._plan.directory_id
        held = self._client.run(instances_of_frames(self._client.project, file_id, directory_id, frames))
        return set().union(*map(references, held.values()))

    def _brought_these_alone(self, row: Input, item: Item, file_id: int) -> bool:
        """Whether the newest input of a file left it with exactly the predictions of this item."""
        if row.mode == "update" or references_of_row(row) != item.references:
            return False
        if row.mode is not None:
            return True
        return not stored_nothing(row, self._client.send(routes.view_file(self._client.project, file_id)))

    def _update(self, item: Item, file_id: int, mode: UpdateMode, keys: dict[str, Any]) -> Place:
        batch_id = self._batches.assign(None, is_video=item.is_video)
        body = update_body(file_id, mode, keys, directory_id=self._plan.directory_id, batch_id=batch_id)
        return self._until_arrived(body, item)

    def _until_arrived(self, body: dict[str, Any], item: Item) -> Place:
        place, project = Place.of(body), self._client.project
        before = self._client.run(place.rows(project)) if place.file_id is not None else []

        def send() -> Place:
            self._client.send(routes.send_packet(project, body, item.name))
            return place

        def look() -> Place | None:
            return place if len(self._client.run(place.rows(project))) > len(before) else None

        patience = self._client.settings.retry_timeout
        arrived = send_once(self._client, send, look, looks=_LOOKS, patience=patience)
        self._batches.count(place.batch_id, place.parent_file_id)
        return arrived
