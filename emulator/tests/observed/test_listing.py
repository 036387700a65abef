"""Looking things up: inputs, batches, files (server.md 2.6, 2.10 to 2.12)."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.media_server import picture
from world import World, until

LIST = "/api/walrus/v1/project/{p}/input/view/list"
FILES = "/api/project/{p}/user/x/file/list"


def test_q13_a_listing_without_filters_is_of_the_whole_project(world: World) -> None:
    ids = [world.from_local(f"{n}.png", picture()).json()["input"]["id"] for n in range(12)]
    assert [row["id"] for row in world.post(LIST).json()["input_list"]] == ids[::-1][:10]
    assert world.post(LIST, {"limit": 1001}).status_code == 400


def test_deferred_rows_can_be_hidden(world: World) -> None:
    world.from_local("a.png", picture())
    world.emulator.pause_queue()
    world.packet()
    assert [row["status"] for row in world.inputs()] == ["init", "success"]
    assert [row["status"] for row in world.inputs(show_deferred=False)] == ["success"]


def test_file_view_needs_its_keys(world: World) -> None:
    error = world.post("/api/v1/file/view").json()["log"]["error"]
    assert set(error) == {"file_id", "project_string_id"}


def test_file_list_without_metadata_is_500(world: World) -> None:
    assert world.post(FILES, {}).status_code == 500


def batch_of(world: World, batch: int) -> dict[str, Any]:
    answer = world.post(f"/api/v1/project/{{p}}/input-batch/{batch}")
    found: dict[str, Any] = answer.json()["input_batch"]
    return found


def test_q16_a_batch_stays_complete_whatever_fails_later(world: World) -> None:
    batch = world.new_batch()
    fresh = batch_of(world, batch)
    assert (fresh["status"], fresh["time_completed"]) == ("pending", fresh["time_created"])
    world.ingested(batch_id=batch)
    assert batch_of(world, batch)["status"] == "complete"
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    world.ingested(batch_id=batch, media=missing)
    assert batch_of(world, batch)["status"] == "complete"


def test_slices_of_pre_labeled_data(world: World) -> None:
    batch = world.new_batch()
    document = json.dumps({"p.png": {"instance_list": [], "frame_packet_map": None}}).encode()
    middle = len(document) // 2
    spans = ((0, document[:middle]), (middle, document[middle:]))
    path = f"/api/v1/project/{{p}}/input-batch/{batch}/append-data"
    answers = []
    for number, (start, part) in enumerate(spans):
        headers = {
            "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(document)}",
            "Content-Range-Index": str(number),
            "Content-Range-Total-Chunks": "2",
        }
        answers.append(world.send("POST", path, headers=headers, files={"file": ("x.json", part)}).json())
    assert answers[0] == {"input_batch": None}
    assert answers[1]["input_batch"].startswith("http")
    until(lambda: batch_of(world, batch)["download_status_pre_labeled_data"] == "success", "the data")
