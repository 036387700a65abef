"""The root files of a dataset (wire contract 2.6)."""

from __future__ import annotations

from collections.abc import Iterable

from ...client import DiffgramClient, routes
from ...models import File

SEARCH_ONE_BY_ONE = 3
"""Up to so many names are searched singly; above, the dataset is listed, 1000 files a request."""


def files_named(client: DiffgramClient, directory_id: int, name: str) -> list[File]:
    """Return the root files of exactly that name, lowest id first."""
    found: dict[int, File] = {}
    page: int | None = 1
    while page is not None:
        listing = client.send(routes.list_files(client.project, directory_id, page=page, search_term=name))
        found.update({file.id: file for file in listing.file_list if file.original_filename == name})
        page = listing.next_page
    return [found[file_id] for file_id in sorted(found) if not found[file_id].removed]


def root_files(client: DiffgramClient, directory_id: int, names: Iterable[str] | None) -> Iterable[File]:
    """Yield the root files that were not removed.

    :param names: those of interest, searched one by one; None for all.
    """
    if names is None:
        listed: Iterable[File] = _every_file(client, directory_id)
    else:
        listed = (file for name in names for file in files_named(client, directory_id, name))
    return (file for file in listed if not file.removed)


def _every_file(client: DiffgramClient, directory_id: int) -> Iterable[File]:
    page: int | None = 1
    while page is not None:
        listing = client.send(routes.list_files(client.project, directory_id, page=page))
        yield from listing.file_list
        page = listing.next_page
