"""Labels, schemas, attributes and datasets (server.md 2.1 to 2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from .attributes import Attribute, needed
from .deployment import UNKNOWN_ID, Deployment
from .world import World

NAMES = "/api/v1/project/{p}/labels/view/name_to_file_id"
GROUPS = "/api/v1/project/{p}/attribute/template/list"
WORKING_DIR = "/api/project/{p}/user/x/working_dir/view"


def names_of(deployment: Deployment, schema: int | None) -> dict[str, int]:
    query = "" if schema is None else f"?schema_id={schema}"
    found: dict[str, int] = deployment.send("GET", NAMES + query).json()["name_to_file_id"]
    return found


def labels_of(deployment: Deployment) -> dict[str, Any]:
    path = f"/api/project/{{p}}/labels?schema_id={deployment.schema}"
    found: dict[str, Any] = deployment.send("GET", path).json()
    return found


def test_names_are_those_of_the_schema(deployment: Deployment) -> None:
    labels = deployment.labels
    names = names_of(deployment, deployment.schema)
    assert [names[name] for name in ("cat", "dog", "person")] == labels


def test_label_names_are_case_sensitive_and_not_unique(deployment: Deployment) -> None:
    """Two labels of one name are two label files of one label; which of them the name stands for is open."""
    first, second, other = (deployment.new_label(name) for name in ("twin", "twin", "Twin"))
    assert len({first, second, other}) == 3
    names = names_of(deployment, deployment.schema)
    assert names["twin"] in (first, second)
    assert names["Twin"] == other
    labels = {one["id"]: one["label"] for one in labels_of(deployment)["labels_out"]}
    assert labels[first] == labels[second] != labels[other]


def test_without_a_schema_only_the_default_one_counts(deployment: Deployment) -> None:
    name = f"{deployment.prefix} own"
    label = deployment.new_label(name)
    assert names_of(deployment, deployment.schema)[name] == label
    assert name not in names_of(deployment, None)


def test_a_new_schema_has_no_labels(world: World) -> None:
    answer = world.post("/api/v1/project/{p}/labels-schema/new", {"name": world.dataset_name})
    schema = answer.json()
    assert (answer.status_code, schema["name"]) == (200, world.dataset_name)
    assert names_of(world.deployment, schema["id"]) == {}
    listed = world.get("/api/v1/project/{p}/labels-schema").json()
    (found,) = [one for one in listed if one["id"] == schema["id"]]
    assert found["name"] == world.dataset_name
    assert isinstance(found["project_id"], int)


def test_labels_of_a_schema(deployment: Deployment) -> None:
    expected = dict(zip(deployment.labels, ("cat", "dog", "person"), strict=True))
    found = labels_of(deployment)
    by_id = {one["id"]: one for one in found["labels_out"]}
    assert {key: by_id[key]["label"]["name"] for key in expected} == expected
    assert {by_id[key]["type"] for key in expected} == {"label"}
    assert {str(key) for key in expected} <= set(found["label_file_colour_map"])
    assert isinstance(found["attribute_groups"], list)


def test_colours_of_all_schemas_are_told(deployment: Deployment) -> None:
    """The map covers every label of the project, whichever schema is asked for."""
    colours = deployment.send("GET", "/api/project/{p}/labels").json()["label_file_colour_map"]
    assert {str(label) for label in deployment.labels} <= set(colours)


def test_q21_log_success_is_false_on_labels(deployment: Deployment) -> None:
    assert labels_of(deployment)["log"]["success"] is False


def test_label_needs_a_name(deployment: Deployment) -> None:
    answer = deployment.post("/api/v1/project/{p}/label/new", {"schema_id": deployment.schema})
    assert (answer.status_code, answer.json()["log"]["error"]["name"]) == (400, "Missing name")


def test_attribute_list_wants_a_mode(deployment: Deployment) -> None:
    answer = deployment.post(GROUPS, {})
    assert (answer.status_code, answer.json()["log"]["error"]["mode"]) == (400, "Invalid mode")


def groups_of(deployment: Deployment, **filters: Any) -> list[dict[str, Any]]:
    answer = deployment.post(GROUPS, {"mode": "from_project", **filters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["attribute_group_list"]
    return found


@pytest.mark.parametrize(
    "kind", ["select", "multiple_select", "tree", "slider", "text", "date", "time", "radio"]
)
def test_attribute_group_of_each_kind(
    deployment: Deployment, attributes: dict[str, Attribute], kind: str
) -> None:
    made = needed(attributes, kind)
    (group,) = groups_of(deployment, group_id=made.id)
    assert (group["id"], group["kind"], group["prompt"]) == (made.id, kind, made.prompt)
    options = {one["name"]: one for one in group["attribute_template_list"] or []}
    assert {name: one["id"] for name, one in options.items()} == made.options
    assert {one["group_id"] for one in options.values()} <= {made.id}
    assert bool(options) == (kind in ("select", "multiple_select", "tree", "radio"))


def test_attribute_groups_by_their_ids(deployment: Deployment, attributes: dict[str, Attribute]) -> None:
    made = needed(attributes, "select")
    assert [one["id"] for one in groups_of(deployment, group_id_list=[made.id])] == [made.id]


def test_options_of_a_tree_name_their_parent(
    deployment: Deployment, attributes: dict[str, Attribute]
) -> None:
    made = needed(attributes, "tree")
    (group,) = groups_of(deployment, group_id=made.id)
    parents = {one["name"]: one["parent_id"] for one in group["attribute_template_list"]}
    assert parents == {"red": None, "dark red": made.options["red"]}


def datasets_of(world: World, **body: Any) -> list[dict[str, Any]]:
    answer = world.post("/api/v1/project/{p}/directory/list", body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["directory_list"]
    return found


def test_nickname_matches_a_part_and_the_newest_comes_first(world: World) -> None:
    first = world.dataset
    second = world.deployment.new_dataset(f"{world.name} more")
    part = world.dataset_name[3:]
    assert [one["id"] for one in datasets_of(world, nickname=part)] == [second, first]
    assert [one["id"] for one in datasets_of(world, nickname=part, limit=1)] == [second]
    (exact,) = [one for one in datasets_of(world, nickname=part) if one["nickname"] == world.dataset_name]
    assert exact["id"] == exact["directory_id"] == first


def test_dataset_names_are_unique(world: World) -> None:
    assert world.dataset
    body = {"nickname": world.dataset_name, "access_type": "project"}
    answer = world.post("/api/v1/project/{p}/directory/new", body)
    assert answer.status_code == 400
    assert answer.json()["log"]["error"] == {"name": "Existing with same name in project."}


def test_dataset_needs_access_type(world: World) -> None:
    answer = world.post("/api/v1/project/{p}/directory/new", {"nickname": world.dataset_name})
    assert answer.status_code == 400
    assert answer.json()["log"]["error"]["access_type"] == "Missing access_type"
    assert datasets_of(world, nickname=world.dataset_name) == []


@pytest.mark.parametrize("by", ["name", "working_dir_id"])
def test_dataset_by_its_exact_name_or_id(world: World, by: str) -> None:
    dataset = world.dataset
    value = {"name": world.dataset_name, "working_dir_id": dataset}[by]
    answer = world.get(WORKING_DIR, params={by: value}).json()
    assert answer["success"] is True
    assert (answer["working_dir"]["id"], answer["working_dir"]["nickname"]) == (dataset, world.dataset_name)


def test_a_part_of_the_name_is_not_enough_for_working_dir(world: World) -> None:
    assert world.dataset
    assert world.get(WORKING_DIR, params={"name": world.dataset_name[:-1]}).status_code == 400


def test_working_dir_without_a_name_is_the_default(world: World) -> None:
    """Whichever that is; the user in the path is ignored."""
    made = world.dataset
    ids = [
        world.get(f"/api/project/{{p}}/user/{user}/working_dir/view").json()["working_dir"]["id"]
        for user in ("x", "anything")
    ]
    assert ids[0] == ids[1] != made


@pytest.mark.parametrize("by", ["name", "working_dir_id"])
def test_q41_working_dir_errors_are_plain_text(world: World, by: str) -> None:
    value = {"name": f"{world.dataset_name} no such", "working_dir_id": UNKNOWN_ID}[by]
    answer = world.get(WORKING_DIR, params={by: value})
    assert (answer.status_code, answer.text) == (400, "Dataset not found")
    assert answer.headers["content-type"].startswith("text/html")
