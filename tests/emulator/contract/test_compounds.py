"""Compound files (wire contract, 2.4, 2.5, 2.13 and 4.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .media_server import picture
from .world import World, until

NEW = "/api/v1/project/{p}/file/new-compound"


def status_of(world: World, parent: int) -> Any:
    answer = world.post("/api/walrus/v1/project/{p}/input/compound/status", {"parent_file_id": parent})
    return answer.json().get("status")


def children(world: World, parent: int, query: str = "") -> list[dict[str, Any]]:
    answer = world.get(f"/api/v1/project/{{p}}/file/{parent}/child-files{query}")
    found: list[dict[str, Any]] = answer.json()["child_files"]
    return found


def test_q19_duplicate_is_reported_under_directory_id(world: World) -> None:
    world.new_compound("twice")
    error = world.post(NEW, {"name": "twice", "directory_id": world.dataset}).json()["log"]["error"]
    text = f"File name: twice already exists in dataset demo-dataset<id={world.dataset}>"
    assert error == {"directory_id": text}


def test_q18_a_parent_collides_with_children_too(world: World) -> None:
    parent = world.new_compound("parent")
    assert world.from_local("child.png", picture(), parent_file_id=parent).status_code == 200
    assert world.post(NEW, {"name": "child.png", "directory_id": world.dataset}).status_code == 400


@pytest.mark.parametrize("directory_id", [None, 99999])
def test_unknown_dataset_is_400_here(world: World, directory_id: int | None) -> None:
    answer = world.post(NEW, {"name": "x", "directory_id": directory_id})
    assert answer.status_code == 400
    text = answer.json()["log"]["error"]["directory_id"]
    assert text.startswith(f"Dataset {directory_id} does not belong to project")


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_is_needed(world: World, name: str | None) -> None:
    answer = world.post(NEW, {"name": name, "directory_id": world.dataset})
    assert answer.status_code == 400
    assert list(answer.json()["log"]["error"]) == ["name"]


def test_q20_any_type_is_taken_and_not_listed(world: World) -> None:
    answer = world.post(NEW, {"name": "odd", "type": "whatever", "directory_id": world.dataset})
    assert answer.status_code == 200
    assert answer.json()["file"]["type"] == "whatever"
    assert answer.json()["log"]["success"] is False
    assert world.files() == []


@pytest.mark.parametrize("bad", [{"label_file_id": 99999}, {"x_min": "ten"}])
def test_q20_instance_errors_are_hidden(world: World, bad: dict[str, Any]) -> None:
    boxes = [world.box(), world.box(**{"x_max": 120, **bad}), world.box(x_max=130)]
    answer = world.post(NEW, {"name": "c", "directory_id": world.dataset, "instance_list": boxes})
    assert answer.status_code == 200
    assert answer.json()["file"]["count_instances_changed"] == 1
    assert len(world.instances(answer.json()["file"]["id"])) == 1


def test_q20_a_400_for_an_instance_has_created_the_parent(world: World) -> None:
    box = {"type": "box", "label_file_id": world.labels[0]}
    answer = world.post(NEW, {"name": "c", "directory_id": world.dataset, "instance_list": [box]})
    assert answer.status_code == 400
    assert "AssertionError" in answer.json()["log"]["error"]["instance_list_compound"]
    (file,) = world.files()
    assert (file["original_filename"], file["count_instances_changed"]) == ("c", None)


def test_a_value_the_database_refuses_creates_no_parent(world: World) -> None:
    body = {"name": "c", "directory_id": world.dataset, "instance_list": [world.box(score="high")]}
    assert world.post(NEW, body).status_code == 503
    assert world.files() == []


def test_only_compound_types_hold_instances(world: World) -> None:
    body = {"directory_id": world.dataset, "instance_list": [world.box()]}
    plain = world.post(NEW, {"name": "a", "type": "folder", **body}).json()["file"]
    conversation = world.post(NEW, {"name": "b", "type": "compound_conversational", **body}).json()["file"]
    assert (plain["count_instances_changed"], conversation["count_instances_changed"]) == (None, 1)


def test_global_instance_has_neither_label_nor_place(world: World) -> None:
    group, _ = world.new_group("text", global_type="compound_file", is_global=True)
    one = {"type": "global", "label_file_id": 99999, "attribute_groups": {str(group): "fine"}}
    parent = world.new_compound("c", instance_list=[one])
    (stored,) = world.instances(parent)
    assert (stored["label_file"], stored["label_file_id"], stored["x_min"]) == (None, None, None)
    assert stored["attribute_groups"] == {str(group): "fine"}


def test_q55_simultaneous_parents_of_one_name_are_both_created(slow_world: World) -> None:
    """Of four at once as many are created as there are server processes."""

    def create(_: int) -> int:
        return slow_world.post(NEW, {"name": "same", "directory_id": slow_world.dataset}).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(create, range(4)))
    assert statuses == [200, 200, 400, 400]
    assert len(slow_world.files()) == 2


def test_children_come_in_no_order_and_are_hidden_elsewhere(world: World) -> None:
    parent = world.new_compound("c")
    for ordinal in range(12):
        world.from_local(f"{ordinal}.png", picture(), parent_file_id=parent, ordinal=ordinal)
    ordinals = [child["ordinal"] for child in children(world, parent)]
    assert sorted(ordinals) == list(range(12))
    assert ordinals != sorted(ordinals)
    assert [file["type"] for file in world.files()] == ["compound"]
    assert len(world.files(with_children_files=True)) == 13
    assert [row["source"] for row in world.inputs()] == ["from_compound"]
    assert len(world.inputs(parent_file_id=parent)) == 12


def test_with_instances_takes_any_text_for_true(world: World) -> None:
    parent = world.new_compound("c")
    world.from_local("a.png", picture(), parent_file_id=parent, instance_list=[world.box()])
    (without,) = children(world, parent)
    (with_them,) = children(world, parent, "?with_instances=False")
    assert "instance_list" not in without
    assert without["count_instances_changed"] == 1
    assert len(with_them["instance_list"]) == 1


def test_child_files_of_strangers(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    foreign = world.get(f"/api/v1/project/{{p}}/file/{other.new_compound('c')}/child-files")
    assert (foreign.status_code, list(foreign.json()["log"]["error"])) == (400, ["file_id"])
    assert world.get("/api/v1/project/{p}/file/99999/child-files").status_code == 500
    assert children(world, world.new_compound("empty")) == []


def test_q15_status_has_no_word_for_failure_and_sticks(world: World) -> None:
    parent = world.new_compound("c")
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    world.ingested(parent_file_id=parent, media=missing)
    assert status_of(world, parent) == "base_object_created"
    world.ingested(parent_file_id=parent)
    assert status_of(world, parent) == "success"
    world.ingested(parent_file_id=parent, media=missing)
    assert status_of(world, parent) == "success"


def test_q15_status_crosses_projects(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    assert status_of(world, other.new_compound("c")) == "base_object_created"


def test_status_needs_a_parent(world: World) -> None:
    answer = world.post("/api/walrus/v1/project/{p}/input/compound/status", {})
    assert answer.json()["log"]["error"] == {"parent_file_id": "Missing parent_file_id"}


def test_an_image_may_be_a_parent(world: World) -> None:
    image = world.from_local("a.png", picture()).json()["file"]["id"]
    assert world.ingested(parent_file_id=image)["status"] == "success"
    assert len(children(world, image)) == 1


def test_parent_id_is_ignored(world: World) -> None:
    parent = world.new_compound("c")
    world.ingested(parent_id=parent)
    assert children(world, parent) == []
    assert len(world.files()) == 2


def test_q56_an_archived_parent_still_takes_children(world: World) -> None:
    parent = world.new_compound("c")
    (row,) = world.inputs()
    world.from_local("old.png", picture(), parent_file_id=parent)
    assert world.update_inputs("ARCHIVE", row["id"]).status_code == 200
    assert world.view(parent)["state"] == "removed"
    assert children(world, parent) == []
    assert world.ingested(parent_file_id=parent)["status"] == "success"
    assert [child["state"] for child in children(world, parent)] == ["added"]
    assert world.new_compound("c") != parent


def test_a_text_child(world: World) -> None:
    parent = world.new_compound("c")
    body = {"type": "from_text_data", "text_data": "hello", "media": {"type": "text"}}
    world.ingested(parent_file_id=parent, ordinal=3, **body)
    (child,) = children(world, parent)
    assert (child["type"], child["ordinal"]) == ("text", 3)
    assert world.send("GET", child["text"]["url_signed"].removeprefix(world.emulator.url)).text == "hello"


def test_metadata_of_a_child(world: World) -> None:
    parent = world.new_compound("c")
    file_id = world.from_local("a.png", picture(), parent_file_id=parent, ordinal=1).json()["file"]["id"]
    path = f"/api/v1/project/{{p}}/file/{file_id}/update-metadata"
    assert world.send("PUT", path, json={"ordinal": 7}).json()["file"]["ordinal"] == 7
    turned = world.send("PUT", path, json={"rotation_degrees": 90}).json()["file"]
    assert (turned["ordinal"], turned["image"]["rotation_degrees"]) == (7, 90)
    assert world.send("PUT", path, json={"rotation_degrees": 45}).status_code == 400
    assert world.send("PUT", path, json={"ordinal": "x"}).status_code == 503
    unknown = "/api/v1/project/{p}/file/99999/update-metadata"
    assert world.send("PUT", unknown, json={"ordinal": 1}).status_code == 500


def test_packet_children_keep_parent_and_ordinal(world: World) -> None:
    parent = world.new_compound("c")
    for ordinal in (2, None):
        until(
            lambda ordinal=ordinal: world.packet(parent_file_id=parent, ordinal=ordinal).status_code == 200,
            "room",
        )
    until(lambda: len(children(world, parent)) == 2, "both children")
    assert sorted(child["ordinal"] for child in children(world, parent)) == [0, 2]
