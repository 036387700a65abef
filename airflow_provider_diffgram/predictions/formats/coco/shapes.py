"""The ``segmentation`` and ``keypoints`` of COCO records. Masks need pycocotools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...core.masks import Outlines, outlines_of
from ...core.raw import RawKeypoint, RawSkeleton
from .images import CocoCategory

_HIDDEN, _VISIBLE = 1, 2


def outlines_of_segmentation(segmentation: Any, tolerance: float) -> Outlines:
    """Return the outlines of a segmentation: polygons as they are, those of a mask within the tolerance.

    :param segmentation: a list of ``[x, y, x, y, ...]``, or run lengths: compressed (a text) or not (a list).
    :param tolerance: in pixels.
    :raises ValueError: if it is neither.
    """
    if isinstance(segmentation, Mapping):
        return outlines_of(_mask(segmentation), tolerance)
    rings = []
    for flat in segmentation:
        if len(flat) % 2:
            raise ValueError(f"a polygon has {len(flat)} numbers, which are no pairs of x and y")
        rings.append(list(zip(flat[::2], flat[1::2], strict=True)))
    return Outlines(rings, 0)


def problem_of_segmentation(segmentation: Any, width: int, height: int) -> str | None:
    """Return what can be told without a look at each pixel to be wrong with a segmentation.

    :param width: of the image, in pixels; 0 if unknown.
    :param height: of the image, in pixels; 0 if unknown.
    """
    if isinstance(segmentation, Sequence) and not isinstance(segmentation, str):
        are_lists = all(hasattr(ring, "__len__") for ring in segmentation)
        return None if are_lists else "polygons are lists of numbers"
    if not isinstance(segmentation, Mapping) or not {"size", "counts"} <= segmentation.keys():
        return "segmentation is neither polygons nor run lengths with size and counts"
    size = segmentation["size"]
    if not isinstance(size, list | tuple) or [type(side) for side in size] != [int, int] or min(size) < 1:
        return f"mask has the size {size!r}, which is no [height, width]"
    if width and height and list(size) != [height, width]:
        return f"mask is {list(size)} high and wide, its image [{height}, {width}]: scale the mask"
    return None


def _mask(lengths: Mapping[str, Any]) -> Any:
    from pycocotools import mask

    height, width = lengths["size"]
    counts = lengths["counts"]
    if isinstance(counts, list):
        if min(counts, default=0) < 0 or sum(counts) != height * width:
            raise ValueError(f"run lengths add up to {sum(counts)}, not to {height} x {width} pixels")
        packed = mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    else:
        packed = {"size": [height, width], "counts": counts}
    return mask.decode(packed)


def skeleton_of(values: Any, category: CocoCategory) -> RawSkeleton:
    """Return the joints of ``[x, y, v, x, y, v, ...]``.

    A joint of three zeros was not found. One with v 1 is hidden where others have v 2; results in which all
    have v 1 do not say which are.

    :raises ValueError: if these are no triples, or not as many as the category has joints.
    """
    if not isinstance(values, list):
        raise ValueError(f"keypoints are {values!r}, no list of numbers")
    triples = list(zip(values[::3], values[1::3], values[2::3], strict=False))
    if len(values) % 3 or (category.joints and len(triples) != len(category.joints)):
        needed = f"3 for each of {len(category.joints)} joints" if category.joints else "3 for each joint"
        raise ValueError(f"keypoints are {len(values)} numbers, not {needed}")
    names: Sequence[str | None] = category.joints or [None] * len(triples)
    told = any(v == _VISIBLE for _, _, v in triples)
    return RawSkeleton(
        [
            None if x == y == v == 0 else RawKeypoint(x, y, name, _seen(v) if told else None)
            for name, (x, y, v) in zip(names, triples, strict=True)
        ],
        category.bones,
    )


def _seen(v: float) -> bool | None:
    return {_HIDDEN: False, _VISIBLE: True}.get(int(v)) if v == int(v) else None
