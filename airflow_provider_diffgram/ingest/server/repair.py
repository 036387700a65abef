"""Archives and retries inputs, but never an update: that would remove the file it changes (server.md 2.14).

If files are stored twice, all but the oldest are archived (quirks 17 and 18).
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from ...client import DiffgramClient, routes
from ...models import File, Handle, Input
from ...models.problems import first_of, named
from .files import children_by_place, root_files
from .names import Known
from .rows import Row, is_update

_log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

_NAMED = 20


def archive(client: DiffgramClient, rows: Sequence[Row], why: str) -> list[int]:
    """Archive inputs together with the files that they made; return their ids. Sends at most one request.

    :param rows: inputs of new media.
    :param why: what they are, for the log.
    :raises ValueError: if one of them is an update, because its file would be removed with it.
    """
    updates = [row.id for row in rows if is_update(row)]
    if updates:
        raise ValueError(f"inputs {updates} are updates: archiving them would remove the files they change")
    ids = [row.id for row in rows if row.id is not None]
    if ids:
        names = sorted({str(row.original_filename) for row in rows})
        _log.warning("archiving %s: %s of %s", why, named("input", ids), first_of(names, _NAMED))
        client.send(routes.update_inputs(client.project, ids, "ARCHIVE"))
    return ids


def retry(client: DiffgramClient, rows: Sequence[Row], why: str) -> list[int]:
    """Have the server start inputs over; return their ids. Sends at most one request; a day allows 300.

    :param rows: inputs of new media, or updates that append.
    :param why: what they are, for the log.
    :raises ValueError: if one of them replaces what its file holds: the retry would remove the file.
    """
    replacing = [row.id for row in rows if row.mode not in (None, "update")]
    if replacing:
        raise ValueError(f"inputs {replacing} replace predictions: retrying them would remove their files")
    ids = [row.id for row in rows if row.id is not None]
    if ids:
        _log.warning("retrying %s: %s", why, named("input", ids))
        client.send(routes.update_inputs(client.project, ids, "RETRY"))
    return ids


def keep_oldest(
    client: DiffgramClient, files: Mapping[K, list[File]], parent_file_id: int | None
) -> dict[K, File]:
    """Archive all but the file with the lowest id of each key; return the ones that stay.

    :param files: key -> files that should be a single one.
    :param parent_file_id: compound file whose children they are; None for root files.
    """
    kept: dict[K, File] = {}
    doubled: list[File] = []
    for key, same in files.items():
        by_id = {file.id: file for file in same}  # pages shift while files arrive: a file may be in two
        oldest, *younger = (by_id[file_id] for file_id in sorted(by_id))
        kept[key] = oldest
        doubled += younger
    if doubled:
        archive_files(client, doubled, parent_file_id)
    return kept


def archive_doubled(client: DiffgramClient, handles: Iterable[Handle]) -> bool:
    """Archive what these handles stored twice; return whether there was anything.

    Two runs at the same time can store a new medium twice, because the server compares names without a lock
    (quirk 17), and a child twice, because it does not compare their names at all. A packet whose answer was
    lost may also arrive after it was sent again. The oldest file stays.
    """
    handles = list(handles)
    roots = _archive_doubled_roots(client, handles)
    return _archive_doubled_children(client, handles) or roots


def _archive_doubled_roots(client: DiffgramClient, handles: Iterable[Handle]) -> bool:
    ours: dict[int, set[int]] = {}
    for handle in handles:
        batches = {batch.id for batch in handle.batches if batch.id and batch.parent_file_id is None}
        if batches and handle.directory_id is not None:
            ours.setdefault(handle.directory_id, set()).update(batches)
    any_doubled = False
    for directory_id, batches in ours.items():
        for same in _of_one_name(client, directory_id):
            if any(_is_of(client, file, batches) for file in same):
                any_doubled = True
                keep_oldest(client, {0: same}, None)
    return any_doubled


def _of_one_name(client: DiffgramClient, directory_id: int) -> Iterable[list[File]]:
    """Return the root files of a dataset that share their name, one list per name."""
    known = Known()
    doubled: dict[str, dict[int, File]] = {}
    for file in root_files(client, directory_id, None):
        name = file.original_filename
        if name is None:
            continue
        other = known.file(name)
        if other is None:
            known.add_file(file)
        elif other.id != file.id:
            doubled.setdefault(name, {other.id: other})[file.id] = file
    return [list(same.values()) for same in doubled.values()]


def _is_of(client: DiffgramClient, file: File, batch_ids: set[int]) -> bool:
    rows = client.send(routes.list_inputs(client.project, file_id=file.id))
    return any(row.batch_id in batch_ids for row in rows)


def _archive_doubled_children(client: DiffgramClient, handles: Iterable[Handle]) -> bool:
    """Archive children with the same name and ordinal, if these handles sent one of them."""
    any_doubled = False
    for parent, batch_ids in _batches_by_parent(handles).items():
        ours: set[int | None] = set()
        for batch_id in batch_ids:
            rows = client.send(routes.list_inputs(client.project, batch_id=batch_id, parent_file_id=parent))
            ours |= {row.file_id for row in rows}
        listed = client.send(routes.list_children(client.project, parent))
        for place, same in children_by_place(listed).items():
            if len(same) > 1 and any(child.id in ours for child in same):
                any_doubled = True
                keep_oldest(client, {place: same}, parent)
    return any_doubled


def _batches_by_parent(handles: Iterable[Handle]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for handle in handles:
        for batch in handle.batches:
            if batch.parent_file_id is not None and batch.id is not None:
                found.setdefault(batch.parent_file_id, []).append(batch.id)
    return found


def archive_files(client: DiffgramClient, files: list[File], parent_file_id: int | None) -> None:
    """Archive files by archiving the inputs that made them."""
    made: list[Input] = []
    for file in files:
        inputs = routes.list_inputs(client.project, file_id=file.id, parent_file_id=parent_file_id)
        listed: list[Input] = client.send(inputs)
        made += [row for row in listed if not is_update(row)]
    archive(client, made, f"the younger {named('file', [file.id for file in files])}, stored twice")
