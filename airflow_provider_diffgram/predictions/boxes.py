"""A detector's boxes and regions -> checked instances, with an account of what was changed on the way.

Coordinates are pixels and continuous: ``(0, 0)`` is the top left corner of the image, ``(width, height)`` its
bottom right one. Lists, numpy arrays and tensors on the CPU will do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar

from airflow_provider_diffgram.models import Box, Point2D, Polygon

from .geometry import XY, area, clip_polygon, clip_rectangle, nearest

_DECIMALS = 2
"""Corners of polygons keep hundredths of a pixel."""

InstanceT = TypeVar("InstanceT", Box, Polygon)


@dataclass(frozen=True)
class Converted(Generic[InstanceT]):
    """Instances, and how many predictions were changed or left out.

    ``len(instances) + dropped + duplicates`` is the number of predictions that went in.

    :param instances: ready to send, in the order of the predictions.
    :param clipped: how many predictions reached beyond the image and were cut at its edge, whatever became
        of them then.
    :param dropped: how many were left out because the part inside the image is less than one pixel wide or
        high (or, for a polygon, less than one square pixel).
    :param duplicates: how many were left out because an equal one (same label and geometry) with at least
        their score is in. Of equal instances the server keeps one, and not always the better one.
    """

    instances: tuple[InstanceT, ...]
    clipped: int = 0
    dropped: int = 0
    duplicates: int = 0

    def summary(self) -> str:
        """Return one line with all counts, for a log."""
        return (
            f"{len(self.instances)} instances "
            f"({self.clipped} clipped, {self.dropped} dropped, {self.duplicates} duplicates)"
        )


@dataclass(frozen=True)
class _Prediction:
    label: str
    score: float
    shape: tuple[Any, ...] | None
    """Hashable geometry; None if nothing worth a pixel is inside the image."""
    clipped: bool


def box_instances(
    boxes: Iterable[Sequence[float]],
    labels: str | Sequence[str],
    scores: Iterable[float],
    *,
    width: int,
    height: int,
    model_ref: str,
    model_run_ref: str | None = None,
) -> Converted[Box]:
    """Convert a detector's boxes. Edges are cut at the image and go to the nearest whole pixel.

    :param boxes: ``x_min, y_min, x_max, y_max`` of each box, in pixels; fractions are welcome.
    :param labels: the label of each box, or one label for all.
    :param scores: the confidence of each box, 0 to 1.
    :param width: of the image, in pixels.
    :param height: of the image, in pixels.
    :param model_ref: your name of the model.
    :param model_run_ref: your name of the run of the model.
    :raises ValueError: if a coordinate or a score is not finite, a score is outside 0 to 1, or the three
        sequences differ in length. That is a broken model or a wrong call, and no prediction.
    """
    _check_image(width, height)
    predictions = []
    for number, (box, label, score) in enumerate(_together(boxes, labels, scores)):
        x_min, y_min, x_max, y_max = _finite(box, f"box {number}")
        inside = clip_rectangle((x_min, y_min, x_max, y_max), width, height)
        thin = inside[2] - inside[0] < 1 or inside[3] - inside[1] < 1
        shape = None if thin else tuple(nearest(edge) for edge in inside)
        predictions.append(
            _Prediction(label, _checked_score(score, number), shape, inside != (x_min, y_min, x_max, y_max))
        )
    instances = tuple(_box(p, model_ref, model_run_ref) for p in _best_of_equals(predictions))
    return _account(instances, predictions)


def polygon_instances(
    regions: Iterable[Iterable[Sequence[float]]],
    labels: str | Sequence[str],
    scores: Iterable[float],
    *,
    width: int,
    height: int,
    model_ref: str,
    model_run_ref: str | None = None,
) -> Converted[Polygon]:
    """Convert a detector's convex regions, such as the quadrilaterals of a text detector.

    A region that reaches beyond the image is cut there, and may gain corners by it.

    :param regions: the corners ``x, y`` of each region in order, at least three, in pixels.
    :param labels: the label of each region, or one label for all.
    :param scores: the confidence of each region, 0 to 1.
    :param width: of the image, in pixels.
    :param height: of the image, in pixels.
    :param model_ref: your name of the model.
    :param model_run_ref: your name of the run of the model.
    :raises ValueError: as :func:`box_instances`; also if a region has fewer than three corners.
    """
    _check_image(width, height)
    predictions = []
    for number, (region, label, score) in enumerate(_together(regions, labels, scores)):
        corners = [_corner(point, f"region {number}") for point in region]
        if len(corners) < 3:
            raise ValueError(f"region {number} has {len(corners)} corners, needs at least 3")
        beyond = any(not (0 <= x <= width and 0 <= y <= height) for x, y in corners)
        inside = clip_polygon(corners, width, height) if beyond else corners
        predictions.append(_Prediction(label, _checked_score(score, number), _outline(inside), beyond))
    instances = tuple(_polygon(p, model_ref, model_run_ref) for p in _best_of_equals(predictions))
    return _account(instances, predictions)


def _box(prediction: _Prediction, model_ref: str, model_run_ref: str | None) -> Box:
    x_min, y_min, x_max, y_max = prediction.shape or ()
    return Box(
        label=prediction.label,
        x_min=x_min,
        y_min=y_min,
        x_max=x_max,
        y_max=y_max,
        score=prediction.score,
        machine_made=True,
        model_ref=model_ref,
        model_run_ref=model_run_ref,
    )


def _polygon(prediction: _Prediction, model_ref: str, model_run_ref: str | None) -> Polygon:
    return Polygon(
        label=prediction.label,
        points=[Point2D(x=x, y=y) for x, y in prediction.shape or ()],
        score=prediction.score,
        machine_made=True,
        model_ref=model_ref,
        model_run_ref=model_run_ref,
    )


def _outline(corners: list[XY]) -> tuple[XY, ...] | None:
    """Round the corners and drop repeated ones; None if less than a pixel remains, as the server counts."""
    rounded = [(round(x, _DECIMALS), round(y, _DECIMALS)) for x, y in corners]
    distinct = [after for before, after in pairwise(rounded[-1:] + rounded) if before != after]
    if len(distinct) < 3 or area(distinct) < 1:
        return None
    xs, ys = zip(*distinct, strict=True)
    if round(max(xs)) - round(min(xs)) < 1 or round(max(ys)) - round(min(ys)) < 1:
        return None
    return tuple(distinct)


def _best_of_equals(predictions: Iterable[_Prediction]) -> list[_Prediction]:
    """Keep, of predictions equal in label and shape, the one with the highest score."""
    best: dict[tuple[str, tuple[Any, ...]], _Prediction] = {}
    for prediction in predictions:
        if prediction.shape is not None:
            identity = (prediction.label, prediction.shape)
            best[identity] = max(best.get(identity, prediction), prediction, key=lambda p: p.score)
    return list(best.values())


def _account(instances: tuple[InstanceT, ...], predictions: Sequence[_Prediction]) -> Converted[InstanceT]:
    dropped = sum(p.shape is None for p in predictions)
    return Converted(
        instances=instances,
        clipped=sum(p.clipped for p in predictions),
        dropped=dropped,
        duplicates=len(predictions) - dropped - len(instances),
    )


def _together(
    shapes: Iterable[Any], labels: str | Sequence[str], scores: Iterable[float]
) -> Iterable[tuple[Any, str, float]]:
    all_shapes, all_scores = list(shapes), list(scores)
    all_labels = [labels] * len(all_shapes) if isinstance(labels, str) else list(labels)
    if not len(all_shapes) == len(all_labels) == len(all_scores):
        raise ValueError(
            f"{len(all_shapes)} shapes, {len(all_labels)} labels, {len(all_scores)} scores: not equally many"
        )
    return zip(all_shapes, all_labels, all_scores, strict=True)


def _check_image(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"an image of {width} x {height} pixels has no place for an instance")


def _finite(numbers: Iterable[float], what: str) -> list[float]:
    values = [float(number) for number in numbers]
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"{what}: {values} are not all finite")
    return values


def _corner(point: Iterable[float], what: str) -> XY:
    x, y = _finite(point, what)
    return x, y


def _checked_score(score: float, number: int) -> float:
    value = float(score)
    if not 0 <= value <= 1:
        raise ValueError(f"score {number} is {value}, not within 0 and 1")
    return value
