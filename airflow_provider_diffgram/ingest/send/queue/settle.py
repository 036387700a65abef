"""Waits for predictions that a file lacks, to find out whether they are late or lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ....client import DiffgramClient, OutcomeUnknownError, routes
from ....client.request import Steps, ask, now, pause, poll
from ....models import File, Input
from ...server.files import read_files, settle_seconds
from ...server.names import Pending
from ...server.rows import has_ended
from ...server.rows import references as references_in
from ..decisions.item import Item

_POLL = 1.0
PATIENCE = 600.0
"""Seconds to wait for an input under way."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A file without instances, although its item brings some."""

    item: Item
    file_id: int


def holding_instances(project: str, directory_id: int, files: Iterable[Unsettled]) -> Steps[set[int]]:
    """Wait until each file holds instances or time is up; return the ids of those that do.

    The server writes instances up to 14 s after the file (server.md 3.2). Adding them earlier would store
    them twice.
    """
    waiting: dict[int | None, set[int]] = defaultdict(set)
    instances = 0
    for each in files:
        waiting[each.item.parent_file_id].add(each.file_id)
        instances = max(instances, each.item.expected)
    holding: set[int] = set()

    def look() -> Steps[bool | None]:
        for parent, file_ids in waiting.items():
            if file_ids:
                read = yield from read_files(project, directory_id, file_ids, parent)
                found = {file.id for file in read.values() if file.count_instances_changed is not None}
                holding.update(found)
                file_ids -= found
        return not any(waiting.values()) or None

    yield from poll(look, every=_POLL, patience=settle_seconds(instances))
    return holding


def until_stored(project: str, before: File, references: Collection[str]) -> Steps[bool]:
    """Wait until expected instances are in a file, or time is up; return whether they are.

    :param before: the file without them. It may hold others with the same references, of an earlier run, and
        a person may save those meanwhile.
    :param references: references of the expected instances.
    """
    wanted, old = set(references), {row["id"] for row in before.instance_list}

    def look() -> Steps[bool | None]:
        file = yield from ask(routes.list_annotations(project, before.id))
        new = [row for row in file.instance_list if old.isdisjoint((row["id"], row.get("previous_id")))]
        return wanted <= references_in(new) or None

    patience = PATIENCE + settle_seconds(len(wanted))
    return bool((yield from poll(look, every=_POLL, patience=patience)))


def wait_for_file(client: DiffgramClient, pending: Pending, patience: float = PATIENCE) -> File | None:
    """Wait until an input under way has ended; return the file that it made, or None if it made none.

    :raises OutcomeUnknownError: if it takes more than ``patience`` seconds.
    """
    row = wait_for_end(client, pending, patience)
    return None if row.file_id is None else client.send(routes.view_file(client.project, row.file_id))


def wait_for_end(client: DiffgramClient, pending: Pending, patience: float) -> Input:
    """Wait until an input under way has ended, and return it.

    :raises OutcomeUnknownError: if it takes more than ``patience`` seconds.
    """
    row = client.run(followed(client.project, pending.id, patience))
    if not has_ended(row):
        raise OutcomeUnknownError(
            f"input {pending.id}, which brings {pending.original_filename!r} without the predictions "
            f"that go with it, is still {row.status} after {patience:.0f} s. Retry later"
        )
    return row


def followed(project: str, input_id: int, patience: float) -> Steps[Input]:
    """Follow an input until it has ended or time is up; return it as last seen."""
    end = (yield from now()) + patience
    row = yield from ask(routes.view_input(project, input_id))
    while not has_ended(row) and (yield from now()) < end:
        yield from pause(_POLL)
        row = yield from ask(routes.view_input(project, input_id))
    return row
