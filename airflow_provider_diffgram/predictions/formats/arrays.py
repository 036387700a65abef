"""A detector's boxes and regions, in plain lists or arrays -> instances, in one call.

Coordinates are fractional pixels: ``(0, 0)`` is the top left corner of the image, ``(width, height)`` its
bottom right one. Lists, numpy arrays and tensors on the CPU are accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from airflow_provider_diffgram.models import Box, InvalidValueError, Polygon
from airflow_provider_diffgram.models.problems import count_of

from ..core.account import Converted
from ..core.convert import instances_of
from ..core.mapping import Provenance
from ..core.raw import RawPrediction
from ..core.reading import read_all, several


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
    """Convert a detector's boxes. Edges are clipped at the image and rounded to the nearest whole pixel.

    :param boxes: ``x_min, y_min, x_max, y_max`` of each box, in pixels; fractions are allowed.
    :param labels: the label of each box, or one label for all.
    :param scores: the confidence of each box, 0 to 1.
    :param width: of the image, in pixels.
    :param height: of the image, in pixels.
    :param model_ref: your name of the model.
    :param model_run_ref: your name of the run of the model.
    :raises InvalidValueError: if a coordinate or a score is not finite, a score is outside 0 to 1, or the
        three sequences differ in length: the model is broken, or the call is wrong.
    """
    predictions = read_all(
        "",
        _together(boxes, labels, scores),
        lambda row: [RawPrediction(row[1], row[2], box=cast("Any", tuple(row[0])))],
    )
    provenance = Provenance(model_ref, model_run_ref)
    return cast(
        "Converted[Box]", instances_of(predictions, width=width, height=height, provenance=provenance)
    )


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
    """Convert a detector's regions, such as the quadrilaterals of a text detector.

    A region that reaches beyond the image is clipped there, and may gain corners.

    :param regions: the corners ``x, y`` of each region in order, at least three, in pixels.
    :param labels: the label of each region, or one label for all.
    :param scores: the confidence of each region, 0 to 1.
    :param width: of the image, in pixels.
    :param height: of the image, in pixels.
    :param model_ref: your name of the model.
    :param model_run_ref: your name of the run of the model.
    :raises InvalidValueError: as :func:`box_instances`; also if a region has fewer than three corners.
    """
    predictions = read_all(
        "",
        _together(regions, labels, scores),
        lambda row: [RawPrediction(row[1], row[2], polygons=[cast("Any", list(row[0]))])],
    )
    provenance = Provenance(model_ref, model_run_ref)
    return cast(
        "Converted[Polygon]", instances_of(predictions, width=width, height=height, provenance=provenance)
    )


def _together(
    shapes: Iterable[Any], labels: str | Sequence[str], scores: Iterable[float]
) -> Iterable[tuple[Any, str, float]]:
    all_shapes, all_scores = list(several(shapes, "shapes")), list(several(scores, "scores"))
    all_labels = [labels] * len(all_shapes) if isinstance(labels, str) else list(several(labels, "labels"))
    if not len(all_shapes) == len(all_labels) == len(all_scores):
        all_of_them = {"shape": all_shapes, "label": all_labels, "score": all_scores}
        counts = ", ".join(count_of(len(each), noun) for noun, each in all_of_them.items())
        raise InvalidValueError("predictions", [f"{counts}: give as many of each"])
    return zip(all_shapes, all_labels, all_scores, strict=True)
