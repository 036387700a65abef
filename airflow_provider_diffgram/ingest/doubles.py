"""What was stored twice all the same is archived, but for the oldest (quirks 17 and 18)."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from ..client import DiffgramClient, routes
from ..models import File, Handle

_log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


def keep_oldest(
    client: DiffgramClient, files: Mapping[K, list[File]], parent_file_id: int | None
) -> dict[K, File]:
    """Return the file with the lowest id of each key; archive the others.

    :param files: key -> files that should be one.
    :param parent_file_id: compound file that they are children of; None for root files.
    """
    kept: dict[K, File] = {}
    doubled: list[File] = []
    for key, same in files.items():
        oldest, *younger = sorted(same, key=lambda file: file.id)
        kept[key] = oldest
        doubled += younger
    if doubled:
        archive_files(client, doubled, parent_file_id)
    return kept


def archive_doubled_children(client: DiffgramClient, handles: Iterable[Handle]) -> bool:
    """Archive children that these handles sent twice, one name and ordinal; return whether there were any.

    A packet whose answer was lost may arrive after it was sent again; for root files the server's own check
    of names prevents it, for children nothing does. Children that others sent are left alone.
    """
    any_doubled = False
    for parent, batch_ids in _batches_by_parent(handles).items():
        ours: set[int | None] = set()
        for batch_id in batch_ids:
            rows = client.send(routes.list_inputs(client.project, batch_id=batch_id, parent_file_id=parent))
            ours |= {row.file_id for row in rows}
        listed = client.send(routes.list_children(client.project, parent))
        children = children_by_place(child for child in listed if child.id in ours)
        any_doubled |= any(len(same) > 1 for same in children.values())
        keep_oldest(client, children, parent)
    return any_doubled


def _batches_by_parent(handles: Iterable[Handle]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for handle in handles:
        for batch in handle.batches:
            if batch.parent_file_id is not None:
                found.setdefault(batch.parent_file_id, []).append(batch.id)
    return found


def children_by_place(children: Iterable[File]) -> dict[tuple[str, int], list[File]]:
    """Return children by (name, ordinal)."""
    found: dict[tuple[str, int], list[File]] = {}
    for child in children:
        found.setdefault((child.original_filename or "", child.ordinal or 0), []).append(child)
    return found


def archive_files(client: DiffgramClient, files: list[File], parent_file_id: int | None) -> None:
    """Archive files, by way of the inputs that made them."""
    input_ids: list[int] = []
    for file in files:
        rows = client.send(routes.list_inputs(client.project, file_id=file.id, parent_file_id=parent_file_id))
        input_ids += [row.id for row in rows if row.id is not None and row.mode is None]
    names = sorted({str(file.original_filename) for file in files})
    _log.warning("stored twice, archiving the younger file(s) %s: %s", [file.id for file in files], names)
    if input_ids:
        client.send(routes.update_inputs(client.project, input_ids, "ARCHIVE"))
