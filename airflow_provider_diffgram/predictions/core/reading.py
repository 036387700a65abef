"""What converters share: names and sizes for a model's outputs, and all problems of an image at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from typing import Any, SupportsFloat, TypeVar, cast

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.base import ROUNDING, is_score
from airflow_provider_diffgram.models.problems import count_of

from .raw import XY, Edges, RawKeypoint, RawPrediction, RawSkeleton

Classes = Mapping[int, str] | Sequence[str]
"""The name of each class number."""

Bones = Sequence[tuple[int, int]]
"""Pairs of joints, counted from 0 in the model's order."""

SizeXY = tuple[int, int]
"""Width and height of an image in pixels, as ``size`` of a Pillow image."""

_PROBLEMS = 100

OutputT = TypeVar("OutputT")
ItemT = TypeVar("ItemT")


def class_name(classes: Classes | None, number: Any) -> str:
    """Return the name of a class. Without names, return the number as text, or the text given instead.

    :param classes: the name of each class number.
    :param number: a whole number, also as ``1.0`` or ``"1"``; or a name, if it is one of ``classes`` or there
        are no classes.
    :raises ValueError: if it is not among the names, is missing, or is not a whole number.
    """
    if isinstance(classes, str):
        raise ValueError(f"classes is {classes!r}; it is a list of names, which read_classes reads")
    if number is None:
        raise ValueError("has no class")
    if isinstance(number, str) and (classes is None or number in _names(classes)):
        return label_text(number)
    place = whole(number, "class")
    if classes is None:
        return str(place)
    name = classes.get(place) if isinstance(classes, Mapping) else _at(classes, place)
    if name is None and isinstance(classes, Mapping):
        name = cast("Mapping[Any, str]", classes).get(str(place))  # keys of JSON are texts
    if name is None:
        raise ValueError(f"class {place} has no name among the {len(classes)} given: add it to classes")
    return label_text(name)


def _names(classes: Classes) -> Collection[str]:
    return classes.values() if isinstance(classes, Mapping) else classes


def _at(classes: Sequence[str], place: int) -> str | None:
    return classes[place] if 0 <= place < len(classes) else None


def label_text(value: Any) -> str:
    """Return the class of a prediction as text; ``1.0`` and 1 are both ``1``.

    :raises ValueError: if it is missing: None, not a number, or blank.
    """
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        raise ValueError("has no class")
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        raise ValueError(f"its class is {value!r}, neither a name nor a number")
    return str(whole(value, "class"))


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or ``pandas.NA``."""
    if value is None or hasattr(value, "__len__"):
        return value is None
    try:
        return not bool(value == value)
    except TypeError:  # of pandas.NA nothing is known, not even whether it equals itself
        return True


def whole(value: Any, what: str) -> int:
    """Return a whole number, which may be given as ``7.0`` or as text.

    :param what: it is, for the error.
    :raises ValueError: if it is none.
    """
    try:
        if isinstance(value, bool) or _is_python(value):
            raise ValueError
        number = value if isinstance(value, int) else float(value)
        if number != int(number):
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{what} is {shown(value)}, not a whole number") from None
    return int(number)


def number(value: Any, what: str) -> float:
    """Return a finite number, which may be given as text.

    :param what: it is, for the error.
    :raises ValueError: if it is none.
    """
    try:
        found = float(value)
        if isinstance(value, bool) or _is_python(value) or not math.isfinite(found):
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{what} is {shown(value)}, not a number") from None
    return found


def _is_python(value: Any) -> bool:
    """Tell whether a text is a number only as Python writes it: 1_0 may be 10, or two numbers."""
    return isinstance(value, str) and "_" in value


def score_of(value: Any) -> float | None:
    """Return a confidence; None if the format has none: null, or not a number.

    :raises ValueError: if it is not a number. Its range is checked later, for all formats.
    """
    return None if is_missing(value) else number(value, "score")


OTHER_SCORES = ("confidence", "conf", "probability", "prob")
"""Other names of a score: where one of these is in its place, predictions are not without a score."""


def computed_score(value: Any) -> float | None:
    """Return a confidence that a model computed; None if it gave none.

    :raises ValueError: if it is not a number: a model whose scores are NaN is broken, and what it found would
        pass each least score.
    """
    return None if value is None else number(plain(value), "score")


def confidence(score: float) -> float:
    """Return a confidence; 1 for one that is above 1, and 0 for one below 0, by the rounding of 32 bit alone.

    :raises ValueError: if it is not between 0 and 1.
    """
    if not -ROUNDING <= score <= 1 + ROUNDING:
        raise ValueError(f"score is {score}, not between 0 and 1: divide a percentage by 100")
    return min(max(score, 0.0), 1.0)


def edges_of(values: Any) -> Edges:
    """Return ``x_min, y_min, x_max, y_max``.

    :raises ValueError: if these are not four finite numbers.
    """
    edges = plain(values)
    if not isinstance(edges, list | tuple) or len(edges) != 4:
        raise ValueError(f"its box is {shown(edges)}, not x_min, y_min, x_max, y_max")
    x_min, y_min, x_max, y_max = (number(edge, "an edge of its box") for edge in edges)
    return x_min, y_min, x_max, y_max


_NOT_TRACKED = -1
"""How trackers mark an object that they do not follow yet."""


def track_of(value: Any) -> int | None:
    """Return the number of a track; None if there is none: null, not a number, or -1.

    :raises ValueError: if it is no whole number, or less than that.
    """
    if is_missing(value):
        return None
    track = whole(value, "track")
    if track < _NOT_TRACKED:
        raise ValueError(f"track is {track}; tracks count from 0, and -1 means no track")
    return None if track == _NOT_TRACKED else track


def shown(value: Any) -> str:
    """Return a value for an error, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


