"""Exports (server.md 2.16)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter

from ...models.received import Export, ExportedDocument
from ..request import Request
from .common import given, item, items, path_of, whatever

_URL: TypeAdapter[str] = TypeAdapter(str)


def start_export(
    project: str,
    source: Literal["directory", "job", "task"],
    source_id: int,
    *,
    kind: Literal["Annotations", "TF Records"] = "Annotations",
    masks: bool = False,
    only_complete: bool | None = None,
) -> Request[Export]:
    """Start an export of a dataset, a job or a task; ask for its status until it is complete.

    :param only_complete: only files that people marked complete.
    """
    path = path_of("/api/walrus/project/{p}/export/to_file", project)
    body = {
        "kind": kind,
        "source": source,
        f"{source}_id": source_id,
        "file_comparison_mode": "latest",
        "masks": masks,
        **given(ann_is_complete=only_complete),
    }
    return Request(
        f"start an export of {source} {source_id}",
        "POST",
        path,
        item(Export, "export"),
        json=body,
        write=True,
    )


def view_export(project: str, export_id: int) -> Request[Export]:
    """Read how far an export is. A Viewer's credential may not (server.md 1.2)."""
    path = path_of("/api/walrus/project/{p}/export/{id}/status", project, id=export_id)
    return Request(f"view export {export_id}", "GET", path, item(Export, "export"))


def link_export(project: str, export_id: int, format: Literal["JSON", "YAML"] = "JSON") -> Request[str]:
    """Return the URL of a complete export's document: signed, so a secret, and valid for five minutes.

    What is found there is an :class:`~airflow_provider_diffgram.models.ExportedDocument`. It is not fetched
    with this client, which would show its credential to the storage.
    """
    path = path_of("/api/walrus/project/{p}/export/link", project)
    body = {"id": export_id, "format": format, "return_type": "url"}
    return Request(f"link export {export_id}", "POST", path, _URL.validate_python, json=body)


def read_export(project: str, export_id: int) -> Request[ExportedDocument]:
    """Return a complete export's document itself; servers with two buckets answer 500: use the link there."""
    path = path_of("/api/walrus/project/{p}/export/link", project)
    body = {"id": export_id, "format": "JSON", "return_type": "data"}
    return Request(f"read export {export_id}", "POST", path, ExportedDocument.model_validate, json=body)


def list_exports(project: str) -> Request[list[Export]]:
    """List exports of the project, newest first."""
    path = path_of("/api/walrus/project/{p}/export/working_dir/list", project)
    return Request("list exports", "GET", path, items(Export, "export_list"))


def archive_export(project: str, export_id: int) -> Request[Any]:
    """Archive an export."""
    path = path_of("/api/walrus/project/{p}/export/update", project)
    body = {"id": export_id, "mode": "ARCHIVE"}
    return Request(f"archive export {export_id}", "POST", path, whatever, json=body, write=True)
