"""Videos without decoding, and packets from storage connections (wire contract, 5.6, 2.7 and 2.15)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .media_server import picture
from .world import World, until


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


@pytest.mark.parametrize("start, end, keys", [(5, 6, ["4", "5"]), (24, 24, ["23"]), (0, 2, ["0", "1"])])
def test_the_range_of_the_buffer(world: World, start: int, end: int, keys: list[str]) -> None:
    file_id = video(world, {"0": [world.box()]})["file_id"]
    assert sorted(buffer(world, file_id, start, end)) == keys


def test_tracks_are_by_label_and_number(world: World) -> None:
    dog = world.box(label_file_id=world.labels[1])
    frames = {"0": [world.box(), dog], "1": [world.box(x_max=99), world.box(number=2, x_max=50)]}
    row = video(world, frames)
    echoed = world.row(row["id"])["frame_packet_map"]
    tracks = [one["sequence_id"] for units in echoed.values() for one in units]
    assert len(set(tracks)) == 3
    assert tracks[0] == tracks[2]
    assert [one["number"] for one in echoed["0"]] == [1, 1]
    listed = world.get(f"/api/project/{{p}}/video/single/{row['file_id']}/sequence/list").json()[
        "sequence_list"
    ]
    assert len(listed) == 3
    assert {one["label_file_id"] for one in listed} == {None}


def test_an_unknown_label_fails_the_whole_video(world: World) -> None:
    row = video(world, {"0": [world.box()], "1": [world.box(label_file_id=99999)]})
    assert (row["status"], row["status_text"], row["percent_complete"]) == ("failed", "See Update Log", 20)
    assert row["update_log"]["error"] == {}
    assert buffer(world, row["file_id"], 0, 2) == {"0": [], "1": []}


def test_q52_a_bad_box_loses_its_frame_and_the_video_succeeds(world: World) -> None:
    input_id = video(world, {"0": [world.box()], "5": [world.box(x_max="a")], "6": [world.box()]})["id"]
    until(lambda: world.row(input_id)["status"] == "success", "success after failed")
    row = world.row(input_id)
    assert row["status_text"] == "See Update Log"
    assert row["update_log"]["error"] == {"Frame 5": {"x_max": "Must be an int"}}
    found = buffer(world, row["file_id"], 0, 7)
    assert [len(found[key]) for key in ("0", "5", "6")] == [1, 0, 1]


def test_a_frame_key_that_is_no_number(world: World) -> None:
    row = video(world, {"first": [world.box()]})
    assert row["status_text"].startswith("Version")
    assert row["update_log"]["error"]["process_video"]
    assert row["percent_complete"] == 20


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


def test_an_unreadable_video(world: World) -> None:
    media = {"url": f"{world.media.url}/tiny.png", "type": "video"}
    row = world.ingested(original_filename="x.mp4", media=media)
    text = "Could not load video. Try again, try a different format or contact us."
    assert (row["status"], row["status_text"], row["file_id"]) == ("failed", text, None)


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


@pytest.mark.parametrize(
    "change, key",
    [
        ({"connection_id": None}, "connection_id"),
        ({"connection_id": 99999}, "connection_id"),
        ({"bucket_name": None}, "bucket_name"),
        ({"media": {}}, "media.type"),
        ({"raw_data_blob_path": None}, "raw_data_blob_path"),
        ({"connection_id": None, "bucket_name": None}, "bucket_name"),
    ],
)
def test_what_a_blob_packet_needs(world: World, change: dict[str, Any], key: str) -> None:
    answer = world.packet(**blob(world, **change))
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, [key])
    assert answer.json()["log"]["info"] == "Started processing"


def test_connection_of_another_project_is_403(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    assert world.packet(**blob(world, connection_id=connect(other))).status_code == 403


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


def test_a_blob_needs_no_extension_but_a_name(world: World) -> None:
    assert world.ingested(**blob(world, original_filename="noext"))["status"] == "success"
    nameless = world.ingested(**blob(world, original_filename=None))
    assert nameless["status_text"].startswith("Filename None Already Exists")
    assert "existing_file_id" in nameless["update_log"]["error"]


def test_q58_a_connection_on_a_url_packet_spoils_its_url(world: World) -> None:
    row = world.ingested(connection_id=connect(world), bucket_name="foreign")
    image = world.view(row["file_id"])["image"]
    assert "/foreign/" in image["url_signed"]
    assert requests.get(image["url_signed"], timeout=5).status_code == 404
