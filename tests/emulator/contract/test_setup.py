"""Labels, attributes and datasets (wire contract, 2.1 to 2.3)."""

from __future__ import annotations

import pytest

from .world import World


def test_label_names_are_case_sensitive_and_not_unique(world: World) -> None:
    again = world.post("/api/v1/project/{p}/label/new", {"name": "cat"}).json()["label"]
    world.new_label("Cat")
    names = world.get("/api/v1/project/{p}/labels/view/name_to_file_id").json()["name_to_file_id"]
    assert set(names) == {"cat", "dog", "person", "Cat"}
    assert names["cat"] == again["id"] != world.labels[0]
    listed = world.get("/api/project/{p}/labels").json()["labels_out"]
    twice = [one["label"]["id"] for one in listed if one["label"]["name"] == "cat"]
    assert len(twice) == 2
    assert len(set(twice)) == 1


def test_a_new_schema_has_no_labels(world: World) -> None:
    schema = world.post("/api/v1/project/{p}/labels-schema/new", {"name": "other"}).json()
    assert (schema["name"], schema["is_default"]) == ("other", False)
    path = f"/api/v1/project/{{p}}/labels/view/name_to_file_id?schema_id={schema['id']}"
    assert world.get(path).json()["name_to_file_id"] == {}
    label = world.new_label("bird", schema_id=schema["id"])
    assert world.get(path).json()["name_to_file_id"] == {"bird": label}
    colours = world.get("/api/project/{p}/labels").json()["label_file_colour_map"]
    assert str(label) in colours


def test_colour_is_kept(world: World) -> None:
    colour = {"hex": "#123456"}
    body = {"name": "blue", "colour": colour}
    assert world.post("/api/v1/project/{p}/label/new", body).json()["label"]["colour"] == colour


def test_q21_log_success_is_false_on_labels(world: World) -> None:
    assert world.get("/api/project/{p}/labels").json()["log"]["success"] is False


def test_attribute_list_wants_a_mode(world: World) -> None:
    path = "/api/v1/project/{p}/attribute/template/list"
    assert world.post(path, {}).json()["log"]["error"] == {"mode": "Invalid mode"}
    assert world.post(path, {"mode": "from_project"}).json()["attribute_group_list"] == []


def test_attribute_filters(world: World) -> None:
    first, _ = world.new_group("select", ("a", "b"))
    second, _ = world.new_group("text", label_file_list=[world.labels[0]])

    def listed(**filters: object) -> list[int]:
        body = {"mode": "from_project", **filters}
        answer = world.post("/api/v1/project/{p}/attribute/template/list", body).json()
        return [group["id"] for group in answer["attribute_group_list"]]

    assert listed() == [first, second]
    assert listed(group_id=second) == [second]
    assert listed(group_id_list=[first]) == [first]
    body = {"mode": "from_project", "with_labels": True, "group_id": second}
    (group,) = world.post("/api/v1/project/{p}/attribute/template/list", body).json()["attribute_group_list"]
    assert [label["id"] for label in group["label_file_list"]] == [world.labels[0]]


def test_nickname_matches_a_part(world: World) -> None:
    def names(**body: object) -> list[str]:
        answer = world.post("/api/v1/project/{p}/directory/list", body).json()
        return [one["nickname"] for one in answer["directory_list"]]

    assert names(nickname="Def") == ["Default"]
    assert names() == ["demo-dataset", "Default"]
    assert names(limit=1) == ["demo-dataset"]


def test_dataset_names_are_unique(world: World) -> None:
    body = {"nickname": "demo-dataset", "access_type": "project"}
    answer = world.post("/api/v1/project/{p}/directory/new", body)
    assert answer.status_code == 400
    assert answer.json()["log"]["error"] == {"name": "Existing with same name in project."}


def test_dataset_needs_access_type(world: World) -> None:
    answer = world.post("/api/v1/project/{p}/directory/new", {"nickname": "x"})
    assert answer.json()["log"]["error"] == {"access_type": "Missing access_type"}


def test_working_dir_without_a_name_is_the_default(world: World) -> None:
    answer = world.get("/api/project/{p}/user/anything/working_dir/view").json()
    assert answer["working_dir"]["nickname"] == "Default"


@pytest.mark.parametrize("query", ["name=nope", "working_dir_id=99999"])
def test_q41_working_dir_errors_are_plain_text(world: World, query: str) -> None:
    answer = world.get("/api/project/{p}/user/x/working_dir/view?" + query)
    assert (answer.status_code, answer.text) == (400, "Dataset not found")
    assert answer.headers["content-type"].startswith("text/html")


def test_datasets_of_other_projects_are_invisible(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    path = f"/api/project/{{p}}/user/x/working_dir/view?working_dir_id={other.dataset}"
    assert world.get(path).status_code == 400
