"""``supervision.Detections``, which many models can be read into, and ``supervision.KeyPoints``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    Bones,
    Classes,
    SizeXY,
    class_name,
    columns,
    outlined,
    read_all,
    skeleton,
    sure,
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
    """Read ``supervision.Detections``: masks and turned boxes become polygons, others boxes.

    :param detections: one for each image.
    :param names: of the images.
    :param sizes: width and height of the images in pixels; known without, where there are masks.
    :param classes: the name of each class number; else ``data["class_name"]`` counts, else the number.
    :param tolerance: how far a polygon may be from its mask, in pixels.
    :raises InvalidValueError: from the iterator, with all that is wrong with an image.
    """
    for each, name, (width, height) in with_names(detections, names, sizes):
        if width is None and each.mask is not None:
            height, width = each.mask.shape[-2:]
        rows = columns(
            len(each),
            box=each.xyxy,
            corners=each.data.get(_ORIENTED_BOX),
            place=range(len(each)),
            score=each.confidence,
            number=each.class_id,
            track=each.tracker_id,
            label=each.data.get(_CLASS_NAME),
        )

        def read(row: dict[str, Any], masks: Any = each.mask) -> list[RawPrediction]:
            if masks is not None:
                shape = outlined(masks[row["place"]], tolerance)
            elif row["corners"] is not None:
                shape = {"polygons": [row["corners"]]}
            else:
                shape = {"box": tuple(row["box"])}
            return [RawPrediction(_label(row, classes), row["score"], track=row["track"], **shape)]

        yield RawImage(name, width, height, read_all(name, rows, read))


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
    """Read ``supervision.KeyPoints``. Joints at (0, 0), and those that are not ``visible``, were not found.

    :param key_points: one for each image.
    :param names: of the images.
    :param sizes: width and height of the images in pixels.
    :param classes: as in :func:`from_supervision`.
    :param joints: the name of each joint.
    :param bones: pairs of joints, from 0.
    :param min_joint_score: joints with less are left out.
    :raises InvalidValueError: from the iterator, with all that is wrong with an image.
    """
    for each, name, (width, height) in with_names(key_points, names, sizes):
        rows = columns(
            len(each),
            points=each.xy,
            score=getattr(each, "detection_confidence", None),
            number=each.class_id,
            joint_scores=getattr(each, "keypoint_confidence", None),
            visible=getattr(each, "visible", None),
            label=each.data.get(_CLASS_NAME),
        )

        def read(row: dict[str, Any]) -> list[RawPrediction]:
            seen = row["visible"] or [True] * len(row["points"])
            points = [
                point if shown else None
                for point, shown in zip(
                    sure(row["points"], row["joint_scores"], min_joint_score), seen, strict=True
                )
            ]
            label = _label(row, classes)
            return [RawPrediction(label, row["score"], keypoints=skeleton(points, joints, bones))]

        yield RawImage(name, width, height, read_all(name, rows, read))


def _label(row: dict[str, Any], classes: Classes | None) -> str:
    if row["label"] is not None and classes is None:
        return str(row["label"])
    if row["number"] is None:
        raise ValueError("has no class: set class_id, or data['class_name'], before it is converted")
    return class_name(classes, row["number"])
