"""Uploads of media: whole, or in chunks (server.md 2.8, 2.9)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from pydantic import TypeAdapter

from ...models.received import UploadReply
from ..request import Request, Upload
from ..upload_body import slice_opener
from .common import given, path_of

MIB = 2**20
MIN_CHUNK = 5 * MIB
"""Object storage such as S3 accepts no smaller part except the last, in bytes (quirk 23)."""

MAX_CHUNK = 128 * MIB
"""About half of what a server accepts in one request, in bytes (server.md 1.4)."""

MAX_LARGE_UPLOAD = 5 * 1024 * MIB
"""The server marks the input of a larger file as failed, in bytes (server.md 2.9)."""

_TRUE: TypeAdapter[Literal[True]] = TypeAdapter(Literal[True])


def upload_local(project: str, upload: Upload, body: dict[str, Any]) -> Request[UploadReply]:
    """Upload one file with its instances; the server ingests it before it answers (server.md 2.8)."""
    path = path_of("/api/walrus/v1/project/{p}/input/from_local", project)
    form = {"json": json.dumps(body, allow_nan=False)}
    sent = replace(upload, form=form)
    return Request(
        f"upload {upload.filename!r}", "POST", path, UploadReply.model_validate, upload=sent, write=True
    )


def upload_large(
    project: str,
    upload: Upload,
    *,
    directory_id: int,
    upload_id: str,
    chunk_size: int = 16 * MIB,
    batch_id: int | None = None,
    video_split_duration: int | None = None,
) -> list[Request[bool]]:
    """Upload one file in chunks: send the requests in order, one after another (server.md 2.9).

    The answers contain no id, and report success even for a failed row: find the input by its batch. The
    first chunk creates the row, so it must not be sent twice.

    :param upload_id: a text of your own, unique for this file.
    :raises ValueError: if the size of the file or of the chunks is out of bounds.
    """
    if not MIN_CHUNK <= chunk_size <= MAX_CHUNK:
        raise ValueError(f"chunk_size {chunk_size}: must be {MIN_CHUNK} to {MAX_CHUNK} bytes")
    if not 0 < upload.size <= MAX_LARGE_UPLOAD:
        raise ValueError(f"{upload.filename!r} has {upload.size} bytes: must be 1 to {MAX_LARGE_UPLOAD}")
    path = path_of("/api/walrus/project/{p}/upload/large", project)
    offsets = range(0, upload.size, chunk_size)
    fields = given(
        dzuuid=upload_id,
        dztotalchunkcount=len(offsets),
        dztotalfilesize=upload.size,
        dzchunksize=chunk_size,
        directory_id=directory_id,
        source="from_resumable",
        input_batch_id=batch_id,
        video_split_duration=video_split_duration,
    )
    return [
        Request(
            f"upload {upload.filename!r}, chunk {index + 1} of {len(offsets)}",
            "POST",
            path,
            _succeeded,
            upload=_chunk(upload, {**fields, "dzchunkindex": index, "dzchunkbyteoffset": offset}),
            write=True,
            limit="upload/large",
        )
        for index, offset in enumerate(offsets)
    ]


def _succeeded(body: Any) -> bool:
    return _TRUE.validate_python(body["success"])


def _chunk(upload: Upload, fields: dict[str, Any]) -> Upload:
    offset = fields["dzchunkbyteoffset"]
    length = min(fields["dzchunksize"], upload.size - offset)
    return replace(
        upload,
        size=length,
        open=slice_opener(upload.open, offset, length),
        form={key: str(value) for key, value in fields.items()},
    )
