"""Finds files on the server, with the counter that proves predictions (server.md 2.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

from ...client import (
    CredentialError,
    DiffgramClient,
    RefusedError,
    ServerFaultError,
    WrongAddressError,
    routes,
)
from ...client.request import Steps, ask
from ...models import File

T = TypeVar("T")

SEARCH_ONE_BY_ONE = 3
"""Up to this many names are searched one by one; for more, the dataset is listed, 1000 files per request."""


def files_named(client: DiffgramClient, directory_id: int, name: str) -> list[File]:
    """Return the root files with exactly this name, lowest id first."""
    found = {
        file.id: file
        for file in _every_file(client, directory_id, name)
        if file.original_filename == name and not file.removed
    }
    return [found[file_id] for file_id in sorted(found)]


def root_files(client: DiffgramClient, directory_id: int, names: Iterable[str] | None) -> Iterable[File]:
    """Yield the root files that are not removed.

    :param names: names to search for, one by one; None for all files.
    """
    if names is None:
        listed: Iterable[File] = _every_file(client, directory_id)
    else:
        listed = (file for name in names for file in files_named(client, directory_id, name))
    return (file for file in listed if not file.removed)


def _every_file(client: DiffgramClient, directory_id: int, search_term: str | None = None) -> Iterator[File]:
    """Yield the files of all pages, each once: a file added meanwhile shifts the others to a later page."""
    seen: set[int] = set()
    page: int | None = 1
    while page is not None:
        listing = client.send(
            routes.list_files(client.project, directory_id, page=page, search_term=search_term)
        )
        yield from (file for file in listing.file_list if file.id not in seen)
        seen.update(file.id for file in listing.file_list)
        page = listing.next_page


def children_by_place(children: Iterable[File]) -> dict[tuple[str, int], list[File]]:
    """Group children by (name, ordinal)."""
    found: dict[tuple[str, int], list[File]] = {}
    for child in children:
        found.setdefault((child.original_filename or "", child.ordinal or 0), []).append(child)
    return found


def settle_seconds(instances: int) -> float:
    """Return for how many seconds a success may still lack its instances: 5 + 0.1 each (server.md 3.2)."""
    return 5.0 + 0.1 * instances


def read_files(
    project: str, directory_id: int, file_ids: Collection[int], parent_file_id: int | None = None
) -> Steps[dict[int, File]]:
    """Return files with their counters, by id: one request per 1000 files, or one per parent.

    :param directory_id: dataset of the root files.
    :param file_ids: files to read; the result leaves out those that were removed.
    :param parent_file_id: compound file whose children they are.
    """
    if parent_file_id is not None:
        children = yield from ask(routes.list_children(project, parent_file_id))
        return {child.id: child for child in children if child.id in file_ids}
    found: dict[int, File] = {}
    oldest = min(file_ids, default=0)
    page: int | None = 1
    while page is not None and len(found) < len(file_ids):
        listing = yield from ask(routes.list_files(project, directory_id, page=page))
        found.update({file.id: file for file in listing.file_list if file.id in file_ids})
        passed = any(file.id < oldest for file in listing.file_list)  # newest first
        page = None if passed or not listing.file_list else listing.next_page
    return found


def find_file(project: str, file_id: int) -> Steps[File | None]:
    """Return a file, even a removed one; None if it does not exist.

    For an unknown id this endpoint answers with a server fault, but the list of annotations with a refusal
    (server.md 2.6). So the second request tells an unknown id from a server in trouble.
    """
    try:
        return (yield from _unless_refused(ask(routes.view_file(project, file_id))))
    except ServerFaultError:
        return (yield from _unless_refused(ask(routes.list_annotations(project, file_id))))


def find_with_children(project: str, file_id: int) -> Steps[tuple[File, list[File]] | None]:
    """Return a file of this project and its living children; None if the project has no file with that id.

    The endpoint that lists children refuses files of other projects (server.md 2.5).
    """
    file = yield from find_file(project, file_id)
    if file is None:
        return None
    children = yield from _unless_refused(ask(routes.list_children(project, file_id)))
    return None if children is None else (file, children)


def _unless_refused(steps: Steps[T]) -> Steps[T | None]:
    try:
        return (yield from steps)
    except (CredentialError, WrongAddressError):
        raise
    except RefusedError:
        return None
