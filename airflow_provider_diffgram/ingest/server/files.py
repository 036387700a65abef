"""The root files of a dataset (wire contract 2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...client import DiffgramClient, routes
from ...models import File

SEARCH_ONE_BY_ONE = 3
"""Up to so many names are searched singly; above, the dataset is listed, 1000 files a request."""


def files_named(client: DiffgramClient, directory_id: int, name: str) -> list[File]:
    """Return the root files of exactly that name, lowest id first."""
    found = {
        file.id: file
        for file in _every_file(client, directory_id, name)
        if file.original_filename == name and not file.removed
    }
    return [found[file_id] for file_id in sorted(found)]


def root_files(client: DiffgramClient, directory_id: int, names: Iterable[str] | None) -> Iterable[File]:
    """Yield the root files that were not removed.

    :param names: those of interest, searched one by one; None for all.
    """
    if names is None:
        listed: Iterable[File] = _every_file(client, directory_id)
    else:
        listed = (file for name in names for file in files_named(client, directory_id, name))
    return (file for file in listed if not file.removed)


def _every_file(client: DiffgramClient, directory_id: int, search_term: str | None = None) -> Iterator[File]:
    """Yield the files of all pages, each once: one that is added meanwhile moves the others on."""
    seen: set[int] = set()
    page: int | None = 1
    while page is not None:
        listing = client.send(
            routes.list_files(client.project, directory_id, page=page, search_term=search_term)
        )
        yield from (file for file in listing.file_list if file.id not in seen)
        seen.update(file.id for file in listing.file_list)
        page = listing.next_page
