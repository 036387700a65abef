"""Instances of videos (wire contract, 5.6)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..call import Call, endpoint
from ..instance_view import live_instances
from ..validation import database_id

MOST_FRAMES = 1000


@endpoint("POST", "/api/project/{project}/video/{video}/instance/buffer/start/{start}/end/{end}/list")
def instance_buffer(call: Call) -> Any:
    """Return instances by frame: from one frame before the start up to, not including, the end."""
    call.json()
    video_id = database_id(call.params["video"])
    start, end = database_id(call.params["start"]), database_id(call.params["end"])
    first = max(0, start - 1)
    last = max(first + 1, min(end, first + MOST_FRAMES))
    buffer: dict[str, list[Any]] = {str(number): [] for number in range(first, last)}
    frames = call.store.all(
        "SELECT id, frame_number FROM file WHERE video_parent_file_id = ? AND project_id = ?"
        " AND frame_number >= ? AND frame_number < ?",
        video_id,
        call.project.id,
        first,
        last,
    )
    for frame in frames:
        buffer[str(frame["frame_number"])] = live_instances(call.store, frame["id"])
    return {"instance_buffer_dict": buffer, "success": True}


@endpoint("GET", "/api/project/{project}/video/single/{video}/sequence/list")
def sequence_list(call: Call) -> Any:
    """Return the tracks of a video; ``label_file_id`` is null and the last key is lacking, as observed."""
    video_id = database_id(call.params["video"])
    keys = _keyframes(call, video_id)
    rows = call.store.all("SELECT * FROM sequence WHERE video_file_id = ? ORDER BY id", video_id)
    return {
        "sequence_list": [
            {
                "id": row["id"],
                "keyframe_list": {"frame_number_list": sorted(keys[row["id"]])[:-1]},
                "label_file_id": None,
                "number": row["number"],
            }
            for row in rows
        ]
    }


def _keyframes(call: Call, video_id: int) -> dict[int, set[int]]:
    """Return the frames of each track."""
    frames = call.store.all(
        "SELECT id, frame_number FROM file WHERE video_parent_file_id = ? AND project_id = ?",
        video_id,
        call.project.id,
    )
    keys: dict[int, set[int]] = defaultdict(set)
    for frame in frames:
        for instance in live_instances(call.store, frame["id"]):
            keys[instance["sequence_id"]].add(frame["frame_number"])
    return keys
