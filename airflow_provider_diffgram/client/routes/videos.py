"""The stored instances of a video (server.md 5.6); the lists of other files are empty for it (quirk 54)."""

from __future__ import annotations

from typing import Any

from ...models.received import InstanceBuffer
from ..request import Request
from .common import path_of

MAX_BUFFER = 1000
"""Most frames in one request."""


def list_frame_instances(
    project: str, file_id: int, directory_id: int, start: int, end: int
) -> Request[dict[int, list[dict[str, Any]]]]:
    """List instances by frame, from ``start`` to before ``end``; one frame before ``start`` may come, too."""
    if not 0 <= start < end <= start + MAX_BUFFER - 1:
        raise ValueError(f"frames {start} to {end}: ask for 1 to {MAX_BUFFER - 1} frames at once, from 0 on")
    path = path_of(
        "/api/project/{p}/video/{id}/instance/buffer/start/{start}/end/{end}/list",
        project,
        id=file_id,
        start=start,
        end=end,
    )
    return Request(
        f"list instances of video {file_id}",
        "POST",
        path,
        lambda body: InstanceBuffer.model_validate(body).frames,
        json={"directory_id": directory_id},
    )
