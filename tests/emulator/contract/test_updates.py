"""Updates, retries and archiving (wire contract, 2.7 modes, 2.14)."""

from __future__ import annotations

from typing import Any

import pytest

from .media_server import picture
from .world import World, until


def update(world: World, file_id: int, mode: str, *boxes: dict[str, Any], **body: Any) -> dict[str, Any]:
    sent = {"instance_list": list(boxes)} if boxes else {}
    return world.ingested(file_id=file_id, mode=mode, media={}, original_filename=None, **sent, **body)


@pytest.fixture
def file_id(world: World) -> int:
    """A file with one box."""
    return int(world.ingested(original_filename="u.png", instance_list=[world.box()])["file_id"])


def test_q31_update_appends_and_is_not_idempotent(world: World, file_id: int) -> None:
    for _ in range(2):
        row = update(world, file_id, "update", world.box(x_max=50), directory_id=None)
        assert (row["status"], row["file_id"], row["media_type"]) == ("success", file_id, "image")
    assert len(world.instances(file_id)) == 3
    assert world.view(file_id)["count_instances_changed"] == 3


def test_update_without_instances_changes_nothing(world: World, file_id: int) -> None:
    assert update(world, file_id, "update")["status"] == "success"
    assert len(world.instances(file_id)) == 1


def test_update_by_name(world: World, file_id: int) -> None:
    body = {"file_name": "u.png", "mode": "update", "media": {}, "original_filename": None}
    row = world.ingested(instance_list=[world.box(x_max=50)], **body)
    assert (row["status"], row["file_id"], row["original_filename"]) == ("success", file_id, None)


def test_replace_keeps_identical_instances_as_they_were(world: World) -> None:
    boxes = [world.box(score=0.1), world.box(x_max=50)]
    file_id = world.ingested(instance_list=boxes)["file_id"]
    old = {one["x_max"]: one["id"] for one in world.instances(file_id)}
    row = update(world, file_id, "update_with_existing", world.box(score=0.9), world.box(x_max=70))
    assert row["status"] == "success"
    now = {one["x_max"]: one for one in world.instances(file_id)}
    assert set(now) == {110, 70}
    assert (now[110]["id"], now[110]["score"]) == (old[110], 0.1)
    assert world.view(file_id)["count_instances_changed"] == 3


def test_q32_replace_is_not_atomic_on_error(world: World, file_id: int) -> None:
    good, bad = world.box(x_max=70), world.box(label_file_id=99999)
    row = update(world, file_id, "update_with_existing", good, bad)
    assert (row["status"], row["percent_complete"], row["file_id"]) == ("failed", 0, file_id)
    assert sorted(one["x_max"] for one in world.instances(file_id)) == [70, 110]


def test_q33_update_of_a_compound_hangs(world: World) -> None:
    parent = world.new_compound("c")
    body = {"mode": "update", "media": {}, "original_filename": None, "instance_list": [world.box()]}
    stuck = world.accepted(file_id=parent, **body)
    until(lambda: world.row(stuck)["status"] == "processing", "the row to be picked up")
    assert world.ingested()["status"] == "success"
    row = world.row(stuck)
    assert (row["status"], row["percent_complete"]) == ("processing", 0)
    assert world.instances(parent) == []


def test_single_instances_cannot_be_deleted(world: World, file_id: int) -> None:
    (old,) = world.instances(file_id)
    row = update(world, file_id, "update", world.box(id=old["id"], soft_delete=True, x_max=77))
    assert row["status"] == "success"
    assert old["id"] in [one["id"] for one in world.instances(file_id)]


def test_other_modes_act_like_none(world: World) -> None:
    row = world.ingested(mode="attach_to_job")
    assert (row["status"], row["mode"]) == ("success", "attach_to_job")


def test_updates_are_found_by_file_id(world: World, file_id: int) -> None:
    batch = world.new_batch()
    update(world, file_id, "update", world.box(x_max=50), batch_id=batch)
    rows = world.inputs(file_id=file_id)
    assert [row["batch_id"] for row in rows] == [batch, None]


def test_retry_of_a_success_makes_a_new_file(world: World, file_id: int) -> None:
    (row,) = world.inputs()
    answer = world.update_inputs("RETRY", row["id"])
    assert (answer.status_code, answer.json()["log"]) == (200, {"error": {}, "info": {}, "success": False})
    until(lambda: world.row(row["id"])["file_id"] not in (None, file_id), "the new file")
    now = world.settled(row["id"])
    assert (now["status"], now["retry_count"]) == ("success", 1)
    assert len(now["retry_log"]) == 1
    assert world.view(file_id)["state"] == "removed"
    assert len(world.instances(now["file_id"])) == 1


