"""The comparison of predictions with what is stored notices every kind of difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_diffgram.models import Box, Child, Packet, PathMedia, Point2D, Polygon
from demo.stored import Intended, Stored, compare, read_intended

NAMES = {7: "face", 8: "text"}
PREDICTED = {"type": "box", "label": "face", "x_min": 1, "y_min": 2, "x_max": 30, "y_max": 40, "score": 0.5}
KEPT = {key: value for key, value in PREDICTED.items() if key != "label"} | {"label_file_id": 7, "id": 11}
QUAD = [{"x": 1, "y": 2}, {"x": 30, "y": 2}, {"x": 30, "y": 9.5}]


def problem(predicted: list[dict], *stored: list[dict], ordinal: int = 0) -> str | None:
    intended = Intended("a.png", Path("a.png"), 0, tuple(predicted))
    files = [Stored(i, "a.png", "image", ordinal, tuple(instances)) for i, instances in enumerate(stored)]
    other = Stored(99, "b.png", "image", 0, (KEPT,))
    return compare([intended], [*files, other], NAMES)[0].problem


def test_stored_as_predicted_is_no_problem():
    polygon = {"type": "polygon", "label": "text", "points": QUAD, "score": 0.75}
    kept = {
        "type": "polygon",
        "label_file_id": 8,
        "points": [p | {"figure_id": "x"} for p in QUAD],
        "score": 0.75,
    }
    assert problem([PREDICTED, polygon], [kept, KEPT]) is None
    assert problem([], []) is None


def test_a_file_that_is_not_there():
    assert problem([PREDICTED]) == "not on the server"


def test_a_file_that_is_there_twice():
    assert problem([PREDICTED], [KEPT], [KEPT]) == "2 files of this name on the server"


def test_a_prediction_that_is_not_stored():
    assert problem([PREDICTED], []) == "1 predictions are not stored"


def test_a_prediction_that_is_stored_twice():
    assert problem([PREDICTED], [KEPT, KEPT | {"id": 12}]) == "1 stored instances were not predicted"


def test_a_page_at_the_wrong_place():
    assert problem([PREDICTED], [KEPT], ordinal=1) == "at place 1"


@pytest.mark.parametrize(
    "change",
    [
        {"x_max": 31},
        {"score": 0.51},
        {"score": None},
        {"label_file_id": 8},
        {"label_file_id": None},
        {"type": "ellipse"},
    ],
)
def test_a_prediction_that_is_stored_otherwise(change):
    assert problem([PREDICTED], [KEPT | change]) == (
        "1 predictions are not stored, 1 stored instances were not predicted"
    )


def test_a_polygon_with_another_point():
    polygon = {"type": "polygon", "label": "text", "points": QUAD, "score": 0.75}
    kept = polygon | {"label": None, "label_file_id": 8, "points": QUAD[1:] + QUAD[:1]}
    assert problem([polygon], [kept]) is not None


def test_predictions_are_read_as_the_dags_write_them(tmp_path):
    box = Box(label="face", x_min=1, y_min=2, x_max=30, y_max=40, score=0.5)
    polygon = Polygon(label="text", points=[Point2D(**point) for point in QUAD], score=0.75)
    packet = Packet(media=PathMedia(path="in/a.png"), original_filename="photo-a.png", instance_list=[box])
    child = Child(
        media=PathMedia(path="in/b.png"), ordinal=3, original_filename="b.png", instance_list=[polygon]
    )
    for name, item in (("packets", packet), ("children", child)):
        (tmp_path / name).write_text(item.model_dump_json(exclude_none=True) + "\n")
    (first,) = read_intended(tmp_path / "packets", Packet)
    (second,) = read_intended(tmp_path / "children", Child)
    assert (first.name, first.source, first.ordinal) == ("photo-a.png", Path("in/a.png"), 0)
    assert (second.name, second.ordinal) == ("b.png", 3)
    kept = Stored(1, "photo-a.png", "image", 0, (KEPT,))
    assert compare([first], [kept], NAMES)[0].problem is None
