"""Ultralytics' results as people have them: each read right, or refused by picture and prediction."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import RawImage, from_ultralytics

NAMES = {0: "cat", 1: "dog"}


def result(count: int = 1, **parts: Any) -> SimpleNamespace:
    boxes = SimpleNamespace(
        xyxy=np.array([[10.0, 20, 60, 90]] * count),
        cls=np.zeros(count),
        conf=np.full(count, 0.9),
        id=None,
    )
    nothing = {"probs": None, "obb": None, "masks": None, "keypoints": None}
    return SimpleNamespace(
        **{"path": "a.jpg", "orig_shape": (100, 200), "names": NAMES, "boxes": boxes, **nothing, **parts}
    )


def changed(**values: Any) -> SimpleNamespace:
    found = result(2)
    for key, value in values.items():
        setattr(found.boxes, key, value)
    return found


def read(of: SimpleNamespace, **options: Any) -> RawImage:
    (image,) = from_ultralytics([of], **options)
    return image


def refused(of: SimpleNamespace, **options: Any) -> str:
    with pytest.raises(InvalidValueError) as caught:
        read(of, **options)
    assert caught.value.what == "predictions of a.jpg"
    return "\n".join(caught.value.problems)


def test_outlines_are_in_pixels_of_the_picture_whatever_the_size_of_masks_kind_1():
    masks = SimpleNamespace(
        xy=[np.array([[20.0, 10], [60, 10], [60, 30], [20, 30]])], data=np.zeros((1, 50, 100))
    )
    image = read(result(masks=masks))
    assert (image.width, image.height) == (200, 100)
    assert [list(map(tuple, ring)) for ring in image.predictions[0].polygons] == [
        [(20, 10), (60, 10), (60, 30), (20, 30)]
    ]


def test_a_mask_without_an_outline_leaves_the_box_kind_3():
    (found,) = read(result(masks=SimpleNamespace(xy=[np.zeros((0, 2))]))).predictions
    assert (found.box, found.polygons, found.by_box) == ((10, 20, 60, 90), None, True)


@pytest.mark.parametrize(
    "points, scores, least", [([[0, 0], [0, 0]], None, 0), ([[5, 5], [9, 9]], [0.1, 0.2], 0.5)]
)
def test_where_no_joint_was_found_the_box_stays_kind_3(points: Any, scores: Any, least: float):
    keypoints = SimpleNamespace(xy=np.array([points], dtype=float), conf=scores and np.array([scores]))
    (found,) = read(result(keypoints=keypoints), min_joint_score=least).predictions
    assert (found.box, found.keypoints, found.by_box) == ((10, 20, 60, 90), None, True)


@pytest.mark.parametrize("least", ["0.5", 30, -0.1, True, math.nan])
def test_a_least_score_of_joints_is_a_score(least: Any):
    with pytest.raises(InvalidValueError, match=r"min_joint_score: is .*; scores are between 0 and 1"):
        read(result(), min_joint_score=least)


def test_a_result_of_one_image_or_of_another_kind_is_refused_kind_4():
    with pytest.raises(InvalidValueError, match="of one image: put it into a list"):
        list(from_ultralytics(result()))
    with pytest.raises(InvalidValueError, match=r"result 0(?s:.*)cannot be read"):
        list(from_ultralytics([SimpleNamespace(boxes=None)]))


def test_a_track_of_minus_one_is_none_kind_5():
    image = read(changed(id=np.array([-1.0, 3])))
    assert [each.track for each in image.predictions] == [None, 3]


@pytest.mark.parametrize(
    "values, told",
    [
        ({"id": np.array([0.5, 3])}, "prediction 0: track is 0.5, not a whole number"),
        ({"id": np.array([3, -7])}, "prediction 1: track is -7"),
        ({"conf": np.array([0.5, math.inf])}, "prediction 1: score is inf, not a number"),
        ({"cls": np.array([0, 0.5])}, "prediction 1: class is 0.5, not a whole number"),
        ({"cls": np.array([0, math.nan])}, "prediction 1: class is nan"),
        ({"cls": np.array([0, 7])}, "prediction 1: class 7 has no name among the 2 given"),
        (
            {"conf": np.array([0.5])},
            "cannot be read: {'score': 1} for 2 predictions: each needs one value",
        ),
    ],
)
def test_what_is_no_number_is_refused_by_prediction_kind_5(values: dict[str, Any], told: str):
    assert refused(changed(**values)).startswith(told)


def test_a_score_that_the_model_did_not_compute_is_refused_kind_5():
    assert refused(changed(conf=np.array([math.nan, 0.5]))).startswith("prediction 0: score is nan")


@pytest.mark.parametrize("names", [["cat", "dog"], NAMES, {"0": "cat", "1": "dog"}])
def test_names_are_a_list_or_a_mapping_kind_6(names: Any):
    found = changed(cls=np.array([1.0, 0.0]))
    found.names = names
    assert [each.label for each in read(found).predictions] == ["dog", "cat"]
    found.names = {0: None, 1: "dog"}
    assert refused(found) == "prediction 1: class 0 has no name among the 2 given: add it to classes"


@pytest.mark.parametrize(
    "parts",
    [
        {"keypoints": SimpleNamespace(xy=[[[1, 2]]], conf=None)},
        {"masks": SimpleNamespace(xy=[[[1, 2], [9, 2], [9, 9]]])},
    ],
)
def test_masks_and_keypoints_without_boxes_have_no_class_kind_6(parts: dict[str, Any]):
    told = refused(result(boxes=None, **parts))
    assert told == "cannot be read: has masks or keypoints, but no boxes, which hold their classes"
