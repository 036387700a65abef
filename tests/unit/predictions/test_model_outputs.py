"""What models return as people have it, by kind: read right, or refused by image and prediction."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import supervision as sv
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import (
    RawImage,
    from_classification_pipeline,
    from_dataframe,
    from_detection_pipeline,
    from_document_question_answering,
    from_segmentation_pipeline,
    from_supervision,
    from_supervision_key_points,
    from_token_classification,
    from_torchvision,
    in_frames,
    packets_of,
    video_frames,
)
from airflow_provider_diffgram.predictions.core.geometry import area

MODEL_OUTPUTS = Path(__file__).parents[2] / "model_outputs"
WIDTH, HEIGHT = 200, 100
BOX = [20.0, 10.0, 60.0, 30.0]
CORNERS = [(20, 10), (20, 30), (60, 10), (60, 30)]
NAN = float("nan")


def half_mask() -> Any:
    """The mask of ``BOX`` in half the size of the picture."""
    mask = np.zeros((HEIGHT // 2, WIDTH // 2), dtype=bool)
    mask[5:15, 10:30] = True
    return mask


def full_mask() -> Any:
    return half_mask().repeat(2, axis=0).repeat(2, axis=1)


class Tensor:
    """What torch's tensors offer: an array behind ``detach().cpu()``, and no array by itself."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values)
        self.shape = self._values.shape

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: Any) -> Tensor:
        return Tensor(self._values[place])

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> Any:
        return self._values

    def tolist(self) -> Any:
        return self._values.tolist()


def detections(mask: Any = None, **more: Any) -> list[Any]:
    given = {"xyxy": np.array([BOX]), "class_id": np.array([0]), "confidence": np.array([0.9])}
    return [sv.Detections(**{**given, "mask": None if mask is None else mask[None], **more})]


def output(mask: Any = None, **more: Any) -> list[Any]:
    given = {"boxes": np.array([BOX]), "labels": np.array([0]), "scores": np.array([0.9])}
    return [{**given, **({} if mask is None else {"masks": mask[None, None].astype(float)}), **more}]


def segments(mask: Any, **more: Any) -> list[Any]:
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return [[{"label": "0", "score": 0.9, "mask": picture, **more}]]


def found_box(**more: Any) -> list[Any]:
    box = dict(zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True))
    return [[{"label": "0", "score": 0.9, "box": box, **more}]]


def one(images: Iterator[RawImage]) -> RawImage:
    (image,) = images
    return image


def problems_of(images: Callable[[], Iterator[RawImage]], what: str = "predictions of a.jpg") -> list[str]:
    with pytest.raises(InvalidValueError) as caught:
        list(images())
    assert caught.value.what == what
    return caught.value.problems


MASKED = [
    (from_supervision, detections),
    (from_torchvision, output),
    (from_segmentation_pipeline, segments),
]
masked = pytest.mark.parametrize("read, make", MASKED, ids=["supervision", "torchvision", "pipeline"])


# 1: units and frames of reference


@masked
@pytest.mark.parametrize("mask", [half_mask(), full_mask()], ids=["half", "full"])
def test_a_mask_in_another_size_is_scaled_to_its_picture_kind_1(read: Any, make: Any, mask: Any):
    image = one(read(make(mask), ["a.jpg"], sizes=[(WIDTH, HEIGHT)]))
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    (ring,) = image.predictions[0].polygons
    assert sorted(ring) == CORNERS


@masked
def test_a_mask_of_another_shape_is_refused_kind_1(read: Any, make: Any):
    mask = np.ones((WIDTH, WIDTH), dtype=bool)
    (problem,) = problems_of(lambda: read(make(mask), ["a.jpg"], sizes=[(WIDTH, HEIGHT)]))
    assert "mask is 200 x 200 pixels, which is not the shape of its picture, 200 x 100" in problem


