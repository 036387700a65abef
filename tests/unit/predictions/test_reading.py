"""What readers share: labels, scores and tracks of any type, joints and masks of which nothing was found."""

from __future__ import annotations

import math
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
import pytest

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import (
    from_document_question_answering,
    from_token_classification,
    from_torchvision,
)
from airflow_provider_diffgram.predictions.core.geometry import around, in_order
from airflow_provider_diffgram.predictions.core.masks import outlines_of
from airflow_provider_diffgram.predictions.core.reading import (
    class_name,
    label_text,
    number,
    outlined,
    posed,
    score_of,
    track_of,
    whole,
)

NAMES = ["cat", "dog"]


@pytest.mark.parametrize("number", [1, 1.0, "1", np.int64(1), np.float32(1), "dog"])
@pytest.mark.parametrize("classes", [NAMES, {0: "cat", 1: "dog"}, {"0": "cat", "1": "dog"}])
def test_a_class_is_found_by_number_or_by_name(number: Any, classes: Any):
    assert class_name(classes, number) == "dog"


@pytest.mark.parametrize(
    "number, told",
    [
        (None, "has no class"),
        (2, "class 2 has no name among the 2 given"),
        (-1, "class -1 has no name"),
        (0.5, "class is 0.5, not a whole number"),
        (math.nan, "class is nan, not a whole number"),
        (math.inf, "class is inf, not a whole number"),
        ("cow", "class is 'cow', not a whole number"),
        (True, "class is True, not a whole number"),
    ],
)
def test_a_class_that_is_not_there_is_refused(number: Any, told: str):
    with pytest.raises(ValueError, match=told):
        class_name(NAMES, number)


def test_a_class_without_a_name_is_refused():
    with pytest.raises(ValueError, match="class 1 has no name"):
        class_name(["cat", None], 1)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="has no class"):
        class_name(["cat", " "], 1)


def test_without_names_the_text_that_is_there_is_the_class():
    assert [class_name(None, each) for each in (3, 3.0, "3", "cat")] == ["3", "3", "3", "cat"]


@pytest.mark.parametrize("value", ["1", 1, 1.0, np.int64(1)])
def test_a_label_is_a_text_or_a_whole_number(value: Any):
    assert label_text(value) == "1"


@pytest.mark.parametrize("value", [None, math.nan, pd.NA, pd.NaT, "", " ", 1.5, True, [1]])
def test_a_label_that_is_missing_or_no_label_is_refused(value: Any):
    with pytest.raises(ValueError, match="class"):
        label_text(value)


@pytest.mark.parametrize("value", [None, math.nan, pd.NA, -1, -1.0, "-1"])
def test_what_is_not_tracked_has_no_track(value: Any):
    assert track_of(value) is None


def test_a_track_is_a_whole_number():
    assert [track_of(each) for each in (0, 7, 7.0, "7", np.int64(7))] == [0, 7, 7, 7, 7]
    for value in (0.35, -2, "a", math.inf):
        with pytest.raises(ValueError, match="track is"):
            track_of(value)


def test_a_score_may_be_missing_and_else_is_a_number():
    assert [score_of(each) for each in (None, math.nan, pd.NA, 0.5, "0.5")] == [None, None, None, 0.5, 0.5]
    for value in ("high", True, math.inf, [1], 10**400):
        with pytest.raises(ValueError, match="score is"):
            score_of(value)


def test_a_large_whole_number_is_exact():
    assert whole(2**60 + 1, "id") == 2**60 + 1


# Joints and masks of which nothing was found


def test_where_no_joint_was_found_the_box_stands_in():
    nothing = [(0, 0), None]
    assert posed(nothing, None, (), box=np.array([1.0, 2, 3, 4])) == {"box": (1, 2, 3, 4), "by_box": True}
    assert "keypoints" in posed(nothing, None, ())
    assert "keypoints" in posed([(0, 0), (5, 5)], None, (), box=(1, 2, 3, 4))


def test_where_a_mask_has_no_pixel_the_box_stands_in():
    empty = np.zeros((5, 5), dtype=bool)
    assert outlined(empty, 1.0, box=[1, 2, 3, 4]) == {"box": (1, 2, 3, 4), "by_box": True}
    assert outlined(empty, 1.0) == {"polygons": [], "holes": 0}


