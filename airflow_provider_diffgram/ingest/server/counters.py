"""``count_instances_changed``, the cheap proof that predictions are stored (wire contract 2.6)."""

from __future__ import annotations

from collections.abc import Collection

from ...client import routes
from ...client.request import Steps, ask
from ...models import File


def settle_seconds(instances: int) -> float:
    """Return how long a success may still lack its instances: 5 s + 0.1 s for each (wire contract 3.2)."""
    return 5.0 + 0.1 * instances


def read_files(
    project: str, directory_id: int, file_ids: Collection[int], parent_file_id: int | None = None
) -> Steps[dict[int, File]]:
    """Read files with their counters: one request per 1000 files, or one per parent.

    :param directory_id: dataset of root files.
    :param file_ids: the files wanted; those that were removed are left out of the answer.
    :param parent_file_id: compound file that they are children of.
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
