"""Tables of predictions, the real pandas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from airflow_provider_diffgram.models import Box, InvalidValueError, Polygon, Tag
from airflow_provider_diffgram.predictions import RawPrediction, from_dataframe, instances_of

BOXES = pd.DataFrame(
    {
        "image": ["b.jpg", "a.jpg", "b.jpg"],
        "label": ["cat", "dog", "dog"],
        "score": [0.9, None, 0.5],
        "x_min": [1, 2, 3],
        "y_min": [1.5, 2, 3],
        "x_max": [10, 20, 30],
        "y_max": [10, 20, 30],
        "width": 40,
        "height": 30,
    }
)


def read(rows: list[dict[str, Any]]) -> dict[str, list[RawPrediction]]:
    return {image.name: image.predictions for image in from_dataframe(pd.DataFrame(rows))}


def test_rows_are_gathered_by_image_in_the_order_of_first_appearance():
    images = list(from_dataframe(BOXES))
    assert [(image.name, image.width, image.height) for image in images] == [
        ("b.jpg", 40, 30),
        ("a.jpg", 40, 30),
    ]
    assert [(each.label, each.score, each.box) for each in images[0].predictions] == [
        ("cat", 0.9, (1, 1.5, 10, 10)),
        ("dog", 0.5, (3, 3, 30, 30)),
    ]
    assert [(each.label, each.score) for each in images[1].predictions] == [("dog", None)]
    instances = instances_of(images[0].predictions, width=40, height=30).instances
    assert {type(each) for each in instances} == {Box}


def test_a_file_that_pandas_wrote_and_read_gives_the_same(tmp_path: Path):
    BOXES.to_csv(tmp_path / "boxes.csv", index=False)
    assert list(from_dataframe(pd.read_csv(tmp_path / "boxes.csv"))) == list(from_dataframe(BOXES))


@pytest.mark.parametrize("dtypes", ["numpy_nullable", None])
def test_missing_values_of_either_kind(dtypes: Any):
    rows = [
        {
            "image": "a.jpg",
            "label": "cat",
            "track": 7,
            "frame": 3,
            "x_min": 0,
            "y_min": 0,
            "x_max": 4,
            "y_max": 5,
        },
        {"image": "a.jpg", "label": "indoor"},
        {"image": "empty.jpg"},
    ]
    frame = pd.DataFrame(rows)
    images = list(from_dataframe(frame.convert_dtypes(dtype_backend=dtypes) if dtypes else frame))
    box, tag = images[0].predictions
    assert (box.track, box.frame, box.box) == (7, 3, (0, 0, 4, 5))
    assert (tag.label, tag.tag, tag.track) == ("indoor", True, None)
    assert (images[1].name, images[1].predictions) == ("empty.jpg", [])
    instances = instances_of([tag], width=None, height=None).instances
    assert [type(each) for each in instances] == [Tag]


CORNERS = [[0, 0], [9.5, 0], [9, 9]]


@pytest.mark.parametrize(
    "points", [CORNERS, json.dumps(CORNERS), np.array(CORNERS)], ids=["list", "json", "array"]
)
def test_points_are_a_polygon(points: Any):
    (prediction,) = read([{"image": "a.jpg", "label": "cat", "points": points}])["a.jpg"]
    assert prediction.polygons == [[(0, 0), (9.5, 0), (9, 9)]]
    assert type(instances_of([prediction], width=10, height=10).instances[0]) is Polygon


def test_a_row_may_not_have_a_score_without_a_label():
    with pytest.raises(InvalidValueError) as caught:
        read([{"image": "a.jpg", "score": 0.5}, {"image": "a.jpg", "label": "cat", "score": 0.5}] * 2)
    assert "column" not in str(caught.value)
    assert caught.value.problems == [
        "prediction 0: has no label, but score",
        "prediction 2: has no label, but score",
    ]


def test_a_box_needs_four_edges_in_each_row():
    rows = [{"image": "a.jpg", "label": "cat", "x_min": 0, "y_min": 0, "x_max": 4, "y_max": 5}] * 2
    rows[1] = {**rows[1], "y_max": None}
    with pytest.raises(InvalidValueError, match="prediction 1: has no key 'y_max'"):
        read(rows)


def test_all_wrong_columns_are_told_at_once():
    with pytest.raises(InvalidValueError) as caught:
        from_dataframe(pd.DataFrame(columns=["file", "label", "x_min", "confidence"]))
    assert [problem.split(":")[0].split(";")[0] for problem in caught.value.problems] == [
        "column 'image' is missing",
        "column 'y_min' is missing",
        "column 'x_max' is missing",
        "column 'y_max' is missing",
        "column 'file' is not known",
        "column 'confidence' is not known",
    ]


def test_a_picture_has_one_size():
    frame = BOXES.assign(width=[40, 40, 41])
    with pytest.raises(
        InvalidValueError, match=r"predictions of b\.jpg: width is \[40, 41\]; a picture has one"
    ):
        list(from_dataframe(frame))


def test_rows_without_an_image_are_refused():
    with pytest.raises(InvalidValueError, match="1 row without the name of an image"):
        read([{"image": "a.jpg", "label": "cat"}, {"label": "dog"}])


def test_a_picture_may_be_named_by_a_path():
    (name,) = read([{"image": Path("/d/a.jpg"), "label": "cat"}])
    assert name == "/d/a.jpg"


def test_points_that_are_no_json_are_shown():
    with pytest.raises(InvalidValueError, match=r"points are '\[\(1, 2\), \(3, 4\)\]', not JSON: Expecting"):
        read([{"image": "a.jpg", "label": "cat", "points": "[(1, 2), (3, 4)]"}])


def test_boxes_that_are_lost_in_all_rows_are_no_tags():
    lost = BOXES.assign(x_min=None, y_min=None, x_max=None, y_max=None)
    with pytest.raises(
        InvalidValueError, match="x_min, y_min, x_max, y_max are empty in all rows: drop these"
    ):
        list(from_dataframe(lost))
    tags = lost.drop(columns=["x_min", "y_min", "x_max", "y_max"])
    assert all(each.tag for image in from_dataframe(tags) for each in image.predictions)
    assert [image.predictions for image in from_dataframe(lost.assign(label=None, score=None))] == [[], []]


def test_what_is_no_dataframe_is_told_how_to_become_one():
    with pytest.raises(
        InvalidValueError, match=r"is a str, not a pandas DataFrame: read_csv and read_parquet of"
    ):
        from_dataframe("predictions.csv")
