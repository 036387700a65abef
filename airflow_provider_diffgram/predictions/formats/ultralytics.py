"""Results of Ultralytics models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..core.raw import RawImage, RawPrediction
from ..core.reading import Bones, Classes, class_name, columns, of_images, plain, read_all, skeleton, sure


def from_ultralytics(
    results: Iterable[Any],
    *,
    joints: Sequence[str] | None = None,
    bones: Bones = (),
    min_joint_score: float = 0.0,
) -> Iterator[RawImage]:
    """Read the results of an Ultralytics model, named by their ``path``.

    What a result has decides: turned boxes and masks become polygons (of a mask in several parts the one
    outline that Ultralytics joins them to), keypoints a skeleton, classes the best one as a tag, anything
    else a box. Tracks are kept.

    :param results: as ``predict`` and ``track`` return them, ``stream=True`` as well.
    :param joints: the name of each keypoint.
    :param bones: pairs of keypoints, from 0.
    :param min_joint_score: keypoints with less are left out, as those at (0, 0) always are.
    :raises InvalidValueError: from the iterator, with all that is wrong with an image.
    """
    for result in of_images(results):
        height, width = result.orig_shape
        rows = list(_rows_of(result))

        def read(row: dict[str, Any], names: Classes = result.names) -> list[RawPrediction]:
            if row["points"] is not None:
                points = sure(row["points"], row["joint_scores"], min_joint_score)
                shape: dict[str, Any] = {"keypoints": skeleton(points, joints, bones)}
            elif row["ring"] is not None:
                # A mask may be too small for an outline: then nothing worth a pixel is there.
                shape = {"polygons": [row["ring"]] if len(row["ring"]) > 2 else []}
            else:
                shape = {"box": tuple(row["box"])} if row["box"] is not None else {"tag": True}
            track = None if row["track"] is None else int(row["track"])
            return [RawPrediction(class_name(names, row["number"]), row["score"], track=track, **shape)]

        yield RawImage(str(result.path), int(width), int(height), read_all(str(result.path), rows, read))


def _rows_of(result: Any) -> Iterator[dict[str, Any]]:
    nothing = dict.fromkeys(("box", "ring", "points", "track"))
    if result.probs is not None:
        yield {**nothing, "number": result.probs.top1, "score": plain(result.probs.top1conf)}
        return
    turned = result.obb is not None
    boxes = result.obb if turned else result.boxes
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
