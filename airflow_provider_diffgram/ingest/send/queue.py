"""One packet to the queue, and the look that follows an unknown outcome."""

from __future__ import annotations

import logging
import time
from typing import Any

from ...client import DiffgramClient, OutcomeUnknownError, RefusedError, StoppedError, routes
from ...client.request import Steps, pause
from ...models import BlobMedia, Input, Packet
from ...models.packet import UpdateMode
from ..check.check import Plan
from ..check.wire import instance_keys, packet_body, update_body, without_known
from ..server.names import Pending
from ..server.rows import references, references_of_row, since_replaced, stored_nothing, stored_references
from .batches import Batches, Place
from .inventory import pending_of
from .references import references_of_packet

_log = logging.getLogger(__name__)

_LOOKS = (0.5, 1.0, 2.0)
"""Seconds before each look for a packet whose answer was lost: the row is written before the answer."""


def send_packet(
    client: DiffgramClient, batches: Batches, plan: Plan, packet: Packet, name: str, batch_id: int
) -> Place:
    """Send a packet until it certainly arrived; return where its input is listed.

    :param batch_id: assigned to it.
    :raises RefusedError: if the server refuses it.
    :raises OutcomeUnknownError: if the server stays silent; a later look by name tells whether it arrived.
    """
    body = packet_body(
        packet,
        plan.labels,
        name=name,
        directory_id=plan.directory_id,
        batch_id=batch_id,
        connection_id=plan.blobs.connection_id(packet.media) if isinstance(packet.media, BlobMedia) else None,
    )
    place = _until_arrived(client, body, name)
    batches.count(batch_id, packet.parent_file_id)
    return place


def append(
    client: DiffgramClient, batches: Batches, plan: Plan, packet: Packet, name: str, file_id: int
) -> Place | Pending | None:
    """Append the predictions of ``packet`` to a file, as far as they are not there or on their way.

    The server would store them again (quirk 31), so what the file holds, and what an earlier input brought
    or is about to bring, is left out: an instance that a person deleted since stays deleted.

    :param name: the packet's name, part of the references of its instances.
    :return: where the update is listed; or the update of an earlier attempt that is under way; None if
        nothing is missing.
    """
    keys = instance_keys(packet, plan.labels, name)
    rows = since_replaced([row for row in _rows_of(client, packet, file_id) if not row.failed])
    stored = client.send(routes.list_annotations(client.project, file_id))
    brought = [stored_references(row) for row in rows if not stored_nothing(row, stored)]
    known = references(stored.instance_list).union(*brought)
    missing = without_known(keys, known)
    if missing:
        return _update(client, batches, plan, name, file_id, "update", missing)
    ours = references_of_packet(packet, plan.labels, name)
    under_way = [row for row in rows if row.mode and not row.succeeded and row.batch_id is not None]
    return next((pending_of(row) for row in under_way if ours & references_of_row(row)), None)


def replace(
    client: DiffgramClient, batches: Batches, plan: Plan, packet: Packet, name: str, file_id: int
) -> Place | Pending | None:
    """Replace the instances of a file by those of ``packet``, unless that was the last thing done to it.

    What people changed since the same predictions were sent before stays as they left it.

    :return: as :func:`append` does.
    :raises RefusedError: if there is nothing to replace by: the server would keep what is there.
    """
    keys = instance_keys(packet, plan.labels, name)
    ours = references_of_packet(packet, plan.labels, name)
    if not ours:
        raise RefusedError(
            f"{name}: has no predictions to replace those of file {file_id} by, which therefore stay: an "
            "input without instances changes nothing"
        )
    rows = [row for row in _rows_of(client, packet, file_id) if not row.failed]
    newest = max(rows, key=lambda row: row.id or 0, default=None)
    if newest is None or not _brought_these_alone(client, newest, ours, file_id):
        return _update(client, batches, plan, name, file_id, "update_with_existing", keys)
    return None if newest.succeeded or newest.batch_id is None else pending_of(newest)


def _rows_of(client: DiffgramClient, packet: Packet, file_id: int) -> list[Input]:
    """Return the inputs that made a file or changed it."""
    listed = routes.list_inputs(
        client.project, file_id=file_id, parent_file_id=packet.parent_file_id, show_archived=False
    )
    rows = client.send(listed)
    if packet.parent_file_id is not None:  # updates of a child have no parent
        rows = rows + client.send(routes.list_inputs(client.project, file_id=file_id))
    if packet.frame_packet_map:  # listed rows do not tell it, and a video's annotations are empty (quirk 54)
        rows = [client.send(routes.view_input(client.project, row.id)) for row in rows if row.id]
    return rows


def _update(
    client: DiffgramClient,
    batches: Batches,
    plan: Plan,
    name: str,
    file_id: int,
    mode: UpdateMode,
    keys: dict[str, Any],
) -> Place:
    batch_id = batches.assign(None)
    body = update_body(file_id, mode, keys, directory_id=plan.directory_id, batch_id=batch_id)
    place = _until_arrived(client, body, name)
    batches.count(batch_id, None)
    return place


def _brought_these_alone(client: DiffgramClient, row: Input, ours: set[str], file_id: int) -> bool:
    """Whether the newest input of a file left it with the predictions of these references alone."""
    if row.mode == "update" or references_of_row(row) != ours:
        return False
    made_it = row.mode is None
    return not (made_it and stored_nothing(row, client.send(routes.view_file(client.project, file_id))))


def _until_arrived(client: DiffgramClient, body: dict[str, Any], name: str) -> Place:
    place = Place.of(body)
    before = client.run(place.rows(client.project)) if place.file_id is not None else []
    deadline = time.monotonic() + client.settings.retry_timeout
    while True:
        try:
            client.send(routes.send_packet(client.project, body, name))
            return place
        except OutcomeUnknownError as error:
            _log.warning("%s; looking whether it arrived", error)
            try:
                if client.run(_arrived(client.project, place, len(before))):
                    return place
            except StoppedError:
                raise error from None
            if time.monotonic() > deadline:
                raise


def _arrived(project: str, place: Place, before: int) -> Steps[bool]:
    for seconds in _LOOKS:
        yield from pause(seconds)
        rows = yield from place.rows(project)
        if len(rows) > before:
            return True
    return False
