"""Files whose predictions are not there yet: late, or lost?"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ...client import DiffgramClient, OutcomeUnknownError, routes
from ...client.request import pause
from ...models import File, Input, Packet
from ..server.files import read_files, settle_seconds
from ..server.names import Pending

_POLL = 1.0
PATIENCE = 600.0
"""Seconds to wait for an input under way."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A file that is there and holds no instance, although ``instances`` are meant for it."""

    packet: Packet
    name: str
    file_id: int
    instances: int


def settle(
    client: DiffgramClient, directory_id: int, files: Iterable[Unsettled]
) -> tuple[list[Unsettled], list[Unsettled]]:
    """Wait until each file holds instances, or time is up; return those that do and those that do not.

    The server writes instances up to 14 s after the file (server.md 3.2); healing earlier would store
    them twice.
    """
    waiting = list(files)
    settled: list[Unsettled] = []
    deadline = time.monotonic() + settle_seconds(max((each.instances for each in waiting), default=0))
    while waiting:
        counted = _counted(client, directory_id, waiting)
        settled += [each for each in waiting if each.file_id in counted]
        waiting = [each for each in waiting if each.file_id not in counted]
        if time.monotonic() > deadline:
            break
        if waiting:
            client.run(pause(_POLL))
    return settled, waiting


def _counted(client: DiffgramClient, directory_id: int, files: Iterable[Unsettled]) -> set[int]:
    by_parent: dict[int | None, set[int]] = defaultdict(set)
    for each in files:
        by_parent[each.packet.parent_file_id].add(each.file_id)
    found: set[int] = set()
    for parent, file_ids in by_parent.items():
        read = client.run(read_files(client.project, directory_id, file_ids, parent))
        found |= {file.id for file in read.values() if file.count_instances_changed is not None}
    return found


def wait_for_file(client: DiffgramClient, pending: Pending, patience: float = PATIENCE) -> File | None:
    """Wait until an input under way has ended; return the file that it made, if it made one.

    :raises OutcomeUnknownError: if it takes more than ``patience`` seconds.
    """
    row = wait_for_end(client, pending, patience)
    return None if row.file_id is None else client.send(routes.view_file(client.project, row.file_id))


def wait_for_end(client: DiffgramClient, pending: Pending, patience: float) -> Input:
    """Wait until an input under way has ended, and return it.

    :raises OutcomeUnknownError: if it takes more than ``patience`` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        row = client.send(routes.view_input(client.project, pending.id))
        if row.succeeded or row.failed:
            return row
        if time.monotonic() > deadline:
            raise OutcomeUnknownError(
                f"input {pending.id}, which brings {pending.original_filename!r} without the predictions "
                f"that go with it, is still {row.status} after {patience:.0f} s; retry later"
            )
        client.run(pause(_POLL))
