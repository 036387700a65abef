"""Pascal VOC, written by supervision and by Label Studio's converter, read here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervision import Detections
from supervision.dataset.formats.pascal_voc import detections_to_pascal_voc

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import RawImage, from_voc

MODEL_OUTPUTS = Path(__file__).parents[2] / "model_outputs"


def read(folder: Path, text: str, **options: Any) -> RawImage:
    file = folder / "a.xml"
    file.write_text(text)
    (image,) = from_voc(file, **options)
    return image


def annotation(*objects: str, size: str = "<size><width>640</width><height>480</height></size>") -> str:
    return f"<annotation><filename>a.jpg</filename>{size}{''.join(objects)}</annotation>"


def an_object(box: tuple[Any, ...] = (1, 1, 640, 480), more: str = "<name>cat</name>") -> str:
    edges = "".join(
        f"<{tag}>{edge}</{tag}>" for tag, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object>{more}<bndbox>{edges}</bndbox></object>"


def test_a_box_of_all_pixels_is_the_whole_picture(tmp_path: Path):
    image = read(tmp_path, annotation(an_object()))
    assert (image.name, image.width, image.height) == ("a.jpg", 640, 480)
    assert [(each.label, each.box, each.score) for each in image.predictions] == [
        ("cat", (0, 0, 640, 480), None)
    ]


def test_edges_that_are_no_pixels_are_taken_as_they_are(tmp_path: Path):
    image = read(tmp_path, annotation(an_object((0, 0, 640, 480))), one_based=False)
    assert image.predictions[0].box == (0, 0, 640, 480)


@st.composite
def edges(draw: st.DrawFn) -> tuple[int, int, int, int]:
    x_min, y_min = draw(st.integers(0, 639)), draw(st.integers(0, 479))
    return x_min, y_min, draw(st.integers(x_min + 1, 640)), draw(st.integers(y_min + 1, 480))


@given(st.lists(st.tuples(edges(), st.sampled_from([0, 1])), min_size=1, max_size=3))
def test_boxes_that_supervision_writes_come_back(tmp_path_factory: Any, found: list[tuple[Any, int]]):
    boxes, numbers = zip(*found, strict=True)
    detections = Detections(xyxy=np.array(boxes, dtype=float), class_id=np.array(numbers))
    text = detections_to_pascal_voc(detections, ["cat", "dog"], "a.jpg", (480, 640, 3))
    image = read(tmp_path_factory.mktemp("voc"), text)
    assert [(each.box, each.label) for each in image.predictions] == [
        (box, ["cat", "dog"][number]) for box, number in found
    ]


def test_polygons_that_supervision_writes_come_back(tmp_path: Path):
    mask = np.zeros((1, 48, 64), dtype=bool)
    mask[0, 10:30, 20:50] = True
    detections = Detections(xyxy=np.array([[20.0, 10, 50, 30]]), mask=mask, class_id=np.array([0]))
    text = detections_to_pascal_voc(detections, ["cat"], "a.jpg", (48, 64, 3), approximation_percentage=0)
    (prediction,) = read(tmp_path, text).predictions
    (ring,) = prediction.polygons
    # supervision's outline runs through the middle of the outer pixels, counted from 0.
    assert (min(x for x, _ in ring), max(x for x, _ in ring)) == (20, 49)
    assert (min(y for _, y in ring), max(y for _, y in ring)) == (10, 29)


def test_what_label_studio_converts_to_voc_is_read_as_edges(tmp_path: Path):
    recorded = json.loads((MODEL_OUTPUTS / "label_studio.json").read_text())["converted"]
    image = read(tmp_path, recorded["voc"], one_based=False)
    assert (image.name, image.width, image.height) == ("a.png", 60, 40)
    # Its converter cuts fractions off.
    whole = [
        tuple(int(number) for number in (x, y, x + int(w), y + int(h))) for x, y, w, h in recorded["coco"]
    ]
    assert [each.box for each in image.predictions] == whole


@pytest.mark.parametrize("tag", ["score", "confidence"])
def test_a_score_is_read_where_a_tool_writes_one(tmp_path: Path, tag: str):
    one = an_object(more=f"<name>cat</name><{tag}>0.75</{tag}>")
    assert read(tmp_path, annotation(one)).predictions[0].score == 0.75


@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height></size>", "<size/>"])
def test_a_size_may_be_unknown(tmp_path: Path, size: str):
    image = read(tmp_path, annotation(an_object(), size=size))
    assert (image.width, image.height) == (None, None)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.xml").write_text(f"<annotation><filename>{name}.jpg</filename></annotation>")
    assert [(image.name, image.predictions) for image in from_voc(tmp_path)] == [("a.jpg", []), ("b.jpg", [])]


def test_all_bad_objects_are_told_at_once(tmp_path: Path):
    text = annotation(
        an_object(more=""),
        an_object(),
        "<object><name>cat</name></object>",
        an_object(("one", 1, 2, 2)),
        "<object><name>cat</name><polygon><x1>1</x1><y2>2</y2></polygon></object>",
    )
    with pytest.raises(InvalidValueError) as caught:
        read(tmp_path, text)
    assert caught.value.problems == [
        "object 0: has no <name>, its class",
        "object 2: has 0 <bndbox>, needs one; it has <name>",
        "object 3: <xmin> is 'one', not a number",
        "object 4: corner 1 of its <polygon> has no x1 or no y1",
    ]


@pytest.mark.parametrize(
    "text, problem",
    [("{}", "line 1, column 0: is not XML"), ("<annotation/>", "has no <filename>")],
    ids=["json", "no name"],
)
def test_a_file_that_is_no_annotation_is_refused(tmp_path: Path, text: str, problem: str):
    with pytest.raises(InvalidValueError, match=problem):
        read(tmp_path, text)
