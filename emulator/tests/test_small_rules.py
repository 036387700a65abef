"""Smaller rules of the contract: levels, caps, interruptions, public projects, batches' data."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from diffgram_emulator.store import Store
from diffgram_emulator.tables import ADDED
from tests.contract.media_server import picture
from world import World, until


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/api/v1/project/{p}/connection/save"),
        ("POST", "/api/v1/project/{p}/connection/info/1"),
        ("POST", "/api/walrus/v1/project/{p}/connection/test"),
    ],
)
def test_connections_are_made_by_people(world: World, method: str, path: str) -> None:
    answer = world.send(method, path, json={})
    assert answer.status_code == 401
    assert "No access, please login." in answer.json()["error"]


READABLE = [
    ("GET", "/api/v1/project/{p}/labels-schema"),
    ("GET", "/api/project/{p}/labels"),
    ("GET", "/api/v1/project/{p}/labels/view/name_to_file_id"),
    ("GET", "/api/project/{p}/connections"),
    ("POST", "/api/v1/project/{p}/model-runs/list"),
]
CLOSED = [
    ("POST", "/api/v1/project/{p}/directory/list"),
    ("POST", "/api/walrus/v1/project/{p}/input/view/list"),
    ("POST", "/api/walrus/v1/project/{p}/input/packet"),
]


@pytest.mark.parametrize("method, path", READABLE + CLOSED)
def test_a_public_project_is_read_without_a_credential(world: World, method: str, path: str) -> None:
    agent = {"User-Agent": "curl/8"}
    assert world.send(method, path, None, json={}, headers=agent).status_code == 401
    world.emulator.control("public", {"project": world.project})
    answer = world.send(method, path, None, json={}, headers=agent)
    assert answer.status_code == (200 if (method, path) in READABLE else 401)


def test_a_full_dataset_refuses_files(world: World) -> None:
    world.from_local("first.png", picture())
    world.emulator.tune(dataset_cap=1)
    row = world.ingested()
    assert row["status_text"].startswith("Reached a per directory limit")
    assert (row["status"], row["file_id"], row["percent_complete"]) == ("failed", None, 0)
    local = world.from_local("second.png", picture())
    assert (local.status_code, local.json()["input"]["status_text"]) == (400, row["status_text"])
    world.emulator.tune(dataset_cap=2)
    assert world.ingested()["status"] == "success"


def chunk(
    world: World, dzuuid: str, index: int, total: int, content: bytes, **more: str
) -> requests.Response:
    fields = {
        "dzuuid": f"{world.project}-{dzuuid}",
        "dzchunkindex": str(index),
        "dztotalchunkcount": str(total),
        "dzchunkbyteoffset": "0",
        "dztotalfilesize": str(len(content)),
        "directory_id": str(world.dataset),
        **more,
    }
    files: dict[str, Any] = {key: (None, value) for key, value in fields.items()}
    files["file"] = ("up.png", content)
    return world.send("POST", "/api/walrus/project/{p}/upload/large", files=files)


def test_an_interrupted_upload_fails_when_few_rows_are_listed(world: World) -> None:
    assert chunk(world, "u", 0, 2, picture()).json() == {"success": True}
    (row,) = world.inputs()
    assert (row["status"], row["processing_deferred"]) == ("init", False)
    world.emulator.tune(upload_minutes=0.0)
    (row,) = world.inputs()
    assert row["status"] == "failed"
    assert row["status_text"].startswith("Appears Upload was interrupted")


def test_an_upload_is_not_interrupted_while_it_waits_for_a_worker(world: World) -> None:
    world.emulator.pause_queue()
    assert chunk(world, "u", 0, 1, picture()).json() == {"success": True}
    world.emulator.tune(upload_minutes=0.0)
    (row,) = world.inputs()
    assert (row["status"], row["processing_deferred"]) == ("init", True)


def test_an_upload_of_more_than_5_gib_fails(world: World) -> None:
    assert chunk(world, "u", 0, 1, picture(), dztotalfilesize=str(5 * 1024**3 + 1)).json() == {
        "success": True
    }
    (row,) = world.inputs()
    assert (row["status"], row["status_text"]) == ("failed", "Exceeded max file size")


def test_q23_fields_that_are_no_numbers_are_500(world: World) -> None:
    assert chunk(world, "u", 0, 1, picture(), dzchunkindex="first").status_code == 500


def test_pre_labeled_data_in_slices_is_applied_to_an_upload(world: World) -> None:
    labelled = {**world.box(name="dog"), "label_file_id": None}
    document = json.dumps({"key-1": {"instance_list": [labelled], "frame_packet_map": None}}).encode()
    batch, half = world.new_batch(), len(document) // 2
    path = f"/api/v1/project/{{p}}/input-batch/{batch}/append-data"
    for index, (start, part) in enumerate(((0, document[:half]), (half, document[half:]))):
        headers = {
            "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(document)}",
            "Content-Range-Index": str(index),
            "Content-Range-Total-Chunks": "2",
        }
        answer = world.send("POST", path, files={"file": ("slice", part)}, headers=headers)
        assert (answer.json()["input_batch"] is None) == (index == 0)
    detail = f"/api/v1/project/{{p}}/input-batch/{batch}"

    def loaded() -> bool:
        shown = world.post(detail).json()["input_batch"]
        return bool(shown["download_status_pre_labeled_data"] == "success")

    until(loaded, "the slices to be read")
    chunk(world, "u", 0, 1, picture(), input_batch_id=str(batch), uuid="key-1")
    (row,) = world.inputs(batch_id=batch)
    (instance,) = world.instances(world.settled(row["id"])["file_id"])
    assert instance["label_file_id"] == world.labels[1]


def test_the_filters_of_file_list(world: World) -> None:
    parent = world.new_compound("parent")
    world.new_compound("odd", type="whatever")
    child = world.from_local("child.png", picture(), parent_file_id=parent, instance_list=[world.box()])
    root = world.from_local("root.png", picture()).json()["file"]["id"]
    child_id = child.json()["file"]["id"]
    today = datetime.now(UTC).date()
    tomorrow = (today + timedelta(days=1)).isoformat()

    def ids(**metadata: Any) -> list[int]:
        return [file["id"] for file in world.files(**metadata)]

    assert ids() == [root, parent]
    assert ids(with_children_files=True) == [root, child_id, parent]
    assert ids(media_type="image") == [root]
    assert ids(date_from=today.isoformat()) == [root, parent]
    assert ids(date_from=tomorrow) == []
    assert ids(date_to=today.isoformat()) == []
    assert ids(date_to=tomorrow) == [root, parent]
    counters = {file["id"]: file["count_instances_changed"] for file in world.files(with_children_files=True)}
    assert counters[child_id] == 1


def test_rows_with_instances(world: World) -> None:
    world.new_compound("without")
    world.from_local("a.png", picture(), instance_list=[])
    with_one = world.from_local("b.png", picture(), instance_list=[world.box()]).json()["input"]["id"]
    assert [row["id"] for row in world.inputs(has_attached_instances=True)] == [with_one]
    assert len(world.inputs(has_attached_instances=False)) == 3


def test_media_that_is_a_text_is_500(world: World) -> None:
    assert world.packet(media="x").status_code == 500


def test_the_counter_on_every_way(world: World) -> None:
    def counted(file_id: int) -> int | None:
        found: int | None = world.view(file_id)["count_instances_changed"]
        return found

    raw = world.ingested()["file_id"]
    assert counted(raw) is None
    boxes = [world.box(x_max=100 + number) for number in range(3)]
    file_id = world.ingested(instance_list=[*boxes, boxes[0]])["file_id"]
    assert counted(file_id) == 3
    update = {"file_id": file_id, "media": None, "original_filename": None}
    world.ingested(**update, mode="update", instance_list=boxes[:1])
    assert (counted(file_id), len(world.instances(file_id))) == (4, 4)
    new = world.box(x_max=200)
    world.ingested(**update, mode="update_with_existing", instance_list=[boxes[1], new])
    assert (counted(file_id), len(world.instances(file_id))) == (5, 2)
    broken = world.ingested(instance_list=[boxes[0], world.box(label_file_id=99999)])
    assert (broken["status"], counted(broken["file_id"])) == ("failed", 1)


def test_model_runs_by_time(world: World) -> None:
    world.ingested(instance_list=[world.box(model_ref="m", model_run_ref="r")])
    path = "/api/v1/project/{p}/model-runs/list"
    assert len(world.post(path, {"starts": "2020-01-01"}).json()["model_run_list"]) == 1
    assert world.post(path, {"ends": "2020-01-01"}).json()["model_run_list"] == []


def test_a_data_folder_of_an_earlier_version_is_continued(tmp_path: Any) -> None:
    Store(tmp_path).ensure_project("kept")
    with sqlite3.connect(tmp_path / "emulator.sqlite") as connection:
        for table, column, _ in ADDED:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    store = Store(tmp_path)
    assert store.project("kept") is not None
    for table, column, _ in ADDED:
        assert store.all(f"SELECT {column} FROM {table}") is not None
