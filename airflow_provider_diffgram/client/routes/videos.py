"""What is stored for a video (server.md 5.6): the lists of other files are empty for it (quirk 54)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...models.received import FrameUrl, InstanceBuffer, Track
from ..request import Request
from .common import items, path_of

MAX_BUFFER = 1000
"""Most frames of one buffer."""

MAX_FRAME_URLS = 100
"""Most frames of one list of pictures."""


def list_frame_instances(
    project: str, file_id: int, directory_id: int, start: int, end: int
) -> Request[dict[int, list[dict[str, Any]]]]:
    """List instances by frame, ``start`` included, ``end`` not; one frame before ``start`` may come too."""
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


def list_tracks(project: str, file_id: int) -> Request[list[Track]]:
    """List the tracks of a video. No proof of what is stored: label and last frame are missing."""
    path = path_of("/api/project/{p}/video/single/{id}/sequence/list", project, id=file_id)
    return Request(f"list tracks of video {file_id}", "GET", path, items(Track, "sequence_list"))


def list_frame_urls(project: str, file_id: int, frames: Sequence[int]) -> Request[list[FrameUrl]]:
    """List URLs of the pictures of frames, valid for some hours."""
    if not 1 <= len(frames) <= MAX_FRAME_URLS:
        raise ValueError(f"ask for 1 to {MAX_FRAME_URLS} frames at once, not {len(frames)}")
    path = path_of("/api/project/{p}/video/single/{id}/frame-list/", project, id=file_id)
    return Request(
        f"list frames of video {file_id}",
        "POST",
        path,
        items(FrameUrl, "url_list"),
        json={"frame_list": list(frames)},
    )
