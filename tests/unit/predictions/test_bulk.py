"""Boxes in columns become exactly what they become one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.models import Box, InvalidValueError
from airflow_provider_diffgram.predictions import Options, Provenance, RawImage, RawPrediction
from airflow_provider_diffgram.predictions.core.bulk import Boxes, BulkConverter
from airflow_provider_diffgram.predictions.core.convert import convert_image

CLASSES = ("cat", "dog", "cow")
PROVENANCE = Provenance("model", "run")
numbers = st.one_of(
    st.floats(-50, 150),
    st.integers(-100, 300).map(lambda n: n / 2),
    st.sampled_from([-0.0, 0.49999999999999994, 1e300, -1e300, 99.5, 5e-324]),
)
scores = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.25, 0.5, 0.0, -0.0, 1]))
rows = st.lists(
    st.builds(
        RawPrediction,
        st.sampled_from(CLASSES),
        scores,
        box=st.tuples(numbers, numbers, numbers, numbers)
        | st.sampled_from([(1.0, 1.0, 5.0, 5.0), (1.4, 0.6, 5.0, 5.0)]),
    ),
    max_size=10,
)
sides = st.none() | st.sampled_from([1, 40, 100, 2**30 - 1])
images = st.lists(st.builds(RawImage, st.just("a.jpg"), sides, sides, rows), min_size=1, max_size=4)
options = st.builds(
    Options,
    labels=st.sampled_from([None, {"cat": "animal", "dog": "animal", "cow": None}, str.upper]),
    min_score=st.sampled_from([0, 0.5, {"cat": 0.25}]),
    max_per_image=st.none() | st.integers(1, 3),
)


def columns(of: list[RawImage]) -> Boxes:
    every = [each for image in of for each in image.predictions]
    return Boxes(
        [RawImage(image.name, image.width, image.height) for image in of],
        np.cumsum([len(image.predictions) for image in of]),
        np.array([each.box for each in every], dtype=np.float64).reshape(-1, 4).T,
        np.array([math.nan if each.score is None else each.score for each in every], dtype=np.float64),
        np.array([CLASSES.index(each.label) for each in every], dtype=np.int64),
    )


@given(images, options)
def test_columns_give_what_single_predictions_give(of, chosen):
    expected = [convert_image(image, chosen, PROVENANCE) for image in of]
    found = list(BulkConverter(CLASSES, chosen, PROVENANCE).convert(columns(of)))
    assert found == expected
    for each in (box for converted in found for box in converted.instances):
        assert Box.model_validate(each.model_dump()) == each
        assert {type(value) for value in (each.x_min, each.y_min, each.x_max, each.y_max)} == {int}
        assert type(each.score) in (float, type(None))


@pytest.mark.parametrize(
    "chosen, told",
    [
        (Options({"cat": "a"}), "no label for class 'dog', 'cow'"),
        (Options(lambda name: ""), "label '': label: String should have at least 1 character"),
    ],
)
def test_a_label_that_cannot_be_is_known_before_the_first_box(chosen: Options, told: str):
    with pytest.raises(InvalidValueError, match=told):
        BulkConverter(CLASSES, chosen, PROVENANCE)


@pytest.mark.parametrize("sizes", [{"width": 0}, {"height": -1}, {"width": 2**30}])
def test_an_image_without_pixels_is_refused(sizes: dict[str, Any]):
    image = RawImage("a.jpg", **sizes)
    with pytest.raises(InvalidValueError, match="leaves no room"):
        list(BulkConverter(CLASSES, Options(), PROVENANCE).convert(columns([image])))
