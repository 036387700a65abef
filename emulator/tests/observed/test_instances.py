"""Instances: the wording and the order of the emulator, and values that would do harm elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from world import World


def stored(world: World, *instances: dict[str, Any]) -> list[dict[str, Any]]:
    row = world.ingested(instance_list=list(instances))
    assert row["status"] == "success", row["status_text"]
    return world.instances(row["file_id"])


def refused(world: World, instance: Any) -> str:
    row = world.ingested(instance_list=[instance])
    assert row["status"] == "failed", row
    assert world.instances(row["file_id"]) == []
    assert world.view(row["file_id"])["count_instances_changed"] is None
    return str(row["status_text"])


@pytest.mark.parametrize(
    "change, text",
    [
        ({"x_min": 10.7, "x_max": 100.2}, "{'x_min': 'Must be an int', 'x_max': 'Must be an int'}"),
        ({"x_max": 110.0}, "{'x_max': 'Must be an int'}"),
        ({"y_max": "220"}, "{'y_max': 'Must be an int'}"),
        ({"label_file_id": "1"}, "{'label_file_id': 'Must be an int'}"),
        ({"label_file_id": None}, "{'label_file_id': 'Missing label_file_id'}"),
        ({"label_file_id": 99999}, "{'valid_label_file': 'Label File ID99999does not belong to project"),
        (
            {"x_min": 110, "x_max": 10},
            "{'width': 'Width: -100 less than 1 pixels or negative. xmin: 110 xmax: 10'}",
        ),
        ({"y_max": 20}, "{'height': 'Height: 0 less than 1"),
        ({"x_max": -3, "x_min": -9}, "{'width': 'Width: -3 less than 1"),
        ({"type": "triangle"}, "{'valid_values_list': "),
        ({"type": "polygon", "points": None}, "{'points': 'Missing points'}"),
        ({"type": "polygon", "points": [{"x": 1, "y": 1}]}, "{'filtered_points': '1 or less points.'}"),
        ({"type": "polygon", "points": [{"x": 1, "y": 5}, {"x": 9, "y": 5}]}, "{'height': 'Height: 0"),
        ({"type": "point", "points": []}, "{'points': 'Must be one point'}"),
        ({"type": "line", "points": [{"x": 1, "y": 1}]}, "{'points': 'Must be two points'}"),
    ],
)
def test_refused_with_named_errors(world: World, change: dict[str, Any], text: str) -> None:
    status_text = refused(world, {**world.box(), **change})
    assert status_text.startswith(f"Instance List Error:{text}")
    assert status_text.endswith("On SDK?: Some types of errors may be resolved by updating to latest.")


@pytest.mark.parametrize(
    "instance, last_line",
    [
        ({"type": "box", "x_min": 1}, "AssertionError"),
        ({"x_min": 1}, "KeyError"),
        ({"type": "ellipse", "center_x": 3}, "KeyError"),
        ({"type": "tag", "attribute_groups": [1]}, "AttributeError"),
    ],
)
def test_refused_with_a_traceback(world: World, instance: dict[str, Any], last_line: str) -> None:
    text = refused(world, {"label_file_id": world.labels[0], **instance})
    assert text.startswith("Instance List Creation error: Traceback (most recent call last):")
    assert text.splitlines()[-1].startswith(last_line)


def test_label_of_another_project_is_refused(world: World) -> None:
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    assert "valid_label_file" in refused(world, world.box(label_file_id=other.labels[0]))


def test_instances_before_the_bad_one_are_stored(world: World) -> None:
    boxes = [world.box(), world.box(label_file_id=99999, x_max=120), world.box(x_max=130)]
    row = world.ingested(instance_list=boxes)
    assert row["status"] == "failed"
    assert [one["x_max"] for one in world.instances(row["file_id"])] == [110]
    assert world.view(row["file_id"])["count_instances_changed"] == 1


def test_server_order_is_newest_first(world: World) -> None:
    """The bad one was made last and is looked at first, so that nothing is stored."""
    boxes = [
        world.box(client_created_time="2026-01-01T00:00:00"),
        world.box(client_created_time="2026-01-02T00:00:00", label_file_id=99999),
    ]
    row = world.ingested(instance_list=boxes)
    assert world.instances(row["file_id"]) == []


def test_identical_instances_are_stored_once(world: World) -> None:
    boxes = [world.box(score=0.1, creation_ref_id="a"), world.box(score=0.2, creation_ref_id="b")]
    row = world.ingested(instance_list=boxes)
    (one,) = world.instances(row["file_id"])
    assert (one["score"], one["creation_ref_id"]) == (0.1, "a")
    assert world.view(row["file_id"])["count_instances_changed"] == 1


def test_polygon_bounds_are_rounded_and_points_kept(world: World) -> None:
    points = [{"x": 1.6, "y": 1.2}, {"x": None, "y": 3}, {"x": 8.4, "y": 9.9}]
    (one,) = stored(world, {"type": "polygon", "label_file_id": world.labels[0], "points": points})
    assert one["points"] == [{"figure_id": None, "x": 1.6, "y": 1.2}, {"figure_id": None, "x": 8.4, "y": 9.9}]
    assert (one["x_min"], one["x_max"], one["y_min"], one["y_max"]) == (2, 8, 1, 10)


def test_q59_not_a_number_is_stored_and_breaks_strict_json(world: World) -> None:
    body = (
        '{"directory_id": %d, "original_filename": "n.png", "media": {"url": "%s/tiny.png", "type": "image"},'
    )
    body += '"instance_list": [{"type": "box", "label_file_id": %d, "x_min": 1, "y_min": 1, "x_max": 9,'
    body += '"y_max": 9, "score": NaN}]}'
    data = body % (world.dataset, world.media.url, world.labels[0])
    path = "/api/walrus/v1/project/{p}/input/packet"
    assert world.send("POST", path, data=data.encode()).status_code == 200
    (row,) = world.inputs()
    file_id = world.settled(row["id"])["file_id"]
    answer = world.post(f"/api/project/{{p}}/file/{file_id}/annotation/list")
    assert '"score":NaN' in answer.text


def test_model_id_must_exist_if_any_does(world: World) -> None:
    stored(world, world.box(model_ref="m"))
    assert "'model_id'" in refused(world, world.box(model_id=99999))


@pytest.fixture
def groups(world: World) -> dict[str, tuple[int, list[int]]]:
    """One group of each kind the cases below speak of."""
    options = ("red", "green")
    chosen = {kind: world.new_group(kind, options) for kind in ("select", "multiple_select", "tree")}
    return {**chosen, **{kind: world.new_group(kind) for kind in ("slider", "date", "time", "text")}}


def with_value(world: World, group: Any, value: Any) -> dict[str, Any]:
    return world.box(attribute_groups={str(group): value})


@pytest.mark.parametrize(
    "kind, value, last_line",
    [
        ("slider", "high", "ValueError"),
        ("slider", None, "TypeError"),
        ("date", "06/05/2024", "ValueError: time data"),
        ("time", "13:45:10", "ValueError: unconverted data remains: :10"),
        ("time", 5, "TypeError"),
        ("multiple_select", ["red"], "AttributeError"),
        ("tree", {"12": True}, "AttributeError"),
        ("select", {"id": "red"}, "ValueError"),
    ],
)
def test_q51_a_wrong_form_fails_the_row_after_everything_is_stored(
    world: World, groups: dict[str, tuple[int, list[int]]], kind: str, value: Any, last_line: str
) -> None:
    boxes = [with_value(world, groups[kind][0], value), world.box(x_max=130)]
    row = world.ingested(instance_list=boxes)
    assert row["status"] == "failed"
    assert row["status_text"].startswith("Instance List Creation error: Traceback")
    assert row["status_text"].splitlines()[-1].startswith(last_line)
    assert len(world.instances(row["file_id"])) == 2
    assert world.view(row["file_id"])["count_instances_changed"] == 2
