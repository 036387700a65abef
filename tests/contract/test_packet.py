"""What a packet needs to be taken, and how its row tells of success (server.md 2.7, 3.1, 3.2)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .deployment import until
from .media_server import picture
from .world import World

PROVIDE = "Provide file_name along with directory_id"
RFC_1123 = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
TEXT: dict[str, Any] = {"type": "from_text_data", "text_data": "hello world", "media": {"type": "text"}}


def refused(world: World, **body: Any) -> dict[str, Any]:
    answer = world.packet(**body)
    assert answer.status_code == 400, answer.text
    assert world.inputs(batch_id=world.batch) == []
    log: dict[str, Any] = answer.json()["log"]
    return log


def test_q01_input_id_is_null(world: World) -> None:
    answer = world.packet().json()
    assert answer == {"input_id": None, "log": {"error": {}, "info": {}, "success": True}}
    assert len(world.inputs(batch_id=world.batch)) == 1


def test_q08_empty_instance_list_is_refused(world: World) -> None:
    assert refused(world, instance_list=[])["error"] == {"instance_list": "List must not be empty"}


@pytest.mark.parametrize("medium", [{}, {"url": "http://x/a.png"}, {"type": "image"}])
def test_q09_incomplete_media_is_reported_as_file_name(world: World, medium: dict[str, str]) -> None:
    log = refused(world, media=medium)
    assert log == {"error": {"file_name": PROVIDE}, "info": "Started processing", "success": False}


def test_media_as_text_is_500(world: World) -> None:
    assert world.packet(media="x").status_code == 500


@pytest.mark.parametrize(
    "change, field", [({"text_data": None}, "text_data"), ({"media": {"kind": "text"}}, "media.type")]
)
def test_text_data_needs_type_and_text(world: World, change: dict[str, Any], field: str) -> None:
    assert list(refused(world, **{**TEXT, **change})["error"]) == [field]


@pytest.mark.parametrize("seconds", [1, 181])
def test_split_duration_out_of_range_names_file_name(world: World, seconds: int) -> None:
    assert list(refused(world, video_split_duration=seconds)["error"]) == ["file_name"]


def test_update_by_an_unknown_name(world: World) -> None:
    log = refused(world, mode="update", media={}, file_name="nope.png")
    assert log["error"]["file_name"].startswith("Please check that filename exists")


@pytest.mark.parametrize("mode", [None, "update_with_existing", "attach_to_job"])
def test_a_dataset_is_needed_unless_mode_is_update(world: World, mode: str | None) -> None:
    file_id = world.uploaded("u.png", picture())["file"]["id"]
    log = refused(world, mode=mode, file_id=file_id, directory_id=None)
    assert log["error"] == {"directory": "'directory_id' not supplied"}


@pytest.fixture(scope="module")
def sent(module_world: World) -> dict[str, int]:
    """Inputs that become a success, sent together, by name."""
    world = module_world
    nulls = dict.fromkeys(("ordinal", "parent_file_id", "mode", "file_id", "instance_list", "job_id"))
    world.media.files["/wide.png"] = picture(9000, 900)

    def medium(path: str) -> dict[str, Any]:
        return {"media": {"url": world.media.url + path, "type": "image"}}

    bodies: dict[str, dict[str, Any]] = {
        "image": {
            "original_filename": "cat.jpg",
            **medium("/cat.jpg"),
            "instance_list": [world.box(), world.box(x_max=300)],
        },
        "redirected": medium("/moved.png"),
        "odd name": {"original_filename": "my dir/ä b.PNG"},
        "named by url": {"original_filename": None, **medium("/a/same.png?token=1")},
        "wide": {**medium("/wide.png"), "instance_list": [world.box(x_max=8999, y_max=80)]},
        "text": {"original_filename": "t2.txt", **TEXT},
        "not split": {"video_split_duration": 0},
    }
    ids = dict(zip(bodies, world.all_accepted(*bodies.values()), strict=True))
    (ids["nulls"],) = _sent_with_nulls(world, nulls)
    return ids


def _sent_with_nulls(world: World, nulls: dict[str, None]) -> list[int]:
    body = {
        "directory_id": world.dataset,
        "batch_id": world.new_batch(),
        "original_filename": "nulls.png",
        "media": {"url": f"{world.media.url}/tiny.png", "type": "image"},
        **nulls,
    }
    assert world.admitted(body).status_code == 200
    return [row["id"] for row in world.inputs(batch_id=body["batch_id"])]


def succeeded(world: World, input_id: int) -> dict[str, Any]:
    row = world.settled(input_id)
    assert row["status"] == "success", row["status_text"]
    return row


def test_the_row_of_an_image(module_world: World, sent: dict[str, int]) -> None:
    world, input_id = module_world, sent["image"]
    row = succeeded(world, input_id)
    expected = {
        "archived": False,
        "batch_id": world.batch,
        "directory": {"id": world.dataset, "nickname": world.dataset_name},
        "id": input_id,
        "instance_list": {"list": [world.box(), world.box(x_max=300)]},
        "media_type": "image",
        "mode": None,
        "original_filename": "cat.jpg",
        "parent_file_id": None,
        "percent_complete": 100,
        "processing_deferred": False,
        "retry_count": 0,
        "retry_log": None,
        "source": "from_url",
        "task_id": None,
        "update_log": {"error": {}, "info": {}, "success": False},
        "video_split_duration": 30,
    }
    assert {key: row[key] for key in expected} == expected
    assert row["status_text"].startswith("Version: ")
    assert re.fullmatch(RFC_1123, row["created_time"])
    assert re.fullmatch(RFC_1123, row["time_updated"])
    assert isinstance(row["time_last_attempted"], int)
    assert re.fullmatch(r"\d+:\d\d:\d\d(\.\d+)?", row["total_time"])


def test_the_file_of_an_image(module_world: World, sent: dict[str, int]) -> None:
    world = module_world
    file = world.view(succeeded(world, sent["image"])["file_id"])
    assert (file["type"], file["original_filename"]) == ("image", "cat.jpg")
    assert file["state"] in ("added", "changed")
    assert (file["image"]["width"], file["image"]["height"]) == (640, 480)
    assert (file["count_instances_changed"], len(world.instances(file["id"]))) == (2, 2)


def test_the_list_shows_no_frame_packet_map(module_world: World, sent: dict[str, int]) -> None:
    rows = {row["id"]: row for row in module_world.inputs(batch_id=module_world.batch)}
    assert "frame_packet_map" not in rows[sent["image"]]
    assert module_world.row(sent["image"])["frame_packet_map"] is None


def test_a_redirect_is_followed(module_world: World, sent: dict[str, int]) -> None:
    succeeded(module_world, sent["redirected"])


def test_names_are_kept_as_sent(module_world: World, sent: dict[str, int]) -> None:
    row = succeeded(module_world, sent["odd name"])
    assert row["original_filename"] == "my dir/ä b.PNG"
    assert module_world.view(row["file_id"])["original_filename"] == "my dir/ä b.PNG"


def test_the_name_of_a_url_leaves_out_path_and_query(module_world: World, sent: dict[str, int]) -> None:
    assert succeeded(module_world, sent["named by url"])["original_filename"] == "same.png"


def test_q45_the_noted_size_is_scaled_and_swapped_and_boxes_are_not(
    module_world: World, sent: dict[str, int]
) -> None:
    file_id = succeeded(module_world, sent["wide"])["file_id"]
    image = module_world.view(file_id)["image"]
    assert (image["width"], image["height"]) == (768, 7680)
    assert [one["x_max"] for one in module_world.instances(file_id)] == [8999]


def test_a_text(module_world: World, sent: dict[str, int]) -> None:
    row = succeeded(module_world, sent["text"])
    assert (row["media_type"], row["source"], row["percent_complete"]) == ("text", "from_text_data", 100)
    assert row["original_filename"] == "t2.txt"
    assert module_world.view(row["file_id"])["type"] == "text"


def test_splitting_is_turned_off_by_0(module_world: World, sent: dict[str, int]) -> None:
    assert succeeded(module_world, sent["not split"])["video_split_duration"] == 0


def test_explicit_nulls_are_fine(module_world: World, sent: dict[str, int]) -> None:
    row = succeeded(module_world, sent["nulls"])
    assert module_world.view(row["file_id"])["ordinal"] == 0


STATES = {
    "init",
    "local_processing_queue",
    "processing",
    "downloaded",
    "retry/failed_to_fetch_input",
    "success",
}


def test_a_row_waits_without_a_word_and_then_succeeds(world: World) -> None:
    """A poller sees any part of the way; a row that nobody took yet is deferred and says nothing."""
    input_id = world.accepted(media={"url": f"{world.media.url}/slow.png", "type": "image"})
    seen: list[dict[str, Any]] = []

    def done() -> bool:
        seen.append(world.row(input_id))
        return bool(seen[-1]["status"] == "success")

    until(done, "success", world.deployment.queue_patience)
    assert {row["status"] for row in seen} <= STATES
    for row in seen:
        if row["status"] == "init":
            assert (row["processing_deferred"], row["status_text"], row["file_id"]) == (True, None, None)
    assert (seen[-1]["processing_deferred"], seen[-1]["percent_complete"]) == (False, 100)
