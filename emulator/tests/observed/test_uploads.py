"""Uploads (server.md 2.8 and 2.9)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.contract.media_server import picture
from world import World, until

LOCAL = "/api/walrus/v1/project/{p}/input/from_local"
LARGE = "/api/walrus/project/{p}/upload/large"
FIVE_MEBIBYTES = 5 * 1024 * 1024


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
    slow_world.emulator.tune(upload_seconds=1.0)  # both compare names before either stores its file
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: slow_world.from_local("a.png", picture()), range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(slow_world.files()) == 2


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


def test_an_uploaded_duplicate(world: World) -> None:
    existing = world.from_local("l.png", picture()).json()["file"]["id"]
    chunk(world, 0, 1, picture())
    (row, _) = world.inputs()
    until(lambda: world.row(row["id"])["status"] == "failed", "the duplicate")
    assert world.row(row["id"])["update_log"] == {"error": {"existing_file_id": existing}}


def test_the_frames_of_an_uploaded_video_come_after_the_answer(slow_world: World) -> None:
    """So a client has to look again (server.md 10.9)."""
    frames = {str(n): [slow_world.box()] for n in range(5)}
    clip = slow_world.media.files["/v.mp4"]
    answer = slow_world.from_local("a.mp4", clip, frame_packet_map=frames).json()
    under_way = ("pushing_frames_into_processing_queue", "processing_frames_in_queue")
    assert answer["input"]["status"] in under_way
    row = until(
        lambda: (row := slow_world.row(answer["input"]["id"]))["status"] == "success" and row, "the end"
    )
    assert row["file_id"] == answer["file"]["id"]


def test_a_file_of_a_jobs_dataset_has_its_task_with_the_answer(world: World) -> None:
    job = world.post("/api/v1/project/{p}/job/new", {"name": "a"}).json()["job"]["id"]
    entry = {"directory_id": world.dataset, "nickname": "demo-dataset", "selected": "sync"}
    body = {"job_id": job, "directory_list": [entry]}
    assert world.post("/api/v1/project/{p}/job/dir/attach", body).status_code == 200
    world.post("/api/v1/job/launch", {"job_id": job})
    world.emulator.tune(task_seconds=0.8)
    time.sleep(0.9)  # the job is at work by then; a file of the queue would wait as long
    file_id = world.from_local("later.png", picture()).json()["file"]["id"]
    listed = world.post(f"/api/v1/job/{job}/task/list", {"mode_data": "x", "job_id": job}).json()["task_list"]
    assert file_id in {task["file"]["id"] for task in listed}
