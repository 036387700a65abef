"""The annotations of one file: reading, writing and history (server.md 2.6, 10.3.6, 10.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...models.received import AnnotationUpdate, File, InstanceHistory
from ..request import Request
from .common import item, path_of


def list_annotations(project: str, file_id: int) -> Request[File]:
    """Read a file with its living instances, which prove that predictions are stored (server.md 2.6)."""
    path = path_of("/api/project/{p}/file/{id}/annotation/list", project, id=file_id)
    return Request(
        f"list annotations of file {file_id}", "POST", path, item(File, "file_serialized"), json={}
    )


def update_annotations(
    project: str, file_id: int, instances: Sequence[Mapping[str, Any]]
) -> Request[AnnotationUpdate]:
    """Write all annotations of a file at once (server.md 10.8). **What is not in the list is deleted.**

    The server recognises a row by its content, not by its id. So send back every row exactly as
    :func:`list_annotations` returned it (``label_file`` may be left out), or it is stored anew without its
    score, model and reference. A row with its id and ``soft_delete: true`` is deleted; one with its id and
    other content is edited; one without id is added, unless an equal one exists. ``model_ref`` and
    ``model_run_ref`` are ignored: give ``model_id`` and ``model_run_id``.

    The same list twice changes nothing, but would undo what a person saved in between, so this write is never
    repeated automatically. Compare :attr:`~.AnnotationUpdate.deleted_ids` with the rows to remove. A 503
    means that another write locks the file, an id is unknown, or the service is down; nothing was stored.
    After a 400, the rows before the wrong one are stored (server.md 10.8.2).

    :raises ValueError: if the list is empty, which the server ignores: delete rows one by one.
    """
    if not instances:
        raise ValueError(
            f"file {file_id}: an empty list changes nothing. Give back each row with soft_delete to delete it"
        )
    path = path_of("/api/project/{p}/file/{id}/annotation/update", project, id=file_id)
    body = {"instance_list": [dict(each) for each in instances], "and_complete": False}
    return Request(
        f"update annotations of file {file_id}",
        "POST",
        path,
        AnnotationUpdate.model_validate,
        json=body,
        write=True,
        edits_rows=True,
    )


def view_history(project: str, instance_id: int) -> Request[InstanceHistory]:
    """Read all versions of an instance, including deleted ones (server.md 10.3.6)."""
    path = path_of("/api/v1/project/{p}/instance/{id}/history", project, id=instance_id)
    return Request(
        f"view history of instance {instance_id}",
        "POST",
        path,
        InstanceHistory.model_validate,
        json={},
        if_absent="'NoneType' object",
    )
