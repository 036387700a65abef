"""Input batches and the predictions that travel in them (server.md 2.10)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from ...models.received import InputBatch
from ..request import Request, Upload
from .common import item, path_of

DATA_CHUNK = 5 * 2**20
"""Bytes of pre-labeled data that travel in one request."""

_URL: TypeAdapter[str | None] = TypeAdapter(str | None)


def create_batch(
    project: str, pre_labeled_data: Mapping[str, Mapping[str, Any]] | None = None
) -> Request[InputBatch]:
    """Open an input batch (server.md 2.10). One more does no harm, so it may be sent again.

    :param pre_labeled_data: name of a file -> ``instance_list`` and ``frame_packet_map``, both of them, each
        instance with the ``name`` of its label. Applied to large uploads only, not to packets.
    """
    path = path_of("/api/v1/project/{p}/input-batch/new", project)
    body = {} if pre_labeled_data is None else {"pre_labeled_data": dict(pre_labeled_data)}
    return Request("open an input batch", "POST", path, item(InputBatch, "input_batch"), json=body)


def view_batch(project: str, batch_id: int) -> Request[InputBatch]:
    """Read an input batch. Its status is no sign of the end (quirk 16): list its inputs."""
    path = path_of("/api/v1/project/{p}/input-batch/{id}", project, id=batch_id)
    return Request(f"view input batch {batch_id}", "POST", path, item(InputBatch, "input_batch"), json={})


def append_data(
    project: str, batch_id: int, pre_labeled_data: Mapping[str, Mapping[str, Any]], chunk: int = DATA_CHUNK
) -> list[Request[str | None]]:
    """Add pre-labeled data to a batch: send the requests in order (server.md 2.10).

    The server loads them in the background: view the batch until it says so. The last answer is a signed
    URL, a secret.
    """
    path = path_of("/api/v1/project/{p}/input-batch/{id}/append-data", project, id=batch_id)
    document = json.dumps(pre_labeled_data, allow_nan=False).encode()
    pieces = [document[offset : offset + chunk] for offset in range(0, len(document), chunk)]
    return [
        Request(
            f"append data to input batch {batch_id}, part {index + 1} of {len(pieces)}",
            "POST",
            path,
            lambda body: _URL.validate_python(body["input_batch"]),
            headers={
                "Content-Range": f"bytes {index * chunk}-{index * chunk + len(piece) - 1}/{len(document)}",
                "Content-Range-Index": str(index),
                "Content-Range-Total-Chunks": str(len(pieces)),
            },
            upload=Upload("pre_labeled_data.json", len(piece), _opener(piece)),
            write=True,
        )
        for index, piece in enumerate(pieces)
    ]


def _opener(piece: bytes) -> Any:
    def open_piece() -> BinaryIO:
        return io.BytesIO(piece)

    return open_piece
