"""Files and compound files (server.md 2.4 to 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...models.received import File, FilePage
from ..request import Request
from .common import PAGE, given, item, items, path_of


def create_compound(
    project: str, directory_id: int, name: str, file_type: str, instances: Sequence[dict[str, Any]]
) -> Request[File]:
    """Create the parent of a compound file (server.md 2.4)."""
    path = path_of("/api/v1/project/{p}/file/new-compound", project)
    body = {"name": name, "directory_id": directory_id, "type": file_type, "instance_list": list(instances)}
    return Request(f"create compound file {name!r}", "POST", path, item(File, "file"), json=body, write=True)


def list_children(project: str, parent_file_id: int, *, with_instances: bool = False) -> Request[list[File]]:
    """List the living children of a compound file, unordered (server.md 2.5)."""
    path = path_of("/api/v1/project/{p}/file/{id}/child-files", project, id=parent_file_id)
    return Request(
        f"list children of file {parent_file_id}",
        "GET",
        path,
        items(File, "child_files"),
        params={"with_instances": "True"} if with_instances else {},  # any text would mean yes
    )


def view_file(project: str, file_id: int) -> Request[File]:
    """Read a file, even a removed one (server.md 2.6)."""
    body = {"file_id": file_id, "project_string_id": project}
    return Request(f"view file {file_id}", "POST", "/api/v1/file/view", item(File, "file"), json=body)


def update_metadata(project: str, file_id: int, *, ordinal: int) -> Request[File]:
    """Set the ordinal of a child (server.md 2.6)."""
    path = path_of("/api/v1/project/{p}/file/{id}/update-metadata", project, id=file_id)
    return Request(
        f"update metadata of file {file_id}",
        "PUT",
        path,
        item(File, "file"),
        json={"ordinal": ordinal},
        write=True,
    )


def _listing(mode: str, directory_id: int, limit: int, page: int, **filters: Any) -> dict[str, Any]:
    metadata = {
        "directory_id": directory_id,
        "file_view_mode": mode,
        "limit": limit,
        "page": page,
        "regen_url": False,
    }
    return {"metadata": metadata | given(**filters)}


def _page(number: int) -> Callable[[Any], FilePage]:
    """Return a reader for a page, which refuses one whose next page is not a later one."""

    def read(answer: Any) -> FilePage:
        page = FilePage.model_validate(answer)
        if page.next_page is not None and page.next_page <= number:
            raise ValueError(f"page {number} names page {page.next_page} as the next")
        return page

    return read


def list_files(
    project: str,
    directory_id: int,
    *,
    page: int = 1,
    search_term: str | None = None,
    limit: int = PAGE,
) -> Request[FilePage]:
    """List files of a dataset, newest first, with their instance counters (server.md 2.6).

    ``time_last_updated`` of a file differs after each write to it, and after nothing else (server.md 10.3.5).
    Compare it for inequality with what was read before: the server takes the time before it commits.

    :param search_term: part of the name, in upper or lower case.
    """
    path = path_of("/api/project/{p}/user/any/file/list", project)
    return Request(
        f"list files of dataset {directory_id}",
        "POST",
        path,
        _page(page),
        json=_listing("base", directory_id, limit, page, search_term=search_term),
    )


def explore_files(project: str, directory_id: int, *, page: int = 1, limit: int = PAGE) -> Request[FilePage]:
    """List root files of a dataset with all their instances, unordered (server.md 2.6, 10.6).

    The dataset is in the query, because the server ignores it elsewhere here (quirk 60).
    """
    path = path_of("/api/project/{p}/user/any/file/list", project)
    return Request(
        f"list instances of dataset {directory_id}",
        "POST",
        path,
        _page(page),
        json=_listing("explorer", directory_id, limit, page, query=f"dataset.id = {directory_id}"),
    )
