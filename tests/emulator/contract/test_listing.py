"""Looking things up: inputs, batches, files (wire contract, 2.6, 2.10 to 2.12)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .media_server import picture
from .world import World, until

LIST = "/api/walrus/v1/project/{p}/input/view/list"
FILES = "/api/project/{p}/user/x/file/list"


def test_q12_children_are_hidden_unless_their_parent_is_given(world: World) -> None:
    batch, parent = world.new_batch(), world.new_compound("c")
    child = world.accepted(parent_file_id=parent, batch_id=batch)
    assert world.inputs(batch_id=batch) == []
    assert [row["id"] for row in world.inputs(batch_id=batch, parent_file_id=parent)] == [child]


def test_q13_ten_by_default_newest_first(world: World) -> None:
    ids = [world.from_local(f"{n}.png", picture()).json()["input"]["id"] for n in range(12)]
    rows = world.post(LIST).json()["input_list"]
    assert [row["id"] for row in rows] == ids[::-1][:10]
    assert "frame_packet_map" not in rows[0]
    assert len(world.inputs(limit=-1)) == 12
    assert world.inputs(limit=0) == []
    assert world.post(LIST, {"limit": 1001}).status_code == 400


@pytest.mark.parametrize(
    "body, key",
    [
        ({"batch_id": "4"}, "batch_id"),
        ({"status_filter": "success"}, "valid_values_list"),
        ({"limit": 1001}, "limit"),
    ],
)
def test_q14_refused_filters(world: World, body: dict[str, Any], key: str) -> None:
    answer = world.post(LIST, body)
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, [key])


def test_q14_status_filters(world: World) -> None:
    good = world.from_local("a.png", picture()).json()["input"]["id"]
    bad = world.from_local("a.png", picture()).json()["input"]["id"]
    world.new_compound("c")
    (parent, *_) = world.inputs()
    found = {
        name: [row["id"] for row in world.inputs(status_filter=name)]
        for name in ("All", "Success", "Failed", "Processing", "Base_Object_Created", "Init")
    }
    assert found == {
        "All": [parent["id"], bad, good],
        "Success": [good],
        "Failed": [bad],
        "Processing": [parent["id"]],
        "Base_Object_Created": [parent["id"]],
        "Init": [],
    }


def test_other_filters(world: World) -> None:
    plain = world.from_local("a.png", picture()).json()["input"]["id"]
    boxed = world.from_local("b.png", picture(), instance_list=[world.box()]).json()["input"]
    text = world.from_local("c.txt", b"hi").json()["input"]["id"]
    assert [row["id"] for row in world.inputs(media_type="text")] == [text]
    assert [row["id"] for row in world.inputs(has_attached_instances=True)] == [boxed["id"]]
    assert len(world.inputs(has_attached_instances=False)) == 3
    assert [row["id"] for row in world.inputs(file_id=boxed["file_id"])] == [boxed["id"]]
    assert [row["id"] for row in world.inputs()] == [text, boxed["id"], plain]


def test_date_to_is_the_start_of_its_day(world: World) -> None:
    world.from_local("a.png", picture())
    today = datetime.now(UTC).date()
    assert len(world.inputs(date_from=str(today))) == 1
    assert world.inputs(date_to=str(today)) == []
    assert len(world.inputs(date_to=str(today + timedelta(days=1)))) == 1
    assert world.post(LIST, {"date_to": "21.11.2026"}).status_code == 400


def test_deferred_rows_can_be_hidden(world: World) -> None:
    world.from_local("a.png", picture())
    world.emulator.pause_queue()
    world.packet()
    assert [row["status"] for row in world.inputs()] == ["init", "success"]
    assert [row["status"] for row in world.inputs(show_deferred=False)] == ["success"]


def test_q39_unknown_ids_are_500(world: World) -> None:
    assert world.post("/api/walrus/v1/project/{p}/input/view/999999").status_code == 500
    assert world.post("/api/v1/project/{p}/input-batch/999999").status_code == 500
    body = {"file_id": 999999, "project_string_id": world.project}
    assert world.post("/api/v1/file/view", body).status_code == 500
    assert world.get("/api/v1/project/{p}/file/999999/file-stats").status_code == 500


def test_q39_inputs_of_another_project_are_400(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    row = other.from_local("a.png", picture()).json()["input"]
    answer = world.post(f"/api/walrus/v1/project/{{p}}/input/view/{row['id']}")
    assert answer.json()["log"]["error"] == {"project_id": "Input and project ID mismatch"}


def test_view_of_an_input_needs_no_body(world: World) -> None:
    row = world.from_local("a.png", picture()).json()["input"]
    answer = world.send("POST", f"/api/walrus/v1/project/{{p}}/input/view/{row['id']}")
    assert answer.json()["input"]["id"] == row["id"]


def test_file_view_needs_its_keys(world: World) -> None:
    error = world.post("/api/v1/file/view").json()["log"]["error"]
    assert set(error) == {"file_id", "project_string_id"}


def test_annotation_list_of_an_unknown_file(world: World) -> None:
    answer = world.post("/api/project/{p}/file/99999/annotation/list")
    expected = {"message": " File not in valid project directory.", "success": False}
    assert (answer.status_code, answer.json()) == (400, expected)


def test_file_list_pages(world: World) -> None:
    ids = [world.from_local(f"{n}.png", picture()).json()["file"]["id"] for n in range(5)]
    body = {"directory_id": world.dataset, "file_view_mode": "ids_only", "limit": 2}
    pages = [world.post(FILES, {"metadata": {**body, "page": page}}).json() for page in (1, 2, 3)]
    assert [page["file_list"] for page in pages] == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    assert [page["metadata"]["next_page"] for page in pages] == [2, 3, None]
    assert [page["metadata"]["prev_page"] for page in pages] == [0, 1, 2]
    assert pages[0]["metadata"]["total_pages"] == 3


def test_file_list_modes(world: World) -> None:
    world.from_local("Cat.png", picture(), instance_list=[world.box()])
    world.from_local("dog.png", picture())
    assert [file["original_filename"] for file in world.files(search_term="cAT")] == ["Cat.png"]
    assert "image" not in world.files("base")[0]
    assert world.files("home")[0]["image"]["width"] == 64
    assert [
        len(file["instance_list"]) for file in world.files("explorer", query=f"dataset.id = {world.dataset}")
    ] == [1, 0]
    assert world.files(media_type="video") == []


def test_file_list_without_a_mode_is_500(world: World) -> None:
    assert world.post(FILES, {"metadata": {"directory_id": world.dataset}}).status_code == 500
    assert world.post(FILES, {}).status_code == 500


def test_q60_explorer_without_a_query_is_the_whole_project(world: World) -> None:
    world.from_local("a.png", picture())
    assert len(world.files("explorer", directory_id=world.new_dataset("empty"))) == 1


def test_an_unsupported_query_is_501(world: World) -> None:
    body = {"metadata": {"file_view_mode": "explorer", "query": "labels.cat > 3"}}
    assert world.post(FILES, body).status_code == 501


def test_file_exists_counts_removed_files(world: World) -> None:
    answer = world.from_local("a.png", picture()).json()
    world.update_inputs("ARCHIVE", answer["input"]["id"])
    body = {"file_id_list": ["a.png", answer["file"]["id"], "nope.jpg", 99999]}
    result = world.post("/api/v1/project/{p}/file/exists", body).json()["result"]
    assert result == {"exists": False, "missing_files": ["nope.jpg", 99999]}
    only = world.post("/api/v1/project/{p}/file/exists", {"file_id_list": ["a.png"]}).json()["result"]
    assert only == {"exists": True, "missing_files": []}
    assert world.post("/api/v1/project/{p}/file/exists", {"file_id_list": []}).status_code == 400


def test_the_counter_equals_the_instances(world: World) -> None:
    for amount in range(4):
        boxes = [world.box(x_max=50 + n) for n in range(amount)]
        world.from_local(f"{amount}.png", picture(), instance_list=boxes)
    counted = {file["original_filename"]: file["count_instances_changed"] for file in world.files()}
    assert counted == {"0.png": None, "1.png": 1, "2.png": 2, "3.png": 3}


def batch_of(world: World, batch: int) -> dict[str, Any]:
    answer = world.post(f"/api/v1/project/{{p}}/input-batch/{batch}")
    found: dict[str, Any] = answer.json()["input_batch"]
    return found


def test_q16_a_batch_is_complete_after_the_first_success(world: World) -> None:
    batch = world.new_batch()
    fresh = batch_of(world, batch)
    assert (fresh["status"], fresh["time_completed"]) == ("pending", fresh["time_created"])
    world.ingested(batch_id=batch)
    assert batch_of(world, batch)["status"] == "complete"
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    world.ingested(batch_id=batch, media=missing)
    assert batch_of(world, batch)["status"] == "complete"


def test_q16_a_batch_with_a_failure_never_completes(world: World) -> None:
    batch = world.new_batch()
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    world.ingested(batch_id=batch, media=missing)
    world.ingested(batch_id=batch)
    assert batch_of(world, batch)["status"] == "pending"


def test_pre_labeled_data_is_not_for_packets(world: World) -> None:
    data = {"p.png": {"instance_list": [{**world.box(), "name": "cat"}], "frame_packet_map": None}}
    batch = world.new_batch(pre_labeled_data=data)
    row = world.ingested(original_filename="p.png", batch_id=batch)
    assert (row["instance_list"], world.instances(row["file_id"])) == (None, [])


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


def test_append_data_without_headers_is_500(world: World) -> None:
    path = f"/api/v1/project/{{p}}/input-batch/{world.new_batch()}/append-data"
    assert world.send("POST", path, files={"file": ("x", b"{}")}).status_code == 500