@masked
def test_without_a_size_the_masks_tell_it_kind_1(read: Any, make: Any):
    image = one(read(make(full_mask()), ["a.jpg"]))
    assert (image.width, image.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("read, make", MASKED[:2], ids=["supervision", "torchvision"])
def test_boxes_beyond_their_masks_show_that_these_are_smaller_kind_1(read: Any, make: Any):
    boxes = np.array([[120.0, 20, 180, 90]])
    more = {"xyxy": boxes} if read is from_supervision else {"boxes": boxes}
    (problem,) = problems_of(lambda: read(make(half_mask(), **more), ["a.jpg"]))
    assert "masks are 100 x 50 pixels, but a box reaches to (180.0, 90.0): give sizes" in problem


def test_segments_of_several_sizes_need_that_of_the_picture_kind_1():
    both = [[*segments(half_mask())[0], *segments(full_mask())[0]]]
    (problem,) = problems_of(lambda: from_segmentation_pipeline(both, ["a.jpg"]))
    assert "its masks are 100 x 50, 200 x 100 pixels: give sizes" in problem
    image = one(from_segmentation_pipeline(both, ["a.jpg"], sizes=[(WIDTH, HEIGHT)]))
    assert [sorted(each.polygons[0]) for each in image.predictions] == [CORNERS] * 2


@pytest.mark.parametrize(
    "read",
    [
        lambda box: from_supervision(detections(xyxy=np.array([box])), ["a.jpg"], sizes=[(WIDTH, HEIGHT)]),
        lambda box: from_torchvision(output(boxes=[box]), ["a.jpg"], sizes=[(WIDTH, HEIGHT)]),
        lambda box: from_detection_pipeline(
            found_box(box=dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))),
            ["a.jpg"],
            sizes=[(WIDTH, HEIGHT)],
        ),
        lambda box: from_dataframe(pd.DataFrame([rows(box)])),
    ],
    ids=["supervision", "torchvision", "pipeline", "table"],
)
@pytest.mark.parametrize(
    "box, cause",
    [
        ([0.1, 0.1, 0.6, 0.3], "1 less than a pixel"),  # shares of the size
        ([120, 60, 40, 30], "1 with a right edge left of the left one"),  # a width and a height
    ],
)
def test_boxes_in_other_units_are_too_much_that_is_wrong_kinds_1_3(read: Any, box: list[float], cause: str):
    with pytest.raises(InvalidValueError, match=cause):
        list(packets_of(read(box), media=lambda image: {"path": image.name}))


def test_logits_are_no_mask_kind_1():
    logits = np.where(full_mask(), 7.5, -3.25)
    (problem,) = problems_of(lambda: from_torchvision(output(logits), ["a.jpg"]))
    assert "its mask holds -3.25 to 7.5, which are not probabilities. If these are logits" in problem
    logits[0, 0] = NAN
    assert "not probabilities" in problems_of(lambda: from_torchvision(output(logits), ["a.jpg"]))[0]


