"""What is in Diffgram already of what is to be sent."""

from __future__ import annotations

from collections.abc import Iterable

from ..client import DiffgramClient, routes
from ..models import File, Input, InputStatus, Packet

SEARCH_ONE_BY_ONE = 20
"""Up to so many names are searched singly; above, the dataset is listed, 1000 files a request."""


class Existing:
    """Files and pending inputs by name.

    :param client: of the project.
    :param directory_id: dataset.
    :param names: names of root files that are of interest.
    """

    def __init__(self, client: DiffgramClient, directory_id: int, names: set[str]) -> None:
        self._client = client
        self._directory_id = directory_id
        self._names = names
        self._files = root_files(client, directory_id, names)
        self._pending = self._pending_by_name(None) if names else {}
        self._children: dict[int, dict[tuple[str | None, int], File]] = {}
        self._pending_children: dict[int, dict[str | None, Input]] = {}

    def file(self, packet: Packet, name: str) -> File | None:
        """Return the file that the packet would make, if it is there."""
        parent = packet.parent_file_id
        if parent is None:
            return self._files.get(name)
        if parent not in self._children:
            children = self._client.send(routes.list_children(self._client.project, parent))
            self._children[parent] = children_by_place(children)
        return self._children[parent].get((name, packet.ordinal or 0))

    def pending(self, packet: Packet, name: str) -> Input | None:
        """Return the input that is about to make the packet's file, if one is."""
        parent = packet.parent_file_id
        if parent is None:
            return self._pending.get(name)
        if parent not in self._pending_children:
            self._pending_children[parent] = self._pending_by_name(parent)
        return self._pending_children[parent].get(name)

    def _pending_by_name(self, parent_file_id: int | None) -> dict[str | None, Input]:
        rows = self._client.send(
            routes.list_inputs(self._client.project, parent_file_id=parent_file_id, status="Processing")
        )
        found: dict[str | None, Input] = {}
        for row in rows:
            here = row.directory is None or row.directory.id == self._directory_id
            if here and row.batch_id is not None and row.status != InputStatus.BASE_OBJECT_CREATED:
                found[row.original_filename] = row
        return found


def _is(file: File, name: str) -> bool:
    return file.original_filename == name and not file.removed


def children_by_place(children: Iterable[File]) -> dict[tuple[str | None, int], File]:
    """Return children by (name, ordinal); of doubles the one with the lowest id."""
    found: dict[tuple[str | None, int], File] = {}
    for child in sorted(children, key=lambda child: child.id):
        found.setdefault((child.original_filename, child.ordinal or 0), child)
    return found


def files_named(client: DiffgramClient, directory_id: int, name: str) -> list[File]:
    """Return the root files of exactly that name, lowest id first."""
    found: dict[int, File] = {}
    page: int | None = 1
    while page is not None:
        listing = client.send(routes.list_files(client.project, directory_id, page=page, search_term=name))
        found.update({file.id: file for file in listing.file_list if _is(file, name)})
        page = listing.next_page
    return [found[file_id] for file_id in sorted(found)]


def root_files(client: DiffgramClient, directory_id: int, names: set[str]) -> dict[str | None, File]:
    """Return the root files of these names; of doubles the one with the lowest id."""
    if len(names) <= SEARCH_ONE_BY_ONE:
        found = [file for name in names for file in files_named(client, directory_id, name)]
    else:
        found = [file for file in _every_file(client, directory_id) if file.original_filename in names]
    newest_first = sorted(found, key=lambda file: -file.id)
    return {file.original_filename: file for file in newest_first if not file.removed}


def _every_file(client: DiffgramClient, directory_id: int) -> Iterable[File]:
    page: int | None = 1
    while page is not None:
        listing = client.send(routes.list_files(client.project, directory_id, page=page))
        yield from listing.file_list
        page = listing.next_page