_LONGEST = 60

_OF_ONE_IMAGE = ("xyxy", "xy", "orig_shape")
"""What a library's object for the predictions of one image has."""


def of_images(outputs: Iterable[OutputT]) -> Iterable[OutputT]:
    """Return the outputs for images.

    :raises InvalidValueError: if they are those of one image, which could be gone through as well and mean
        nothing.
    """
    if isinstance(outputs, Mapping | str) or any(hasattr(outputs, name) for name in _OF_ONE_IMAGE):
        cause = f"this is the {type(outputs).__name__} of one image: put it into a list, one for each image"
        raise InvalidValueError("outputs", [cause])
    return several(outputs, "outputs")


def several(values: Iterable[ItemT], what: str) -> Iterable[ItemT]:
    """Return values that can be gone through.

    :param what: they are, for the error.
    :raises InvalidValueError: if they cannot.
    """
    try:
        iter(values)
    except TypeError:
        raise InvalidValueError(what, [f"are {shown(values)}, not a list"]) from None
    return values


def with_names(
    outputs: Iterable[OutputT], names: Iterable[str], sizes: Iterable[SizeXY] | None
) -> Iterator[tuple[OutputT, str, tuple[int | None, int | None]]]:
    """Yield each output with the name and the size of its image.

    :raises InvalidValueError: after the shortest, if there are not equally many; or if they are no names, or
        no sizes.
    """
    if isinstance(names, str):
        raise InvalidValueError("names", [f"are {names!r}: put it into a list, one for each image"])
    each_name = iter(several(names, "names"))
    each_size: Iterator[Any] = iter(several(sizes, "sizes") if sizes is not None else repeat((None, None)))
    for number, output in enumerate(of_images(outputs)):
        name, size = next(each_name, None), next(each_size, None)
        if name is None or size is None:
            what = "names" if name is None else "sizes"
            cause = f"{what} end after {number}, there are more outputs: give one for each image"
            raise InvalidValueError(what, [cause])
        yield output, str(name), _size_of(size, str(name))
    refuse_more("names", each_name)
    if hasattr(sizes, "__len__"):  # one size may be repeated without an end
        refuse_more("sizes", each_size)


def refuse_more(what: str, rest: Iterator[Any]) -> None:
    """Refuse what is left beside the outputs: then those before it may belong to other outputs too.

    :param what: they are, for the error.
    :param rest: what follows the one for the last output.
    :raises InvalidValueError: if there is one.
    """
    if next(rest, None) is not None:
        cause = (
            "there are more than outputs: give an output for each image, an empty one if nothing was found"
        )
        raise InvalidValueError(what, [cause])


