"""Predictions of Label Studio tasks, as its export and its API give them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.media import media_type_of
from airflow_provider_diffgram.models.problems import count_of, first_of

from ...core.files import Source, read_json, refusal
from ...core.geometry import in_order
from ...core.raw import XY, RawEllipse, RawImage, RawPrediction
from ...core.reading import (
    OTHER_SCORES,
    computed_score,
    label_text,
    number,
    outlined,
    read_all,
    several,
    shown,
    told_of,
    whole,
)
from ...core.tokens import Words, character_spans, tokens_between, words_of
from .brush import mask_of_brush

Result = Mapping[str, Any]

_TURN_OF_PICTURE = "image_rotation"
_GEOMETRIES = ("rectangle", "polygon", "ellipse", "keypoint", "brush")
_PLACES = frozenset({"x", "points", "rle", "start"})
"""Keys of a value that say where it is; what belongs to the whole file has none."""

_BEYOND = 400
"""Percentages may reach beyond the picture, but not by four times its size; pixels do."""

_SHOWN = 5


def from_label_studio(
    source: Source | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    *,
    data_key: str = "image",
    model_version: str | None = None,
    to_name: str | None = None,
    skip: Iterable[str] = (),
    tolerance: float = 1.0,
    words: Words = words_of,
) -> Iterator[RawImage]:
    """Read the predictions of Label Studio tasks. Its percentages become pixels.

    Rectangles become boxes, or polygons if they are rotated. Polygons, ellipses and keypoints stay what they
    are; brushes become polygons, choices tags of the file, and labels of a text spans of tokens. A region
    with several labels becomes one prediction for each. A shape and its labels may be two results with one
    id, as in the template for OCR.

    :param source: a JSON file of tasks or of one task, or the tasks themselves, or one task.
    :param data_key: the key of a task's ``data`` that holds the picture or the text, and names the file.
    :param model_version: which predictions to take if a task has those of several models.
    :param to_name: which results to take if a task has several pictures or texts.
    :param skip: types of results to leave out, such as ``textarea``.
    :param tolerance: how far a polygon may be from its brush, in pixels.
    :param words: splits a text as Diffgram does, for labels of a text.
    :raises InvalidValueError: if a file contains no tasks; from the iterator, with everything that is wrong
        with a task, and at the end if no task has predictions, or none of ``model_version``.
    """
    if isinstance(skip, str):
        raise InvalidValueError("skip", [f"is {skip!r}: put it into a list"])
    reader = _Reader(data_key, model_version, to_name, frozenset(skip), tolerance, words)
    if isinstance(source, str | PathLike):
        tasks: Iterable[Any] = _tasks_of(read_json(source), source)
        what = str(source)
    else:
        tasks, what = [source] if isinstance(source, Mapping) else several(source, "tasks"), ""
    if isinstance(tasks, Sequence):
        for place, task in enumerate(tasks):
            reader.data_of(task, _name_of(task, place, what))
        _check_predicted(map(reader.count, tasks), len(tasks), what, model_version)
    return reader.images(tasks, what)


def _tasks_of(found: Any, source: Source) -> Sequence[Any]:
    """Return the tasks of a file: of a list, of a page of the API, or the one that it is."""
    if isinstance(found, Mapping) and "data" in found:
        return [found]
    tasks = found.get("tasks") if isinstance(found, Mapping) else found
    if not isinstance(tasks, list):
        there = first_of(list(found), _SHOWN) if isinstance(found, Mapping) else shown(found)
        raise refusal(source, f"holds no list of tasks, but {there or 'nothing'}")
    if not tasks:
        raise refusal(source, "holds no task")
    return tasks


def _check_predicted(
    counts: Iterable[tuple[int, Counter[str]]], tasks: int, what: str, model_version: str | None
) -> None:
    """Refuse tasks of which none has a prediction: then another key holds what was meant."""
    annotated, versions, what = 0, Counter[str](), what or "tasks"
    for by_people, found in counts:
        annotated += by_people > 0
        versions += found
    if not tasks or (versions and model_version is None) or model_version in versions:
        return
    if model_version is not None and versions:
        there = first_of([f"{version} ({count})" for version, count in versions.most_common()], _SHOWN)
        raise InvalidValueError(what, [f"no prediction has model_version {model_version!r}, but of {there}"])
    people = f"; {annotated} have annotations, which people made" if annotated else ""
    raise InvalidValueError(what, [f"none of {tasks} tasks has predictions{people}"])


def _name_of(task: Any, place: int, what: str) -> str:
    number_of_task = task.get("id", place) if isinstance(task, Mapping) else place
    return f"{what}: task {number_of_task}" if what else f"task {number_of_task}"


class _Reader:
    """Reads tasks, and counts what they have."""

    def __init__(
        self,
        data_key: str,
        model_version: str | None,
        to_name: str | None,
        skip: frozenset[str],
        tolerance: float,
        words: Words,
    ) -> None:
        self._data_key = data_key
        self._version = model_version
        self._to_name = to_name
        self._skip = skip
        self._tolerance = tolerance
        self._words = words

    def count(self, task: Any) -> tuple[int, Counter[str]]:
        """Return how many annotations a task has, and the model versions of its predictions."""
        if not isinstance(task, Mapping):
            return 0, Counter()
        annotations, predictions = task.get("annotations"), task.get("predictions")
        versions = Counter(
            str(each.get("model_version")) if isinstance(each, Mapping) else ""
            for each in (predictions if isinstance(predictions, list) else ())
        )
        return len(annotations) if isinstance(annotations, list) else 0, versions

    def images(self, tasks: Iterable[Any], what: str) -> Iterator[RawImage]:
        counts = []
        for place, task in enumerate(tasks):
            name = _name_of(task, place, what)
            with told_of(name):
                image = self._image(task, name)
            yield image
            if not isinstance(tasks, Sequence):
                counts.append(self.count(task))
        _check_predicted(counts, len(counts), what, self._version)

    def _image(self, task: Any, name: str) -> RawImage:
        data = self.data_of(task, name)
        results = _merged(self._results(task, name))
        results = [each for each in results if each.get("type") not in self._skip]
        if self._to_name is not None:
            results = [each for each in results if each.get("to_name") == self._to_name]
        about = {str(each["to_name"]) for each in results if each.get("to_name") is not None}
        if len(about) > 1:
            cause = (
                f"its results are about {', '.join(sorted(about))}: choose one as to_name, with its data_key"
            )
            raise InvalidValueError(name, [cause])
        read = _Results(data, self._tolerance, self._words)
        predictions = read_all(name, results, read, "result")
        places = [abs(each) for result in results for each in _percentages(result)]
        if places and max(places) <= 1 and any(place % 1 for place in places):
            cause = f"no coordinate is above {max(places):g}: are these shares, and not percentages?"
            raise InvalidValueError(name, [cause])
        return RawImage(data, *_size_of_all(results, name), predictions)

    def data_of(self, task: Any, name: str) -> str:
        """Return the name of a task's picture, or its text.

        :raises InvalidValueError: if it is no task, or has none.
        """
        if not isinstance(task, Mapping):
            raise InvalidValueError(name, [f"is {shown(task)}, not an object"])
        data = task.get("data")
        if "data" in task and not isinstance(data, Mapping):
            raise InvalidValueError(name, [f"data is {shown(data)}, not an object"])
        if not isinstance(data, Mapping):
            keys = first_of(list(task), _SHOWN) or "nothing"
            raise InvalidValueError(
                name, [f"has no data, but {keys}: is it a JSON_MIN export? Export JSON instead"]
            )
        found = data.get(self._data_key)
        if found is None:
            known = ", ".join(map(str, data)) or "nothing"
            raise InvalidValueError(
                name, [f"data has {known}, not {self._data_key!r}: give another data_key"]
            )
        if not isinstance(found, str) or not found.strip():
            raise InvalidValueError(name, [f"data has {shown(found)} under {self._data_key!r}, not one name"])
        return found

    def _results(self, task: Result, name: str) -> list[Result]:
        """Return the results of the chosen prediction, each with its own score or else the prediction's."""
        predictions = task.get("predictions") or []
        if not isinstance(predictions, list) or not all(isinstance(each, Mapping) for each in predictions):
            cause = f"predictions is {shown(predictions)}: export them whole, not by their ids"
            raise InvalidValueError(name, [cause])
        chosen = [
            each
            for each in predictions
            if self._version is None or str(each.get("model_version")) == self._version
        ]
        if len(chosen) > 1:
            versions = ", ".join(str(each.get("model_version")) for each in chosen)
            has = f"has {count_of(len(chosen), 'prediction')}, of {versions}"
            cause = f"{has}: choose a model_version, and keep one of each"
            raise InvalidValueError(name, [cause])
        return [result for each in chosen for result in _results_of(each, name)]


