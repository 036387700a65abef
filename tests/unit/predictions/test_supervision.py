"""supervision's Detections and KeyPoints, the real ones."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervision import Detections, KeyPoints
from supervision.detection.compact_mask import CompactMask

from airflow_provider_diffgram.models import Box, InvalidValueError, Polygon
from airflow_provider_diffgram.predictions import (
    RawImage,
    from_supervision,
    from_supervision_key_points,
    instances_of,
)

BOXES = np.array([[10.25, 20, 40, 60], [0, 0, 30, 30.5]])
WIDTH, HEIGHT = 96, 64


def detections(**more: Any) -> Detections:
    given = {"xyxy": BOXES, "confidence": np.array([0.75, 0.5]), "class_id": np.array([1, 0])}
    return Detections(**{**given, **more})


def read(found: Any, **options: Any) -> RawImage:
    (image,) = from_supervision([found], ["a.jpg"], **options)
    return image


def masks() -> np.ndarray:
    found = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    found[0, 20:60, 10:40] = True
    found[1, :30, :30] = True
    return found


def test_boxes_classes_scores_and_tracks():
    image = read(detections(tracker_id=np.array([7, 8])), sizes=[(WIDTH, HEIGHT)], classes=["cat", "dog"])
    assert [(each.label, each.score, each.box, each.track) for each in image.predictions] == [
        ("dog", 0.75, (10.25, 20, 40, 60), 7),
        ("cat", 0.5, (0, 0, 30, 30.5), 8),
    ]
    instances = instances_of(image.predictions, width=image.width, height=image.height).instances
    assert {type(each) for each in instances} == {Box}


def test_names_in_data_count_unless_classes_are_given():
    named = detections(data={"class_name": np.array(["hound", "tabby"])})
    assert [each.label for each in read(named).predictions] == ["hound", "tabby"]
    assert [each.label for each in read(named, classes=["cat", "dog"]).predictions] == ["dog", "cat"]
    assert [each.label for each in read(detections()).predictions] == ["1", "0"]


@pytest.mark.parametrize("compact", [False, True])
def test_masks_become_polygons_and_tell_the_size(compact: bool):
    found: Any = masks()
    if compact:
        found = CompactMask.from_dense(found, BOXES, image_shape=(HEIGHT, WIDTH))
    image = read(detections(mask=found))
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    (ring,) = image.predictions[0].polygons
    assert sorted(ring) == [(10, 20), (10, 60), (40, 20), (40, 60)]
    instances = instances_of(image.predictions, width=WIDTH, height=HEIGHT).instances
    assert {type(each) for each in instances} == {Polygon}


def test_turned_boxes_become_polygons():
    corners = np.array([[[10, 0], [20, 10], [10, 20], [0, 10]]] * 2, dtype=float)
    image = read(detections(data={"xyxyxyxy": corners}))
    assert image.predictions[0].polygons == [corners[0].tolist()]


def test_predictions_without_a_class_are_told():
    with pytest.raises(InvalidValueError, match="has no class: set class_id"):
        read(Detections(xyxy=BOXES))


def test_no_detections_are_an_image_without_predictions():
    assert read(Detections.empty()).predictions == []


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 4), min_size=1, max_size=4))
def test_coordinates_stay_as_they_are(boxes: list[tuple[float, ...]]):
    found = Detections(xyxy=np.array(boxes), class_id=np.zeros(len(boxes), dtype=int))
    assert [each.box for each in read(found).predictions] == boxes


def key_points(**more: Any) -> KeyPoints:
    xy = np.array([[[5, 6], [0, 0], [7, 8]]], dtype=np.float32)
    return KeyPoints(
        xy=xy, class_id=np.array([0]), detection_confidence=np.array([0.9], dtype=np.float32), **more
    )


@pytest.mark.parametrize(
    "more, options, found",
    [
        ({}, {}, [True, False, True]),
        ({"visible": np.array([[False, True, True]])}, {}, [False, False, True]),
        ({"keypoint_confidence": np.array([[0.9, 0.9, 0.1]])}, {}, [True, False, True]),
        (
            {"keypoint_confidence": np.array([[0.9, 0.9, 0.1]])},
            {"min_joint_score": 0.5},
            [True, False, False],
        ),
    ],
    ids=["all", "visible", "scores", "least score"],
)
def test_joints_that_were_found(more: dict[str, Any], options: dict[str, Any], found: list[bool]):
    (image,) = from_supervision_key_points(
        [key_points(**more)], ["a.jpg"], classes=["person"], joints=["a", "b", "c"], bones=[(0, 2)], **options
    )
    (prediction,) = image.predictions
    assert (prediction.label, prediction.score) == ("person", pytest.approx(0.9))
    assert [point is not None for point in prediction.keypoints.points] == found
    assert {point.name for point in prediction.keypoints.points if point} <= {"a", "c"}


def test_a_least_score_of_joints_is_a_score():
    with pytest.raises(InvalidValueError, match="min_joint_score: is 30; scores are between 0 and 1"):
        list(from_supervision_key_points([key_points()], ["a.jpg"], min_joint_score=30))


def test_the_detections_of_one_image_are_not_taken_for_those_of_several():
    with pytest.raises(ValueError, match="this is the Detections of one image: put it into a list"):
        list(from_supervision(detections(), ["a.jpg"]))
    with pytest.raises(ValueError, match="this is the KeyPoints of one image: put it into a list"):
        list(from_supervision_key_points(key_points(), ["a.jpg"]))


def test_scores_of_joints_have_another_name_before_supervision_0_29():
    class Earlier:
        """What ``KeyPoints`` was up to 0.28."""

        xy = np.array([[[10.0, 20.0], [30.0, 40.0]]])
        class_id = np.array([0])
        confidence = np.array([[0.9, 0.1]])
        data: ClassVar[dict[str, Any]] = {}

        def __len__(self) -> int:
            return 1

    (image,) = from_supervision_key_points([Earlier()], ["a.jpg"], min_joint_score=0.5)
    skeleton = image.predictions[0].keypoints
    assert skeleton is not None
    assert [point is not None for point in skeleton.points] == [True, False]
