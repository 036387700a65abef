"""Uploads (wire contract, 2.8 and 2.9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from .media_server import MP4, picture
from .world import World, until

LOCAL = "/api/walrus/v1/project/{p}/input/from_local"
LARGE = "/api/walrus/project/{p}/upload/large"
FIVE_MEBIBYTES = 5 * 1024 * 1024


def test_q22_200_with_a_failed_input(world: World) -> None:
    answer = world.from_local("a.png", picture(), instance_list=[world.box(label_file_id=99999)])
    assert (answer.status_code, answer.json()["log"]["success"]) == (200, True)
    row = answer.json()["input"]
    assert row["status"] == "failed"
    assert "valid_label_file" in row["status_text"]
    assert row["file_id"] == answer.json()["file"]["id"]


def test_q22_a_duplicate_is_400_with_an_input(world: World) -> None:
    existing = world.from_local("a.png", picture()).json()["file"]["id"]
    answer = world.from_local("a.png", picture())
    assert answer.status_code == 400
    assert answer.json()["log"]["error"] == {}
    assert answer.json()["input"]["update_log"] == {"error": {"existing_file_id": existing}}


def test_an_unknown_extension_leaves_no_row(world: World) -> None:
    answer = world.from_local("a.xyz", b"hello")
    assert answer.status_code == 400
    row = answer.json()["input"]
    assert row["status_text"] == "Invalid file type: .xyz"
    assert (row["id"], row["directory"], row["update_log"]) == (None, None, None)
    assert world.inputs() == []


@pytest.mark.parametrize("name, content", [("a.png", b""), ("a.jpg", b"nonsense"), ("a.mp4", b"nonsense")])
def test_q22_broken_media_are_500(world: World, name: str, content: bytes) -> None:
    answer = world.from_local(name, content)
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "'NoneType' object has no attribute 'parent_id'"},
    )


def test_missing_parts(world: World) -> None:
    without_json = world.send("POST", LOCAL, files={"file": ("a.png", picture())})
    assert without_json.json()["log"]["error"]["input"].startswith("Expecting a key 'json'")
    broken = world.send("POST", LOCAL, files={"file": ("a.png", picture()), "json": (None, "{")})
    assert broken.json()["log"]["error"]["input"].startswith("Expecting a key 'json'")
    without_file = world.send("POST", LOCAL, files={"json": (None, "{}")})
    assert (without_file.status_code, without_file.json()["log"]["error"]) == (400, "No files")


def test_directory_and_parent(world: World) -> None:
    bad = world.from_local("a.png", picture(), directory_id=99999)
    assert bad.json()["log"]["error"] == "Bad directory_id: 99999"
    assert world.from_local("a.png", picture(), parent_file_id=99999).status_code == 503
    default = world.from_local("a.png", picture(), directory_id=None)
    assert default.json()["input"]["directory"]["nickname"] == "Default"


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("my dir/ä b.PNG", "my_dir_a_b.PNG"),
        ("dir/child-0.PNG", "dir_child-0.PNG"),
        ("ok_1-2.png", "ok_1-2.png"),
    ],
)
def test_names_are_sanitized(world: World, sent: str, kept: str) -> None:
    row = world.from_local(sent, picture()).json()["input"]
    assert row["original_filename"] == kept


def test_a_json_part_beyond_a_megabyte(world: World) -> None:
    boxes = [world.box(x_max=1000 + n, creation_ref_id="k" * 900) for n in range(1300)]
    answer = world.from_local("a.png", picture(), instance_list=boxes)
    assert answer.json()["input"]["status"] == "success"
    assert world.view(answer.json()["file"]["id"])["count_instances_changed"] == 1300


@pytest.mark.parametrize("change", [{"score": "high"}, {"x_max": 2**31}])
def test_a_value_the_database_refuses_leaves_the_file(world: World, change: dict[str, Any]) -> None:
    answer = world.from_local("a.png", picture(), instance_list=[world.box(**change)])
    assert answer.status_code == 503
    (file,) = world.files()
    assert (file["original_filename"], file["count_instances_changed"]) == ("a.png", None)
    assert world.state()["ingest_threads"] == 8


def test_q17_simultaneous_uploads_of_one_name_are_both_stored(slow_world: World) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: slow_world.from_local("a.png", picture()), range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(slow_world.files()) == 2


def test_texts_and_videos(world: World) -> None:
    text = world.from_local("a.txt", b"hello").json()
    assert (text["input"]["media_type"], text["input"]["status"]) == ("text", "success")
    video = world.from_local("a.mp4", MP4, frame_packet_map={"0": [world.box()]}).json()
    assert (video["input"]["media_type"], video["input"]["status"]) == ("video", "success")


def test_signed_urls_give_the_bytes(world: World) -> None:
    content = picture(20, 10)
    image = world.view(world.from_local("a.png", content).json()["file"]["id"])["image"]
    answer = requests.get(image["url_signed"], timeout=5)
    assert (answer.content, answer.headers["content-type"]) == (content, "image/png")
    assert requests.get(image["url_signed_thumb"], timeout=5).status_code == 200
    forged = image["url_signed"][:-4] + "0000"
    assert requests.get(forged, timeout=5).status_code == 403
    later = image["url_signed"].replace("expires=", "expires=9")
    assert requests.get(later, timeout=5).status_code == 403


def chunk(world: World, index: int, count: int, content: bytes, **form: Any) -> requests.Response:
    fields = {
        "dzuuid": f"{world.project}-upload",
        "dzchunkindex": str(index),
        "dztotalchunkcount": str(count),
        "directory_id": str(world.dataset),
        **{key: str(value) for key, value in form.items()},
    }
    return world.send("POST", LARGE, data=fields, files={"file": ("l.png", content)})


def test_an_upload_in_one_chunk(world: World) -> None:
    assert chunk(world, 0, 1, picture()).json() == {"success": True}
    (row,) = world.inputs()
    row = world.settled(row["id"])
    assert (row["status"], row["source"], row["status_text"]) == ("success", "from_resumable", None)


def test_an_upload_in_two_chunks(world: World) -> None:
    content = picture() + b"\0" * FIVE_MEBIBYTES
    assert chunk(world, 0, 2, content[:FIVE_MEBIBYTES]).json() == {"success": True}
    (row,) = world.inputs()
    assert (row["status"], row["processing_deferred"]) == ("init", False)
    assert chunk(world, 1, 2, content[FIVE_MEBIBYTES:]).json() == {"success": True}
    assert world.settled(row["id"])["status"] == "success"


def test_q23_small_chunks_fail_at_the_end(world: World) -> None:
    answers = [chunk(world, index, 3, b"x" * 50_000) for index in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 500]
    assert answers[2].json() == {"error": ""}
    (row,) = world.inputs()
    assert row["status"] == "init"


def test_q23_a_later_chunk_of_an_unknown_upload_is_200_with_an_error(world: World) -> None:
    answer = chunk(world, 1, 2, b"x")
    assert (answer.status_code, list(answer.json())) == (200, ["error"])


def test_upload_refusals(world: World) -> None:
    assert world.send("POST", LARGE, files={"file": ("l.png", b"x")}).status_code == 500
    fields = {"dzuuid": "u", "dzchunkindex": "0", "dztotalchunkcount": "1"}
    without = world.send("POST", LARGE, files={key: (None, value) for key, value in fields.items()})
    assert list(without.json()["log"]["error"]) == ["binary_file"]
    assert chunk(world, 0, 1, picture(), directory_id=99999).status_code == 503


def test_predictions_of_uploads_travel_in_the_batch(world: World) -> None:
    sent = {**world.box(), "name": "dog"}
    del sent["label_file_id"]
    data = {"l.png": {"instance_list": [sent], "frame_packet_map": None}}
    batch = world.new_batch(pre_labeled_data=data)
    chunk(world, 0, 1, picture(), input_batch_id=batch)
    (row,) = world.inputs(batch_id=batch)
    file_id = world.settled(row["id"])["file_id"]
    assert [one["label_file_id"] for one in world.instances(file_id)] == [world.labels[1]]


def test_an_uploaded_duplicate(world: World) -> None:
    existing = world.from_local("l.png", picture()).json()["file"]["id"]
    chunk(world, 0, 1, picture())
    (row, _) = world.inputs()
    until(lambda: world.row(row["id"])["status"] == "failed", "the duplicate")
    assert world.row(row["id"])["update_log"] == {"error": {"existing_file_id": existing}}