# Masks in another size, or of other numbers


def test_a_mask_of_the_same_shape_is_scaled_to_its_picture():
    mask = np.zeros((50, 100), dtype=bool)
    mask[5:15, 10:30] = True
    for size, factor in (((100, 50), 1), ((200, 100), 2), ((50, 25), 0.5), ((None, None), 1)):
        (ring,) = outlined(mask, 1.0, size)["polygons"]
        assert sorted(ring) == [(x * factor, y * factor) for x in (10, 30) for y in (5, 15)]


def test_a_side_may_be_off_by_a_pixel_where_it_was_rounded():
    assert outlined(np.ones((120, 160), dtype=bool), 1.0, (1280, 957))["polygons"]


@pytest.mark.parametrize("size", [(50, 100), (200, 133), (100, 100), (640, 480)])
def test_a_mask_of_another_shape_is_refused(size: tuple[int, int]):
    with pytest.raises(ValueError, match=f"mask is 100 x 50 pixels, .* its picture, {size[0]} x {size[1]}"):
        outlined(np.ones((50, 100), dtype=bool), 1.0, size)


@pytest.mark.parametrize(
    "mask, told",
    [
        ([[0.1, 0.9], [0, 0]], "the mask holds 0.1, 0.9 and 0"),
        ([[1, 2], [0, 0]], "the mask holds 1, 2 and 0: give one mask for each object"),
        ([[math.nan, 0]], "the mask holds nan"),
        ([["a"]], "a mask holds true and false or numbers"),
        ([[1, 0], [1]], "rows of the mask are not equally long"),
        ([[[True]]], "a mask has 2 dimensions"),
    ],
)
def test_what_is_no_mask_is_refused(mask: Any, told: str):
    with pytest.raises(ValueError, match=told):
        outlines_of(mask)


@pytest.mark.parametrize("value", [True, 1, 255, 0.5])
def test_one_number_beside_0_is_a_mask(value: Any):
    assert outlines_of([[value, 0], [value, 0]]).rings == [[(0, 0), (1, 0), (1, 2), (0, 2)]]


# Corners in order


def test_edges_may_be_given_from_any_corner():
    assert {in_order(each) for each in ((1, 2, 3, 4), (3, 2, 1, 4), (1, 4, 3, 2), (3, 4, 1, 2))} == {
        (1, 2, 3, 4)
    }


def test_four_corners_of_a_box_go_around_it():
    corners = [(0, 0), (10, 2), (9, 7), (-1, 5)]
    assert around(corners) == corners
    a, b, c, d = corners
    for crossed in ([a, c, b, d], [a, b, d, c]):
        assert around(crossed) == corners
    with pytest.raises(ValueError, match="4 corners; this one has 3"):
        around(corners[:3])


OUTPUT = {"boxes": [[1, 1, 9, 9]], "labels": ["cat"], "scores": [0.5]}


@pytest.mark.parametrize(
    "what, read",
    [
        ("names", lambda: from_torchvision([OUTPUT], ["a", "b"], sizes=[(10, 10)] * 2)),
        ("sizes", lambda: from_torchvision([OUTPUT], ["a"], sizes=[(10, 10)] * 2)),
        ("texts", lambda: from_token_classification([[]], ["a"], texts=["a", "b"], words=str.split)),
        (
            "word_boxes",
            lambda: from_document_question_answering(
                [[]], ["a"], label="x", word_boxes=[[], []], sizes=[(10, 10)]
            ),
        ),
    ],
)
def test_what_is_beside_the_outputs_is_as_many(what: str, read: Any):
    told = "there are more than outputs: give an output for each image, an empty one if nothing was found"
    with pytest.raises(InvalidValueError, match=f"^{what}: {told}$"):
        list(read())


def test_one_size_may_be_repeated_for_all_images():
    images = list(from_torchvision([OUTPUT] * 2, ["a", "b"], sizes=repeat((10, 20))))
    assert [(image.name, image.width, image.height) for image in images] == [("a", 10, 20), ("b", 10, 20)]


@pytest.mark.parametrize("text", ["1_0", "0_1.5", "1e1_0"])
def test_a_number_with_an_underscore_is_refused_as_it_may_be_two(text: str):
    for read in (number, whole):
        with pytest.raises(ValueError, match=f"width is '{text}', not a"):
            read(text, "width")
