"""Every instance type: the shape that is accepted, and what of it travels (server.md 5.2)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from airflow_provider_diffgram.models import Instance, Keypoints
from tests.unit.recorded import recording

INSTANCE: TypeAdapter[Any] = TypeAdapter(Instance)

P, Q = {"x": 10, "y": 20}, {"x": 30.5, "y": 40.25}
FACE = {"top_left": P, "top_right": Q, "bot_left": P, "bot_right": Q}
VECTOR = {"x": 1, "y": 2.5, "z": -3}

SHAPES: dict[str, dict[str, Any]] = {
    "box": {"x_min": 0, "y_min": 20, "x_max": 110, "y_max": 220},
    "polygon": {"points": [P, Q, {"x": 10, "y": 40}]},
    "point": {"points": [P]},
    "line": {"points": [P, Q]},
    "tag": {},
    "global": {},
    "ellipse": {"center_x": 50, "center_y": 60, "width": 10, "height": 5, "angle": 0.5},
    "curve": {"p1": P, "p2": Q, "cp": P},
    "cuboid": {"front_face": FACE, "rear_face": FACE},
    "keypoints": {"nodes": [{"id": 1, **P}, {"id": "b", **Q}], "edges": [{"from": 1, "to": "b"}]},
    "text_token": {"start_token": 0, "end_token": 3, "start_sentence": 0, "end_char": 9},
    "cuboid_3d": {
        "center_3d": VECTOR,
        "dimensions_3d": {"width": 1, "height": 2, "depth": 3},
        "rotation_euler_angles": VECTOR,
        "position_3d": VECTOR,
    },
    "relation": {"from_instance_id": 4, "to_creation_ref": "b"},
    "audio": {"start_time": 0, "end_time": 1.5},
    "geo_point": {"lonlat": [8.5, 47.3], "coords": [1, 2]},
    "geo_circle": {"lonlat": [8.5, 47.3], "radius": 12.5},
    "geo_polyline": {"bounds_lonlat": [[8.5, 47.3], [8.6, 47.4]]},
    "geo_polygon": {"bounds_lonlat": [[8.5, 47.3]], "bounds": [[1, 2]]},
    "geo_box": {"bounds_lonlat": [[8.5, 47.3], [8.6, 47.4]]},
}
COMMON = {
    "label_file_id": 7,
    "machine_made": True,
    "score": 0.75,
    "model_ref": "m",
    "model_run_ref": "r",
    "number": 3,
    "creation_ref_id": "mine",
    "attribute_groups": {"2": {"id": 3, "name": 3, "display_name": "red"}},
}


def on_wire(instance: Any) -> dict[str, Any]:
    return instance.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_the_types_are_those_of_the_contract_5_1():
    listed = (
        "box polygon point line tag ellipse curve cuboid cuboid_3d keypoints text_token global relation "
        "audio geo_point geo_circle geo_polyline geo_polygon geo_box"
    )
    assert set(SHAPES) == set(listed.split())


@pytest.mark.parametrize("kind", SHAPES)
def test_what_is_sent_is_what_was_given_and_no_null_key(kind: str):
    given = {"type": kind, **SHAPES[kind], **COMMON}
    assert on_wire(INSTANCE.validate_python(given)) == given
    bare = {"type": kind, "label_file_id": 7, **SHAPES[kind]}
    assert on_wire(INSTANCE.validate_python(bare)) == bare


@pytest.mark.parametrize("kind", SHAPES)
def test_an_instance_cannot_be_changed_after_its_check(kind: str):
    instance = INSTANCE.validate_python({"type": kind, "label": "cat", **SHAPES[kind]})
    with pytest.raises(ValidationError, match="frozen"):
        instance.score = float("nan")


REQUIRED = [
    (kind, key)
    for kind, shape in SHAPES.items()
    for key in shape
    if key not in ("angle", "edges", "start_sentence", "end_char", "coords", "bounds")
]


@pytest.mark.parametrize("kind, key", REQUIRED)
def test_a_missing_coordinate_is_refused_before_the_server_flips_the_row_5_3(kind: str, key: str):
    shape = {name: value for name, value in SHAPES[kind].items() if name != key}
    with pytest.raises(ValidationError) as caught:
        INSTANCE.validate_python({"type": kind, "label": "cat", **shape})
    assert caught.value.error_count() == 1


@pytest.mark.parametrize("kind", SHAPES)
def test_an_unknown_key_is_refused_since_the_server_would_ignore_it_1_3(kind: str):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        INSTANCE.validate_python({"type": kind, "label": "cat", **SHAPES[kind], "scor": 0.5})


@pytest.mark.parametrize("kind", [None, "boxx", "Box", 3])
def test_an_unknown_type_is_refused(kind: Any):
    with pytest.raises(ValidationError):
        INSTANCE.validate_python({"type": kind, "label": "cat", **SHAPES["box"]})


def test_a_missing_type_is_refused():
    with pytest.raises(ValidationError, match="type"):
        INSTANCE.validate_python({"label": "cat", **SHAPES["box"]})


@pytest.mark.parametrize("kind", sorted(set(SHAPES) - {"global", "relation"}))
def test_a_label_is_needed(kind: str):
    with pytest.raises(ValidationError, match="needs a label"):
        INSTANCE.validate_python({"type": kind, **SHAPES[kind]})


@pytest.mark.parametrize("kind", ["global", "relation"])
def test_global_and_relation_need_no_label_5_1(kind: str):
    assert on_wire(INSTANCE.validate_python({"type": kind, **SHAPES[kind]})) == {"type": kind, **SHAPES[kind]}


@pytest.mark.parametrize("kind", SHAPES)
def test_label_and_label_file_id_are_not_given_both(kind: str):
    with pytest.raises(ValidationError, match="not both"):
        INSTANCE.validate_python({"type": kind, **SHAPES[kind], "label": "cat", "label_file_id": 1})


def test_edges_are_read_by_their_names_in_python_too():
    node = {"id": 1, **P}
    by_name = Keypoints(label="a", nodes=[node], edges=[{"source": 1, "target": 1}])
    assert on_wire(by_name)["edges"] == [{"from": 1, "to": 1}]


def test_each_type_the_server_was_seen_to_store_is_one_of_ours():
    stored = recording("probe_all_types_annotations").answer["file_serialized"]["instance_list"]
    kinds = {each["type"] for each in stored}
    assert len(kinds) == 9
    assert kinds <= set(SHAPES)
