"""Instances: what is stored, changed or refused (server.md 5.1 to 5.3 and 5.5).

Uploads, which are answered once everything is done, show the values; packets show how a row tells of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from .deployment import UNKNOWN_ID, body_of, until
from .media_server import picture
from .world import World


def stored(world: World, *instances: dict[str, Any]) -> list[dict[str, Any]]:
    """Upload an image with instances and return those that are stored."""
    made = world.uploaded("stored.png", picture(), instance_list=list(instances))
    return world.instances(made["file"]["id"])


def test_a_box_and_its_fields(world: World) -> None:
    box = world.box(score=0.5, machine_made=True, creation_ref_id="key", number=4, name="ignored", width=3)
    (one,) = stored(world, box)
    assert (one["type"], one["label_file_id"]) == ("box", world.labels[0])
    assert (one["x_min"], one["y_min"], one["x_max"], one["y_max"]) == (10, 20, 110, 220)
    assert (one["width"], one["height"]) == (100, 200)
    assert (one["score"], one["machine_made"], one["creation_ref_id"]) == (0.5, True, "key")
    assert (one["number"], one["version"], one["action_type"]) == (4, 1, "created")
    assert one["label_file"]["label"]["name"] == "cat"
    assert (one["model_id"], one["model_run_id"]) == (None, None)


def test_negative_minima_become_zero(world: World) -> None:
    (one,) = stored(world, world.box(x_min=-5, y_min=-6))
    assert (one["x_min"], one["y_min"]) == (0, 0)


def test_beyond_the_image_is_stored_unchanged(world: World) -> None:
    (one,) = stored(world, world.box(x_max=5000))
    assert one["x_max"] == 5000


def test_true_is_one(world: World) -> None:
    (one,) = stored(world, world.box(x_min=True))
    assert one["x_min"] == 1


def test_identical_instances_are_stored_once(world: World) -> None:
    made = world.uploaded("i.png", picture(), instance_list=[world.box(), world.box(), world.box(x_max=50)])
    file_id = made["file"]["id"]
    assert sorted(one["x_max"] for one in world.instances(file_id)) == [50, 110]
    assert world.view(file_id)["count_instances_changed"] == 2


def test_a_hundred_boxes(world: World) -> None:
    boxes = [world.box(x_max=20 + n) for n in range(100)]
    assert sorted(one["x_max"] for one in stored(world, *boxes)) == list(range(20, 120))


def test_polygon_bounds_are_rounded_and_points_kept(world: World) -> None:
    points = [{"x": 1.6, "y": 1.2}, {"x": 8.4, "y": 1}, {"x": 5, "y": 9.9}]
    (one,) = stored(world, {"type": "polygon", "label_file_id": world.labels[0], "points": points})
    assert [(point["x"], point["y"]) for point in one["points"]] == [(1.6, 1.2), (8.4, 1), (5, 9.9)]
    assert all("figure_id" in point for point in one["points"])
    assert (one["x_min"], one["x_max"], one["y_min"], one["y_max"]) == (2, 8, 1, 10)


def _xy(x: int, y: int) -> dict[str, int]:
    return {"x": x, "y": y}


def _face(x: int) -> dict[str, Any]:
    return {
        "width": 30,
        "height": 30,
        "top_left": _xy(x, 10),
        "top_right": _xy(x + 30, 10),
        "bot_left": _xy(x, 40),
        "bot_right": _xy(x + 30, 40),
    }


def _ends(first: int) -> list[dict[str, int]]:
    return [_xy(first, 5), _xy(20, 25)]


KINDS: dict[str, dict[str, Any]] = {
    "polygon": {"points": [*_ends(3), _xy(9, 30)]},
    "point": {"points": [_xy(5, 6)]},
    "line": {"points": _ends(4)},
    "tag": {},
    "ellipse": {"center_x": 30, "center_y": 31, "width": 10, "height": 5, "angle": 0.5},
    "curve": {"p1": _xy(1, 2), "p2": _xy(30, 4), "cp": _xy(15, 60)},
    "cuboid": {"front_face": _face(5), "rear_face": _face(12)},
    "keypoints": {
        "nodes": [{"id": 1, "x": 11, "y": 12}, {"id": 2, "x": 21, "y": 22}],
        "edges": [{"from": 1, "to": 2}],
    },
}


@pytest.fixture(scope="module")
def kinds(module_world: World) -> dict[str, dict[str, Any]]:
    """One instance of each kind, all in one image, by kind."""
    sent: list[dict[str, Any]] = [
        {"type": kind, "label_file_id": module_world.labels[0], **geometry}
        for kind, geometry in KINDS.items()
    ]
    found = stored(module_world, *sent, {"type": "global"})
    assert len(found) == len(sent) + 1
    return {one["type"]: one for one in found}


@pytest.mark.parametrize("kind", KINDS)
def test_geometry_of_each_kind_comes_back(kinds: dict[str, dict[str, Any]], kind: str) -> None:
    assert _covers(kinds[kind], KINDS[kind])


def _covers(seen: Any, sent: Any) -> bool:
    """Tell whether everything sent is seen; the server adds keys of its own."""
    if isinstance(sent, dict):
        return all(key in seen and _covers(seen[key], value) for key, value in sent.items())
    if isinstance(sent, list):
        return len(seen) == len(sent) and all(map(_covers, seen, sent))
    return bool(seen == sent)


def test_a_tag_has_bounds_of_zero(kinds: dict[str, dict[str, Any]]) -> None:
    assert [kinds["tag"][key] for key in ("x_min", "y_min", "x_max", "y_max")] == [0, 0, 0, 0]


def test_bounds_of_an_ellipse_are_its_half_axes(kinds: dict[str, dict[str, Any]]) -> None:
    assert [kinds["ellipse"][key] for key in ("x_min", "x_max", "y_min", "y_max")] == [20, 40, 26, 36]


def test_a_global_has_neither_label_nor_place(kinds: dict[str, dict[str, Any]]) -> None:
    assert [kinds["global"][key] for key in ("label_file_id", "x_min", "x_max")] == [None, None, None]


def test_what_a_kind_does_not_have_is_empty(kinds: dict[str, dict[str, Any]]) -> None:
    tag = kinds["tag"]
    assert (tag["points"], tag["nodes"], tag["edges"]) == ([], [], [])
    assert (tag["center_3d"], tag["dimensions_3d"], tag["angle"]) == ({}, {}, 0)


@pytest.mark.parametrize(
    "change, parts",
    [
        ({"x_min": 10.7, "x_max": 100.2}, ["'x_min': 'Must be an int'", "'x_max': 'Must be an int'"]),
        ({"x_max": 110.0}, ["'x_max': 'Must be an int'"]),
        ({"label_file_id": "1"}, ["'label_file_id': 'Must be an int'"]),
        ({"label_file_id": None}, ["'label_file_id': 'Missing label_file_id'"]),
        ({"label_file_id": UNKNOWN_ID}, ["'valid_label_file': "]),
        ({"x_min": 110, "x_max": 10}, ["'width': 'Width: -100 less than 1 pixels"]),
        ({"x_max": 10}, ["'Width: 0 less than 1"]),
        ({"y_max": 20}, ["'height': "]),
        ({"x_max": -3, "x_min": -9}, ["'width': "]),
        ({"type": "triangle"}, ["'valid_values_list': "]),
        ({"type": "polygon"}, ["'points': 'Missing points'"]),
        ({"type": "polygon", "points": [_xy(1, 1)]}, ["'filtered_points': '1 or less points.'"]),
        ({"type": "polygon", "points": [_xy(1, 5), _xy(9, 5)]}, ["'height': "]),
        ({"type": "point", "points": _ends(1)}, ["Must be one point"]),
        ({"type": "line", "points": [_xy(1, 1)]}, ["Must be two points"]),
        ({"y_max": "220"}, []),
    ],
)
def test_q22_an_upload_with_a_bad_instance_is_200_and_failed(
    world: World, change: dict[str, Any], parts: list[str]
) -> None:
    """The file is there without instances; the wording is looked at where it is known."""
    answer = world.from_local("bad.png", picture(), instance_list=[{**world.box(), **change}])
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["log"]["success"], made["input"]["status"]) == (True, "failed")
    assert [part for part in parts if part not in made["input"]["status_text"]] == []
    assert world.instances(made["file"]["id"]) == []


@pytest.fixture(scope="module")
def sent(module_world: World) -> dict[str, int]:
    """Packets with bad instances, sent together, by name."""
    world, label = module_world, module_world.labels[0]
    bad = world.box(label_file_id=UNKNOWN_ID, x_max=120)
    lists: dict[str, list[dict[str, Any]]] = {
        "float": [world.box(x_max=100.2)],
        "inverted": [world.box(x_min=110, x_max=10)],
        "no coordinates": [{"type": "box", "label_file_id": label}],
        "no type": [{"label_file_id": label, "x_min": 1}],
        "ellipse": [{"type": "ellipse", "label_file_id": label}],
        "attributes as list": [world.box(attribute_groups=[1])],
        "one of three": [world.box(), bad, world.box(x_max=130)],
    }
    ids = world.all_accepted(*[{"instance_list": instances} for instances in lists.values()])
    return dict(zip(lists, ids, strict=True))


def refused(world: World, input_id: int) -> str:
    row = world.failed(input_id)
    assert (row["percent_complete"], row["update_log"]["error"]) == (100, {})
    assert world.instances(row["file_id"]) == []
    assert world.view(row["file_id"])["count_instances_changed"] is None
    return str(row["status_text"])


@pytest.mark.parametrize(
    "case, text",
    [("float", "{'x_max': 'Must be an int'}"), ("inverted", "{'width': 'Width: -100 less than 1 pixels")],
)
def test_refused_with_named_errors(module_world: World, sent: dict[str, int], case: str, text: str) -> None:
    status_text = refused(module_world, sent[case])
    assert status_text.startswith(f"Instance List Error:{text}")
    assert " On SDK?: " in status_text


@pytest.mark.parametrize("case", ["no coordinates", "no type", "ellipse"])
def test_q03_refused_with_a_traceback(module_world: World, sent: dict[str, int], case: str) -> None:
    """A poller may see each of these as a success first."""
    text = refused(module_world, sent[case])
    assert text.startswith("Instance List Creation error: Traceback")


def test_a_list_of_attributes_fails_the_row(module_world: World, sent: dict[str, int]) -> None:
    """Whether the instance is stored is not stated; those with bad values in an object are."""
    text = module_world.failed(sent["attributes as list"])["status_text"]
    assert text.startswith("Instance List Creation error: Traceback")


def test_one_bad_instance_fails_them_all(module_world: World, sent: dict[str, int]) -> None:
    """Those before it, in the server's order, may stay; the bad one is not stored, and the counter knows."""
    row = module_world.failed(sent["one of three"])
    kept = [one["x_max"] for one in module_world.instances(row["file_id"])]
    assert set(kept) <= {110, 130}
    assert (module_world.view(row["file_id"])["count_instances_changed"] or 0) == len(kept)