def _results_of(prediction: Result, name: str) -> Iterator[Result]:
    results = prediction.get("result")
    if not isinstance(results, list):
        there = "is missing" if "result" not in prediction else f"is {shown(results)}"
        raise InvalidValueError(name, [f"the result of its prediction {there}, not a list"])
    for place, result in enumerate(results):
        if not isinstance(result, Mapping) or not isinstance(result.get("value"), Mapping | None):
            raise InvalidValueError(name, [f"result {place}: is {shown(result)}, not a region"])
        other = next((key for key in OTHER_SCORES if key in result or key in prediction), None)
        if other is not None and "score" not in result and "score" not in prediction:
            raise InvalidValueError(name, [f"result {place}: has {other}, which Label Studio calls score"])
        own = result.get("score")
        yield {**result, "score": prediction.get("score") if own is None else own}


def _merged(results: Sequence[Result]) -> list[Result]:
    """Return results, those that only name the labels of a region joined to the one that has its shape."""
    shapes = {_id(each): each for each in results if _id(each) and _is_region(each)}
    labels: dict[str, list[Any]] = {}
    rest: list[Result] = []
    for each in results:
        region = _id(each)
        if each.get("type") == "labels" and not _is_region(each) and region in shapes:
            labels.setdefault(region, []).extend(_listed(each, (each.get("value") or {}).get("labels")))
        else:
            rest.append(each)
    return [_labelled(each, labels, shapes) for each in rest]


