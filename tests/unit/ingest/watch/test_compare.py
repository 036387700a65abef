"""Predictions that were sent against those that are stored (server.md 5.3, 2.7)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.watch.compare import compare, distinct, instance_in_words


def box(left: int = 1, reference: str | None = "r", **more: Any) -> dict[str, Any]:
    place = {"x_min": left, "y_min": 2, "x_max": left + 9, "y_max": 11}
    return {"type": "box", "label_file_id": 3, "creation_ref_id": reference, **place, **more}


def stored(sent: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 7, "width": 9, "height": 9, "points": [], "angle": 0.0, "model_run_id": 4, **sent, **more}


def test_the_reference_tells_whatever_a_person_moved():
    assert compare([box(1)], [stored(box(5))], older_count=False).missing == []


def test_another_reference_is_another_prediction_unless_older_ones_count():
    older = [stored(box(1, "older"))]
    assert len(compare([box(1)], older, older_count=False).missing) == 1
    compared = compare([box(1)], older, older_count=True)
    assert (compared.missing, compared.kept) == ([], 1)


def test_without_a_reference_the_geometry_tells():
    assert compare([box(1, None)], [stored(box(1, None), score=0.5)], older_count=False).missing == []
    assert len(compare([box(1, None)], [stored(box(2, None))], older_count=False).missing) == 1


@pytest.mark.parametrize(
    "sent, held",
    [
        ({"points": [{"x": 1.5, "y": 2}]}, {"points": [{"x": 1.5, "y": 2, "figure_id": "f"}]}),
        ({"attribute_groups": {"1": {"id": 3}}}, {"attribute_groups": {"1": {"id": 3, "name": "red"}}}),
        ({"angle": 0.1 + 0.2}, {"angle": 0.3}),
        ({"text_tokenizer": None}, {"text_tokenizer": "nltk"}),
    ],
    ids=["points", "attributes", "rounding", "null"],
)
def test_what_the_server_adds_makes_no_difference(sent: dict[str, Any], held: dict[str, Any]):
    polygon = {"type": "polygon", "label_file_id": 3}
    assert compare([polygon | sent], [stored(polygon) | held], older_count=False).missing == []


@pytest.mark.parametrize(
    "change",
    [{"label_file_id": 4}, {"points": [{"x": 1, "y": 3}]}, {"points": []}, {"type": "line"}],
    ids=str,
)
def test_what_differs_is_missing(change: dict[str, Any]):
    polygon = {"type": "polygon", "label_file_id": 3, "points": [{"x": 1, "y": 2}]}
    assert len(compare([polygon], [stored(polygon) | change], older_count=True).missing) == 1


def test_a_global_instance_has_no_label_5_2():
    sent = {"type": "global", "label_file_id": 3, "attribute_groups": {"1": "a"}}
    assert compare([sent], [stored(sent, label_file_id=None)], older_count=False).missing == []


def test_equal_ones_count_once_5_3():
    assert distinct([box(1, "a", score=0.1), box(1, "b", score=0.9), box(2)]) == 2


def test_words_name_type_label_place_and_reference():
    assert instance_in_words(box(1)) == (
        "box (label_file_id 3, x_min 1, y_min 2, x_max 10, y_max 11, creation_ref_id r)"
    )
