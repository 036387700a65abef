"""Hugging Face's pipelines, by what they returned with random weights."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_diffgram.models import Box, InvalidValueError, Polygon, Tag
from airflow_provider_diffgram.predictions import (
    from_classification_pipeline,
    from_detection_pipeline,
    from_document_question_answering,
    from_segmentation_pipeline,
    instances_of,
)

RECORDED = json.loads((Path(__file__).parents[2] / "model_outputs" / "transformers.json").read_text())
WIDTH, HEIGHT = RECORDED["size"]
WORD_BOXES = [(word, box) for word, box in RECORDED["word_boxes"]]


def segments(subtask: str) -> list[dict[str, Any]]:
    """What the pipeline returned, masks as the Pillow images that they were."""
    found = RECORDED["image-segmentation"][subtask]
    return [{**each, "mask": picture(each["mask"])} for each in found]


def picture(saved: dict[str, str]) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(saved["png"])))
    assert image.mode == saved["mode"]
    return image


def test_detections_become_boxes():
    found = RECORDED["object-detection"]
    (image,) = from_detection_pipeline([found], ["a.jpg"], sizes=[(WIDTH, HEIGHT)])
    assert (image.name, image.width, image.height) == ("a.jpg", WIDTH, HEIGHT)
    for prediction, each in zip(image.predictions, found, strict=True):
        assert (prediction.label, prediction.score) == (each["label"], each["score"])
        assert prediction.box == tuple(each["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax"))
    converted = instances_of(image.predictions, width=WIDTH, height=HEIGHT)
    assert {type(each) for each in converted.instances} == {Box}
    # Random weights find the same box in each of their queries.
    assert converted.account.duplicates == len(found) - len(converted.instances) > 0


@pytest.mark.parametrize("subtask", ["semantic", "instance", "panoptic"])
def test_masks_become_polygons_of_the_same_pixels(subtask: str):
    found = segments(subtask)
    (image,) = from_segmentation_pipeline([found], ["a.jpg"], tolerance=0)
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    for prediction, each in zip(image.predictions, found, strict=True):
        assert (prediction.label, prediction.score) == (each["label"], each["score"])
        pixels = np.asarray(each["mask"])
        assert bool(prediction.polygons) == bool(pixels.any())
        if pixels.any():
            rows, columns = np.nonzero(pixels)
            corners = np.concatenate(prediction.polygons)
            assert corners.min(axis=0).tolist() == [columns.min(), rows.min()]
            assert corners.max(axis=0).tolist() == [columns.max() + 1, rows.max() + 1]
    instances = instances_of(image.predictions, width=WIDTH, height=HEIGHT).instances
    assert {type(each) for each in instances} == {Polygon}


def test_an_image_without_segments_has_the_size_that_is_given():
    (image,) = from_segmentation_pipeline([[]], ["a.jpg"], sizes=[(WIDTH, HEIGHT)])
    assert (image.width, image.height, image.predictions) == (WIDTH, HEIGHT, [])


def test_classes_become_tags():
    found = RECORDED["image-classification"]
    (image,) = from_classification_pipeline([found], ["a.jpg"])
    assert [(each.label, each.score) for each in image.predictions] == [
        (each["label"], each["score"]) for each in found
    ]
    instances = instances_of(image.predictions, width=None, height=None).instances
    assert [type(each) for each in instances] == [Tag, Tag]


def answers(*found: dict[str, Any], words: Any = WORD_BOXES) -> list[Any]:
    (page,) = from_document_question_answering(
        [list(found)], ["page.png"], label="total", word_boxes=[words], sizes=[(2000, 1000)]
    )
    return page.predictions


def test_an_answer_is_the_box_around_its_words():
    found = RECORDED["document-question-answering"]
    assert [(each["answer"], each["start"], each["end"]) for each in found] == [
        ("Invoice", 0, 0),
        ("number 4711 Total 99.50", 1, 4),
    ]
    one, several = answers(*found)
    assert one.box == (200, 50, 600, 90)
    assert several.box == (200, 50, 1180, 241)
    assert [each.score for each in (one, several)] == [each["score"] for each in found]
    assert {each.label for each in (one, several)} == {"total"}


def test_an_empty_answer_is_none():
    assert answers({"score": 0.9, "answer": "", "start": 0, "end": 0}) == []


def test_words_of_another_page_are_refused():
    found = {"score": 0.9, "answer": "99.50", "start": 4, "end": 4}
    with pytest.raises(InvalidValueError, match="names words 4 to 4; the page has 2"):
        answers(found, words=WORD_BOXES[:2])


def test_all_bad_predictions_are_told_at_once():
    found = [{"label": "cat", "score": 0.5}, {"score": 0.5, "box": {"xmin": 1}}]
    with pytest.raises(InvalidValueError) as caught:
        next(from_detection_pipeline([found], ["a.jpg"]))
    assert caught.value.problems == ["prediction 0: has no key 'box'", "prediction 1: has no key 'ymin'"]


@pytest.mark.parametrize(
    "read",
    [
        lambda: from_detection_pipeline(RECORDED["object-detection"], ["a.jpg"]),
        lambda: from_segmentation_pipeline(segments("instance"), ["a.jpg"]),
        lambda: from_classification_pipeline(RECORDED["image-classification"], ["a.jpg"]),
    ],
)
def test_the_output_of_one_image_is_not_taken_for_those_of_several(read: Any):
    with pytest.raises(ValueError, match="this is the dict of one image: put it into a list"):
        list(read())
