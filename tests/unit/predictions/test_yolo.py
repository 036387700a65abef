"""Ultralytics' results and YOLO's text files, against what Ultralytics itself made of both."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_diffgram.models import InvalidValueError, Keypoints, Polygon, Tag
from airflow_provider_diffgram.predictions import (
    RawImage,
    from_ultralytics,
    from_yolo_text,
    instances_of,
    read_classes,
)

RECORDED = json.loads((Path(__file__).parents[2] / "model_outputs" / "ultralytics.json").read_text())
TASKS = sorted(RECORDED["texts"])
NUMBERS = [str(number) for number in range(80)]
CLOSE = {"abs": 0.02}
"""Texts have six digits of a share; of 256 pixels that is less than a fiftieth of a pixel."""


def result(task: str) -> SimpleNamespace:
    """A recorded result with the attributes of Ultralytics' own, arrays where it has tensors."""
    saved = RECORDED["results"][task]
    parts: dict[str, Any] = {}
    for part in ("boxes", "obb", "keypoints", "probs", "masks"):
        values = saved[part] and {key: value and arrays(value) for key, value in saved[part].items()}
        parts[part] = values and SimpleNamespace(**values)
    names = {int(number): name for number, name in saved["names"].items()}
    return SimpleNamespace(path=saved["path"], orig_shape=tuple(saved["orig_shape"]), names=names, **parts)


