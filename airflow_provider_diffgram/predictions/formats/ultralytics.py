"""Reads the results of Ultralytics models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    Bones,
    Classes,
    class_name,
    columns,
    computed_score,
    least_score,
    of_images,
    plain,
    posed,
    read_all,
    sure,
    told_of,
    track_of,
    whole,
)


def from_ultralytics(
    results: Iterable[Any],
    *,
    joints: Sequence[str] | None = None,
    bones: Bones = (),
    min_joint_score: float = 0.0,
) -> Iterator[RawImage]:
    """Read the results of an Ultralytics model, named by their ``path``.

    Rotated boxes and masks become polygons (Ultralytics joins the parts of a mask into one outline),
    keypoints a skeleton, the best class a tag, and anything else a box. If a mask has no outline, or no joint
    was found, the box is used. Tracks are kept.

    Outlines are in pixels of the picture as EXIF turns it, whatever the size of the masks: Ultralytics takes
    care of both.

    :param results: what ``predict`` and ``track`` return, also with ``stream=True``.
    :param joints: the name of each keypoint.
    :param bones: pairs of keypoints, from 0.
    :param min_joint_score: keypoints with a lower score are left out; those at (0, 0) always are.
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image.
    """
    least_score("min_joint_score", min_joint_score)
    for number, result in enumerate(of_images(results)):
        name = str(getattr(result, "path", f"result {number}"))
        with told_of(name):
            height, width = (whole(side, "orig_shape") for side in result.orig_shape)
            rows = list(_rows_of(result))
            classes = result.names

        def read(row: dict[str, Any], names: Classes = classes) -> list[RawPrediction]:
            shape = _shape(row, joints, bones, min_joint_score)
            label = class_name(names, row["number"])
            return [RawPrediction(label, computed_score(row["score"]), track=track_of(row["track"]), **shape)]

        yield RawImage(name, width, height, read_all(name, rows, read))


def _shape(
    row: dict[str, Any], joints: Sequence[str] | None, bones: Bones, min_joint_score: float
) -> dict[str, Any]:
    box = row["box"]
    if row["points"] is not None:
        return posed(sure(row["points"], row["joint_scores"], min_joint_score), joints, bones, box)
    if row["ring"] is not None and len(row["ring"]) > 2:
        return {"polygons": [row["ring"]]}
    if row["ring"] is not None:  # a mask may be too small for an outline
        return {"polygons": []} if box is None else {"box": tuple(box), "by_box": True}
    return {"tag": True} if box is None else {"box": tuple(box)}


def _rows_of(result: Any) -> Iterator[dict[str, Any]]:
    nothing = dict.fromkeys(("box", "ring", "points", "track"))
    if result.probs is not None:
        yield {**nothing, "number": result.probs.top1, "score": plain(result.probs.top1conf)}
        return
    turned = result.obb is not None
    boxes = result.obb if turned else result.boxes
    if boxes is None and (result.masks is not None or result.keypoints is not None):
        raise ValueError("has masks or keypoints, but no boxes, which hold their classes")
    if boxes is None or not len(boxes.cls):
        return
    yield from columns(
        len(boxes.cls),
        number=boxes.cls,
        score=boxes.conf,
        track=boxes.id,
        box=None if turned else boxes.xyxy,
        ring=boxes.xyxyxyxy if turned else result.masks.xy if result.masks is not None else None,
        points=None if result.keypoints is None else result.keypoints.xy,
        joint_scores=None if result.keypoints is None else result.keypoints.conf,
    )
