"""What a pull relies on: marks of files, pages of the explorer, children (server.md 2.5, 10.3.5, 10.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.review.pull import Options, pull

from .media_server import picture
from .test_annotations import filled, new, written
from .test_files import FILES
from .world import World


@pytest.fixture(scope="module")
def dataset(module_world: World) -> dict[int, int]:
    """Five files: id -> number of boxes."""
    world = module_world
    found = {}
    for amount in (0, 1, 2, 3, 4):
        boxes = [world.box(x_max=50 + n, creation_ref_id=f"{amount}-{n}", score=0.5) for n in range(amount)]
        file = world.uploaded(f"{amount}.png", picture(), instance_list=boxes)["file"]
        found[int(file["id"])] = amount
    return found


def marks(files: list[dict[str, Any]]) -> dict[int, str]:
    return {file["id"]: file["time_last_updated"] for file in files}


def test_a_listing_an_explorer_and_a_file_alone_tell_one_mark(
    module_world: World, dataset: dict[int, int]
) -> None:
    world = module_world
    listed = marks(world.files("base"))
    assert set(listed) == set(dataset)
    assert marks(world.files("explorer", query=f"dataset.id = {world.dataset}")) == listed
    for file_id, mark in listed.items():
        alone = world.post(f"/api/project/{{p}}/file/{file_id}/annotation/list").json()["file_serialized"]
        assert (alone["id"], alone["time_last_updated"]) == (file_id, mark)
    assert all(len(mark.partition(".")[2]) in (0, 6) for mark in listed.values()), "microseconds"


def test_pages_of_an_explorer_have_every_file_once(module_world: World, dataset: dict[int, int]) -> None:
    world = module_world
    query = f"dataset.id = {world.dataset}"
    pages = [world.files("explorer", query=query, limit=2, page=page) for page in (1, 2, 3)]
    explored = [(file["id"], len(file["instance_list"])) for page in pages for file in page]
    assert sorted(explored) == sorted(dataset.items())


def test_a_page_past_the_end_is_false(module_world: World, dataset: dict[int, int]) -> None:
    world = module_world
    metadata = {"directory_id": world.dataset, "file_view_mode": "explorer", "regen_url": False}
    metadata |= {"query": f"dataset.id = {world.dataset}", "limit": 2, "page": 9}
    assert world.post(FILES, {"metadata": metadata}).json()["file_list"] is False


@pytest.mark.parametrize(
    "condition, status",
    [
        ('file.time_last_updated >= "2020-01-01"', 200),
        ("file.time_last_updated >= '2020-01-01'", 200),
        ('file.time_last_updated >= "2020-01-01T10:00:00"', 500),
        ("file.time_last_updated >= 2020-01-01", 400),
        ("file.id = 1", 400),
    ],
)
def test_times_are_asked_for_by_days(
    module_world: World, dataset: dict[int, int], condition: str, status: int
) -> None:
    world = module_world
    query = f"dataset.id = {world.dataset} and {condition}"
    metadata = {"directory_id": world.dataset, "file_view_mode": "explorer", "query": query}
    answer = world.post(FILES, {"metadata": metadata})
    assert answer.status_code == status
    if status == 200:
        assert {file["id"] for file in answer.json()["file_list"]} == set(dataset)


def test_children_bring_their_instances_and_marks(world: World) -> None:
    parent = world.new_compound("parent")
    child = world.uploaded("child.png", picture(), parent_file_id=parent, instance_list=[world.box()])["file"]
    (told,) = world.children(parent, "?with_instances=True")
    assert (told["id"], len(told["instance_list"])) == (child["id"], 1)
    assert told["time_last_updated"] == world.view(child["id"])["time_last_updated"]
    assert [file["id"] for file in world.files("base")] == [parent]


def test_what_is_pulled_is_what_is_there_and_only_a_change_makes_a_version(
    client: DiffgramClient, world: World, tmp_path: Path
) -> None:
    file_id, there = filled(world, 2)

    def pulled() -> Any:
        options = Options(format="coco")
        return pull(client, str(tmp_path / "set"), dataset=world.dataset, only="all", options=options)

    first = pulled()
    assert (first.files, first.instances, first.moved) == (1, 2, 0)
    assert pulled().version == first.version
    written(world, file_id, [*there, new(world, "n0", 300)])
    second = pulled()
    assert (second.instances, second.changed, second.is_new) == (3, 1, True)
