"""Looking up files and what is on them (server.md 2.6)."""

from __future__ import annotations

from typing import Any

import pytest

from .attributes import Attribute, needed, prompt_of
from .deployment import UNKNOWN_ID, until
from .media_server import picture
from .world import World

FILES = "/api/project/{p}/user/x/file/list"
EXISTS = "/api/v1/project/{p}/file/exists"


def test_q39_unknown_files_are_500(world: World) -> None:
    body = {"file_id": UNKNOWN_ID, "project_string_id": world.deployment.project}
    assert world.post("/api/v1/file/view", body).status_code == 500
    assert world.get(f"/api/v1/project/{{p}}/file/{UNKNOWN_ID}/file-stats").status_code == 500


def test_a_view_of_a_file_needs_its_keys(world: World) -> None:
    assert world.post("/api/v1/file/view").status_code == 400


def test_annotations_of_an_unknown_file_are_a_400_of_their_own_form(world: World) -> None:
    answer = world.post(f"/api/project/{{p}}/file/{UNKNOWN_ID}/annotation/list")
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert "File not in valid project directory" in answer.json()["message"]


def test_q06_annotations_of_an_id_that_is_no_number(world: World) -> None:
    path = "/api/project/{p}/file/abc/annotation/list"
    assert world.deployment.is_refused_by_database("POST", path, json={})


def test_base_fields_of_a_file(world: World) -> None:
    file_id = world.uploaded("a.png", picture(30, 20))["file"]["id"]
    file = world.view(file_id)
    assert (file["type"], file["original_filename"], file["state"]) == ("image", "a.png", "added")
    assert (file["image"]["width"], file["image"]["height"]) == (30, 20)
    assert file["image"]["url_signed"]
    assert file["count_instances_changed"] is None
    assert not {"parent_id", "directory_id", "input_id"} & set(file)


def test_file_list_pages_newest_first(world: World) -> None:
    ids = [world.uploaded(f"{n}.png", picture())["file"]["id"] for n in range(5)]
    body = {"directory_id": world.dataset, "file_view_mode": "ids_only", "limit": 2}
    pages = [world.post(FILES, {"metadata": {**body, "page": page}}).json() for page in (1, 2, 3)]
    assert [page["file_list"] for page in pages] == [ids[:2:-1], ids[2:0:-1], ids[:1]]
    assert [page["metadata"]["next_page"] for page in pages] == [2, 3, None]
    assert [page["metadata"]["page"] for page in pages] == [1, 2, 3]
    assert {page["metadata"]["total_pages"] for page in pages} == {3}
    assert {page["metadata"]["file_count"] for page in pages} == {5}


def test_file_list_modes(world: World) -> None:
    cat = world.uploaded("Cat.png", picture(), instance_list=[world.box()])["file"]["id"]
    dog = world.uploaded("dog.png", picture())["file"]["id"]
    assert world.files("ids_only") == [dog, cat]
    assert [file["id"] for file in world.files("base")] == [dog, cat]
    assert "image" not in world.files("base")[0]
    for mode in ("home", "annotation"):
        assert {file["image"]["width"] for file in world.files(mode)} == {64}, mode
    explored = {
        file["id"]: len(file["instance_list"])
        for file in world.files("explorer", query=f"dataset.id = {world.dataset}")
    }
    assert explored == {cat: 1, dog: 0}


def test_file_list_searches_a_part_of_the_name_in_any_case(world: World) -> None:
    for name in ("Cat.png", "dog.png"):
        world.uploaded(name, picture())
    assert [file["original_filename"] for file in world.files(search_term="cA")] == ["Cat.png"]
    assert world.files(search_term="horse") == []


def test_the_counter_equals_the_instances(world: World) -> None:
    for amount in (0, 1, 3):
        boxes = [world.box(x_max=50 + n) for n in range(amount)]
        world.uploaded(f"{amount}.png", picture(), instance_list=boxes)
    world.uploaded("twins.png", picture(), instance_list=[world.box(), world.box(), world.box(x_max=60)])
    counted = {file["original_filename"]: file["count_instances_changed"] for file in world.files()}
    assert counted == {"0.png": None, "1.png": 1, "3.png": 3, "twins.png": 2}


def test_q41_file_list_of_an_unknown_dataset_is_a_bare_text(world: World) -> None:
    answer = world.post(FILES, {"metadata": {"directory_id": UNKNOWN_ID, "file_view_mode": "base"}})
    assert (answer.status_code, answer.json()) == (400, "Error with directory")


def test_file_list_without_a_mode_is_500(world: World) -> None:
    assert world.post(FILES, {"metadata": {"directory_id": world.dataset}}).status_code == 500


def test_q60_explorer_ignores_the_dataset(world: World) -> None:
    world.uploaded("a.png", picture())
    empty = world.deployment.new_dataset(f"{world.name} empty")
    assert world.files("base", directory_id=empty) == []
    assert world.files("explorer", directory_id=empty, limit=1) != []


@pytest.fixture(scope="module")
def queried(module_world: World) -> tuple[str, dict[int, int]]:
    """A label of this run alone, and three files with one to three boxes of it, by number of boxes."""
    world = module_world
    name = f"queried{world.deployment.prefix[-6:]}"
    label = world.deployment.new_label(name)
    files = {}
    for amount in (1, 2, 3):
        boxes = [world.box(label_file_id=label, x_max=50 + n) for n in range(amount)]
        files[amount] = world.uploaded(f"{amount}.png", picture(), instance_list=boxes)["file"]["id"]
    return name, files


