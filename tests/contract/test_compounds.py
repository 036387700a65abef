"""Compound parents and what their status says (server.md 2.4, 2.13 and 4.2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .attributes import Attribute, needed
from .deployment import UNKNOWN_ID
from .media_server import picture
from .stranger import Stranger
from .world import World

NEW = "/api/v1/project/{p}/file/new-compound"
STATUS = "/api/walrus/v1/project/{p}/input/compound/status"


def status_of(world: World, parent: int) -> Any:
    answer = world.post(STATUS, {"parent_file_id": parent})
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


def child(world: World, parent: int, name: str = "child.png", **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.from_local(name, picture(), parent_file_id=parent, **body).json()
    return found


def failed_child(world: World, parent: int, name: str) -> None:
    row = child(world, parent, name, instance_list=[world.box(label_file_id=UNKNOWN_ID)])["input"]
    assert row["status"] == "failed", row


def registered(world: World, name: str) -> list[dict[str, Any]]:
    """Return the files of a name that no answer told of; they are archived at the end."""
    files = [file for file in world.files(search_term=name) if file["original_filename"] == name]
    for file in files:
        world.deployment.inputs.update(row["id"] for row in world.inputs(file_id=file["id"]))
    return files


def test_q20_q21_the_answer_holds_file_and_input(world: World) -> None:
    body = world.compound("c").json()
    file, row = body["file"], body["file"]["input"]
    assert body["log"]["success"] is False
    assert (file["type"], file["original_filename"], file["state"]) == ("compound", "c", "added")
    assert file["count_instances_changed"] is None
    assert (row["status"], row["source"], row["media_type"]) == (
        "base_object_created",
        "from_compound",
        "compound",
    )
    assert (row["file_id"], row["instance_list"]) == (file["id"], {"list": {"list": []}})
    assert (row["percent_complete"], row["total_time"], row["batch_id"]) == (100, "None", None)


def test_q19_a_duplicate_is_reported_under_directory_id_without_the_existing_id(world: World) -> None:
    parent = world.new_compound("twice")
    answer = world.compound("twice")
    error = answer.json()["log"]["error"]
    assert (answer.status_code, list(error)) == (400, ["directory_id"])
    assert "File name: twice already exists in dataset" in error["directory_id"]
    assert f"<id={world.dataset}>" in error["directory_id"]
    assert f"={parent}" not in error["directory_id"].replace(f"<id={world.dataset}>", "")


def test_q18_a_parent_collides_with_root_files_and_children(world: World) -> None:
    parent = world.new_compound("parent")
    assert child(world, parent, "child.png")["input"]["status"] == "success"
    world.uploaded("root.png", picture())
    for name in ("child.png", "root.png"):
        answer = world.compound(name)
        assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["directory_id"])


@pytest.mark.parametrize("directory_id", [None, UNKNOWN_ID])
def test_an_unknown_dataset_is_a_400_here(world: World, directory_id: int | None) -> None:
    answer = world.post(NEW, {"name": "x", "directory_id": directory_id})
    assert answer.status_code == 400
    assert f"Dataset {directory_id} does not belong" in answer.json()["log"]["error"]["directory_id"]


def test_a_dataset_of_another_project_is_a_400(world: World, stranger: Stranger) -> None:
    answer = world.post(NEW, {"name": "x", "directory_id": stranger.dataset})
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["directory_id"])


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_is_needed(world: World, name: str | None) -> None:
    answer = world.post(NEW, {"name": name, "directory_id": world.dataset})
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["name"])


def test_q20_any_type_is_taken_and_such_a_file_is_not_listed(world: World) -> None:
    answer = world.compound("odd", type="whatever")
    assert (answer.status_code, answer.json()["file"]["type"]) == (200, "whatever")
    assert answer.json()["file"]["original_filename"] == "odd"
    assert world.files() == []


def test_a_type_that_begins_with_compound_holds_instances(world: World) -> None:
    answer = world.compound("talk", type="compound_conversational", instance_list=[world.box()])
    file = answer.json()["file"]
    assert (file["type"], file["count_instances_changed"]) == ("compound_conversational", 1)
    assert len(world.instances(file["id"])) == 1


@pytest.mark.parametrize("bad", [{"label_file_id": UNKNOWN_ID}, {"x_min": "ten"}])
def test_q20_instance_errors_are_hidden_but_for_the_counter(world: World, bad: dict[str, Any]) -> None:
    boxes = [world.box(), world.box(x_max=120, **bad), world.box(x_max=130)]
    answer = world.compound("c", instance_list=boxes)
    assert (answer.status_code, answer.json()["log"]["error"]) == (200, {})
    stored = world.instances(answer.json()["file"]["id"])
    assert len(stored) == (answer.json()["file"]["count_instances_changed"] or 0)
    assert len(stored) < 3
    assert 120 not in [one["x_max"] for one in stored]


def test_the_counter_of_good_instances_is_their_number(world: World) -> None:
    answer = world.compound("c", instance_list=[world.box(), world.box(x_max=120)])
    assert answer.json()["file"]["count_instances_changed"] == 2


def test_q20_a_400_for_an_instance_has_created_the_parent(world: World) -> None:
    answer = world.compound("c", instance_list=[{"type": "box", "label_file_id": world.labels[0]}])
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["instance_list_compound"])
    (file,) = registered(world, "c")
    assert (file["type"], world.instances(file["id"])) == ("compound", [])
    assert list(world.compound("c").json()["log"]["error"]) == ["directory_id"]


def test_q51_a_bad_attribute_value_has_created_the_parent_with_its_instances(
    world: World, attributes: dict[str, Attribute]
) -> None:
    values = {str(needed(attributes, "select").id): {"id": "red"}}
    answer = world.compound("c", instance_list=[world.box(attribute_groups=values)])
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["instance_list_compound"])
    (file,) = registered(world, "c")
    assert [one["attribute_groups"] for one in world.instances(file["id"])] == [values]


def test_a_global_instance_has_neither_label_nor_place(world: World) -> None:
    one = {"type": "global", "label_file_id": world.labels[0]}
    (stored,) = world.instances(world.new_compound("c", instance_list=[one]))
    assert (stored["type"], stored["label_file_id"], stored["label_file"]) == ("global", None, None)
    assert (stored["x_min"], stored["y_max"]) == (None, None)


def test_a_global_instance_carries_attributes(world: World, attributes: dict[str, Attribute]) -> None:
    group = needed(attributes, "select")
    option = group.options["red"]
    values = {str(group.id): {"id": option, "name": option, "display_name": "red"}}
    one = {"type": "global", "attribute_groups": values}
    (stored,) = world.instances(world.new_compound("c", instance_list=[one]))
    assert stored["attribute_groups"] == values


def test_q55_simultaneous_parents_of_one_name_may_be_created_twice(world: World) -> None:
    """As many as the server has processes; the others are refused as documented."""
    world.dataset  # noqa: B018  before the threads start

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.compound("same"), range(4)))
    created = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert created
    assert [answer.status_code for answer in refused] == [400] * len(refused)
    assert all(list(answer.json()["log"]["error"]) == ["directory_id"] for answer in refused)
    assert len(world.files(search_term="same")) == len(created)


def test_q14_the_row_of_a_parent_counts_as_processing(world: World) -> None:
    parent = world.new_compound("c")
    for name, listed in (("Processing", 1), ("Base_Object_Created", 1), ("Success", 0), ("Init", 0)):
        assert len(world.inputs(file_id=parent, status_filter=name)) == listed, name


def test_q15_status_has_no_word_for_a_failure(world: World) -> None:
    parent = world.new_compound("c")
    assert status_of(world, parent) == "base_object_created"
    failed_child(world, parent, "bad.png")
    assert status_of(world, parent) == "base_object_created"


def test_q15_a_status_of_success_stays_whatever_fails_later(world: World) -> None:
    parent = world.new_compound("c")
    child(world, parent)
    assert status_of(world, parent) == "success"
    (row,) = world.inputs(file_id=parent)
    assert row["status"] == "success"
    failed_child(world, parent, "bad.png")
    assert status_of(world, parent) == "success"


def test_q15_status_crosses_projects(world: World, stranger: Stranger) -> None:
    assert status_of(world, stranger.parent) == "base_object_created"


def test_q15_status_of_nothing(world: World) -> None:
    without = world.post(STATUS, {})
    assert (without.status_code, list(without.json()["log"]["error"])) == (400, ["parent_file_id"])
    assert world.post(STATUS, {"parent_file_id": UNKNOWN_ID}).status_code == 500
