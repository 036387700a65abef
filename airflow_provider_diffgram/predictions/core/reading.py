"""What converters share: names and sizes beside a model's outputs, all problems of an image at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar

from airflow_provider_diffgram.models import InvalidValueError

from .raw import XY, RawKeypoint, RawPrediction, RawSkeleton

Classes = Mapping[int, str] | Sequence[str]
"""The name of each class number."""

Bones = Sequence[tuple[int, int]]
"""Pairs of joints, counted from 0 in the model's order."""

SizeXY = tuple[int, int]
"""Width and height of an image in pixels, as ``size`` of a Pillow image."""

OutputT = TypeVar("OutputT")
ItemT = TypeVar("ItemT")


def class_name(classes: Classes | None, number: Any) -> str:
    """Return the name of a class; the number as text if there are no names.

    :raises ValueError: if the number is not among the names.
    """
    place = int(number)
    if classes is None:
        return str(place)
    known = place in classes if isinstance(classes, Mapping) else 0 <= place < len(classes)
    if not known:
        raise ValueError(f"class {place} has no name among the {len(classes)} given: add it to classes")
    return classes[place]


_OF_ONE_IMAGE = ("xyxy", "xy", "orig_shape")
"""What a library's object for the predictions of one image has."""


def of_images(outputs: Iterable[OutputT]) -> Iterable[OutputT]:
    """Return the outputs for images.

    :raises ValueError: if they are those of one image, which could be gone through as well, and mean nothing.
    """
    if isinstance(outputs, Mapping | str) or any(hasattr(outputs, name) for name in _OF_ONE_IMAGE):
        raise ValueError(
            f"this is the {type(outputs).__name__} of one image: put it into a list, one for each image"
        )
    return outputs


def with_names(
    outputs: Iterable[OutputT], names: Iterable[str], sizes: Iterable[SizeXY] | None
) -> Iterator[tuple[OutputT, str, tuple[int | None, int | None]]]:
    """Yield each output with the name and the size of its image.

    :raises ValueError: after the shortest, if there are not equally many.
    """
    each_name = iter(names)
    each_size: Iterator[tuple[int | None, int | None]] = iter(
        sizes if sizes is not None else repeat((None, None))
    )
    for number, output in enumerate(of_images(outputs)):
        name, size = next(each_name, None), next(each_size, None)
        if name is None or size is None:
            what = "names" if name is None else "sizes"
            raise ValueError(f"{what} end after {number}, there are more outputs: give one for each image")
        yield output, name, size
    if next(each_name, None) is not None:
        raise ValueError(
            "there are more names than outputs: a model gives an output, if empty, for each image"
        )


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
            problems.append(f"{item} {number}: has no {error}")
        except (TypeError, ValueError) as error:
            problems.append(f"{item} {number}: {error}")
    if problems:
        raise InvalidValueError(f"predictions of {name}", problems)
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
        raise ValueError(f"{wrong} beside {length} predictions: each needs one value")
    for row in zip(*lists.values(), strict=True):
        yield dict(zip(lists, row, strict=True))


def outlined(mask: Any, tolerance: float) -> dict[str, Any]:
    """Return the geometry of a mask, as keywords of a prediction.

    :param tolerance: how far an outline may be from the mask, in pixels.
    """
    from .masks import outlines_of

    outlines = outlines_of(mask, tolerance)
    return {"polygons": outlines.rings, "holes": outlines.holes}


def sure(points: Sequence[XY], scores: Sequence[float] | None, min_score: float) -> list[XY | None]:
    """Return points, None in place of those with less than the least score."""
    if scores is None:
        return list(points)
    return [point if score >= min_score else None for point, score in zip(points, scores, strict=True)]


def skeleton(points: Iterable[XY | None], joints: Sequence[str] | None, bones: Bones) -> RawSkeleton:
    """Return a skeleton of points in the model's order; a joint at (0, 0) was not found.

    :param joints: the name of each joint.
    :param bones: as :data:`Bones`.
    :raises ValueError: if there are not as many names as joints.
    """
    found = list(points)
    if joints is not None and len(joints) != len(found):
        raise ValueError(f"{len(joints)} joints are named, the model gives {len(found)}")
    named: Sequence[str | None] = joints or [None] * len(found)
    return RawSkeleton(
        [
            None if point is None or (point[0] == 0 and point[1] == 0) else RawKeypoint(*point, name=name)
            for point, name in zip(found, named, strict=True)
        ],
        bones,
    )