def _id(result: Result) -> str:
    """Return the id of a region, which may be a number; an empty text if it has none."""
    region = result.get("id")
    return str(region) if isinstance(region, str | int) else ""


def _labelled(result: Result, labels: Mapping[str, list[Any]], shapes: Mapping[str, Result]) -> Result:
    region = _id(result)
    if region not in shapes:
        return result
    if result is shapes[region]:
        found = labels.get(region)
        return {**result, "value": {**(result.get("value") or {}), "labels": found}} if found else result
    return {**result, "of_region": True}


def _is_region(result: Result) -> bool:
    """Tell whether a result has a shape, or is a span of a text."""
    return _kind(result) in _GEOMETRIES or (_kind(result) == "" and "start" in (result.get("value") or {}))


def _kind(result: Result) -> str:
    """Return the type of a result, without ``labels`` at its end."""
    return str(result.get("type") or "").removesuffix("labels")


def _size_of_all(results: Iterable[Result], name: str) -> tuple[int | None, int | None]:
    sizes = {_size(each) for each in results if each.get("original_width") is not None}
    if len(sizes) > 1:
        raise InvalidValueError(name, [f"its results are of pictures of {sorted(sizes)} pixels: of several?"])
    return sizes.pop() if sizes else (None, None)


class _Results:
    """Reads the results of a task.

    :param data: the name of the picture, or the text.
    """

    def __init__(self, data: str, tolerance: float, words: Words) -> None:
        self._data = data
        self._words = words
        self._tolerance = tolerance
        self._spans: list[tuple[int, int]] | None = None

    def __call__(self, result: Result) -> list[RawPrediction]:
        kind = _kind(result)
        if result.get(_TURN_OF_PICTURE) or result.get("item_index"):
            raise ValueError("belongs to a rotated picture or to a further page: Diffgram has neither")
        value = result.get("value")
        if value is None:
            raise ValueError(f"type {result.get('type')!r} has no value: add it to skip to leave it out")
        score = computed_score(result["score"])
        if kind == "choices":
            if result.get("of_region") or value.keys() & _PLACES:
                raise ValueError("is a choice for one region, not for the file: add 'choices' to skip")
            choices = _listed(result, value.get("choices"))
            return [RawPrediction(label_text(label), score, tag=True) for label in choices]
        if kind == "" and "start" in value:
            shape: dict[str, Any] = {"tokens": self._tokens(value)}
        elif kind in _SHAPES:
            shape = _SHAPES[kind](result)
        elif kind == "brush":
            shape = self._brush(result)
        else:
            raise ValueError(
                f"type {result.get('type')!r} is not read as a prediction: add it to skip to leave it out"
            )
        return [RawPrediction(label, score, **shape) for label in _labels(result)]

    def _tokens(self, value: Result) -> Any:
        if "startOffset" in value:
            raise ValueError("is a span in an HTML page, which Diffgram does not support")
        if not isinstance(value.get("text"), str) and _names_a_file(self._data):
            raise ValueError(
                f"is a span, but the task has {shown(self._data)}, which names a file: spans are read of a "
                "text that the task itself holds; to leave them out add 'labels' to skip"
            )
        if self._spans is None:
            self._spans = character_spans(self._words(self._data), self._data)
        start, end = whole(value["start"], "start"), whole(value["end"], "end")
        return tokens_between(*_as_told(start, end, value.get("text"), self._data), self._spans)

    def _brush(self, result: Result) -> dict[str, Any]:
        value = result["value"]
        if value.get("format") != "rle":
            raise ValueError(f"format is {value.get('format')!r}, not 'rle'")
        return outlined(mask_of_brush(value["rle"], *_size(result)), self._tolerance)


