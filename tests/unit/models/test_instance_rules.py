"""Values that the server would refuse, lose, or die of are refused before (server.md 5.1 to 5.3)."""

from __future__ import annotations

import decimal
import fractions
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from airflow_provider_diffgram.models import Box, Ellipse, Instance, Polygon, Relation, Tag
from airflow_provider_diffgram.models.problems import describe

INSTANCE: TypeAdapter[Any] = TypeAdapter(Instance)
BOX = {"type": "box", "label": "cat", "x_min": 10, "y_min": 20, "x_max": 110, "y_max": 220}
TAG = {"type": "tag", "label": "cat"}
NAN, INFINITY = float("nan"), float("inf")
BIG = 2**31
HUGE = pytest.param(10**400, id="10**400")


def problems_of(value: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        INSTANCE.validate_python(value)
    return describe(caught.value)


def place_of(value: dict[str, Any]) -> str:
    (problem,) = problems_of(value)
    return problem.split(":")[0]


@pytest.mark.parametrize("key", ["x_min", "y_min", "x_max", "y_max"])
@pytest.mark.parametrize("bad", [10.7, 1.0, "10", True, False, None, NAN, INFINITY, BIG, HUGE, -1, [1]])
def test_a_box_takes_whole_pixels_within_32_bit_only(key: str, bad: Any):
    assert place_of(BOX | {key: bad}) == f"box.{key}"


@pytest.mark.parametrize("low, high", [("x_min", "x_max"), ("y_min", "y_max")])
@pytest.mark.parametrize("difference", [0, -1, -100])
def test_an_inverted_or_flat_box_is_refused(low: str, high: str, difference: int):
    assert place_of(BOX | {low: 150, high: 150 + difference}) == f"box.{high}"


def test_the_smallest_and_the_largest_box_pass():
    Box(label="a", x_min=0, y_min=0, x_max=1, y_max=1)
    Box(label="a", x_min=0, y_min=0, x_max=BIG - 1, y_max=BIG - 1)


def test_numbers_of_numpy_become_plain_ones():
    box = Box(
        label="a", x_min=np.int64(1), y_min=np.uint8(2), x_max=np.int32(3), y_max=4, score=np.float32(0.5)
    )
    assert [type(value) for value in (box.x_min, box.y_min, box.x_max, box.score)] == [int, int, int, float]
    with pytest.raises(ValidationError, match="x_min"):
        Box(label="a", x_min=np.float64(1), y_min=2, x_max=3, y_max=4)
    with pytest.raises(ValidationError, match="score"):
        Box(label="a", x_min=1, y_min=2, x_max=3, y_max=4, score=np.float32("nan"))


@pytest.mark.parametrize(
    "score",
    ["high", "0.5", True, NAN, INFINITY, -INFINITY, BIG, -BIG, 1e300, HUGE, [0.5], decimal.Decimal("0.5")],
)
def test_a_score_is_a_finite_number_quirks_4_49_59(score: Any):
    assert place_of(TAG | {"score": score}) == "tag.score"


@pytest.mark.parametrize("score", [0, 1, 0.5, 1e-300, fractions.Fraction(1, 2)])
def test_a_score_from_0_to_1_passes(score: Any):
    assert INSTANCE.validate_python(TAG | {"score": score}).score == score


@pytest.mark.parametrize("score, stored", [(1 + 1e-7, 1), (-1e-9, 0), (np.float32(1.0000001), 1)])
def test_a_score_that_rounding_put_beyond_is_the_bound(score: Any, stored: float):
    assert INSTANCE.validate_python(TAG | {"score": score}).score == stored


@pytest.mark.parametrize("score", [87, 1.0001, -0.1, -3.25, BIG - 1])
def test_a_score_beyond_is_refused_with_what_to_do(score: Any):
    with pytest.raises(ValidationError, match=r"score\n.*between 0 and 1: divide a percentage by 100"):
        INSTANCE.validate_python(TAG | {"score": score})


@pytest.mark.parametrize("number", ["3", 3.0, True, BIG, -BIG - 1, NAN])
def test_a_track_number_is_an_int_within_32_bit_quirks_49_53(number: Any):
    assert place_of(TAG | {"number": number}) == "tag.number"


@pytest.mark.parametrize("label_file_id", ["1", 1.0, True, 0, -1, BIG])
def test_a_label_file_id_is_a_positive_int_5_3(label_file_id: Any):
    assert place_of({"type": "tag", "label_file_id": label_file_id}) == "tag.label_file_id"


@pytest.mark.parametrize("key", ["label", "model_ref", "creation_ref_id"])
@pytest.mark.parametrize("text", ["a\x00b", "", 3])
def test_texts_hold_no_nul_and_are_not_empty_quirk_49(key: str, text: Any):
    assert place_of(TAG | {key: text}) == f"tag.{key}"


def test_a_run_without_its_model_is_refused_since_the_server_ignores_it_5_1():
    (problem,) = problems_of(TAG | {"model_run_ref": "run-1"})
    assert "needs model_ref" in problem
    assert Tag(label="a", model_ref="m", model_run_ref="r").model_run_ref == "r"


@pytest.mark.parametrize(
    "groups, words",
    [
        ([{"id": 1}], "list"),
        ({"colour": {"id": 1}}, "'colour'"),
        ({"\u0663": 7}, "must be attribute group ids"),
        ({3: 7, "3": 8}, "group 3 given twice"),
        ({"3": 7, "03": 8}, "group 3 given twice"),
        ({"1": NAN}, "attribute_groups.1"),
        ({"1": [{"id": BIG}]}, "attribute group 1"),
        ({"1": {"12": {"name": "a\x00"}}}, "NUL"),
        ({"1": {"a\x00": 1}}, "NUL"),
        ({"1": "a\ud800"}, "surrogate"),
        ({"1": -INFINITY}, "finite"),
    ],
)
def test_attribute_values_that_only_the_database_refuses_5_4(groups: Any, words: str):
    (problem,) = problems_of(TAG | {"attribute_groups": groups})
    assert words in problem


def test_attribute_groups_may_be_keyed_by_numbers():
    instance = INSTANCE.validate_python(TAG | {"attribute_groups": {2: {"id": 3}, "4": 7, 5: True}})
    assert instance.attribute_groups == {"2": {"id": 3}, "4": 7, "5": True}


def points(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in pairs]


@pytest.mark.parametrize(
    "outline, words",
    [
        ([], "at least 2"),
        (points((1, 1)), "at least 2"),
        (points((1, 1), (1, 9)), "width"),
        (points((1, 1), (9, 1)), "height"),
        (points((1, 1), (1.4, 9)), "width"),
        (points((1, NAN), (9, 9)), "finite"),
        (points((1, INFINITY), (9, 9)), "finite"),
        (points((1, BIG), (9, 9)), "32 bit"),
        ([{"x": 1}, {"x": 9, "y": 9}], "required"),
        ([{"x": "1", "y": 1}, {"x": 9, "y": 9}], "number"),
        ([{"x": True, "y": 1}, {"x": 9, "y": 9}], "number"),
        ([[1, 1], [9, 9]], "must be an object with its fields by name, not list"),
    ],
)
def test_a_polygon_spans_a_pixel_and_holds_finite_points(outline: list[Any], words: str):
    found = problems_of({"type": "polygon", "label": "a", "points": outline})
    assert all(words in problem for problem in found)


def test_a_polygon_of_floats_that_rounds_to_a_pixel_passes():
    given = points((1.4, 1.4), (1.6, 1.6))
    assert [point.model_dump() for point in Polygon(label="a", points=given).points] == given


@pytest.mark.parametrize("kind, good", [("point", 1), ("line", 2)])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_point_is_one_point_and_a_line_two(kind: str, good: int, count: int):
    value = {"type": kind, "label": "a", "points": points(*[(n, n) for n in range(count)])}
    if count == good:
        assert len(INSTANCE.validate_python(value).points) == good
    else:
        assert place_of(value) == f"{kind}.points"


@pytest.mark.parametrize("key", ["center_x", "center_y", "width", "height"])
@pytest.mark.parametrize("bad", [1.0, "1", True, BIG, None])
def test_an_ellipse_has_whole_centre_and_half_axes(key: str, bad: Any):
    ellipse = {"type": "ellipse", "label": "a", "center_x": 5, "center_y": 5, "width": 2, "height": 2}
    assert place_of(ellipse | {key: bad}) == f"ellipse.{key}"


def test_bounds_that_the_server_computes_stay_within_32_bit_5_2_and_5_3():
    with pytest.raises(ValidationError):
        Ellipse(label="a", center_x=BIG - 1, center_y=5, width=2, height=2)
    with pytest.raises(ValidationError):
        Polygon(label="a", points=points((1 - BIG, 0), (BIG - 1, 9)))


@pytest.mark.parametrize(
    "edges, words",
    [([{"from": 1, "to": 9}], "'9'"), ([{"from": 9, "to": 8}], "'8', '9'"), ([{"from": 1}], "to")],
)
def test_edges_join_nodes_that_exist(edges: list[Any], words: str):
    (problem,) = problems_of(
        {"type": "keypoints", "label": "a", "nodes": [{"id": 1, "x": 1, "y": 2}], "edges": edges}
    )
    assert words in problem


@pytest.mark.parametrize("ids, told", [([1, 1], "1"), (["a", 2, "a", 2], "a, 2")])
def test_an_id_of_a_node_is_one_nodes_as_edges_name_it(ids: list[Any], told: str):
    nodes = [{"id": each, "x": 1, "y": 2} for each in ids]
    (problem,) = problems_of({"type": "keypoints", "label": "a", "nodes": nodes})
    assert f"several nodes have the id {told}: give each its own" in problem


def test_keypoints_without_nodes_are_refused():
    assert place_of({"type": "keypoints", "label": "a", "nodes": []}) == "keypoints.nodes"


@pytest.mark.parametrize("start, end, fine", [(0, 0, True), (0, 3, True), (3, 2, False), (-1, 2, False)])
def test_a_span_of_tokens_does_not_end_before_its_start(start: int, end: int, fine: bool):
    value = {"type": "text_token", "label": "a", "start_token": start, "end_token": end}
    if fine:
        assert INSTANCE.validate_python(value).start_token == start
    else:
        assert problems_of(value)


@pytest.mark.parametrize("start, end, fine", [(0, 0.5, True), (1, 1, False), (2, 1, False), (-1, 1, False)])
def test_a_span_of_sound_ends_after_its_start(start: float, end: float, fine: bool):
    value = {"type": "audio", "label": "a", "start_time": start, "end_time": end}
    if fine:
        assert INSTANCE.validate_python(value).end_time == end
    else:
        assert problems_of(value)


@pytest.mark.parametrize(
    "ends, missing",
    [
        ({}, {"from", "to"}),
        ({"from_instance_id": 1}, {"to"}),
        ({"to_creation_ref": "b"}, {"from"}),
        ({"from_instance_id": 1, "from_creation_ref": "a", "to_instance_id": 2}, {"from"}),
    ],
)
def test_a_relation_names_each_end_once(ends: dict[str, Any], missing: set[str]):
    found = problems_of({"type": "relation", **ends})
    assert {end for end in ("from", "to") if any(f"{end}_creation_ref" in each for each in found)} == missing
    assert len(found) == len(missing)


def test_a_relation_by_either_way():
    assert Relation(from_instance_id=1, to_instance_id=2).to_instance_id == 2
    assert Relation(from_creation_ref="a", to_creation_ref="b").to_creation_ref == "b"
