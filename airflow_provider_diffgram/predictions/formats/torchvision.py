"""What torchvision's detection, segmentation and keypoint models return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    Bones,
    Classes,
    SizeXY,
    as_array,
    class_name,
    columns,
    outlined,
    read_all,
    skeleton,
    with_names,
)

_MASK_THRESHOLD = 0.5
"""From which probability on a pixel belongs to the object: torchvision's own advice."""


def from_torchvision(
    outputs: Iterable[Mapping[str, Any]],
    names: Iterable[str],
    *,
    sizes: Iterable[SizeXY] | None = None,
    classes: Classes | None = None,
    joints: Sequence[str] | None = None,
    bones: Bones = (),
    tolerance: float = 1.0,
) -> Iterator[RawImage]:
    """Read dictionaries with ``boxes``, ``labels``, ``scores`` and perhaps ``masks`` or ``keypoints``.

    A prediction with a mask becomes polygons, one with keypoints a skeleton, any other a box. Tensors may be
    on any device; arrays will do.

    :param outputs: one for each image, as the model returns them for a batch.
    :param names: of the images.
    :param sizes: width and height of the images in pixels; known without, where there are masks.
    :param classes: the name of each class number; number 0 is the background.
    :param joints: the name of each keypoint.
    :param bones: pairs of keypoints, from 0.
    :param tolerance: how far a polygon may be from its mask, in pixels.
    :raises InvalidValueError: from the iterator, with all that is wrong with an image.
    """
    for output, name, (width, height) in with_names(outputs, names, sizes):
        masks = output.get("masks")
        if width is None and masks is not None:
            height, width = masks.shape[-2:]
        rows = columns(
            len(output["boxes"]),
            **{key: output.get(key) for key in ("boxes", "labels", "scores", "keypoints")},
            place=range(len(output["boxes"])),
        )

        def read(row: dict[str, Any], masks: Any = masks) -> list[RawPrediction]:
            if masks is not None:
                shape = outlined(_pixels(masks[row["place"]]), tolerance)
            elif row["keypoints"] is not None:
                points = ((x, y) if seen else None for x, y, seen in row["keypoints"])
                shape = {"keypoints": skeleton(points, joints, bones)}
            else:
                shape = {"box": tuple(row["boxes"])}
            return [RawPrediction(class_name(classes, row["labels"]), row["scores"], **shape)]

        yield RawImage(name, width, height, read_all(name, rows, read))


def _pixels(mask: Any) -> Any:
    """Return a mask of one channel, which holds probabilities, as rows of true and false."""
    probabilities = as_array(mask)
    return probabilities.reshape(probabilities.shape[-2:]) > _MASK_THRESHOLD
