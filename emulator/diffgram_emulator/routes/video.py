"""Instances of videos (server.md 5.6)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..auth import READERS
from ..call import Call, endpoint
from ..errors import ServerCrash, bad_request
from ..files import find_file
from ..instance_view import live_instances
from ..media import frame_path
from ..signing import BUCKET, signed_url
from ..validation import INT32_MAX, Field, database_id, is_int

MOST_FRAMES = 1000
MOST_PICTURES = 100


@endpoint(
    "POST", "/api/project/{project}/video/{video}/instance/buffer/start/{start}/end/{end}/list", READERS
)
def instance_buffer(call: Call) -> Any:
    """Return instances by frame: from one frame before the start up to, not including, the end.

    The end comes along if it holds instances. 0 to 0 means all frames with instances (server.md 10.1).
    """
    call.json()
    video_id = database_id(call.params["video"])
    start, end = database_id(call.params["start"]), database_id(call.params["end"])
    first = max(0, start - 1)
    last = min(end, first + MOST_FRAMES)
    buffer: dict[str, list[Any]] = {str(number): [] for number in range(first, last)}
    if start == end == 0:
        last = INT32_MAX
    frames = call.store.all(
        "SELECT id, frame_number FROM file WHERE video_parent_file_id = ? AND project_id = ?"
        " AND frame_number >= ? AND frame_number <= ?",
        video_id,
        call.project.id,
        first,
        last,
    )
    for frame in frames:
        units = live_instances(call.store, frame["id"])
        if units:
            buffer[str(frame["frame_number"])] = units
    return {"instance_buffer_dict": buffer, "success": True}


@endpoint("GET", "/api/project/{project}/video/single/{video}/sequence/list", READERS)
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


@endpoint("POST", "/api/project/{project}/video/single/{video}/frame-list/", READERS)
def frame_list(call: Call) -> Any:
    """Return a signed URL per frame asked for; beyond the end of the video it answers 403."""
    numbers = call.fields(Field("frame_list", "list", required=True))["frame_list"]
    if not all(is_int(number) for number in numbers):
        raise bad_request({"frame_list": "Must be a list of integers"})
    file = find_file(call.store, database_id(call.params["video"]))
    if file is None or file["project_id"] != call.project.id or file["type"] != "video":
        raise ServerCrash("'NoneType' object has no attribute 'video'")
    video = call.store.one("SELECT * FROM media WHERE id = ?", file["media_id"])
    assert video is not None

    def url(number: int) -> str:
        return signed_url(call.store.signing_key, call.base_url, BUCKET, frame_path(video, number))

    return {"url_list": [{"frame_number": number, "url": url(number)} for number in numbers[:MOST_PICTURES]]}