def test_probabilities_are_no_mask_of_a_pipeline_kind_1():
    soft = np.linspace(0, 1, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    found = [[{"label": "cat", "score": 0.9, "mask": soft}]]
    assert "as mask > 0.5" in problems_of(lambda: from_segmentation_pipeline(found, ["a.jpg"]))[0]


@pytest.mark.parametrize("mask", [{"size": [2, 2], "counts": [4]}, "mask.png", b"1", None, 7])
def test_a_mask_without_pixels_to_look_at_is_refused_kind_4(mask: Any):
    problems = problems_of(lambda: from_segmentation_pipeline([[{**SEGMENT, "mask": mask}]], ["a.jpg"]))
    assert "mask" in problems[0]
    problems = problems_of(
        lambda: from_segmentation_pipeline([[{**SEGMENT, "mask": mask}]], ["a.jpg"], sizes=[(WIDTH, HEIGHT)])
    )
    assert "mask" in problems[0]


SEGMENT = {"label": "cat", "score": 0.9}


@pytest.mark.parametrize("box", [[100, 50, 1300, 90], [-1, 5, 20, 20]])
def test_words_in_pixels_are_no_thousandths_kind_1(box: list[float]):
    found = [[{"score": 0.9, "answer": "cat", "start": 0, "end": 0}]]
    (problem,) = problems_of(
        lambda: from_document_question_answering(
            found, ["a.jpg"], label="x", word_boxes=[[("cat", box)]], sizes=[(WIDTH, HEIGHT)]
        )
    )
    assert "word_boxes go from 0 to 1000, in thousandths of the page: are these pixels?" in problem


# 3: what is no dustbin


@pytest.mark.parametrize("read, make", MASKED[:2], ids=["supervision", "torchvision"])
def test_the_box_stands_in_for_a_mask_without_pixels_kind_3(read: Any, make: Any):
    (found,) = one(read(make(np.zeros((HEIGHT, WIDTH), dtype=bool)), ["a.jpg"])).predictions
    assert (found.box, found.by_box, found.polygons) == (tuple(BOX), True, None)


def test_the_box_stands_in_for_joints_that_were_not_found_kind_3():
    joints = np.array([[[5, 6, 0], [0, 0, 1]]])
    (found,) = one(from_torchvision(output(keypoints=joints), ["a.jpg"])).predictions
    assert (found.box, found.by_box, found.keypoints) == (tuple(BOX), True, None)


def test_corners_of_a_turned_box_are_put_in_order_kind_3():
    crossed = np.array([[[0, 0], [10, 10], [10, 0], [0, 10]]], dtype=float)
    (found,) = one(from_supervision(detections(data={"xyxyxyxy": crossed}), ["a.jpg"])).predictions
    assert area(found.polygons[0]) == 100


# 4: nothing found is not nothing predicted


@pytest.mark.parametrize(
    "read",
    [
        lambda: from_supervision([np.zeros((1, 4))], ["a.jpg"]),
        lambda: from_supervision([None], ["a.jpg"]),
        lambda: from_supervision_key_points([{}], ["a.jpg"]),
        lambda: from_torchvision([{}], ["a.jpg"]),
        lambda: from_torchvision([{"pred_boxes": [], "logits": []}], ["a.jpg"]),
        lambda: from_torchvision([[output()[0]]], ["a.jpg"]),
        lambda: from_torchvision([None], ["a.jpg"]),
        lambda: from_detection_pipeline([[found_box()[0]]], ["a.jpg"]),
        lambda: from_segmentation_pipeline([[[]]], ["a.jpg"]),
        lambda: from_segmentation_pipeline([[{"label": "cat", "score": 1.0}]], ["a.jpg"]),
        lambda: from_classification_pipeline([[[{"label": "cat", "score": 0.5}]]], ["a.jpg"]),
        lambda: from_token_classification([[None]], ["a.jpg"], texts=["a"], words=str.split),
    ],
)
def test_what_is_no_output_of_the_model_is_refused_by_image_kind_4(read: Any):
    assert problems_of(read)


@pytest.mark.parametrize("read, make", MASKED[:2], ids=["supervision", "torchvision"])
@pytest.mark.parametrize("masks", [0, 2])
def test_each_prediction_needs_its_mask_kind_4(read: Any, make: Any, masks: int):
    (found,) = make(full_mask())
    several = np.zeros((masks, HEIGHT, WIDTH), dtype=bool)
    if read is from_supervision:
        found = SimpleNamespace(**{**vars(found), "mask": several, "__len__": None})
        found = type("Output", (SimpleNamespace,), {"__len__": lambda self: 1})(**vars(found))
    else:
        found["masks"] = several
    (problem,) = problems_of(lambda: read([found], ["a.jpg"]))
    assert f"{masks} masks for 1" in problem


# 5: null, missing, not known


@pytest.mark.parametrize("score", [NAN, "high", float("inf")])
@pytest.mark.parametrize(
    "read",
    [
        lambda score: from_supervision(detections(confidence=np.array([score], dtype=object)), ["a.jpg"]),
        lambda score: from_torchvision(output(scores=[score]), ["a.jpg"]),
        lambda score: from_detection_pipeline(found_box(score=score), ["a.jpg"]),
        lambda score: from_segmentation_pipeline(segments(full_mask(), score=score), ["a.jpg"]),
        lambda score: from_classification_pipeline([[{"label": "cat", "score": score}]], ["a.jpg"]),
        lambda score: entities({"entity_group": "CAT", "score": score, "start": 0, "end": 3}),
    ],
    ids=["supervision", "torchvision", "detection", "segmentation", "classification", "tokens"],
)
def test_a_score_that_a_model_did_not_compute_is_refused_kind_5(read: Any, score: Any):
    (problem,) = problems_of(lambda: read(score))
    assert "score is " in problem


@pytest.mark.parametrize("score", [1.5, 87, -0.1])
def test_a_percentage_is_no_score_kind_5(score: float):
    with pytest.raises(InvalidValueError, match=r"prediction 0 \('0'\): score is"):
        list(
            packets_of(from_torchvision(output(scores=[score]), ["a.jpg"]), media=lambda i: {"path": i.name})
        )


def test_what_a_format_lacks_is_none_kind_5():
    (found,) = one(from_supervision(detections(confidence=None), ["a.jpg"])).predictions
    assert (found.score, found.track) == (None, None)
    (found,) = one(from_segmentation_pipeline(segments(full_mask(), score=None), ["a.jpg"])).predictions
    assert found.score is None
    (found,) = one(from_torchvision([{"boxes": [BOX], "labels": [0]}], ["a.jpg"])).predictions
    assert found.score is None


@pytest.mark.parametrize("ids", [[-1, 3], [-1, -1], [3, -1]])
def test_a_track_of_minus_one_is_none_kind_5(ids: list[int]):
    def frame() -> sv.Detections:
        boxes = np.array([[10.0, 20, 60, 90], [120, 30, 180, 90]])
        return sv.Detections(xyxy=boxes, class_id=np.array([0, 0]), tracker_id=np.array(ids))

    frames = list(from_supervision([frame(), frame()], ["v.mp4"] * 2))
    assert [each.track for each in frames[0].predictions] == [None if i == -1 else i for i in ids]
    found = video_frames(
        in_frames(enumerate(each.predictions for each in frames)), width=WIDTH, height=HEIGHT
    )
    numbers = [each.number for held in found.frames.values() for each in held]
    without = ids.count(-1)
    assert len(set(numbers)) == 2 * without + (2 - without)


@pytest.mark.parametrize("track", [-2, 1.5])
def test_what_is_no_track_is_refused_kind_5(track: float):
    (problem,) = problems_of(lambda: from_supervision(detections(tracker_id=np.array([track])), ["a.jpg"]))
    assert "track is " in problem


@pytest.mark.parametrize("box", [[1, 2, NAN, 4], [1, 2, None, 4], [1, 2, 3], "1234", None])
def test_a_box_that_is_none_is_refused_kind_5(box: Any):
    assert "box" in problems_of(lambda: from_torchvision(output(boxes=[box]), ["a.jpg"]))[0]


def test_a_keypoint_whose_visibility_is_not_known_is_refused_kind_5():
    (problem,) = problems_of(
        lambda: from_torchvision(output(keypoints=[[[5, 6, NAN], [7, 8, 1]]]), ["a.jpg"])
    )
    assert "visibility of a keypoint is nan" in problem


@pytest.mark.parametrize("score", [NAN, None])
def test_a_score_of_a_joint_that_is_none_is_refused_kind_5(score: Any):
    found = sv.KeyPoints(
        xy=np.array([[[5.0, 6], [7, 8]]]),
        keypoint_confidence=np.array([[0.9, score]], dtype=object),
        class_id=np.array([0]),
    )
    (problem,) = problems_of(lambda: from_supervision_key_points([found], ["a.jpg"]))
    assert "score of a joint is " in problem


@pytest.mark.parametrize("joints", [[7, "b"], [None, "b"], "ab", ["a"]])
def test_joints_are_named_by_texts_kind_6(joints: Any):
    found = output(keypoints=[[[5, 6, 1], [7, 8, 1]]])
    (problem,) = problems_of(lambda: from_torchvision(found, ["a.jpg"], joints=joints))
    assert "joints" in problem


def entities(*found: Any, text: str = "cat dog") -> Iterator[RawImage]:
    return from_token_classification([found], ["a.jpg"], texts=[text], words=str.split)


@pytest.mark.parametrize(
    "start, end, told",
    [
        (None, None, "has no start and end: only fast tokenizers give them"),
        (0, None, "has no start and end"),
        (-3, 3, "goes from character -3 to 3; the text has 7"),
        (0, 8, "goes from character 0 to 8; the text has 7"),
        (4, 4, "goes from character 4 to 4"),
        (4, 0, "goes from character 4 to 0"),
        (0.5, 3, "start is 0.5, not a whole number"),
        ("a", 3, "start is 'a', not a whole number"),
        (3, 4, "characters 3 to 4 touch no word"),
    ],
)
def test_an_entity_without_its_place_is_refused_kind_5(start: Any, end: Any, told: str):
    good = {"entity_group": "CAT", "score": 0.9, "start": 0, "end": 3}
    (problem,) = problems_of(lambda: entities(good, {**good, "start": start, "end": end}))
    assert problem.startswith("entity 1: ")
    assert told in problem


def test_offsets_of_arrays_are_numbers_kind_5():
    found = {"entity_group": "DOG", "score": np.float32(0.5), "start": np.int64(4), "end": np.int64(7)}
    (entity,) = one(entities(found)).predictions
    assert (entity.tokens.start, entity.tokens.end) == (1, 1)


@pytest.mark.parametrize("texts", ["cat dog", [None], [7], []])
def test_texts_that_are_none_are_refused_kind_5(texts: Any):
    with pytest.raises(InvalidValueError, match="texts"):
        list(from_token_classification([[]], ["a.jpg"], texts=texts, words=str.split))


# 6: labels as other types


@pytest.mark.parametrize(
    "more, label",
    [
        ({"text_labels": ["cat"]}, "cat"),
        ({"labels": ["cat"]}, "cat"),
        ({"labels": np.array(["cat"])}, "cat"),
        ({"text_labels": None}, "0"),
        ({"labels": [0.0]}, "0"),
        ({"labels": Tensor([0])}, "0"),
    ],
)
def test_labels_of_zero_shot_detectors_are_texts_kind_6(more: Any, label: str):
    (found,) = one(from_torchvision(output(**more), ["a.jpg"])).predictions
    assert found.label == label


def test_classes_that_are_given_count_kind_6():
    (found,) = one(
        from_torchvision(output(text_labels=["a cat."]), ["a.jpg"], classes={0: "cat"})
    ).predictions
    assert found.label == "cat"


@pytest.mark.parametrize(
    "read",
    [
        lambda label: from_torchvision(output(text_labels=[label]), ["a.jpg"]),
        lambda label: from_torchvision(output(labels=[label]), ["a.jpg"]),
        lambda label: from_supervision(
            detections(data={"class_name": np.array([label], dtype=object)}), ["a.jpg"]
        ),
        lambda label: from_detection_pipeline(found_box(label=label), ["a.jpg"]),
        lambda label: from_segmentation_pipeline(segments(full_mask(), label=label), ["a.jpg"]),
        lambda label: from_classification_pipeline([[{"label": label, "score": 0.5}]], ["a.jpg"]),
        lambda label: entities({"entity_group": label, "score": 0.5, "start": 0, "end": 3}),
    ],
    ids=["texts", "torchvision", "supervision", "detection", "segmentation", "classification", "tokens"],
)
@pytest.mark.parametrize("label", [None, "", " ", NAN, 1.5, True])
def test_a_prediction_without_a_class_is_refused_kind_6(read: Any, label: Any):
    (problem,) = problems_of(lambda: read(label))
    assert "class" in problem


def test_one_name_that_is_missing_beside_others_is_told_kind_6():
    found = sv.Detections(
        xyxy=np.array([BOX, BOX]),
        class_id=np.array([0, 1]),
        data={"class_name": np.array(["cat", None], dtype=object)},
    )
    assert problems_of(lambda: from_supervision([found], ["a.jpg"])) == ["prediction 1: has no class"]


def rows(box: Any = BOX, **more: Any) -> dict[str, Any]:
    edges = dict(zip(("x_min", "y_min", "x_max", "y_max"), box, strict=True))
    return {"image": "a.jpg", "label": "cat", "width": WIDTH, "height": HEIGHT, **edges, **more}


def table(*found: dict[str, Any]) -> Iterator[RawImage]:
    return from_dataframe(pd.DataFrame(list(found)))


@pytest.mark.parametrize("label, text", [(1.0, "1"), (1, "1"), (np.float32(7), "7"), ("1.0", "1.0")])
def test_numbers_with_a_gap_are_whole_ones_kind_6(label: Any, text: str):
    image = one(table(rows(label=label, track=7, frame=3), {"image": "a.jpg"}))
    (found,) = image.predictions
    assert (found.label, found.track, found.frame) == (text, 7, 3)
    assert (image.width, image.height) == (WIDTH, HEIGHT)


def test_images_may_be_numbers_with_a_gap_kind_6():
    assert [image.name for image in table(rows(image=1.0), rows(image=2))] == ["1", "2"]


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"label": True}, "its class is True"),
        ({"label": 1.5}, "class is 1.5, not a whole number"),
        ({"label": " "}, "has no class"),
        ({"track": 7.9}, "track is 7.9, not a whole number"),
        ({"track": -2}, "track is -2"),
        ({"frame": 1.5}, "frame is 1.5, not a whole number"),
        ({"frame": "one"}, "frame is 'one', not a whole number"),
        ({"score": "high"}, "score is 'high', not a number"),
        ({"x_min": "left"}, "an edge of its box is 'left', not a number"),
        ({"x_max": float("inf")}, "an edge of its box is inf, not a number"),
        ({"points": [[1, 1], [5, 1], [5, 5]]}, "has a box and points; give one of them"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_by_row_kinds_5_6(wrong: dict[str, Any], told: str):
    good = rows()
    (problem,) = problems_of(lambda: from_dataframe(pd.DataFrame([good, {**good, **wrong}], dtype=object)))
    assert problem.startswith("prediction 1: ")
    assert told in problem


@pytest.mark.parametrize(
    "points, told",
    [
        ([[1, 1], [5, NAN], [5, 5]], "a coordinate of points is nan"),
        ([[1, 1], [5, None], [5, 5]], "a coordinate of points is None"),
        ([1, 1, 5, 1, 5, 5], "points have 1, not x and y"),
        ([[1, 1, 2]] * 3, "points have [1, 1, 2], not x and y"),
        ("[[1, 1], [5, 1]", "delimiter"),
        ("{}", "points are '{}', not a list of corners"),
        (7, "points are 7, not a list of corners"),
    ],
)
def test_points_that_are_none_are_told_by_row_kind_5(points: Any, told: str):
    (problem,) = problems_of(lambda: table({"image": "a.jpg", "label": "cat", "points": points}))
    assert problem.startswith("prediction 0: ")
    assert told in problem


@pytest.mark.parametrize("none", [None, NAN, pd.NA])
def test_a_row_that_lost_its_box_is_no_tag_kind_5(none: Any):
    lost = rows([none] * 4)
    found = from_dataframe(pd.DataFrame([rows(), lost, rows([none] * 4, label="indoor")], dtype=object))
    (problem,) = problems_of(lambda: found)
    assert problem == "prediction 1: has no box, and other rows of 'cat' have one, so it is not a tag"


@pytest.mark.parametrize("none", [None, NAN, pd.NA, pd.NaT, -1])
def test_a_track_that_is_missing_in_a_table_is_none_kind_5(none: Any):
    (found,) = one(from_dataframe(pd.DataFrame([rows(track=none)], dtype=object))).predictions
    assert found.track is None


@pytest.mark.parametrize("none", [None, NAN, pd.NA])
def test_a_score_that_is_missing_in_a_table_is_none_kind_5(none: Any):
    (found,) = one(from_dataframe(pd.DataFrame([rows(score=none)], dtype=object))).predictions
    assert found.score is None


@pytest.mark.parametrize("width", [640.5, "wide", [1]])
def test_a_side_that_is_no_number_of_pixels_is_refused_kind_1(width: Any):
    (problem,) = problems_of(lambda: table(rows(width=width)))
    assert "width is " in problem


@pytest.mark.parametrize("frame", [None, [], {"image": []}, np.zeros((2, 2)), "boxes.csv"])
def test_what_is_no_table_is_refused_kind_4(frame: Any):
    with pytest.raises(InvalidValueError, match="not a pandas DataFrame"):
        from_dataframe(frame)


def test_a_column_that_is_there_twice_is_refused_kind_4():
    twice = pd.DataFrame([["a.jpg", "cat", "dog"]], columns=["image", "label", "label"])
    with pytest.raises(InvalidValueError, match="column 'label' is there twice"):
        from_dataframe(twice)


# Tensors, arrays and lists


@given(st.lists(st.tuples(*[st.floats(0, 60, width=32)] * 4), max_size=3))
def test_tensors_arrays_and_lists_are_read_alike(boxes: list[tuple[float, ...]]):
    count = len(boxes)
    masks = np.zeros((count, 1, HEIGHT, WIDTH), dtype=np.float32)
    masks[:, :, 10:30, 20:60] = 0.75
    values = {
        "boxes": np.array(boxes, dtype=np.float32).reshape(-1, 4),
        "labels": np.arange(count),
        "scores": np.linspace(0, 1, count, dtype=np.float32),
        "masks": masks,
    }
    arrays, tensors, lists = (
        one(from_torchvision([{key: kind(each) for key, each in values.items()}], ["a.jpg"], sizes=sizes))
        for kind in (np.asarray, Tensor, lambda each: each.tolist())
        for sizes in [[(WIDTH, HEIGHT)]]
    )
    assert arrays == tensors == lists
    assert [each.label for each in arrays.predictions] == [str(number) for number in range(count)]


# Beside supervision


@masked
@pytest.mark.parametrize("seed", range(5))
def test_supervision_sees_the_same_of_a_mask(read: Any, make: Any, seed: int):
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    middle, radius = dice.uniform((30, 30), (170, 70)), dice.uniform(8, 25)
    disc = np.hypot(x - middle[0], y - middle[1]) < radius
    (found,) = one(read(make(disc), ["a.jpg"], tolerance=0)).predictions
    (ring,) = found.polygons
    left, top, right, bottom = sv.mask_to_xyxy(disc[None])[0]
    bounds = [*np.min(ring, axis=0), *np.max(ring, axis=0)]
    assert bounds == pytest.approx([left, top, right + 1, bottom + 1], abs=0.01)  # theirs are pixels
    inner = sv.polygon_to_mask((np.array(ring) - 0.5).round().astype(int), (WIDTH, HEIGHT)).astype(bool)
    assert (inner >= disc).all()
    assert area(ring) == disc.sum()


TORCHVISION = np.load(MODEL_OUTPUTS / "torchvision.npz")
TRANSFORMERS = json.loads((MODEL_OUTPUTS / "transformers.json").read_text())


def test_supervision_sees_the_same_of_what_torchvision_returned():
    found = {key: TORCHVISION[f"mask.{key}"] for key in ("boxes", "labels", "scores", "masks")}
    image = one(from_torchvision([found], ["a.jpg"], tolerance=0))
    theirs = sv.mask_to_xyxy(found["masks"][:, 0] > 0.5)
    compare(image, theirs, [(mask > 0.5).sum() for mask in found["masks"]])


@pytest.mark.parametrize("subtask", ["semantic", "instance", "panoptic"])
def test_supervision_sees_the_same_of_what_transformers_returned(subtask: str):
    saved = TRANSFORMERS["image-segmentation"][subtask]
    found = [
        {**each, "mask": Image.open(io.BytesIO(base64.b64decode(each["mask"]["png"])))} for each in saved
    ]
    masks = np.array([np.asarray(each["mask"]) > 0 for each in found])
    image = one(from_segmentation_pipeline([found], ["a.jpg"], tolerance=0))
    compare(image, sv.mask_to_xyxy(masks), [mask.sum() for mask in masks])


def compare(image: RawImage, theirs: Any, pixels: list[int]) -> None:
    """Compare outlines with the boxes that supervision sees around masks, and with their pixels."""
    assert len(image.predictions) == len(theirs) > 0
    for ours, (left, top, right, bottom), count in zip(image.predictions, theirs, pixels, strict=True):
        if not count:
            assert ours.by_box or ours.polygons == []
            continue
        corners = np.concatenate(ours.polygons)
        bounds = [*corners.min(axis=0), *corners.max(axis=0)]
        assert bounds == pytest.approx([left, top, right + 1, bottom + 1], abs=0.01)  # theirs are pixels
        if not ours.holes:
            assert sum(area(list(ring)) for ring in ours.polygons) == count


def test_supervision_writes_what_a_table_reads(tmp_path: Path):
    (found,) = detections(tracker_id=np.array([7]))
    with sv.CSVSink(str(tmp_path / "boxes.csv")) as sink:
        sink.append(found, {"image": "a.jpg"})
    with (tmp_path / "boxes.csv").open() as file:
        assert next(csv.reader(file))[:4] == ["x_min", "y_min", "x_max", "y_max"]
    frame = pd.read_csv(tmp_path / "boxes.csv").rename(
        columns={"class_id": "label", "confidence": "score", "tracker_id": "track"}
    )
    theirs, ours = one(from_supervision([found], ["a.jpg"])), one(from_dataframe(frame))
    assert ours.predictions == theirs.predictions


def test_supervision_and_transformers_read_the_same_boxes():
    result = {key: Tensor(value) for key, value in output()[0].items()}
    theirs = sv.Detections.from_transformers(result, id2label={0: "cat"})
    (ours,) = one(from_torchvision([result], ["a.jpg"], classes={0: "cat"})).predictions
    assert ours.box == pytest.approx(tuple(theirs.xyxy[0]), abs=0.01)
    assert (ours.label, ours.score) == (theirs.data["class_name"][0], theirs.confidence[0])
    (again,) = one(from_supervision([theirs], ["a.jpg"])).predictions
    assert again == ours
