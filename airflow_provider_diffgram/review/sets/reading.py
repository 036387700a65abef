"""Reading what members hold: one by one where few changed, by pages of the explorer where many did."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ...client import DiffgramClient, routes
from ...ingest.server.frames import instances_of_frames
from ...models import File
from ...models.packet import MAX_FRAMES
from .source import read_singly
from .stored import Row, StoredFile, stored_file

_log = logging.getLogger(__name__)

EXPLORER_PAGE = 500
"""Files of a page, with all their instances: 1.6 s of the server, 4 MB (server.md 10.6)."""

_WORTH_A_PAGE = 100
"""A page costs the server as much as reading so many files one by one."""


def is_many(count: int, in_dataset: int) -> bool:
    """Whether pages of a whole dataset are cheaper than reading ``count`` of its files one by one."""
    pages = -(-in_dataset // EXPLORER_PAGE)
    return count > pages * _WORTH_A_PAGE


def explored(client: DiffgramClient, directory_id: int) -> Iterator[File]:
    """Yield the root files of a dataset with their instances, in no order.

    The server promises none, so that a file may be missing, or come twice, where pages move meanwhile.
    """
    page: int | None = 1
    while page is not None:
        listing = client.send(
            routes.explore_files(client.project, directory_id, page=page, limit=EXPLORER_PAGE)
        )
        yield from listing.file_list
        page = listing.next_page if listing.file_list else None


def contents(
    client: DiffgramClient, wanted: Sequence[tuple[int, str]], directory_id: int | None
) -> Iterator[tuple[StoredFile, File]]:
    """Read root files with their annotations; those that were removed meanwhile are left out.

    :param wanted: id and type of each.
    :param directory_id: their dataset; needed for videos.
    """
    for file in read_singly(client, (file_id for file_id, _ in wanted)):
        if not file.removed:
            yield content_of(client, file, directory_id), file


def content_of(client: DiffgramClient, file: File, directory_id: int | None) -> StoredFile:
    """Return what a root file holds; the frames of a video are asked for."""
    if file.type != "video":
        return stored_file(file)
    found = frames_of(client, file, directory_id)
    return stored_file(file, frames=found, frame_count=(file.video or {}).get("frame_count"))


def frames_of(client: DiffgramClient, file: File, directory_id: int | None) -> dict[int, list[Row]]:
    """Return what each frame of a video holds.

    :param directory_id: a dataset of the project.
    """
    frames = int((file.video or {}).get("frame_count") or 0) or MAX_FRAMES
    return client.run(instances_of_frames(client.project, file.id, directory_id or 0, range(frames)))
