"""Compound files (server.md 2.4, 2.5, 2.13 and 4.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.contract.media_server import picture
from world import World

NEW = "/api/v1/project/{p}/file/new-compound"


def status_of(world: World, parent: int) -> Any:
    answer = world.post("/api/walrus/v1/project/{p}/input/compound/status", {"parent_file_id": parent})
    return answer.json().get("status")


def children(world: World, parent: int, query: str = "") -> list[dict[str, Any]]:
    answer = world.get(f"/api/v1/project/{{p}}/file/{parent}/child-files{query}")
    found: list[dict[str, Any]] = answer.json()["child_files"]
    return found


def test_a_value_the_database_refuses_creates_no_parent(world: World) -> None:
    body = {"name": "c", "directory_id": world.dataset, "instance_list": [world.box(score="high")]}
    assert world.post(NEW, body).status_code == 503
    assert world.files() == []


def test_only_compound_types_hold_instances(world: World) -> None:
    body = {"directory_id": world.dataset, "instance_list": [world.box()]}
    plain = world.post(NEW, {"name": "a", "type": "folder", **body}).json()["file"]
    conversation = world.post(NEW, {"name": "b", "type": "compound_conversational", **body}).json()["file"]
    assert (plain["count_instances_changed"], conversation["count_instances_changed"]) == (None, 1)


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


def test_q15_status_has_no_word_for_failure_and_sticks(world: World) -> None:
    parent = world.new_compound("c")
    missing = {"url": f"{world.media.url}/missing.png", "type": "image"}
    world.ingested(parent_file_id=parent, media=missing)
    assert status_of(world, parent) == "base_object_created"
    world.ingested(parent_file_id=parent)
    assert status_of(world, parent) == "success"
    world.ingested(parent_file_id=parent, media=missing)
    assert status_of(world, parent) == "success"


def test_a_text_child(world: World) -> None:
    parent = world.new_compound("c")
    body = {"type": "from_text_data", "text_data": "hello", "media": {"type": "text"}}
    world.ingested(parent_file_id=parent, ordinal=3, **body)
    (child,) = children(world, parent)
    assert (child["type"], child["ordinal"]) == ("text", 3)
    assert world.send("GET", child["text"]["url_signed"].removeprefix(world.emulator.url)).text == "hello"


def test_a_rotation_that_is_no_quarter(world: World) -> None:
    file_id = world.from_local("a.png", picture()).json()["file"]["id"]
    path = f"/api/v1/project/{{p}}/file/{file_id}/update-metadata"
    assert world.send("PUT", path, json={"rotation_degrees": 45}).status_code == 400
