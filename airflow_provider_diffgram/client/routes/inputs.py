"""Packets, the inputs that they become, and batches of them (server.md 2.7, 2.10 to 2.14)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...models.problems import named
from ...models.received import Input, InputBatch, InputRow, PacketReply
from ..request import Request
from .common import PAGE, given, item, items, path_of, whatever

StatusFilter = Literal["All", "Success", "Failed", "Processing", "Base_Object_Created", "Init"]

_PACKET = "/api/walrus/v1/project/{p}/input/packet"
_DOCUMENTED_PACKET = "/api/v1/walrus/project/{p}/input/packet"
_PACKET_LIMIT = "input/packet"


def send_packet(project: str, body: dict[str, Any], name: str) -> Request[PacketReply]:
    """Enqueue one packet (server.md 2.7)."""
    return Request(
        f"send packet {name}",
        "POST",
        path_of(_PACKET, project),
        PacketReply.model_validate,
        json=body,
        write=True,
        limit=_PACKET_LIMIT,
        documented_path=path_of(_DOCUMENTED_PACKET, project),
    )


def probe_write(project: str) -> Request[Any]:
    """Send an empty packet, always refused: 403 if the role may not write, otherwise 400 (server.md 1.2)."""
    return Request(
        "prove write permission",
        "POST",
        path_of(_PACKET, project),
        whatever,
        json={},
        limit=_PACKET_LIMIT,
        documented_path=path_of(_DOCUMENTED_PACKET, project),
    )


def create_batch(project: str) -> Request[InputBatch]:
    """Open an input batch (server.md 2.10). A second one does no harm, so it may be sent again."""
    path = path_of("/api/v1/project/{p}/input-batch/new", project)
    return Request("open an input batch", "POST", path, item(InputBatch, "input_batch"), json={})


def list_inputs(
    project: str,
    *,
    batch_id: int | None = None,
    parent_file_id: int | None = None,
    file_id: int | None = None,
    status: StatusFilter = "All",
    media_type: str | None = None,
    show_archived: bool = False,
    show_deferred: bool | None = None,
    limit: int = PAGE,
) -> Request[list[Input]]:
    """List inputs, newest first, at most 1000 (server.md 2.12).

    Children appear only if their parent is given (quirk 12).

    :param show_deferred: False leaves out what still waits in the queue.
    """
    path = path_of("/api/walrus/v1/project/{p}/input/view/list", project)
    filters = given(
        batch_id=batch_id,
        parent_file_id=parent_file_id,
        file_id=file_id,
        media_type=media_type,
        show_deferred=show_deferred,
    )
    body = {"limit": limit, "status_filter": status, "show_archived": show_archived, **filters}
    return Request("list inputs", "POST", path, items(Input, "input_list"), json=body)


def list_rows(
    project: str,
    *,
    batch_id: int | None = None,
    parent_file_id: int | None = None,
    status: StatusFilter = "All",
    show_archived: bool = False,
    show_deferred: bool | None = None,
    limit: int = PAGE,
) -> Request[list[InputRow]]:
    """List inputs like :func:`list_inputs`, but read only what a wait needs, for thousands of inputs."""
    listed = list_inputs(
        project,
        batch_id=batch_id,
        parent_file_id=parent_file_id,
        status=status,
        show_archived=show_archived,
        show_deferred=show_deferred,
        limit=limit,
    )
    return Request("list inputs", "POST", listed.path, _rows, json=listed.json)


def _rows(body: Any) -> list[InputRow]:
    return [InputRow.of(row) for row in body["input_list"]]


def view_row(project: str, input_id: int) -> Request[InputRow]:
    """Read one input (server.md 2.11), like :func:`list_rows`."""
    viewed = view_input(project, input_id)
    return Request(viewed.what, "POST", viewed.path, lambda body: InputRow.of(body["input"]), json={})


def view_input(project: str, input_id: int) -> Request[Input]:
    """Read one input (server.md 2.11)."""
    path = path_of("/api/walrus/v1/project/{p}/input/view/{id}", project, id=input_id)
    return Request(f"view input {input_id}", "POST", path, item(Input, "input"), json={})


def update_inputs(project: str, input_ids: Sequence[int], mode: Literal["RETRY", "ARCHIVE"]) -> Request[Any]:
    """Retry or archive inputs (server.md 2.14)."""
    path = path_of("/api/walrus/v1/project/{p}/input/update", project)
    body = {"id_list": list(input_ids), "mode": mode}
    return Request(
        f"{mode.lower()} {named('input', list(input_ids))}", "POST", path, whatever, json=body, write=True
    )
