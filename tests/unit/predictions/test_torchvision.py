"""torchvision's detectors, by what they returned with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_provider_diffgram.models import Box, InvalidValueError, Keypoints, Polygon
from airflow_provider_diffgram.predictions import from_torchvision, instances_of

RECORDED = np.load(Path(__file__).parents[2] / "model_outputs" / "torchvision.npz")
WIDTH, HEIGHT = 96, 64
NAMES = ["background", "cat", "dog", "bird"]


def output(kind: str) -> dict[str, Any]:
    return {key.split(".")[1]: RECORDED[key] for key in RECORDED if key.startswith(f"{kind}.")}


@pytest.mark.parametrize("kind, instance", [("box", Box), ("mask", Polygon), ("keypoint", Keypoints)])
def test_each_prediction_becomes_what_it_has(kind: str, instance: type):
    (image,) = from_torchvision([output(kind)], ["a.jpg"], sizes=[(WIDTH, HEIGHT)], classes=NAMES)
    assert (image.name, image.width, image.height) == ("a.jpg", WIDTH, HEIGHT)
    assert [each.label for each in image.predictions] == [NAMES[label] for label in output(kind)["labels"]]
    assert [each.score for each in image.predictions] == output(kind)["scores"].tolist()
    instances = instances_of(image.predictions, width=WIDTH, height=HEIGHT).instances
    assert {type(each) for each in instances} == {instance}


def test_boxes_are_not_rounded():
    (image,) = from_torchvision([output("box")], ["a.jpg"])
    assert [list(each.box) for each in image.predictions] == output("box")["boxes"].tolist()
    assert (image.width, image.height) == (None, None)


def test_masks_tell_the_size_and_are_cut_at_one_half():
    masks = output("mask")["masks"]
    (image,) = from_torchvision([output("mask")], ["a.jpg"], tolerance=0)
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    for prediction, mask in zip(image.predictions, masks, strict=True):
        rows, columns = np.nonzero(mask[0] > 0.5)
        corners = np.concatenate(prediction.polygons)
        assert corners.min(axis=0).tolist() == [columns.min(), rows.min()]
        assert corners.max(axis=0).tolist() == [columns.max() + 1, rows.max() + 1]


def test_keypoints_that_are_not_visible_were_not_found():
    found = output("keypoint")
    found["keypoints"][0, 2, 2] = 0
    names = ["nose", "left", "right", "hip", "foot"]
    (image,) = from_torchvision([found], ["a.jpg"], joints=names, bones=[(0, 1)])
    points = image.predictions[0].keypoints.points
    assert [point and point.name for point in points] == ["nose", "left", None, "hip", "foot"]
    assert [points[0].x, points[0].y] == found["keypoints"][0, 0, :2].tolist()
    assert image.predictions[0].keypoints.bones == [(0, 1)]


def test_an_image_without_predictions_is_one():
    nothing = {key: values[:0] for key, values in output("mask").items()}
    (image,) = from_torchvision([nothing], ["a.jpg"])
    assert (image.width, image.height, image.predictions) == (WIDTH, HEIGHT, [])


def test_classes_without_a_name_are_told_all_at_once():
    with pytest.raises(InvalidValueError) as caught:
        next(from_torchvision([output("box")], ["a.jpg"], classes=["background"]))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    "names, sizes, problem",
    [
        (
            ["a", "b"],
            None,
            "names: there are more than outputs: give an output for each image, an empty one",
        ),
        ([], None, "names end after 0"),
        (["a"], [], "sizes end after 0"),
    ],
)
def test_names_and_sizes_are_as_many_as_outputs(names: list[str], sizes: Any, problem: str):
    with pytest.raises(ValueError, match=problem):
        list(from_torchvision([output("box")], names, sizes=sizes))


@pytest.mark.parametrize("key", ["score", "confidence", "conf", "prob", "probability"])
def test_scores_by_another_name_are_refused(key: str):
    found = output("box")
    found[key] = found.pop("scores")
    with pytest.raises(
        InvalidValueError, match=rf"a\.jpg: cannot be read: has {key}, which torchvision calls scores"
    ):
        list(from_torchvision([found], ["a.jpg"]))
