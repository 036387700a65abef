"""Reads the output of torchvision's detection, segmentation and keypoint models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...models.problems import count_of
from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    OTHER_SCORES,
    Bones,
    Classes,
    SizeXY,
    as_array,
    class_name,
    columns,
    computed_score,
    edges_of,
    number,
    outlined,
    posed,
    read_all,
    seen_with_masks,
    told_of,
    with_names,
)

_MASK_THRESHOLD = 0.5
"""A pixel belongs to the object from this probability on: torchvision's own advice."""


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

    A prediction with a mask becomes polygons, one with keypoints a skeleton, and any other a box. If the mask
    has no pixels, or no joint was found, the box is used. Tensors may be on any device; arrays and lists are
    accepted, too. So is the output of the post-processing of transformers' zero-shot detectors: ``labels``
    that are texts, or ``text_labels``.

    :param outputs: one for each image, as the model returns them for a batch.
    :param names: of the images.
    :param sizes: width and height of the images in pixels. Masks of another size are scaled to it. Not needed
        if there are masks of the size of the image.
    :param classes: the name of each class number; number 0 is the background. Otherwise ``text_labels`` are
        used, if there are any.
    :param joints: the name of each keypoint.
    :param bones: pairs of keypoints, from 0.
    :param tolerance: how far a polygon may be from its mask, in pixels.
    :raises InvalidValueError: from the iterator, with everything that is wrong with an image.
    """
    for output, name, size in with_names(outputs, names, sizes):
        with told_of(name):
            boxes, masks, texts = output["boxes"], output.get("masks"), output.get("text_labels")
            other = next((key for key in ("score", *OTHER_SCORES) if key in output), None)
            if "scores" not in output and other is not None:
                raise ValueError(f"has {other}, which torchvision calls scores")
            if masks is not None and len(masks) != len(boxes):
                detections = count_of(len(boxes), "detection")
                raise ValueError(f"{count_of(len(masks), 'mask')} for {detections}: give one for each")
            size = seen_with_masks(size, masks, boxes)
            labels = output["labels"] if classes is not None or texts is None else texts
            rows = list(
                columns(
                    len(boxes),
                    boxes=boxes,
                    labels=labels,
                    scores=output.get("scores"),
                    keypoints=output.get("keypoints"),
                    place=range(len(boxes)),
                )
            )

        def read(row: dict[str, Any], masks: Any = masks, size: Any = size) -> list[RawPrediction]:
            if masks is not None:
                shape = outlined(_pixels(masks[row["place"]]), tolerance, size, row["boxes"])
            elif row["keypoints"] is not None:
                points = [_joint(*joint) for joint in row["keypoints"]]
                shape = posed(points, joints, bones, row["boxes"])
            else:
                shape = {"box": edges_of(row["boxes"])}
            return [RawPrediction(class_name(classes, row["labels"]), computed_score(row["scores"]), **shape)]

        yield RawImage(name, *size, read_all(name, rows, read))


def _joint(x: float, y: float, visible: Any) -> tuple[float, float] | None:
    return (x, y) if number(visible, "visibility of a keypoint") else None


def _pixels(mask: Any) -> Any:
    """Return a mask of one channel, which holds probabilities or booleans, as rows of booleans.

    :raises ValueError: if it has several channels, or holds other numbers.
    """
    import numpy as np

    probabilities = np.asarray(as_array(mask))
    pixels = probabilities.reshape(probabilities.shape[-2:])
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"its mask holds {pixels.dtype}, not probabilities")
    if pixels.dtype.kind == "f" and pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):
        cause = "which are not probabilities. If these are logits, give 1 / (1 + exp(-mask))"
        raise ValueError(f"its mask holds {pixels.min()} to {pixels.max()}, {cause}")
    return pixels > _MASK_THRESHOLD
