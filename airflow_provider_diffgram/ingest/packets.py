"""One packet to the queue, and the look that follows an unknown outcome."""

from __future__ import annotations

import logging
import time
from typing import Any

from ..client import DiffgramClient, OutcomeUnknownError, routes
from ..client.request import Steps, ask, pause
from ..models import Input, Packet
from .batches import Batches
from .prepare import Plan
from .settle import Unsettled
from .wire import packet_body, update_body

_log = logging.getLogger(__name__)

_LOOKS = (0.5, 1.0, 2.0)
"""Seconds before each look for a packet whose answer was lost: the row is written before the answer."""


def send_packet(client: DiffgramClient, batches: Batches, plan: Plan, packet: Packet, name: str) -> int:
    """Send a packet until it certainly arrived; return the id of its batch.

    :raises RefusedError: if the server refuses it.
    :raises OutcomeUnknownError: if the server stays silent; a later look by name tells whether it arrived.
    """
    batch_id = batches.current(packet.parent_file_id)
    body = packet_body(packet, plan.labels, name=name, directory_id=plan.directory_id, batch_id=batch_id)
    _until_arrived(client, body, name)
    batches.count(packet.parent_file_id)
    return batch_id


def send_update(client: DiffgramClient, batches: Batches, plan: Plan, lacking: Unsettled) -> None:
    """Append the predictions of a packet to its file, which holds none; adopt an update on its way."""
    rows = client.send(routes.list_inputs(client.project, file_id=lacking.file_id))
    under_way = [row for row in rows if row.mode == "update" and not row.failed and row.batch_id is not None]
    if under_way:
        batches.adopt(under_way[0])
        return
    batch_id = batches.current(None)
    body = update_body(
        lacking.packet,
        plan.labels,
        name=lacking.name,
        file_id=lacking.file_id,
        directory_id=plan.directory_id,
        batch_id=batch_id,
    )
    _until_arrived(client, body, lacking.name)
    batches.count(None)


def _until_arrived(client: DiffgramClient, body: dict[str, Any], name: str) -> None:
    before = client.run(_rows_of(client.project, body)) if "file_id" in body else []
    deadline = time.monotonic() + client.settings.retry_timeout
    while True:
        try:
            client.send(routes.send_packet(client.project, body, name))
            return
        except OutcomeUnknownError as error:
            _log.warning("%s; looking whether it arrived", error)
            if client.run(_arrived(client.project, body, len(before))):
                return
            if time.monotonic() > deadline:
                raise


def _arrived(project: str, body: dict[str, Any], before: int) -> Steps[bool]:
    for seconds in _LOOKS:
        yield from pause(seconds)
        rows = yield from _rows_of(project, body)
        if len(rows) > before:
            return True
    return False


def _rows_of(project: str, body: dict[str, Any]) -> Steps[list[Input]]:
    """List the inputs that ``body`` made: by name, or for an update, which has none, by file."""
    rows = yield from ask(
        routes.list_inputs(project, batch_id=body["batch_id"], parent_file_id=body.get("parent_file_id"))
    )
    if "file_id" in body:
        return [row for row in rows if row.file_id == body["file_id"]]
    return [row for row in rows if row.original_filename == body["original_filename"]]
