"""Labels, attributes and datasets: what a foreign server would be changed by, or may do otherwise."""

from __future__ import annotations

from world import World


def test_colour_is_kept(world: World) -> None:
    colour = {"hex": "#123456"}
    body = {"name": "blue", "colour": colour}
    assert world.post("/api/v1/project/{p}/label/new", body).json()["label"]["colour"] == colour


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


def test_datasets_of_other_projects_are_invisible(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    path = f"/api/project/{{p}}/user/x/working_dir/view?working_dir_id={other.dataset}"
    assert world.get(path).status_code == 400