def test_q20_a_compound_is_made_without_its_bad_instance(world: World) -> None:
    answer = world.compound("bad", instance_list=[world.box(label_file_id=UNKNOWN_ID)])
    file = answer.json()["file"]
    assert (answer.status_code, file["count_instances_changed"]) == (200, None)
    assert world.instances(file["id"]) == []


def texts(world: World, **instance: Any) -> list[dict[str, Any]]:
    body = {"type": "from_text_data", "text_data": "a b c", "media": {"type": "text"}}
    one = {"label_file_id": world.labels[0], **instance}
    row = world.ended(world.accepted(original_filename="t.txt", instance_list=[one], **body))
    assert row["status"] == "success", row["status_text"]
    found: list[dict[str, Any]] = until(
        lambda: world.instances(row["file_id"]), "the instance of a text", world.deployment.patience
    )
    return found


def test_text_tokens(world: World) -> None:
    (one,) = texts(world, type="text_token", start_token=0, end_token=2)
    assert (one["start_token"], one["end_token"], one["text_tokenizer"]) == (0, 2, "nltk")


def runs(world: World) -> dict[str, int]:
    listed = body_of(world.post("/api/v1/project/{p}/model-runs/list"))["model_run_list"]
    return {run["reference_id"]: run["id"] for run in listed}


