"""Predictions of Label Studio tasks, as its export and its API give them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError

from ...core.raw import XY, RawEllipse, RawImage, RawPrediction
from ...core.reading import outlined, read_all
from ...core.tokens import Words, character_spans, tokens_between, words_of
from .brush import mask_of_brush

Result = Mapping[str, Any]

_TURN_OF_PICTURE = "image_rotation"


def from_label_studio(
    source: str | Path | Iterable[Mapping[str, Any]],
    *,
    data_key: str = "image",
    model_version: str | None = None,
    skip: Iterable[str] = (),
    tolerance: float = 1.0,
    words: Words = words_of,
) -> Iterator[RawImage]:
    """Read the predictions of Label Studio tasks. Its percentages become pixels.

    Rectangles become boxes, or polygons where they are turned; polygons, ellipses, keypoints and brushes what
    they are; choices tags of the file; labels of a text spans of tokens. A region with several labels becomes
    one prediction for each.

    :param source: a JSON file of tasks, or the tasks.
    :param data_key: the key of a task's ``data`` that holds the picture or the text, and names the file.
    :param model_version: which predictions, where a task has those of several models.
    :param skip: types of results to leave out, such as ``textarea``.
    :param tolerance: how far a polygon may be from its brush, in pixels.
    :param words: splits a text as Diffgram does, for labels of a text.
    :raises InvalidValueError: from the iterator, with all that is wrong with a task.
    """
    tasks = json.loads(Path(source).read_text(encoding="utf-8")) if isinstance(source, str | Path) else source
    left_out = frozenset(skip)
    for number, task in enumerate(tasks):
        name = f"task {task.get('id', number)}"
        if data_key not in task.get("data", {}):
            known = ", ".join(task.get("data", {})) or "nothing"
            raise InvalidValueError(name, [f"data has {known}, not {data_key!r}: give another data_key"])
        results = [each for each in _results(task, name, model_version) if each.get("type") not in left_out]
        yield _image(str(task["data"][data_key]), name, results, tolerance, words)


def _results(task: Mapping[str, Any], name: str, model_version: str | None) -> list[Result]:
    """Return the results of the chosen prediction, each with its own score or else the prediction's."""
    predictions = [
        each
        for each in task.get("predictions") or ()
        if model_version is None or each.get("model_version") == model_version
    ]
    if len(predictions) > 1:
        versions = ", ".join(str(each.get("model_version")) for each in predictions)
        cause = (
            f"has {len(predictions)} predictions, of {versions}: choose a model_version, and keep one of each"
        )
        raise InvalidValueError(name, [cause])
    return [{"score": each.get("score"), **result} for each in predictions for result in each["result"]]


def _image(data: str, name: str, results: list[Result], tolerance: float, words: Words) -> RawImage:
    shapes = _shapes(tolerance)
    spans: list[tuple[int, int]] | None = None

    def read(result: Result) -> list[RawPrediction]:
        nonlocal spans
        kind = result.get("type", "").removesuffix("labels")
        if result.get(_TURN_OF_PICTURE) or result.get("item_index"):
            raise ValueError("is of a turned picture, or of a further page: Diffgram has neither")
        if kind == "choices":
            return [RawPrediction(label, result["score"], tag=True) for label in result["value"]["choices"]]
        if kind == "" and "start" in result["value"]:
            spans = spans or character_spans(words(data), data)
            value = result["value"]
            shape: dict[str, Any] = {"tokens": tokens_between(int(value["start"]), int(value["end"]), spans)}
        elif kind in shapes:
            shape = shapes[kind](result)
        else:
            raise ValueError(
                f"type {result.get('type')!r} is no prediction here: add it to skip to leave it out"
            )
        return [RawPrediction(label, result["score"], **shape) for label in _labels(result)]

    predictions = read_all(name, results, read, "result")
    width, height = next((_size(each) for each in results if "original_width" in each), (None, None))
    return RawImage(data, width, height, predictions)


def _labels(result: Result) -> list[str]:
    """Return the labels of a region; their key is named as the control tag."""
    value = result["value"]
    labels = value.get(result["type"]) or value.get("labels") or []
    if not labels:
        raise ValueError(f"has no label under {result['type']!r}")
    return list(labels)


def _shapes(tolerance: float) -> dict[str, Callable[[Result], dict[str, Any]]]:
    """Return what reads the geometry of each type, which is named without ``labels`` at its end."""

    def brush(result: Result) -> dict[str, Any]:
        value = result["value"]
        if value.get("format") != "rle":
            raise ValueError(f"format is {value.get('format')!r}, not 'rle'")
        return outlined(mask_of_brush(value["rle"], *_size(result)), tolerance)

    return {
        "rectangle": _rectangle,
        "polygon": lambda result: {
            "polygons": [[_pixels(result, *point) for point in result["value"]["points"]]]
        },
        "ellipse": _ellipse,
        "keypoint": lambda result: {"point": _pixels(result, result["value"]["x"], result["value"]["y"])},
        "brush": brush,
    }


def _rectangle(result: Result) -> dict[str, Any]:
    """Return a box, or a polygon if it is turned: clockwise, around its own top left corner."""
    value = result["value"]
    x, y = _pixels(result, value["x"], value["y"])
    across, down = _pixels(result, value["width"], value["height"])
    if not value.get("rotation"):
        return {"box": (x, y, x + across, y + down)}
    turn = math.radians(value["rotation"])
    right, below = math.cos(turn), math.sin(turn)
    corners = [(0.0, 0.0), (across, 0.0), (across, down), (0.0, down)]
    return {"polygons": [[(x + a * right - b * below, y + a * below + b * right) for a, b in corners]]}


def _ellipse(result: Result) -> dict[str, Any]:
    value = result["value"]
    center = _pixels(result, value["x"], value["y"])
    half_axes = _pixels(result, value["radiusX"], value["radiusY"])
    return {"ellipse": RawEllipse(center, half_axes, math.radians(value.get("rotation") or 0))}


def _pixels(result: Result, across: float, down: float) -> XY:
    width, height = _size(result)
    return across * width / 100, down * height / 100


def _size(result: Result) -> tuple[int, int]:
    try:
        return int(result["original_width"]), int(result["original_height"])
    except KeyError as error:
        raise ValueError(f"has no {error}, without which its percentages are no pixels") from None
