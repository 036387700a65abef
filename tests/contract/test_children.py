"""Children of compound files (server.md 2.5, 2.6 and 4.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .deployment import UNKNOWN_ID
from .media_server import picture
from .stranger import Stranger
from .test_compounds import child
from .world import World


def test_q18_children_collide_with_root_files_alone(world: World) -> None:
    first, second = world.new_compound("first"), world.new_compound("second")
    for parent in (first, first, second):
        assert child(world, parent, "same.png")["input"]["status"] == "success"
    world.uploaded("same.png", picture())
    late = world.from_local("same.png", picture(), parent_file_id=first)
    assert (late.status_code, late.json()["input"]["status"]) == (400, "failed")
    assert "Already Exists in Dir" in late.json()["input"]["status_text"]


def test_parallel_children_keep_their_ordinals_and_are_hidden_elsewhere(world: World) -> None:
    parent = world.new_compound("c")
    world.labels  # noqa: B018  before the threads start

    def send(ordinal: int) -> dict[str, Any]:
        boxes = [world.box(x_max=20 + ordinal)]
        return child(world, parent, f"dir/{ordinal}.PNG", ordinal=ordinal, instance_list=boxes)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer["input"]["status"] for answer in answers} == {"success"}
    found = world.children(parent, "?with_instances=1")
    assert [one["ordinal"] for one in found] == list(range(8))
    assert [one["id"] for one in found] == [answer["file"]["id"] for answer in answers]
    assert [one["original_filename"] for one in found] == [f"dir_{ordinal}.PNG" for ordinal in range(8)]
    assert [one["count_instances_changed"] for one in found] == [1] * 8
    assert [[box["x_max"] for box in one["instance_list"]] for one in found] == [[20 + n] for n in range(8)]
    assert [file["id"] for file in world.files()] == [parent]
    listed = {file["id"] for file in world.files(with_children_files=True)}
    assert listed == {parent, *(one["id"] for one in found)}


def test_with_instances_takes_any_text_for_true(world: World) -> None:
    parent = world.new_compound("c")
    child(world, parent, instance_list=[world.box()])
    (without,) = world.children(parent)
    (with_them,) = world.children(parent, "?with_instances=False")
    assert "instance_list" not in without
    assert len(with_them["instance_list"]) == 1


def test_child_files_of_no_children_and_of_no_parent(world: World) -> None:
    assert world.children(world.new_compound("empty")) == []
    assert world.get(f"/api/v1/project/{{p}}/file/{UNKNOWN_ID}/child-files").status_code == 500


def test_child_files_of_another_project_are_refused(world: World, stranger: Stranger) -> None:
    answer = world.get(f"/api/v1/project/{{p}}/file/{stranger.parent}/child-files")
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["file_id"])


def test_q56_an_archived_parent_frees_its_name_and_still_takes_children(world: World) -> None:
    parent = world.new_compound("c")
    again = child(world, parent, "again.png", ordinal=3)
    (row,) = world.inputs(file_id=parent)
    child_of_other = world.new_compound("other")
    removed = child(world, child_of_other, "again.png", ordinal=3)
    ids = [row["id"], removed["input"]["id"]]
    assert world.update_inputs("ARCHIVE", *ids).status_code == 200
    assert world.view(parent)["state"] == "removed"
    assert world.view(again["file"]["id"])["state"] == "removed"
    assert world.children(parent) == []

    late = child(world, parent, "late.png")
    assert late["input"]["status"] == "success"
    assert [(one["id"], one["state"]) for one in world.children(parent)] == [(late["file"]["id"], "added")]
    assert world.new_compound("c") != parent

    assert world.children(child_of_other) == []
    assert child(world, child_of_other, "again.png", ordinal=3)["input"]["status"] == "success"


@pytest.fixture(scope="module")
def packets(module_world: World) -> dict[str, dict[str, Any]]:
    """Children sent as packets, and what looks like one, settled."""
    world = module_world
    parent, removed = world.new_compound("parent"), world.new_compound("removed")
    image = world.uploaded("image.png", picture())["file"]["id"]
    (row,) = world.inputs(file_id=removed)
    world.update_inputs("ARCHIVE", row["id"])
    words = {"type": "from_text_data", "text_data": "hello", "media": {"type": "text"}}
    bodies: dict[str, dict[str, Any]] = {
        "third": {"parent_file_id": parent, "ordinal": 2, "instance_list": [world.box()]},
        "first": {"parent_file_id": parent},
        "text": {"parent_file_id": parent, "ordinal": 1, "original_filename": "a.txt", **words},
        "of an image": {"parent_file_id": image},
        "of a removed parent": {"parent_file_id": removed},
        "parent_id": {"parent_id": parent, "original_filename": "root.png"},
    }
    rows = world.all_ingested(*bodies.values())
    return dict(zip(bodies, rows, strict=True))


def test_packets_become_children_with_parent_and_ordinal(
    module_world: World, packets: dict[str, dict[str, Any]]
) -> None:
    sent = [packets[name] for name in ("first", "text", "third")]
    assert {row["status"] for row in sent} == {"success"}
    (parent,) = {row["parent_file_id"] for row in sent}
    found = module_world.children(parent)
    assert [(one["id"], one["ordinal"]) for one in found] == [
        (row["file_id"], n) for n, row in enumerate(sent)
    ]
    assert [one["count_instances_changed"] for one in found] == [None, None, 1]


def test_a_child_may_be_a_text(module_world: World, packets: dict[str, dict[str, Any]]) -> None:
    file = module_world.view(packets["text"]["file_id"])
    assert file["type"] == "text"
    assert file["text"]["url_signed"]


def test_an_image_may_be_a_parent(module_world: World, packets: dict[str, dict[str, Any]]) -> None:
    row = packets["of an image"]
    assert row["status"] == "success"
    assert module_world.view(row["parent_file_id"])["type"] == "image"


def test_q56_a_packet_reaches_a_removed_parent(
    module_world: World, packets: dict[str, dict[str, Any]]
) -> None:
    row = packets["of a removed parent"]
    assert row["status"] == "success"
    assert module_world.view(row["parent_file_id"])["state"] == "removed"
    assert [one["state"] for one in module_world.children(row["parent_file_id"])] == ["added"]


def test_parent_id_is_ignored(module_world: World, packets: dict[str, dict[str, Any]]) -> None:
    row = packets["parent_id"]
    assert (row["status"], row["parent_file_id"]) == ("success", None)
    assert row["file_id"] in module_world.files("ids_only")


def test_metadata_of_a_child(world: World) -> None:
    parent = world.new_compound("c")
    first = child(world, parent, "a.png", ordinal=1)["file"]["id"]
    second = child(world, parent, "b.png", ordinal=2)["file"]["id"]
    path = f"/api/v1/project/{{p}}/file/{first}/update-metadata"
    moved = world.send("PUT", path, json={"ordinal": 2})
    assert (moved.status_code, moved.json()["file"]["ordinal"]) == (200, 2)
    turned = world.send("PUT", path, json={"rotation_degrees": 90})
    assert turned.status_code == 200
    file = world.view(first)
    assert (file["ordinal"], file["image"]["rotation_degrees"]) == (2, 90)
    assert world.view(second)["ordinal"] == 2


def test_q06_metadata_the_server_cannot_use(world: World) -> None:
    file_id = world.uploaded("a.png", picture())["file"]["id"]
    path = f"/api/v1/project/{{p}}/file/{file_id}/update-metadata"
    assert world.deployment.is_refused_by_database("PUT", path, json={"ordinal": "x"})
    unknown = f"/api/v1/project/{{p}}/file/{UNKNOWN_ID}/update-metadata"
    assert world.send("PUT", unknown, json={"ordinal": 1}).status_code == 500
