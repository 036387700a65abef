"""Model output becomes instances that the server stores as sent (server.md 5.2 and 5.3)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.models import Box
from airflow_provider_diffgram.predictions import Account, Converted, box_instances, polygon_instances

SIZE = 100
coordinates = st.one_of(
    st.floats(-50, 150, allow_nan=False),
    st.integers(-50, 150).map(float),
    st.integers(-100, 300).map(lambda n: n / 2),
)
scores = st.floats(0, 1)
predictions = st.lists(
    st.tuples(
        st.tuples(coordinates, coordinates, coordinates, coordinates),
        st.sampled_from(["face", "hand"]),
        scores,
    ),
    max_size=12,
)


def convert(*rows: tuple[tuple[float, float, float, float], str, float]) -> Converted[Box]:
    boxes, labels, values = zip(*rows, strict=True) if rows else ((), (), ())
    return box_instances(
        boxes, labels, values, width=SIZE, height=SIZE, model_ref="model", model_run_ref="run"
    )


def edges(box: Box) -> tuple[int, int, int, int]:
    return box.x_min, box.y_min, box.x_max, box.y_max


@given(predictions)
def test_every_box_lies_in_the_image_with_at_least_a_pixel(rows):
    for box in convert(*rows).instances:
        assert 0 <= box.x_min < box.x_max <= SIZE
        assert 0 <= box.y_min < box.y_max <= SIZE
        assert all(type(edge) is int for edge in edges(box))


@given(predictions)
def test_every_prediction_is_accounted_for(rows):
    converted = convert(*rows)
    account = converted.account
    assert len(converted.instances) == account.instances
    assert account.instances + account.wrong + account.duplicates == account.predictions == len(rows)


@given(predictions)
def test_clipped_counts_the_boxes_that_reach_beyond_the_image(rows):
    beyond = [box for box, _, _ in rows if min(box[:2]) < 0 or max(box[2:]) > SIZE]
    assert convert(*rows).account.clipped == len(beyond)


@given(predictions)
def test_no_two_instances_are_equal_in_label_and_geometry(rows):
    instances = convert(*rows).instances
    assert len({(box.label, edges(box)) for box in instances}) == len(instances)


@given(predictions)
def test_an_edge_inside_the_image_moves_by_half_a_pixel_at_most(rows):
    for box, label, score in rows:
        for instance in convert((box, label, score)).instances:
            clipped = [min(max(edge, 0), SIZE) for edge in box]
            assert all(abs(a - b) <= 0.5 for a, b in zip(clipped, edges(instance), strict=True))


@given(predictions)
def test_converting_again_changes_nothing(rows):
    once = convert(*rows)
    again = convert(*((edges(box), box.label, box.score) for box in once.instances))
    count = len(once.instances)
    assert again == Converted(once.instances, Account(1, count, count))


@given(st.floats(-2, SIZE), st.floats(1, 50))
def test_a_box_of_a_pixel_inside_the_image_is_never_dropped(start, extent):
    inside = min(start + extent, SIZE) - max(start, 0)
    converted = convert(((start, start, start + extent, start + extent), "face", 0.5))
    assert converted.account.wrong == (inside < 1)


def test_halves_round_upwards_so_that_no_pixel_wide_box_vanishes():
    assert edges(convert(((1.5, 0.5, 2.5, 1.5), "face", 1)).instances[0]) == (2, 1, 3, 2)


def test_of_equal_predictions_the_best_score_stays():
    box = (10.4, 10.4, 20.6, 20.6)
    converted = convert(
        (box, "face", 0.5), ((10, 10, 21, 21), "face", 0.9), (box, "face", 0.7), (box, "hand", 0.1)
    )
    assert [(each.label, each.score) for each in converted.instances] == [("face", 0.9), ("hand", 0.1)]
    assert converted.account.duplicates == 2


def test_what_is_outside_or_thinner_than_a_pixel_is_dropped_and_counted():
    converted = convert(
        ((-20, 0, -1, 9), "face", 0.5), ((99.5, 0, 130, 9), "face", 0.5), ((9, 9, 5, 5), "face", 0.5)
    )
    wrong = Account(images=1, predictions=3, clipped=2, outside=1, too_small=1, backwards=1)
    assert converted == Converted((), wrong)


def test_instances_say_where_they_come_from():
    box = convert(((1, 2, 3, 4), "face", 0.25)).instances[0]
    assert (box.machine_made, box.model_ref, box.model_run_ref, box.score) == (True, "model", "run", 0.25)


def test_numpy_arrays_become_plain_numbers():
    converted = box_instances(
        np.array([[1, 2, 30.7, 40.2]], dtype=np.float32),
        "face",
        np.array([0.5], dtype=np.float32),
        width=SIZE,
        height=SIZE,
        model_ref="model",
    )
    assert edges(converted.instances[0]) == (1, 2, 31, 40)
    assert type(converted.instances[0].score) is float


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match=r"prediction 1 \('face'\): .* not all finite"):
        convert(((1, 1, 5, 5), "face", 0.5), ((1, 1, bad, 5), "face", 0.5))
    with pytest.raises(ValueError, match=r"prediction 0 \('face'\): score is"):
        convert(((1, 1, 5, 5), "face", bad))


@pytest.mark.parametrize("bad", [-0.01, 1.01, 87])
def test_scores_outside_zero_to_one_are_refused(bad):
    with pytest.raises(ValueError, match=f"score is {float(bad)}"):
        convert(((1, 1, 5, 5), "face", bad))


def test_sequences_of_different_length_are_refused():
    with pytest.raises(ValueError, match="1 shape, 2 labels, 1 score"):
        box_instances([(1, 1, 5, 5)], ["a", "b"], [0.5], width=SIZE, height=SIZE, model_ref="model")


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (-1, 10)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match="no room"):
        box_instances([], "face", [], width=size[0], height=size[1], model_ref="model")
    with pytest.raises(ValueError, match="no room"):
        polygon_instances([], "text", [], width=size[0], height=size[1], model_ref="model")


def test_the_summary_names_all_counts():
    converted = convert(
        ((1, 1, 5, 5), "face", 0.5), ((-1, 1, 5, 5), "face", 0.5), ((1, 1, 1, 1), "face", 0.5)
    )
    assert converted.summary() == ("2 instances from 3 predictions (1 cut at the edge, 1 less than a pixel)")