def _names_a_file(data: str) -> bool:
    """Tell whether the data of a task is an address or a path, as that of an audio file, and not a text."""
    path = data.partition("?")[0]
    has_ending = "://" in data or data.startswith("/") or media_type_of(path) is not None
    return has_ending and not any(map(str.isspace, data.strip()))


def _as_told(start: int, end: int, told: Any, text: str) -> tuple[int, int]:
    """Return where a span is, which its own words prove where a result has them.

    A browser counts a character beyond the first 65536, such as an emoji, as two.

    :param told: the words of the span; None if they are not told.
    :param text: of the task.
    :raises ValueError: if other words are there, or the span is not in the text.
    """
    if not isinstance(told, str):
        if not 0 <= start < end <= len(text):
            raise ValueError(f"goes from character {start} to {end}; the text has {len(text)}")
        return start, end
    if _is_alike(told, text[start:end]):
        return start, end
    counted = text.encode("utf-16-le")
    before, words = counted[: 2 * start], counted[2 * start : 2 * end]
    first = len(before.decode("utf-16-le", "replace"))
    last = first + len(words.decode("utf-16-le", "replace"))
    if _is_alike(told, text[first:last]):
        return first, last
    there = shown(text[start:end])
    raise ValueError(
        f"says {shown(told)}, but characters {start} to {end} are {there}: is it of another text?"
    )


def _is_alike(told: str, text: str) -> bool:
    """Tell whether words are those of a text, but for blanks, ends of lines and capitals."""
    return _without_blanks(told).casefold() == _without_blanks(text).casefold()


