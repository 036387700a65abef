"""Videos without decoding, and packets from storage connections (server.md 5.6, 2.7 and 2.15)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.contract.media_server import picture
from world import World, until


def video(world: World, frames: Any, name: str = "v.mp4", **body: Any) -> dict[str, Any]:
    media = {"url": f"{world.media.url}/v.mp4", "type": "video"}
    return world.ingested(original_filename=name, media=media, frame_packet_map=frames, **body)


def buffer(world: World, file_id: int, start: int, end: int) -> dict[str, Any]:
    path = f"/api/project/{{p}}/video/{file_id}/instance/buffer/start/{start}/end/{end}/list"
    found: dict[str, Any] = world.post(path).json()["instance_buffer_dict"]
    return found


def test_q54_annotations_of_a_video_are_in_the_buffer(world: World) -> None:
    row = video(world, {"0": [world.box()], "5": [world.box(), world.box(number=2, x_max=50)]})
    assert (row["status"], row["video_was_split"]) == ("success", False)
    assert world.instances(row["file_id"]) == []
    assert world.view(row["file_id"])["count_instances_changed"] is None
    found = buffer(world, row["file_id"], 0, 8)
    assert [len(found[str(frame)]) for frame in range(8)] == [1, 0, 0, 0, 0, 2, 0, 0]


def test_q52_a_bad_box_loses_its_frame_and_the_video_succeeds(world: World) -> None:
    input_id = video(world, {"0": [world.box()], "5": [world.box(x_max="a")], "6": [world.box()]})["id"]
    until(lambda: world.row(input_id)["status"] == "success", "success after failed")
    row = world.row(input_id)
    assert row["status_text"] == "See Update Log"
    assert row["update_log"]["error"] == {"Frame 5": {"x_max": "Must be an int"}}
    found = buffer(world, row["file_id"], 0, 7)
    assert [len(found[key]) for key in ("0", "5", "6")] == [1, 0, 1]


@pytest.mark.parametrize("frames", [[1], {"0": None}, {"0": 5}])
def test_a_map_of_another_form(world: World, frames: Any) -> None:
    row = video(world, frames)
    assert (row["status"], list(row["update_log"]["error"])) == ("failed", ["process_video"])
    assert world.state()["ingest_threads"] == 8


def test_q53_a_track_number_as_text_hangs_the_row(world: World) -> None:
    media = {"url": f"{world.media.url}/v.mp4", "type": "video"}
    frames = {"0": [world.box(number="3")]}
    stuck = world.accepted(original_filename="v.mp4", media=media, frame_packet_map=frames)
    until(lambda: world.row(stuck)["status"] == "loaded_video", "the row to hang")
    assert video(world, {}, "other.mp4")["status"] == "success"
    row = world.row(stuck)
    assert (row["status"], row["percent_complete"]) == ("loaded_video", 20)
    assert row["file_id"] is not None


def test_update_of_a_video(world: World) -> None:
    file_id = video(world, {"0": [world.box()]})["file_id"]
    body = {"file_id": file_id, "mode": "update", "media": {}, "original_filename": None}
    row = world.ingested(frame_packet_map={"0": [world.box(x_max=50)], "60": [world.box()]}, **body)
    assert row["status"] == "success"
    found = buffer(world, file_id, 0, 61)
    assert (len(found["0"]), len(found["60"])) == (2, 1)
    without = world.ingested(**body)
    assert without["status_text"].startswith("Please provide a frame packet map")
    assert list(without["update_log"]["error"]) == ["frame_packet_map"]


def connect(world: World, provider: str = "amazon_aws") -> int:
    body = {"project": world.project, "integration_name": provider}
    return int(world.emulator.control("connections", body)["id"])


def blob(world: World, **body: Any) -> dict[str, Any]:
    sent = {
        "type": "from_blob_path",
        "bucket_name": "bucket",
        "raw_data_blob_path": "dir/a.jpg",
        "media": {"type": "image"},
        **body,
    }
    return {"connection_id": connect(world), **sent}


def test_q46_success_does_not_prove_the_object(world: World) -> None:
    row = world.ingested(**blob(world), instance_list=[world.box()])
    assert row["status"] == "success"
    file = world.view(row["file_id"])
    assert (file["image"]["width"], file["count_instances_changed"]) == (None, 1)
    assert requests.get(file["image"]["url_signed"], timeout=5).status_code == 404
    target = world.emulator.data_dir / "buckets" / "bucket" / "dir"
    target.mkdir(parents=True, exist_ok=True)
    (target / "a.jpg").write_bytes(picture())
    assert requests.get(file["image"]["url_signed"], timeout=5).status_code == 200


def test_q57_only_images_work(world: World) -> None:
    as_video = world.ingested(**blob(world, media={"type": "video"}))
    assert as_video["status_text"].startswith("Could not load video.")
    as_text = world.ingested(**blob(world, media={"type": "text"}))
    assert as_text["status_text"].startswith("Version")
    assert as_text["description"] == as_text["update_log"]["error"]["text_file_upload"]
    stuck = world.accepted(**blob(world, media={"type": "picture"}))
    until(lambda: world.row(stuck)["status"] == "processing", "the row to hang")
    assert world.ingested()["status"] == "success"
    assert world.row(stuck)["status"] == "processing"


def test_q58_a_connection_on_a_url_packet_spoils_its_url(world: World) -> None:
    row = world.ingested(connection_id=connect(world), bucket_name="foreign")
    image = world.view(row["file_id"])["image"]
    assert "/foreign/" in image["url_signed"]
    assert requests.get(image["url_signed"], timeout=5).status_code == 404
