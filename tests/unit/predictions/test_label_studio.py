"""Label Studio's tasks, made with its SDK, against what the SDK's own converters make of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer
from PIL import Image

from airflow_provider_diffgram.models import Box, Ellipse, InvalidValueError, Point, Polygon, Tag, TextToken
from airflow_provider_diffgram.predictions import RawImage, from_label_studio, from_yolo_text, instances_of
from airflow_provider_diffgram.predictions.formats.label_studio.brush import mask_of_brush

FILE = Path(__file__).parents[2] / "model_outputs" / "label_studio.json"
RECORDED = json.loads(FILE.read_text())
WIDTH, HEIGHT = 60, 40
MASK = np.array([[pixel == "#" for pixel in row] for row in RECORDED["mask"]])
TURNED, OUTLINE, ROUND, JOINT, BRUSH, SCENE = range(6)


def read(tasks: Any, **options: Any) -> RawImage:
    (image,) = from_label_studio(tasks, **options)
    return image


def task(*results: dict[str, Any], **prediction: Any) -> dict[str, Any]:
    return {"id": 4, "data": {"image": "b.png"}, "predictions": [{"result": list(results), **prediction}]}


def recorded(place: int, **changes: Any) -> dict[str, Any]:
    return {**RECORDED["shapes"][0]["predictions"][0]["result"][place], **changes}


def test_rectangles_are_the_boxes_that_label_studio_converts_to_coco():
    image = read(RECORDED["rectangles"])
    assert (image.name, image.width, image.height) == ("a.png", WIDTH, HEIGHT)
    boxes = [(x, y, x + width, y + height) for x, y, width, height in RECORDED["converted"]["coco"]]
    assert [each.box for each in image.predictions] == boxes
    assert [each.label for each in image.predictions] == ["cat", "dog"]
    assert [each.score for each in image.predictions] == [0.75, 0.75]


def test_what_label_studio_converts_to_yolo_gives_the_same_boxes(tmp_path: Path):
    for name in ("labels", "images"):
        (tmp_path / name).mkdir()
    Image.new("L", (WIDTH, HEIGHT)).save(tmp_path / "images" / "a.png")
    yolo = RECORDED["converted"]["yolo"]
    (tmp_path / "labels" / "a.txt").write_text(yolo["text"])
    classes = yolo["classes"].split()
    (image,) = from_yolo_text(tmp_path / "labels", tmp_path / "images", classes=classes)
    for one, other in zip(image.predictions, read(RECORDED["rectangles"]).predictions, strict=True):
        assert one.label == other.label
        assert one.box == pytest.approx(other.box)


def test_each_kind_of_region():
    image = read(RECORDED["shapes"])
    turned, outline, ellipse, joint, brush, scene = image.predictions
    assert np.array(turned.polygons[0]) == pytest.approx(np.array(RECORDED["turned_corners"]))
    assert outline.polygons == [[(6, 4), (54, 6), (30, 32)]]
    assert (ellipse.ellipse.center, ellipse.ellipse.half_axes) == ((30, 20), (12, 4))
    assert ellipse.ellipse.angle == pytest.approx(np.pi / 12)
    assert joint.point == (15, 30)
    assert len(brush.polygons) == 2
    assert (scene.label, scene.tag) == ("outdoor", True)
    converted = instances_of(image.predictions, width=image.width, height=image.height)
    kinds = [type(each) for each in converted.instances]
    assert kinds == [Polygon, Polygon, Ellipse, Point, Polygon, Polygon, Tag]


def test_a_region_has_its_own_score_or_that_of_the_prediction():
    scores = [each.score for each in read(RECORDED["shapes"]).predictions]
    assert scores == [0.75, 0.5, 0.5, 0.9, 0.6, 0.5]


def test_a_brush_has_the_pixels_that_were_encoded():
    rle = recorded(BRUSH)["value"]["rle"]
    assert (mask_of_brush(rle, WIDTH, HEIGHT) == MASK).all()


@pytest.mark.parametrize(
    "bits, problem",
    [
        ((WIDTH - 1, HEIGHT), "rle has 9600 values; an image of 59 x 40 has 9440"),
        ("cut", "in the middle of its values"),
    ],
)
def test_a_brush_of_another_image_is_told(bits: Any, problem: str):
    rle = recorded(BRUSH)["value"]["rle"]
    size = (WIDTH, HEIGHT) if bits == "cut" else bits
    with pytest.raises(ValueError, match=problem):
        mask_of_brush(rle[:-10] if bits == "cut" else rle, *size)


@pytest.mark.parametrize(
    "rle, problem",
    [
        (10**12, "rle is 1000000000000, not a list of bytes"),
        ("0101", "rle is '0101', not a list of bytes"),
        (None, "rle is None, not a list of bytes"),
        ([256], "range"),
        ([0.5], "float"),
        ([], "in the middle of its values"),
        ([255] * 9, "rle has 4294967295 values"),
    ],
)
def test_a_brush_that_is_none_is_told(rle: Any, problem: str):
    found = recorded(BRUSH)
    with pytest.raises(InvalidValueError, match=problem):
        read([task({**found, "value": {**found["value"], "rle": rle}})])


def test_a_brush_that_no_memory_holds_is_told():
    values = 4 * 20000 * 50000
    with pytest.raises(ValueError, match="an image of 20000 x 50000 is too large"):
        mask_of_brush(list(values.to_bytes(4, "big")) + [0] * 9, 20000, 50000)


def test_labels_of_a_text_become_tokens():
    image = read(RECORDED["texts"], data_key="text", words=NLTKWordTokenizer().tokenize)
    assert [(each.label, each.tokens.start, each.tokens.end) for each in image.predictions] == [
        ("PER", 0, 0),
        ("LOC", 3, 4),
    ]
    instances = instances_of(image.predictions, width=None, height=None).instances
    assert {type(each) for each in instances} == {TextToken}


def test_a_file_of_tasks_is_read(tmp_path: Path):
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps(RECORDED["rectangles"]))
    assert read(file) == read(str(file)) == read(RECORDED["rectangles"])


def test_a_region_with_two_labels_is_two_predictions():
    box = RECORDED["rectangles"][0]["predictions"][0]["result"][0]
    two = {**box, "value": {**box["value"], "rectanglelabels": ["cat", "animal"]}}
    image = read([task(two)])
    assert [each.label for each in image.predictions] == ["cat", "animal"]
    assert {type(each) for each in instances_of(image.predictions, width=WIDTH, height=HEIGHT).instances} == {
        Box
    }


@pytest.mark.parametrize("predictions", [None, []])
def test_a_task_without_predictions_is_an_image_without_any(predictions: Any):
    without = {"id": 4, "data": {"image": "b.png"}, "predictions": predictions}
    image, _ = from_label_studio([without, task(recorded(JOINT))])
    assert (image.name, image.width, image.predictions) == ("b.png", None, [])


def test_of_several_models_one_is_chosen():
    two = task(recorded(JOINT), model_version="v1")
    two["predictions"].append({"result": [recorded(SCENE)], "model_version": "v2"})
    assert [each.label for each in read([two], model_version="v2").predictions] == ["outdoor"]
    with pytest.raises(
        InvalidValueError, match=r"task 4: has 2 predictions, of v1, v2: choose a model_version"
    ):
        read([two])


def test_a_task_without_the_key_is_told():
    with pytest.raises(InvalidValueError, match="data has image, not 'photo': give another data_key"):
        read([task()], data_key="photo")


def test_all_results_that_are_no_predictions_are_told_at_once():
    strange = recorded(SCENE, type="textarea", value={"text": ["a cat"]})
    no_size = {key: value for key, value in recorded(OUTLINE).items() if key != "original_width"}
    no_label = recorded(OUTLINE, value={"points": [[1, 1], [2, 2], [1, 2]]})
    turned = recorded(JOINT, image_rotation=90)
    png = recorded(BRUSH, value={"format": "png"})
    with pytest.raises(InvalidValueError) as caught:
        read([task(strange, no_size, no_label, turned, png)])
    assert caught.value.problems == [
        "result 0: type 'textarea' is not read as a prediction: add it to skip to leave it out",
        "result 1: has no 'original_width', without which its percentages cannot become pixels",
        "result 2: has no label under 'polygonlabels'",
        "result 3: belongs to a rotated picture or to a further page: Diffgram has neither",
        "result 4: format is 'png', not 'rle'",
    ]
    assert read([task(strange)], skip=["textarea"]).predictions == []


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 255)), min_size=1, max_size=8))
def test_runs_of_one_value_and_of_several(runs: list[tuple[bool, int, int]]):
    """Label Studio's page writes both; its SDK only repeats."""
    values: list[int] = []
    stream = ""
    for repeated, length, value in runs:
        each = [value] * length if repeated else [(value + place) % 256 for place in range(length)]
        stream += f"{repeated:b}{3:02b}{length - 1:016b}"
        stream += "".join(f"{number:08b}" for number in (each[:1] if repeated else each))
        values += each
    rest = -len(values) % 4
    if rest:
        stream += f"1{1:02b}{rest - 1:04b}{0:08b}"
        values += [0] * rest
    sizes = "".join(f"{size - 1:04b}" for size in (3, 4, 8, 16))
    stream = f"{len(values):032b}{7:05b}{sizes}{stream}"
    rle = [int(stream[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(stream), 8)]
    assert mask_of_brush(rle, len(values) // 4, 1).tolist() == [[alpha != 0 for alpha in values[3::4]]]


TEXT = "Hello 😀 World and Paris.\nBye"
PARIS = TEXT.index("Paris")


def span(start: int, end: int, **told: str) -> Any:
    value = {"start": start, "end": end, "labels": ["loc"], **told}
    result = {"id": "a", "type": "labels", "from_name": "l", "to_name": "text", "value": value}
    return {"id": 1, "data": {"text": TEXT}, "predictions": [{"result": [result]}]}


@pytest.mark.parametrize(
    "start, end, told",
    [
        (PARIS, PARIS + 5, {}),
        (PARIS, PARIS + 5, {"text": "Paris"}),
        (PARIS, PARIS + 5, {"text": "paris"}),
        (PARIS + 1, PARIS + 6, {"text": "Paris"}),  # as a browser counts the emoji
    ],
)
def test_a_span_is_where_its_own_words_are(start: int, end: int, told: dict[str, str]):
    (image,) = from_label_studio([span(start, end, **told)], data_key="text", words=str.split)
    tokens = image.predictions[0].tokens
    assert (tokens.start, tokens.end) == (4, 4)
    assert TEXT[tokens.start_char : tokens.end_char] == "Paris"


def test_blanks_and_ends_of_lines_of_a_span_may_be_written_otherwise():
    (image,) = from_label_studio(
        [span(PARIS - 1, len(TEXT), text="Paris.\\nBye")], data_key="text", words=str.split
    )
    assert image.predictions[0].tokens.end == 5


@pytest.mark.parametrize(
    "start, end, told, problem",
    [
        (0, 5, {"text": "Paris"}, "says 'Paris', but characters 0 to 5 are 'Hello': is it of another text"),
        (PARIS, 99, {}, "goes from character 18 to 99; the text has 28"),
        (-5, 3, {}, "goes from character -5 to 3"),
    ],
)
def test_a_span_of_another_text_is_refused(start: int, end: int, told: dict[str, str], problem: str):
    with pytest.raises(InvalidValueError, match=problem):
        list(from_label_studio([span(start, end, **told)], data_key="text", words=str.split))
