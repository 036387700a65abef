"""What the frames of a video hold, which only an endpoint of its own shows (server.md 5.6, quirk 54)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ...client import routes
from ...client.request import Steps, ask_together

_WINDOW = routes.MAX_BUFFER - 1


def instances_of_frames(
    project: str, file_id: int, directory_id: int, frames: Collection[int]
) -> Steps[dict[int, list[dict[str, Any]]]]:
    """Return the instances of ``frames``, by frame number."""
    buffers = yield from ask_together(
        routes.list_frame_instances(project, file_id, directory_id, start, end)
        for start, end in _windows(sorted(frames))
    )
    return {frame: instances for buffer in buffers for frame, instances in buffer.items() if frame in frames}


def _windows(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Return ranges that cover all ``frames``, each short enough for one request."""
    windows: list[tuple[int, int]] = []
    for frame in frames:
        if windows and frame < windows[-1][0] + _WINDOW:
            windows[-1] = windows[-1][0], frame + 1
        else:
            windows.append((frame, frame + 1))
    return windows
