"""Queries of the explorer (server.md 2.6; quirk 60)."""

from __future__ import annotations

import pytest

from tests.contract.media_server import picture
from world import World

FILES = "/api/project/{p}/user/x/file/list"


def explored(world: World, query: str) -> list[str]:
    found = world.files("explorer", query=query, directory_id=None)
    return sorted(file["original_filename"] for file in found or [])


@pytest.fixture
def filled(world: World) -> World:
    """Files by how many cats and dogs they hold: c0d0, c1d0, c2d1, c4d2."""
    for cats, dogs in ((0, 0), (1, 0), (2, 1), (4, 2)):
        boxes = [world.box(x_max=50 + number) for number in range(cats)]
        boxes += [world.box(x_max=50 + number, label_file_id=world.labels[1]) for number in range(dogs)]
        world.from_local(f"c{cats}d{dogs}.png", picture(), instance_list=boxes)
    return world


@pytest.mark.parametrize(
    "query, names",
    [
        ("labels.cat = 4", ["c4d2"]),
        ("labels.cat >= 2", ["c2d1", "c4d2"]),
        ("labels.cat > 2", ["c4d2"]),
        ("labels.cat > 0 and labels.dog = 0", ["c1d0"]),
        ("labels.cat = 1 or labels.dog = 2", ["c1d0", "c4d2"]),
        ("labels.cat = 1 or labels.dog >= 1 and labels.cat = 2", ["c1d0", "c2d1"]),
    ],
)
def test_numbers_of_labels(filled: World, query: str, names: list[str]) -> None:
    assert explored(filled, query) == [f"{name}.png" for name in names]


def test_q60_a_query_restricts_to_a_dataset(filled: World) -> None:
    other = filled.new_dataset("other")
    filled.from_local("elsewhere.png", picture(), directory_id=other)
    assert explored(filled, f"dataset.id = {other}") == ["elsewhere.png"]
    assert explored(filled, f"dataset.id = {filled.dataset} and labels.cat > 2") == ["c4d2.png"]
    assert len(explored(filled, "")) == 5


def test_children_are_never_listed_and_each_file_has_its_instances(filled: World) -> None:
    parent = filled.new_compound("parent")
    filled.from_local("child.png", picture(), parent_file_id=parent, instance_list=[filled.box()])
    files = filled.files("explorer", query="labels.cat >= 1", directory_id=None)
    assert sorted(len(file["instance_list"]) for file in files) == [1, 3, 6]


def test_nothing_found_is_false(filled: World) -> None:
    assert filled.files("explorer", query="labels.cat = 9", directory_id=None) is False


def test_there_is_no_order_and_pages_are_whole(world: World) -> None:
    ids = [world.from_local(f"{n}.png", picture()).json()["file"]["id"] for n in range(40)]
    query = f"dataset.id = {world.dataset}"
    pages = [world.files("explorer", query=query, limit=10, page=page) for page in range(1, 5)]
    found = [file["id"] for page in pages for file in page]
    assert sorted(found) == sorted(ids)
    assert found not in (sorted(ids), sorted(ids, reverse=True))
    assert world.files("explorer", query=query, limit=10, page=5) is False


@pytest.mark.parametrize(
    "query, found",
    [
        ('file.time_last_updated >= "2020-01-01"', 4),
        ("file.time_last_updated >= '2020-01-01'", 4),
        ('file.time_last_updated >= "2099-01-01"', 0),
        ('labels.cat > 0 and file.time_last_updated >= "2020-01-01"', 3),
        ('file.time_last_updated >= "2020-01-01" and labels.cat > 0', 3),
        ('file.type = "image"', 0),
        ("file.count_instances_changed >= 1", 0),
    ],
)
def test_what_can_be_asked_of_files(filled: World, query: str, found: int) -> None:
    assert len(explored(filled, query)) == found


@pytest.mark.parametrize(
    "query, status",
    [
        ('file.time_last_updated >= "2026-11-26T10:00:00"', 500),
        ("file.time_last_updated >= 2026-11-26", 400),
        ("file.id = 5", 400),
        ("file.ann_is_complete = true", 400),
        ('file.original_filename = "0003.jpg"', 400),
    ],
)
def test_what_cannot(filled: World, query: str, status: int) -> None:
    body = {"metadata": {"file_view_mode": "explorer", "query": query}}
    assert filled.post(FILES, body).status_code == status


def test_an_attribute_is_found_by_its_prompt(world: World) -> None:
    group, (red, blue) = world.new_group("select", ("red", "blue"), prompt="Which colour")
    for name, option in (("red.png", red), ("blue.png", blue)):
        box = world.box(attribute_groups={str(group): {"id": option}})
        world.from_local(name, picture(), instance_list=[box])
    assert explored(world, f"attribute.Which_colour = {blue}") == ["blue.png"]
    assert _refused(world, f"attribute.g_select = {blue}")


def test_a_deleted_instance_counts_no_longer(filled: World) -> None:
    (file,) = filled.files("explorer", query="labels.cat = 1", directory_id=None)
    ids = [instance["id"] for instance in file["instance_list"]]
    body = {"project": filled.project, "file_id": file["id"], "delete": ids}
    assert filled.emulator.control("instances", body) == {"deleted": 1}
    assert explored(filled, "labels.cat = 1") == []
    assert filled.view(file["id"])["count_instances_changed"] == 2


def _refused(world: World, query: str) -> bool:
    answer = world.post(FILES, {"metadata": {"file_view_mode": "explorer", "query": query}})
    return answer.status_code == 400 and bool(answer.json()["log"]["error"])


@pytest.mark.parametrize(
    "query",
    [
        "labels.unicorn = 1",
        "attribute.nothing = 1",
        "labels.cat",
        "labels.cat = 1 and",
        "labels.cat = 1 xor labels.dog = 1",
        "labels.cat = 1; drop table file",
    ],
)
def test_what_is_unknown_or_no_query_is_refused(world: World, query: str) -> None:
    assert _refused(world, query)


def test_labels_of_another_project_are_unknown(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    other.new_label("zebra")
    assert _refused(world, "labels.zebra = 1")


def test_a_label_with_a_blank(world: World) -> None:
    label = world.new_label("traffic light")
    world.from_local("a.png", picture(), instance_list=[world.box(label_file_id=label)])
    assert explored(world, "labels.traffic light = 1") == ["a.png"]
    assert explored(world, "labels.traffic_light = 1") == ["a.png"]