def _without_blanks(text: str) -> str:
    return "".join(text.replace("\\n", "").split())


def _labels(result: Result) -> list[str]:
    """Return the labels of a region; their key is named as the control tag."""
    value = result["value"]
    found = [*_listed(result, value.get(result["type"])), *_listed(result, value.get("labels"))]
    labels = [*dict.fromkeys(map(label_text, found))]
    if not labels:
        raise ValueError(f"has no label under {result['type']!r}")
    return labels


def _listed(result: Result, labels: Any) -> list[Any]:
    if labels is None:
        return []
    if not isinstance(labels, list):
        raise ValueError(f"type {result.get('type')!r} has the labels {shown(labels)}, not a list")
    return labels


def _rectangle(result: Result) -> dict[str, Any]:
    """Return a box, or a polygon if it is turned: clockwise, around its own top left corner.

    Drawn from another corner it has a negative width or height.
    """
    value = result["value"]
    x, y = _pixels(result, value["x"], value["y"])
    across, down = _pixels(result, value["width"], value["height"])
    rotation = _rotation(value)
    if rotation % 360 == 0:
        return {"box": in_order((x, y, x + across, y + down))}
    turn = math.radians(rotation)
    right, below = math.cos(turn), math.sin(turn)
    corners = [(0.0, 0.0), (across, 0.0), (across, down), (0.0, down)]
    return {"polygons": [[(x + a * right - b * below, y + a * below + b * right) for a, b in corners]]}


def _polygon(result: Result) -> dict[str, Any]:
    points = result["value"]["points"]
    if not isinstance(points, list) or not all(isinstance(each, list) and len(each) == 2 for each in points):
        raise ValueError(f"its points are {shown(points)}, not pairs of x and y")
    return {"polygons": [[_pixels(result, *point) for point in points]]}


def _ellipse(result: Result) -> dict[str, Any]:
    """Return an ellipse, whose angle is degrees in Label Studio and radians in Diffgram, both clockwise."""
    value = result["value"]
    center = _pixels(result, value["x"], value["y"])
    half_axes = _pixels(result, value["radiusX"], value["radiusY"])
    return {"ellipse": RawEllipse(center, half_axes, math.radians(_rotation(value)))}


def _keypoint(result: Result) -> dict[str, Any]:
    return {"point": _pixels(result, result["value"]["x"], result["value"]["y"])}


_SHAPES: dict[str, Callable[[Result], dict[str, Any]]] = {
    "rectangle": _rectangle,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "keypoint": _keypoint,
}
"""What reads the geometry of each type, which is named without ``labels`` at its end."""


def _percentages(result: Result) -> list[float]:
    """Return the numbers that say where a region is."""
    value = result["value"]
    if _kind(result) not in _SHAPES:
        return []
    flat = [each for point in value.get("points") or () for each in point]
    keys = ("x", "y", "width", "height", "radiusX", "radiusY")
    return [float(each) for each in (*flat, *(value[key] for key in keys if value.get(key) is not None))]


def _rotation(value: Result) -> float:
    return 0.0 if value.get("rotation") is None else number(value["rotation"], "rotation")


def _pixels(result: Result, across: Any, down: Any) -> XY:
    width, height = _size(result)
    x, y = number(across, "a percentage of the width"), number(down, "a percentage of the height")
    if max(abs(x), abs(y)) > _BEYOND:
        raise ValueError(f"{shown(across)}, {shown(down)} are not percentages of the size: are they pixels?")
    return x * width / 100, y * height / 100


def _size(result: Result) -> tuple[int, int]:
    try:
        width = whole(result["original_width"], "original_width")
        height = whole(result["original_height"], "original_height")
    except KeyError as error:
        raise ValueError(f"has no {error}, without which its percentages cannot become pixels") from None
    if width < 1 or height < 1:
        raise ValueError(f"its picture is {width} x {height} pixels")
    return width, height
