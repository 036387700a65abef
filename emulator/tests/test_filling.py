"""A dataset that is filled at once answers as one whose files were ingested."""

from __future__ import annotations

import pytest

from diffgram_emulator.people import Person
from world import World


@pytest.fixture
def filled(world: World) -> list[int]:
    body = {"project": world.project, "dataset_id": world.dataset, "label_file_id": world.labels[0]}
    first = world.emulator.control("fill", {**body, "files": 3, "boxes": 2})["first_file_id"]
    again = world.emulator.control("fill", {**body, "files": 1, "boxes": 0})["first_file_id"]
    return [first, first + 1, first + 2, again]


def test_its_files_are_listed_with_their_boxes(world: World, filled: list[int]) -> None:
    listed = {file["id"]: file for file in world.files("base")}
    assert sorted(listed) == filled
    assert [listed[each]["original_filename"] for each in filled] == [f"{n:06}.jpg" for n in range(4)]
    assert [listed[each]["count_instances_changed"] for each in filled] == [2, 2, 2, None]
    assert len({file["time_last_updated"] for file in listed.values()}) == 4
    explored = world.files("explorer", query=f"dataset.id = {world.dataset}")
    assert {file["id"]: len(file["instance_list"]) for file in explored} == dict(
        zip(filled, (2, 2, 2, 0), strict=True)
    )
    assert {file["image"]["width"] for file in explored} == {640}


def test_people_edit_them_and_keep_what_they_leave(world: World, filled: list[int]) -> None:
    person = Person.of(world.emulator)
    page = person.open(filled[0])
    untouched = page.rows[1]["id"]
    page.move(0, 5)
    person.save(page)
    rows = {row["id"]: row for row in person.open(filled[0]).rows}
    assert len(rows) == 2
    assert rows[untouched]["version"] == 1
    assert person.undone() == []


@pytest.mark.parametrize("wrong", [{"dataset_id": 10**6}, {"label_file_id": 10**6}])
def test_what_is_not_there_cannot_be_filled(world: World, wrong: dict[str, int]) -> None:
    body = {"project": world.project, "dataset_id": world.dataset, "label_file_id": world.labels[0]}
    with pytest.raises(Exception, match="400"):
        world.emulator.control("fill", {**body, "files": 1, **wrong})
