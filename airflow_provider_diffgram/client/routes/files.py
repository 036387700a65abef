"""Files and compound files (server.md 2.4 to 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from ...models.received import Existence, File, FileIdPage, FilePage, FileStat
from ..request import Request
from .common import PAGE, given, item, items, path_of

IDS_PAGE = 25_000
"""Most ids of a listing (server.md 2.6)."""

P = TypeVar("P", FilePage, FileIdPage)


def create_compound(
    project: str, directory_id: int, name: str, file_type: str, instances: Sequence[dict[str, Any]]
) -> Request[File]:
    """Create the parent of a compound file (server.md 2.4)."""
    path = path_of("/api/v1/project/{p}/file/new-compound", project)
    body = {"name": name, "directory_id": directory_id, "type": file_type, "instance_list": list(instances)}
    return Request(f"create compound file {name!r}", "POST", path, item(File, "file"), json=body, write=True)


def list_children(project: str, parent_file_id: int, *, with_instances: bool = False) -> Request[list[File]]:
    """List the living children of a compound file, in no order (server.md 2.5)."""
    path = path_of("/api/v1/project/{p}/file/{id}/child-files", project, id=parent_file_id)
    return Request(
        f"list children of file {parent_file_id}",
        "GET",
        path,
        items(File, "child_files"),
        params={"with_instances": "True"} if with_instances else {},  # any text would mean yes
    )


def view_file(project: str, file_id: int) -> Request[File]:
    """Read a file, a removed one too (server.md 2.6)."""
    body = {"file_id": file_id, "project_string_id": project}
    return Request(f"view file {file_id}", "POST", "/api/v1/file/view", item(File, "file"), json=body)


def list_annotations(project: str, file_id: int) -> Request[File]:
    """Read a file with its living instances: the proof that predictions are stored (server.md 2.6)."""
    path = path_of("/api/project/{p}/file/{id}/annotation/list", project, id=file_id)
    return Request(
        f"list annotations of file {file_id}", "POST", path, item(File, "file_serialized"), json={}
    )


def update_metadata(
    project: str,
    file_id: int,
    *,
    ordinal: int | None = None,
    rotation_degrees: Literal[0, 90, 180, 270] | None = None,
) -> Request[File]:
    """Set the place of a child, or the rotation of an image; what is not given stays (server.md 2.6)."""
    path = path_of("/api/v1/project/{p}/file/{id}/update-metadata", project, id=file_id)
    return Request(
        f"update metadata of file {file_id}",
        "PUT",
        path,
        item(File, "file"),
        json=given(ordinal=ordinal, rotation_degrees=rotation_degrees),
        write=True,
    )


def files_exist(
    project: str, files: Sequence[int | str], directory_id: int | None = None
) -> Request[Existence]:
    """Ask which of ``files``, ids or names, are missing. It proves absence, not presence (server.md 2.6)."""
    if not files:
        raise ValueError("name at least one file: the server refuses an empty list")
    path = path_of("/api/v1/project/{p}/file/exists", project)
    body = {"file_id_list": list(files), **given(directory_id=directory_id)}
    return Request("ask whether files exist", "POST", path, item(Existence, "result"), json=body)


def _listing(mode: str, directory_id: int, limit: int, page: int, **filters: Any) -> dict[str, Any]:
    metadata = {
        "directory_id": directory_id,
        "file_view_mode": mode,
        "limit": limit,
        "page": page,
        "regen_url": False,
    }
    return {"metadata": metadata | given(**filters)}


def _page(model: type[P], number: int) -> Callable[[Any], P]:
    """Return what reads a page, and refuses one that would lead round in a circle."""

    def read(answer: Any) -> P:
        page = model.model_validate(answer)
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
    media_type: str | None = None,
    with_children: bool | None = None,
    limit: int = PAGE,
) -> Request[FilePage]:
    """List files of a dataset, newest first, with their instance counters (server.md 2.6).

    :param search_term: part of the name, in whatever case.
    :param with_children: list children of compound files too; their parents are not told.
    """
    path = path_of("/api/project/{p}/user/any/file/list", project)
    filters = {"search_term": search_term, "media_type": media_type, "with_children_files": with_children}
    return Request(
        f"list files of dataset {directory_id}",
        "POST",
        path,
        _page(FilePage, page),
        json=_listing("base", directory_id, limit, page, **filters),
    )


def list_file_ids(
    project: str, directory_id: int, *, page: int = 1, search_term: str | None = None
) -> Request[FileIdPage]:
    """List ids of a dataset's files, newest first, up to 25000 at once (server.md 2.6)."""
    path = path_of("/api/project/{p}/user/any/file/list", project)
    return Request(
        f"list file ids of dataset {directory_id}",
        "POST",
        path,
        _page(FileIdPage, page),
        json=_listing("ids_only", directory_id, IDS_PAGE, page, search_term=search_term),
    )


def explore_files(
    project: str, directory_id: int, *, where: str | None = None, page: int = 1, limit: int = PAGE
) -> Request[FilePage]:
    """List root files of a dataset with all their instances (server.md 2.6).

    The dataset stands in the query, since the server ignores it elsewhere here (quirk 60).

    :param where: further conditions, such as ``labels.cat >= 4``, joined by ``and`` or ``or``.
    """
    path = path_of("/api/project/{p}/user/any/file/list", project)
    query = f"dataset.id = {directory_id}" + (f" and {where}" if where else "")
    return Request(
        f"list instances of dataset {directory_id}",
        "POST",
        path,
        _page(FilePage, page),
        json=_listing("explorer", directory_id, limit, page, query=query),
    )


def file_stats(project: str, file_id: int) -> Request[list[FileStat]]:
    """Count a file's instances by label (server.md 2.6). Empty for a video; 500 if an attribute is a time."""
    path = path_of("/api/v1/project/{p}/file/{id}/file-stats", project, id=file_id)
    return Request(f"count instances of file {file_id}", "GET", path, items(FileStat, "file_stats"))