def test_retry_meets_a_name_taken_meanwhile(world: World) -> None:
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    first = world.ingested(original_filename="a.png", media=missing)
    second = world.ingested(original_filename="a.png")
    world.update_inputs("RETRY", first["id"])
    until(lambda: "Already Exists" in world.row(first["id"])["status_text"], "the duplicate")
    assert world.row(first["id"])["status_text"].endswith(f"is:{second['file_id']}")


def test_retry_of_a_bad_label_fails_again_with_a_new_file(world: World) -> None:
    first = world.ingested(instance_list=[world.box(label_file_id=99999)])
    world.update_inputs("RETRY", first["id"])
    again = until(lambda: _is_failed(world.row(first["id"]), not_file=first["file_id"]), "the second failure")
    assert "valid_label_file" in again["status_text"]
    assert world.view(first["file_id"])["state"] == "removed"


def _is_failed(row: dict[str, Any], not_file: int) -> dict[str, Any] | None:
    return row if row["status"] == "failed" and row["file_id"] not in (None, not_file) else None


def test_retry_of_a_child_keeps_its_place(world: World) -> None:
    parent = world.new_compound("c")
    path = f"/{world.project}-late.png"
    media = {"url": world.media.url + path, "type": "image"}
    row = world.ingested(parent_file_id=parent, ordinal=4, media=media)
    world.media.files[path] = picture()
    world.update_inputs("RETRY", row["id"])
    until(lambda: world.row(row["id"])["status"] == "success", "the retry")
    (child,) = world.get(f"/api/v1/project/{{p}}/file/{parent}/child-files").json()["child_files"]
    assert child["ordinal"] == 4


def test_archive_frees_the_name(world: World, file_id: int) -> None:
    (row,) = world.inputs()
    assert world.update_inputs("ARCHIVE", row["id"]).json()["log"]["success"] is True
    assert (world.inputs(), world.files()) == ([], [])
    assert [one["archived"] for one in world.inputs(show_archived=True)] == [True]
    assert world.ingested(original_filename="u.png")["status"] == "success"


def test_an_archived_row_is_not_processed(world: World) -> None:
    world.emulator.pause_queue()
    archived, kept = world.accepted(), world.accepted()
    world.update_inputs("ARCHIVE", archived)
    world.emulator.pause_queue(False)
    assert world.settled(kept)["status"] == "success"
    assert (world.row(archived)["status"], world.row(archived)["archived"]) == ("init", True)


def test_a_waiting_row_retried_is_processed_once(world: World) -> None:
    world.emulator.pause_queue()
    input_id = world.accepted()
    world.update_inputs("RETRY", input_id)
    assert world.row(input_id)["status"] == "retrying"
    world.emulator.pause_queue(False)
    until(lambda: world.row(input_id)["status"] == "success", "the row")
    assert len(world.files()) == 1


@pytest.mark.parametrize(
    "body, error",
    [
        ({"id_list": [99999], "mode": "RETRY"}, {"id_list": "None found."}),
        ({"id_list": [], "mode": "RETRY"}, {"id_list": "List must not be empty"}),
        ({"mode": "RETRY"}, {"id_list": "Missing id_list"}),
    ],
)
def test_input_update_refusals(world: World, body: dict[str, Any], error: dict[str, str]) -> None:
    answer = world.post("/api/walrus/v1/project/{p}/input/update", body)
    assert (answer.status_code, answer.json()["log"]["error"]) == (400, error)


def test_input_update_modes(world: World, file_id: int) -> None:
    (row,) = world.inputs()
    bad = world.update_inputs("DELETE", row["id"])
    assert list(bad.json()["log"]["error"]) == ["valid_values_list"]
    without = world.update_inputs(None, row["id"])
    assert (without.status_code, without.json()["log"]["success"]) == (200, False)
    assert world.row(row["id"])["retry_count"] == 0


def test_ids_of_another_project_are_left_alone(world: World, file_id: int) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    (row,) = world.inputs()
    assert other.update_inputs("ARCHIVE", row["id"]).status_code == 400
    assert world.row(row["id"])["archived"] is False