def arrays(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    # Outlines of masks have different numbers of corners, so Ultralytics gives a list of arrays.
    return (
        np.array(value)
        if len({np.shape(each) for each in value}) == 1
        else [np.array(each) for each in value]
    )


def read(task: str) -> RawImage:
    (image,) = from_ultralytics([result(task)])
    return image


def test_each_box_has_its_class_and_score():
    saved = RECORDED["results"]["detect"]
    image = read("detect")
    assert (image.name, image.width, image.height) == ("image0.jpg", 256, 192)
    assert [list(each.box) for each in image.predictions] == saved["boxes"]["xyxy"]
    assert [each.score for each in image.predictions] == saved["boxes"]["conf"]
    assert {each.label for each in image.predictions} == set(saved["names"].values())


@pytest.mark.parametrize(
    "task, kind", [("segment", Polygon), ("pose", Keypoints), ("obb", Polygon), ("classify", Tag)]
)
def test_what_a_result_has_decides_the_kind(task: str, kind: type):
    image = read(task)
    assert image.predictions
    converted = instances_of(image.predictions, width=image.width, height=image.height)
    assert converted.instances
    assert {type(each) for each in converted.instances} == {kind}


def test_tracks_are_kept():
    assert [(each.label, each.track) for each in read("track").predictions] == [("car", 7), ("person", 12)]


def test_the_best_class_is_a_tag():
    saved = RECORDED["results"]["classify"]["probs"]
    (tag,) = read("classify").predictions
    assert (tag.label, tag.score, tag.tag) == (str(saved["top1"]), saved["top1conf"], True)


def joints_found(image: RawImage) -> list[list[bool]]:
    return [[point is not None for point in each.keypoints.points] for each in image.predictions]


def test_joints_at_zero_and_those_below_the_least_score_were_not_found():
    keypoints = RECORDED["results"]["pose"]["keypoints"]
    found = [[point != [0, 0] for point in points] for points in keypoints["xy"]]
    assert joints_found(read("pose")) == found
    (image,) = from_ultralytics([result("pose")], min_joint_score=0.5)
    sure = [[score >= 0.5 for score in scores] for scores in keypoints["conf"]]
    both = [[a and b for a, b in zip(*rows, strict=True)] for rows in zip(found, sure, strict=True)]
    assert joints_found(image) == both
    assert 0 < sum(map(sum, both)) < sum(map(sum, found)) < 17 * len(found)


def test_joints_may_have_names():
    names = [f"joint {number}" for number in range(17)]
    (image,) = from_ultralytics([result("pose")], joints=names, bones=[(0, 1)])
    skeleton = image.predictions[0].keypoints
    assert {point.name for point in skeleton.points if point} <= set(names)
    with pytest.raises(InvalidValueError, match="2 joints are named, the model gives 17"):
        next(from_ultralytics([result("pose")], joints=["a", "b"]))


@pytest.mark.parametrize("missing", ["boxes", "no predictions"])
def test_a_result_without_predictions_is_an_image_without_any(missing: str):
    empty = result("detect")
    empty.boxes = None if missing == "boxes" else SimpleNamespace(cls=np.zeros(0))
    (image,) = from_ultralytics([empty])
    assert image.predictions == []


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("labels", "images"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (256, 192)).save(tmp_path / "images" / "image0.png")
    return tmp_path


def from_text(folders: Path, text: str, **options: Any) -> RawImage:
    (folders / "labels" / "image0.txt").write_text(text)
    (image,) = from_yolo_text(folders / "labels", folders / "images", **{"classes": NUMBERS, **options})
    return image


@pytest.mark.parametrize("task", TASKS)
def test_texts_that_ultralytics_saved_give_what_its_results_gave(folders: Path, task: str):
    from_results, image = read(task), from_text(folders, RECORDED["texts"][task], task=task)
    assert image.name == str(folders / "images" / "image0.png")
    assert (image.width, image.height) == (from_results.width, from_results.height)
    assert len(image.predictions) == len(from_results.predictions) > 0
    for one, other in zip(image.predictions, from_results.predictions, strict=True):
        assert one.label == other.label
        assert one.score == pytest.approx(other.score, abs=1e-6)
        assert numbers(one) == pytest.approx(numbers(other), **CLOSE)


def numbers(prediction: Any) -> list[float]:
    if prediction.box:
        return list(prediction.box)
    if prediction.polygons:
        return [number for ring in prediction.polygons for point in ring for number in point]
    return [
        number
        for point in prediction.keypoints.points
        for number in ((point.x, point.y) if point else (-1, -1))
    ]


@given(st.tuples(*[st.floats(0, 1)] * 4), st.floats(0, 1))
def test_boxes_survive_the_text(tmp_path_factory: Any, corners: tuple[float, ...], score: float):
    x_min, x_max, y_min, y_max = *sorted(corners[:2]), *sorted(corners[2:])
    folder = tmp_path_factory.mktemp("yolo")
    for name in ("labels", "images"):
        (folder / name).mkdir()
    Image.new("L", (256, 192)).save(folder / "images" / "image0.png")
    line = f"3 {(x_min + x_max) / 2} {(y_min + y_max) / 2} {x_max - x_min} {y_max - y_min} {score}\n"
    (prediction,) = from_text(folder, line, confidence=True).predictions
    assert prediction.box == pytest.approx((x_min * 256, y_min * 192, x_max * 256, y_max * 192))
    assert prediction.score == score


@pytest.mark.parametrize(
    "line, task, score, track",
    [
        ("0 .5 .5 .2 .2", "detect", None, None),
        ("0 .5 .5 .2 .2 .9", "detect", 0.9, None),
        ("0 .5 .5 .2 .2 .9 4", "detect", 0.9, 4),
        ("0 0 0 1 0 1 .9", "segment", None, None),
        ("0 0 0 1 0 1 1 0 .9", "segment", None, None),
        ("0 0 0 1 0 1 1 .9 4", "segment", 0.9, 4),
        ("0 0 0 1 0 1 1 .9", "segment", 0.9, None),
        ("0 0 0 1 0 1 1 0 1 .9 4", "obb", 0.9, 4),
        ("0 .5 .5 .2 .2 .1 .1 .2 .2", "pose", None, None),
        ("0 .5 .5 .2 .2 .1 .1 .2 .2 .9", "pose", 0.9, None),
        ("0 .5 .5 .2 .2 .1 .1 .2 .2 .9 4", "pose 2", 0.9, 4),
        ("0 .5 .5 .2 .2 .1 .1 1 .2 .2 1", "pose 3", None, None),
        ("0 .5 .5 .2 .2 .1 .1 1 .2 .2 1 .9 4", "pose", 0.9, 4),
    ],
)
def test_confidence_and_track_follow_the_geometry(
    folders: Path, line: str, task: str, score: Any, track: Any
):
    kind, _, each = task.partition(" ")
    shape = {"kpt_shape": (2, int(each))} if each else {}
    (prediction,) = from_text(folders, line, task=kind, joints=2, **shape).predictions
    assert (prediction.score, prediction.track) == (score, track)


def test_joints_of_a_text_have_a_least_score(folders: Path):
    text = RECORDED["texts"]["pose"]
    image = from_text(folders, text, task="pose", min_joint_score=0.5)
    assert joints_found(image) == joints_found(next(from_ultralytics([result("pose")], min_joint_score=0.5)))
    with pytest.raises(InvalidValueError, match="min_joint_score: is 30; scores are between 0 and 1"):
        from_text(folders, text, task="pose", min_joint_score=30)


def test_a_picture_without_a_text_has_no_predictions(folders: Path):
    Image.new("RGB", (200, 100)).save(folders / "images" / "other.png")
    (folders / "labels" / "other.txt").write_text("0 .5 .5 .2 .2")
    image, other = from_yolo_text(folders / "labels", folders / "images", classes=NUMBERS)
    assert (image.width, image.predictions) == (256, [])
    assert (other.width, len(other.predictions)) == (200, 1)


def test_a_text_without_a_picture_is_refused(folders: Path):
    (folders / "labels" / "other.txt").write_text("0 .5 .5 .2 .2")
    with pytest.raises(ValueError, match=r"1 text without a picture in .*: other\.txt"):
        from_yolo_text(folders / "labels", folders / "images", classes=NUMBERS)


def test_all_bad_lines_are_told_at_once(folders: Path):
    text = "0 .5 .5 .2\n0 .5 .5 .2 .2\n99 .5 .5 .2 .2\ncat .5 .5 .2 .2\n0 .5 .5 .2 .2 .9 4 7\n"
    with pytest.raises(InvalidValueError) as caught:
        from_text(folders, text)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "line 1",
        "line 3",
        "line 4",
        "line 5",
    ]
    assert "class 99 has no name among the 80 given" in str(caught.value)


def test_a_picture_that_is_none_is_refused(folders: Path):
    (folders / "images" / "image0.png").write_text("no picture")
    with pytest.raises(InvalidValueError, match="is not a picture that Pillow can read"):
        from_text(folders, "0 .5 .5 .2 .2")


def test_classes_are_read_from_lines(tmp_path: Path):
    file = tmp_path / "classes.txt"
    file.write_text("cat\ntraffic light\n\n")
    assert read_classes(file) == ["cat", "traffic light"]
    file.write_text("cat\n\ndog\n")
    with pytest.raises(ValueError, match="line 2 is empty"):
        read_classes(file)


def test_the_result_of_one_image_is_not_taken_for_those_of_several():
    with pytest.raises(ValueError, match="of one image: put it into a list"):
        list(from_ultralytics(result("detect")))