def test_q48_a_run_introduced_by_one_packet_is_found_again(world: World) -> None:
    """The second packet waits until the run is listed, as two at once might cost the server a thread."""
    prefix = world.deployment.prefix
    refs = {"model_ref": f"{prefix} model", "model_run_ref": f"{prefix} run"}
    first = world.ingested(instance_list=[world.box(**refs, score=0.87)])
    found = until(lambda: runs(world).get(refs["model_run_ref"]), "the run", world.deployment.patience)
    second = world.ingested(instance_list=[world.box(**refs)])
    boxes = [*world.instances(first["file_id"]), *world.instances(second["file_id"])]
    assert [one["model_run_id"] for one in boxes] == [found, found]
    assert boxes[0]["model_id"] == boxes[1]["model_id"] is not None
    assert (boxes[0]["score"], boxes[0]["member_created_id"]) == (0.87, None)
    assert "model_ref" not in boxes[0]
    (echo,) = world.row(first["id"])["instance_list"]["list"]
    assert (echo["model_run_ref"], echo["model_run_id"]) == (refs["model_run_ref"], found)


def test_a_run_without_a_model_is_ignored(world: World) -> None:
    ref = f"{world.deployment.prefix} orphan"
    row = world.ingested(instance_list=[world.box(model_run_ref=ref)])
    (one,) = world.instances(row["file_id"])
    assert one["model_run_id"] is None
    assert ref not in runs(world)


def test_model_refs_of_text_are_not_resolved(world: World) -> None:
    ref = f"{world.deployment.prefix} of text"
    token = {"type": "text_token", "start_token": 1, "end_token": 2}
    (one,) = texts(world, **token, model_ref=ref, model_run_ref=ref)
    assert one["model_run_id"] is None
    assert ref not in runs(world)
