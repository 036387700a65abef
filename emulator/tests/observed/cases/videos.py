"""Videos."""

from __future__ import annotations

from typing import Any

from world import World, until

from .common import Pair, Ready, case, final, wanted


def _video(world: World, name: str, frames: dict[str, Any], **body: Any) -> dict[str, Any]:
    media = {"url": f"{world.media.url}/v.mp4", "type": "video"}
    return world.ingested(original_filename=name, media=media, frame_packet_map=frames, **body)


def _frames(world: World, frames: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [
            {
                name: value
                for name, value in {**one, "label_file_id": world.labels[one["label_file_id"] - 1]}.items()
                if name != "sequence_id"
            }
            for one in units
        ]
        for key, units in frames.items()
    }


@case("packet_video__input_view_final", "probe_video_bad_frame__input_view_final")
def video_row(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    batch = world.new_batch() if seen["batch_id"] else None
    frames = _frames(world, seen["frame_packet_map"])
    row = _video(world, seen["original_filename"], frames, batch_id=batch)
    until(lambda: world.row(row["id"])["status"] == "success", "the last frame")
    return final(world, row["id"])


@case("probe_video_instance_buffer")
def video_buffer(world: World, pair: Pair) -> Ready:
    kept = ("type", "label_file_id", "x_min", "y_min", "x_max", "y_max", "number")
    seen = pair["response"]["body"]["instance_buffer_dict"]
    frames = {
        key: [{name: one[name] for name in kept} for one in units] for key, units in seen.items() if units
    }
    row = _video(world, "v.mp4", _frames(world, frames))
    return Ready(f"/api/project/{{p}}/video/{row['file_id']}/instance/buffer/start/0/end/60/list")