@pytest.mark.parametrize(
    "query, amounts",
    [
        ("labels.{label} = 2", {2}),
        ("labels.{label} >= 2", {2, 3}),
        ("labels.{label} > 2", {3}),
        ("dataset.id = {dataset}", {1, 2, 3}),
        ("labels.{label} >= 2 and dataset.id = {dataset}", {2, 3}),
        ("labels.{label} = 1 or labels.{label} = 3", {1, 3}),
    ],
    ids=["equal", "at_least", "more", "dataset", "and", "or"],
)
def test_explorer_queries(
    module_world: World, queried: tuple[str, dict[int, int]], query: str, amounts: set[int]
) -> None:
    name, files = queried
    asked = query.format(label=name, dataset=module_world.dataset)
    expected = {files[amount] for amount in amounts}

    def found() -> set[int]:
        return {file["id"] for file in module_world.files("explorer", query=asked)}

    until(lambda: found() == expected, f"{asked} to find {expected}, with {amounts} boxes", seen=found)


def test_explorer_queries_find_attributes_by_prompt(world: World, attributes: dict[str, Attribute]) -> None:
    group = needed(attributes, "select")
    red, blue = (group.options[name] for name in ("red", "blue"))
    files = []
    for option in (red, blue):
        values = {str(group.id): {"id": option, "name": option, "display_name": "x"}}
        box = world.box(attribute_groups=values)
        files.append(world.uploaded(f"{option}.png", picture(), instance_list=[box])["file"]["id"])
    prompt = prompt_of("select").replace(" ", "_")
    asked = f"attribute.{prompt} = {red} and dataset.id = {world.dataset}"

    def found() -> list[int]:
        return [file["id"] for file in world.files("explorer", query=asked)]

    until(lambda: found() == files[:1], f"{asked} to find {files[:1]}", seen=found)


@pytest.mark.parametrize(
    "subject", ["labels.nosuchlabel", "attribute.no_such_attribute"], ids=["label", "attribute"]
)
def test_an_unknown_name_in_a_query_is_400(world: World, subject: str) -> None:
    metadata = {"directory_id": world.dataset, "file_view_mode": "explorer", "query": f"{subject} = 1"}
    answer = world.post(FILES, {"metadata": metadata})
    assert answer.status_code == 400
    assert answer.json()["log"]["error"]


def test_file_exists_counts_removed_files_and_tells_no_ids(world: World) -> None:
    name = f"{world.deployment.prefix}-exists.png"
    answer = world.uploaded(name, picture())
    assert world.update_inputs("ARCHIVE", answer["input"]["id"]).status_code == 200
    body = {"file_id_list": [name, answer["file"]["id"], f"{name}.nope", UNKNOWN_ID]}
    result = world.post(EXISTS, body).json()["result"]
    assert result["exists"] is False
    assert sorted(result["missing_files"], key=str) == sorted([f"{name}.nope", UNKNOWN_ID], key=str)
    only = world.post(EXISTS, {"file_id_list": [name]}).json()["result"]
    assert (only["exists"], only["missing_files"]) == (True, [])
    assert world.post(EXISTS, {"file_id_list": []}).status_code == 400
    assert world.view(answer["file"]["id"])["state"] == "removed"


def stats(world: World, file_id: int) -> list[dict[str, Any]]:
    answer = world.get(f"/api/v1/project/{{p}}/file/{file_id}/file-stats")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["file_stats"]
    return found


def test_file_stats_count_instances_by_label(world: World) -> None:
    cat, dog, _ = world.labels
    parent = world.new_compound("c")
    boxes = [world.box(), world.box(x_max=50), world.box(label_file_id=dog)]
    child = world.from_local("a.png", picture(), parent_file_id=parent, instance_list=boxes).json()["file"]

    def counted() -> dict[int, int]:
        return {row["label_file_id"]: row["count_instances"] for row in stats(world, child["id"])}

    until(lambda: counted() == {cat: 2, dog: 1}, "two cats and a dog to be counted", seen=counted)
    assert stats(world, world.uploaded("b.png", picture())["file"]["id"]) == []


def test_file_stats_have_a_row_for_an_attribute_value(world: World, attributes: dict[str, Attribute]) -> None:
    group = needed(attributes, "select")
    option = group.options["red"]
    box = world.box(attribute_groups={str(group.id): {"id": option}})
    file_id = world.uploaded("a.png", picture(), instance_list=[box])["file"]["id"]

    def of_attributes() -> list[tuple[int, int]]:
        rows = [row for row in stats(world, file_id) if row["attribute_template_group_id"] is not None]
        return [(row["attribute_template_group_id"], row["attribute_template_id"]) for row in rows]

    assert until(of_attributes, "a row of the attribute") == [(group.id, option)]


def test_file_stats_of_a_time_are_500(world: World, attributes: dict[str, Attribute]) -> None:
    box = world.box(attribute_groups={str(needed(attributes, "time").id): "13:45"})
    file_id = world.uploaded("a.png", picture(), instance_list=[box])["file"]["id"]
    assert world.get(f"/api/v1/project/{{p}}/file/{file_id}/file-stats").status_code == 500
