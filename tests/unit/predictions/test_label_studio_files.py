"""Label Studio's files as people have them: each read right, or refused by file, task and result."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.predictions import RawImage, from_label_studio, instances_of

WIDTH, HEIGHT = 200, 100


def region(kind: str = "rectangle", label: Any = "cat", **more: Any) -> dict[str, Any]:
    """A region of the picture; what is not part of its value is given by ``of``."""
    values: dict[str, dict[str, Any]] = {
        "rectangle": {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0},
        "ellipse": {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 0},
        "polygon": {"points": [[10, 10], [50, 10], [50, 50]]},
        "keypoint": {"x": 25, "y": 75, "width": 1},
    }
    of = more.pop("of", {})
    value = {**values[kind], f"{kind}labels": [label], **more}
    return {
        "id": "r1",
        "type": f"{kind}labels",
        "to_name": "image",
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": value,
        **of,
    }


def task(*results: Any, number: int = 5, **more: Any) -> dict[str, Any]:
    prediction = {"model_version": "v", "score": 0.2, "result": list(results)}
    return {"id": number, "data": {"image": "a.jpg"}, "predictions": [prediction], **more}


def read(*results: Any, **options: Any) -> RawImage:
    (image,) = from_label_studio([task(*results)], **options)
    return image


def refused(source: Any, **options: Any) -> str:
    with pytest.raises(InvalidValueError) as caught:
        list(from_label_studio(source, **options))
    return "\n".join([caught.value.what, *caught.value.problems])


# 1: units and frames of reference


@pytest.mark.parametrize("degrees", [0, 45, 90, -30, 359.999])
def test_the_angle_of_an_ellipse_is_radians_kind_1(degrees: float):
    (found,) = instances_of(
        read(region("ellipse", rotation=degrees)).predictions, width=200, height=100
    ).instances
    assert (found.center_x, found.center_y, found.width, found.height) == (100, 50, 40, 10)
    assert found.angle == pytest.approx(math.radians(degrees), abs=1e-6)


@pytest.mark.parametrize("place", [{"x": 850, "y": 20}, {"width": 500}, {"height": -640}])
def test_pixels_are_no_percentages_kind_1(place: dict[str, Any]):
    told = refused([task(region(), region(**place))])
    assert told.startswith("predictions of task 5\nresult 1: ")
    assert "are not percentages of the size: are they pixels?" in told


def test_shares_are_no_percentages_kind_1():
    shares = region(x=0.1, y=0.2, width=0.3, height=0.4)
    assert "no coordinate is above 0.4: are these shares, and not percentages?" in refused([task(shares)])
    assert len(read(shares, region()).predictions) == 2


def test_what_is_of_another_picture_is_not_put_on_this_one_kind_1():
    other = region(of={"to_name": "image2"})
    assert "its results are about image, image2: choose one as to_name" in refused([task(region(), other)])
    assert len(read(region(), other, to_name="image2").predictions) == 1
    larger = region(of={"original_width": 400})
    assert "of pictures of [(200, 100), (400, 100)] pixels: of several?" in refused([task(region(), larger)])


@pytest.mark.parametrize("of", [{"image_rotation": 90}, {"item_index": 1}])
def test_a_turned_picture_or_a_further_page_is_refused_kind_1(of: dict[str, Any]):
    assert "result 0: belongs to a rotated picture or to a further page" in refused([task(region(of=of))])


# 2: what a result is


@pytest.mark.parametrize("base", ["rectangle", "polygon", "ellipse", "keypoint"])
def test_a_shape_and_its_labels_under_one_id_are_one_region_kind_2(base: str):
    whole = region(base)
    shape = {key: value for key, value in whole["value"].items() if not key.endswith("labels")}
    parts = [
        {**whole, "type": base, "value": shape},
        {**whole, "type": "labels", "value": {**shape, "labels": ["Text"]}},
        {**whole, "type": "textarea", "value": {**shape, "text": ["a word"]}},
    ]
    (found,) = read(*parts, skip=["textarea"]).predictions
    (alone,) = read(whole).predictions
    assert found.label == "Text"
    assert (found.box, found.polygons, found.ellipse, found.point) == (
        alone.box,
        alone.polygons,
        alone.ellipse,
        alone.point,
    )
    assert "result 1: type 'textarea' is not read as a prediction" in refused([task(*parts)])
    assert "result 0: has no label under" in refused([task(parts[0])])
    assert "result 0: type 'labels' is not read as a prediction" in refused([task(parts[1])])


@pytest.mark.parametrize("number", ["r1", 1, 0])
def test_a_choice_for_a_region_is_no_tag_of_the_file_kind_2(number: Any):
    shape = region(of={"id": number})
    of_region = {"id": number, "type": "choices", "to_name": "image", "value": {"choices": ["blurred"]}}
    assert "result 1: is a choice for one region, not for the file" in refused([task(shape, of_region)])
    of_file = {**of_region, "id": "r2"}
    assert [each.tag for each in read(shape, of_file).predictions] == [False, True]


def test_the_id_of_a_shape_and_its_labels_may_be_a_number_kind_2():
    shape = region(of={"id": 7, "type": "rectangle"})
    del shape["value"]["rectanglelabels"]
    labels = {"id": 7, "type": "labels", "to_name": "image", "value": {"labels": ["cat"]}}
    assert [each.label for each in read(shape, labels).predictions] == ["cat"]


SPAN = {"id": "r1", "type": "labels", "to_name": "text", "value": {"start": 3, "end": 6, "labels": ["cat"]}}


def text_task(text: str, *results: Any) -> list[dict[str, Any]]:
    return [task(*results, data={"text": text})]


@pytest.mark.parametrize("value", [{}, {"start": 3, "end": 6, "text": "cat"}])
def test_a_choice_for_a_span_is_no_tag_of_the_file_kind_2(value: dict[str, Any]):
    choice = {"id": "r1", "type": "choices", "to_name": "text", "value": {**value, "choices": ["proper"]}}
    tasks = text_task("my cat sat", SPAN, choice)
    assert "result 1: is a choice for one region, not for the file" in refused(
        tasks, data_key="text", words=str.split
    )
    (image,) = from_label_studio(tasks, data_key="text", words=str.split, skip=["choices"])
    assert [(each.label, each.tag) for each in image.predictions] == [("cat", False)]


@pytest.mark.parametrize(
    "place", [{"x": 1, "y": 2, "width": 3, "height": 4}, {"points": [[1, 2]]}, {"rle": [1]}]
)
def test_a_choice_with_a_place_is_for_a_region_even_without_an_id_kind_2(place: dict[str, Any]):
    choice = {"type": "choices", "to_name": "image", "value": {**place, "choices": ["blurred"]}}
    assert "result 0: is a choice for one region, not for the file" in refused([task(choice)])


def test_two_results_for_one_span_keep_the_labels_of_each_kind_2():
    other = {**SPAN, "from_name": "kind", "value": {**SPAN["value"], "labels": ["animal"]}}
    (image,) = from_label_studio(text_task("my cat sat", SPAN, other), data_key="text", words=str.split)
    assert [each.label for each in image.predictions] == ["cat", "animal"]
    assert {each.tokens.start for each in image.predictions if each.tokens} == {1}


@pytest.mark.parametrize(
    "data",
    [
        "s3://bucket/a.wav",
        "https://example.com/a",
        "/data/upload/1/a.csv",
        "call.MP3",
        "notes.txt",
        "a.wav?v=1",
    ],
)
def test_a_span_is_not_one_of_the_name_of_a_file_kind_1(data: str):
    told = refused(text_task(data, SPAN), data_key="text", words=str.split)
    assert "result 0: is a span, but the task has" in told


def test_a_text_may_be_an_address_if_the_span_has_its_words_kind_1():
    value = {"start": 8, "end": 19, "text": "example.com", "labels": ["host"]}
    tasks = text_task("https://example.com/a", {**SPAN, "value": value})
    (image,) = from_label_studio(tasks, data_key="text", words=str.split)
    assert [each.label for each in image.predictions] == ["host"]


# 3: not less than a pixel


@pytest.mark.parametrize(
    "value",
    [
        {"y": 60, "height": -40},
        {"x": 40, "width": -30},
        {"x": 40, "y": 60, "width": -30, "height": -40},
        {"rotation": 360},
        {"rotation": None},
    ],
)
def test_a_box_drawn_backwards_is_the_same_box_kind_3(value: dict[str, Any]):
    assert read(region(**value)).predictions[0].box == pytest.approx((20, 20, 80, 60))


def test_a_turned_box_drawn_backwards_is_the_same_outline_kind_3():
    (found,) = read(region(rotation=90)).predictions
    (backwards,) = read(region(x=10, y=20, width=30, height=-40, rotation=90)).predictions
    assert {(round(x, 6), round(y, 6)) for x, y in found.polygons[0]} == {
        (20, 20),
        (20, 80),
        (-20, 80),
        (-20, 20),
    }
    assert {(round(x, 6), round(y, 6)) for x, y in backwards.polygons[0]} == {
        (20, 20),
        (20, 80),
        (60, 80),
        (60, 20),
    }


# 4: nothing found


def test_tasks_without_predictions_are_refused_together_kind_4():
    annotated = {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"result": [region()]}]}
    for tasks in ([annotated, annotated], iter([annotated, annotated])):
        assert refused(tasks) == (
            "tasks\nnone of 2 tasks has predictions; 2 have annotations, which people made"
        )
    assert [len(image.predictions) for image in from_label_studio([annotated, task(region())])] == [0, 1]
    assert read().predictions == []


def test_a_model_version_that_no_task_has_is_refused_kind_4():
    told = refused([task(region()), task(region())], model_version="w")
    assert told == "tasks\nno prediction has model_version 'w', but of v (2)"


@pytest.mark.parametrize(
    "content, told",
    [
        ({"predictions": []}, "holds no list of tasks, but predictions"),
        ([], "holds no task"),
        ("tasks", "holds no list of tasks, but 'tasks'"),
        ({"tasks": {}}, "holds no list of tasks, but tasks"),
        (None, "holds no list of tasks, but None"),
    ],
)
def test_a_file_without_tasks_is_refused_kind_4(tmp_path: Path, content: Any, told: str):
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps(content))
    assert refused(file) == f"{file}\n{told}"


def test_one_task_and_a_page_of_the_api_are_read_kind_4(tmp_path: Path):
    file = tmp_path / "tasks.json"
    for content in (task(region()), [task(region())], {"tasks": [task(region())], "total": 1}):
        file.write_text(json.dumps(content))
        assert [len(image.predictions) for image in from_label_studio(file)] == [1]
    assert len(list(from_label_studio(task(region())))) == 1


# 5: not known


@pytest.mark.parametrize(
    "changes, told",
    [
        (
            {"data": None},
            "task 5\ndata is None, not an object",
        ),
        ({"data": {"image": None}}, "task 5\ndata has image, not 'image'"),
        (
            {"data": {"image": ["a.jpg", "b.jpg"]}},
            "task 5\ndata has ['a.jpg', 'b.jpg'] under 'image', not one",
        ),
        ({"predictions": [12]}, "task 5\npredictions is [12]: export them whole, not by their ids"),
        ({"predictions": {"result": []}}, "task 5\npredictions is {'result': []}"),
        ({"predictions": [{"result": None}]}, "task 5\nthe result of its prediction is None, not a list"),
        ({"predictions": [{"score": 1}]}, "task 5\nthe result of its prediction is missing, not a list"),
        ({"predictions": [{"result": [None]}]}, "task 5\nresult 0: is None, not a region"),
        ({"predictions": [{"result": [{"value": 3}]}]}, "task 5\nresult 0: is {'value': 3}, not a region"),
    ],
)
def test_what_is_null_is_refused_by_task_kind_5(changes: dict[str, Any], told: str):
    good = task(region(), number=4)
    assert refused([good, {**task(), **changes}]).startswith(told)


def test_a_task_that_is_none_is_refused_kind_5():
    assert refused([task(region()), None]) == "task 1\nis None, not an object"


def test_a_score_that_is_null_is_that_of_the_prediction_and_one_that_is_none_is_refused_kind_5():
    assert read(region(of={"score": None})).predictions[0].score == 0.2
    assert "result 0: score is nan, not a number" in refused([task(region(of={"score": math.nan}))])


@pytest.mark.parametrize(
    "result, told",
    [
        (region(x=None), "a percentage of the width is None, not a number"),
        (region(width="wide"), "a percentage of the width is 'wide', not a number"),
        (region(height=math.nan), "a percentage of the height is nan, not a number"),
        (region(x=True), "a percentage of the width is True, not a number"),
        (region(rotation="left"), "rotation is 'left', not a number"),
        (region("polygon", points=None), "its points are None, not pairs"),
        (region("polygon", points=[[1, 2], [3]]), "not pairs of x and y"),
        (region(of={"value": None}), "type 'rectanglelabels' has no value"),
        (region(of={"original_width": None}), "original_width is None, not a whole number"),
        (region(of={"original_height": 0}), "its picture is 200 x 0 pixels"),
        (region(of={"type": None}), "type None is not read as a prediction"),
    ],
)
def test_what_is_no_number_is_refused_by_result_kind_5(result: dict[str, Any], told: str):
    message = refused([task(region(), result)])
    assert message.startswith("predictions of task 5\nresult 1: ")
    assert told in message


# 6: labels


@pytest.mark.parametrize("labels", ["cat", None, {"cat": 1}, []])
def test_labels_are_a_list_kind_6(labels: Any):
    told = refused([task(region(rectanglelabels=labels))])
    assert "has the labels" in told or "has no label" in told


def test_labels_are_texts_or_whole_numbers_kind_6():
    assert [each.label for each in read(region(rectanglelabels=["1", 1.0, 2])).predictions] == ["1", "2"]
    assert "result 0: has no class" in refused([task(region(label=None))])
    assert "result 0: its class is ['a']" in refused([task(region(label=["a"]))])
    assert refused([task(region())], skip="textarea") == "skip\nis 'textarea': put it into a list"


def test_choices_are_a_list_kind_6():
    one = {"type": "choices", "value": {"choices": "outdoor"}}
    assert "type 'choices' has the labels 'outdoor', not a list" in refused([task(one)])


# 7: files as they are on disk


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tasks_are_read_in_any_unicode_and_packed_kind_7(tmp_path: Path, encoding: str):
    data = json.dumps([task(region(label="猫"))], ensure_ascii=False).encode(encoding)
    file = tmp_path / "tasks.json"
    for written in (data, gzip.compress(data)):
        file.write_bytes(written)
        (image,) = from_label_studio(file)
        assert image.predictions[0].label == "猫"


@pytest.mark.parametrize(
    "data, told",
    [
        (b"<html>\n<head>", "is a page of HTML or XML, not JSON"),
        (b"", "is empty"),
        (b'[{"id": 1},\n@]', "line 2, column 1: is not JSON"),
        (b'[{"id": 1, "id": 2}]', "the key 'id' is there twice in one object"),
        (b'[{"id": "\xe9"}]', "line 1: the byte 0xe9 is not utf-8"),
        (b"[" * 99999, "is nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_by_line_kind_7(tmp_path: Path, data: bytes, told: str):
    file = tmp_path / "tasks.json"
    file.write_bytes(data)
    assert refused(file).startswith(f"{file}\n")
    assert told in refused(file)


def test_a_file_is_named_beside_the_task_kind_7(tmp_path: Path):
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps([task(region()), task(region(x=None), number=6)]))
    assert refused(file).startswith(f"predictions of {file}: task 6\nresult 0: ")


def test_an_export_without_data_is_told_by_its_keys_kind_4():
    assert refused([{"image": "a.jpg", "label": []}]) == (
        "task 0\nhas no data, but image, label: is it a JSON_MIN export? Export JSON instead"
    )


@pytest.mark.parametrize("key", ["confidence", "conf", "prob", "probability"])
def test_a_score_by_another_name_is_refused_kind_5(key: str):
    told = f"result 0: has {key}, which Label Studio calls score"
    for prediction in ({"result": [region(of={key: 0.9})]}, {"result": [region()], key: 0.9}):
        assert told in refused([task(predictions=[prediction])])
    (image,) = from_label_studio([task(predictions=[{"result": [region()]}])])
    assert [each.score for each in image.predictions] == [None]