def _size_of(size: Any, name: str) -> tuple[int | None, int | None]:
    try:
        width, height = size
        return (
            None if width is None else whole(width, "width"),
            None if height is None else whole(height, "height"),
        )
    except (ValueError, TypeError) as error:
        raise InvalidValueError(
            f"size of {name}", [f"is {shown(size)}, not (width, height): {error}"]
        ) from None


def read_all(
    name: str,
    items: Iterable[ItemT],
    read: Callable[[ItemT], Iterable[RawPrediction]],
    item: str = "prediction",
) -> list[RawPrediction]:
    """Read the predictions of an image.

    :param name: of the image, for errors.
    :param read: one item to its predictions.
    :param item: what one is called in errors.
    :raises InvalidValueError: with everything that is no prediction.
    """
    predictions: list[RawPrediction] = []
    problems = []
    for number, each in enumerate(items):
        try:
            predictions += read(each)
        except KeyError as error:
            problems.append(f"{item} {number}: has no key {error}")
        except UNEXPECTED as error:
            problems.append(f"{item} {number}: {error}")
    if problems:
        raise InvalidValueError(
            f"predictions of {name}" if name else "predictions",
            problems[:_PROBLEMS],
            max(0, len(problems) - _PROBLEMS),
        )
    return predictions


def plain(values: Any) -> Any:
    """Return a tensor or an array as lists of numbers; a tensor may be on another device. Lists stay."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return values.tolist() if hasattr(values, "tolist") else values


def as_array(values: Any) -> Any:
    """Return a tensor, on whatever device, as an array; what else there is stays."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def columns(length: int, **values: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of columns; a column that is None is None in each row.

    :raises ValueError: if a column has another length.
    """
    lists = {key: [None] * length if column is None else plain(column) for key, column in values.items()}
    wrong = {key: len(column) for key, column in lists.items() if len(column) != length}
    if wrong:
        raise ValueError(f"{wrong} for {count_of(length, 'prediction')}: each needs one value")
    for row in zip(*lists.values(), strict=True):
        yield dict(zip(lists, row, strict=True))


def outlined(
    mask: Any, tolerance: float, size: tuple[int | None, int | None] = (None, None), box: Any = None
) -> dict[str, Any]:
    """Return the geometry of a mask, as keywords of a prediction.

    A mask in another size than its picture is scaled if it has the same shape. It has another shape where
    a model was given the picture with a margin around it, or turned: that is refused.

    :param mask: rows of pixels.
    :param tolerance: how far an outline may be from the mask, in pixels of the picture.
    :param size: width and height of the picture, in pixels; unknown with None.
    :param box: of the prediction, which stands in for a mask without pixels.
    :raises ValueError: as :func:`~.masks.outlines_of`, or if the mask has another shape than the picture.
    """
    from .masks import outlines_of

    outlines = outlines_of(mask, tolerance, *size)
    if not outlines.rings and box is not None:
        return {"box": tuple(plain(box)), "by_box": True}
    return {"polygons": outlines.rings, "holes": outlines.holes}


_BEYOND = 1.1
"""Up to which part of its picture a box of a model may reach beyond it."""


def seen_with_masks(
    size: tuple[int | None, int | None], masks: Any, boxes: Any = ()
) -> tuple[int | None, int | None]:
    """Return the size of a picture; where it is not known, that of its masks.

    :param size: width and height of the picture, in pixels; unknown with None.
    :param masks: the masks of its predictions, as an array or a list; None if there are none.
    :param boxes: the boxes beside them.
    :raises ValueError: if the size is not known, and the masks have several sizes, or the boxes reach beyond
        them, so that the masks are in another size than the picture.
    """
    if masks is None or None not in size:
        return size
    found = sorted({tuple(masks.shape[-2:])} if hasattr(masks, "shape") else set(map(_rows_columns, masks)))
    if not found:
        return size
    if len(found) > 1:
        told = ", ".join(f"{width} x {height}" for height, width in found)
        raise ValueError(f"its masks are {told} pixels: give sizes, the size of each picture")
    height, width = (int(side) for side in found[0])
    for box in plain(boxes):
        edges = edges_of(box)
        if edges[2] > _BEYOND * width + 1 or edges[3] > _BEYOND * height + 1:
            cause = f"masks are {width} x {height} pixels, but a box reaches to ({edges[2]}, {edges[3]})"
            raise ValueError(f"{cause}: give sizes, the size of each picture")
    return width, height


def _rows_columns(mask: Any) -> tuple[int, int]:
    """Return height and width of an array, a Pillow image or rows of pixels."""
    if isinstance(mask, Mapping | str | bytes):
        raise ValueError(f"its mask is {shown(mask)}, not rows of pixels: decode it first")
    shape = getattr(mask, "shape", None)
    if shape is None:
        size = getattr(mask, "size", None)
        if not isinstance(size, tuple) and not hasattr(mask, "__len__"):
            raise ValueError(f"its mask is {shown(mask)}, not rows of pixels")
        shape = size[::-1] if isinstance(size, tuple) else (len(mask), len(mask[0]) if len(mask) else 0)
    height, width = shape[-2:]
    return int(height), int(width)


def least_score(name: str, given: float) -> float:
    """Return a least score.

    :param name: of the parameter.
    :raises InvalidValueError: if it is not a number from 0 to 1, as scores are.
    """
    if not is_score(given):
        raise InvalidValueError(name, [f"is {given!r}; scores are between 0 and 1"])
    return given


def sure(points: Sequence[XY], scores: Sequence[float] | None, min_score: float) -> list[XY | None]:
    """Return points, None in place of those with less than the least score.

    :raises ValueError: if there are not as many scores as points, or one is not a number.
    """
    if scores is None:
        return list(points)
    return [
        point if number(score, "score of a joint") >= min_score else None
        for point, score in zip(points, scores, strict=True)
    ]


def posed(
    points: Iterable[XY | RawKeypoint | None], joints: Sequence[str] | None, bones: Bones, box: Any = None
) -> dict[str, Any]:
    """Return the geometry of joints, as keywords of a prediction.

    :param points: as of :func:`skeleton`.
    :param box: of the prediction, which stands in where no joint was found.
    :raises ValueError: as :func:`skeleton`.
    """
    found = skeleton(points, joints, bones)
    if box is not None and not any(found.points):
        return {"box": tuple(plain(box)), "by_box": True}
    return {"keypoints": found}


def skeleton(
    points: Iterable[XY | RawKeypoint | None], joints: Sequence[str] | None, bones: Bones
) -> RawSkeleton:
    """Return a skeleton of points in the model's order; a joint at (0, 0) was not found.

    :param joints: the name of each joint.
    :param bones: as :data:`Bones`.
    :raises ValueError: if there are not as many names as joints.
    """
    found = [each if each is None or isinstance(each, RawKeypoint) else RawKeypoint(*each) for each in points]
    if isinstance(joints, str):
        raise ValueError(f"joints is {joints!r}; it is a list of names")
    if joints is not None and not all(isinstance(name, str) for name in joints):
        raise ValueError(f"joints are {shown(joints)}; they are names")
    if joints is not None and len(joints) != len(found):
        raise ValueError(f"{len(joints)} joints are named, the model gives {len(found)}")
    named: Sequence[str | None] = joints or [None] * len(found)
    return RawSkeleton(
        [
            None if point is None or (point.x == 0 and point.y == 0) else replace(point, name=name)
            for point, name in zip(found, named, strict=True)
        ],
        bones,
    )


@contextmanager
def told_of(name: str) -> Iterator[None]:
    """Name an image in the errors of anything done to it as a whole, such as reading its size.

    :raises InvalidValueError: in place of what values of another kind than expected raise.
    """
    try:
        yield
    except InvalidValueError:
        raise
    except KeyError as error:
        raise InvalidValueError(f"predictions of {name}", [f"has no key {error}"]) from None
    except UNEXPECTED as error:
        raise InvalidValueError(f"predictions of {name}", [f"cannot be read: {error}"]) from None


UNEXPECTED = (TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""What values of another kind than expected raise."""
