"""Reads ``supervision.Detections`` and ``supervision.KeyPoints``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...models.problems import count_of
from ..core.geometry import around
from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    Bones,
    Classes,
    SizeXY,
    class_name,
    columns,
    computed_score,
    edges_of,
    least_score,
    outlined,
    read_all,
    seen_with_masks,
    skeleton,
    sure,
    told_of,
    track_of,
    with_names,
)

_CLASS_NAME = "class_name"
_ORIENTED_BOX = "xyxyxyxy"
"""Keys of ``data`` in which supervision keeps the names of classes and the corners of turned boxes."""


def from_supervision(
    detections: Iterable[Any],
    names: Iterable[str],
    *,
    sizes: Iterable[SizeXY] | None = None,
    classes: Classes | None = None,
    tolerance: float = 1.0,
) -> Iterator[RawImage]:
    """Read ``supervision.Detections``: masks and rotated boxes become polygons, others boxes.

    If a mask has no pixels, its box is used. A track of -1 means that there is no track.

    :param detections: one for each image.
    :param names: of the images.
    :param sizes: width and height of the images in pixels. Masks of another size are scaled to it. Not needed
        if there are masks of the size of the image.
    :param classes: the name of each class number. Otherwise ``data["class_name"]`` is used, or else the
        number.
    :param tolerance: how far a polygon may be from its mask, in pixels.
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image.
    """
    for each, name, size in with_names(detections, names, sizes):
        with told_of(name):
            if each.mask is not None and len(each.mask) != len(each):
                raise ValueError(
                    f"{count_of(len(each.mask), 'mask')} for "
                    f"{count_of(len(each), 'prediction')}: give one for each"
                )
            size = seen_with_masks(size, each.mask, each.xyxy)
            rows = list(
                columns(
                    len(each),
                    box=each.xyxy,
                    corners=each.data.get(_ORIENTED_BOX),
                    place=range(len(each)),
                    score=each.confidence,
                    number=each.class_id,
                    track=each.tracker_id,
                    label=each.data.get(_CLASS_NAME),
                )
            )
            named = each.data.get(_CLASS_NAME) is not None

        def read(
            row: dict[str, Any], masks: Any = each.mask, size: Any = size, named: bool = named
        ) -> list[RawPrediction]:
            if masks is not None:
                shape = outlined(masks[row["place"]], tolerance, size, row["box"])
            elif row["corners"] is not None:
                shape = {"polygons": [around(row["corners"])]}
            else:
                shape = {"box": edges_of(row["box"])}
            label, score, track = _label(row, classes, named), row["score"], row["track"]
            return [RawPrediction(label, computed_score(score), track=track_of(track), **shape)]

        yield RawImage(name, *size, read_all(name, rows, read))


def from_supervision_key_points(
    key_points: Iterable[Any],
    names: Iterable[str],
    *,
    sizes: Iterable[SizeXY] | None = None,
    classes: Classes | None = None,
    joints: Sequence[str] | None = None,
    bones: Bones = (),
    min_joint_score: float = 0.0,
) -> Iterator[RawImage]:
    """Read ``supervision.KeyPoints``. Joints at (0, 0) or not ``visible`` count as not found.

    :param key_points: one for each image.
    :param names: of the images.
    :param sizes: width and height of the images in pixels.
    :param classes: as in :func:`from_supervision`.
    :param joints: the name of each joint.
    :param bones: pairs of joints, from 0.
    :param min_joint_score: joints with a lower score are left out.
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image.
    """
    least_score("min_joint_score", min_joint_score)
    for each, name, (width, height) in with_names(key_points, names, sizes):
        with told_of(name):
            rows = list(
                columns(
                    len(each),
                    points=each.xy,
                    score=getattr(each, "detection_confidence", None),
                    number=each.class_id,
                    joint_scores=_joint_scores(each),
                    visible=getattr(each, "visible", None),
                    label=each.data.get(_CLASS_NAME),
                )
            )
            named = each.data.get(_CLASS_NAME) is not None

        def read(row: dict[str, Any], named: bool = named) -> list[RawPrediction]:
            seen = row["visible"] or [True] * len(row["points"])
            points = [
                point if shown else None
                for point, shown in zip(
                    sure(row["points"], row["joint_scores"], min_joint_score), seen, strict=True
                )
            ]
            label, score = _label(row, classes, named), computed_score(row["score"])
            return [RawPrediction(label, score, keypoints=skeleton(points, joints, bones))]

        yield RawImage(name, width, height, read_all(name, rows, read))


def _joint_scores(key_points: Any) -> Any:
    """Return the score of each joint; before supervision 0.29 they were called ``confidence``."""
    if hasattr(key_points, "keypoint_confidence"):
        return key_points.keypoint_confidence
    return getattr(key_points, "confidence", None)


def _label(row: dict[str, Any], classes: Classes | None, named: bool) -> str:
    """Return the class of a row.

    :param named: whether the predictions have names beside the numbers.
    """
    if named and classes is None:
        return class_name(None, row["label"])
    if row["number"] is None:
        raise ValueError("has no class: set class_id, or data['class_name'], before it is converted")
    return class_name(classes, row["number"])
