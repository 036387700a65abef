"""The geometries of COCO records, each checked when it is read. Masks need pycocotools."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.geometry import in_order
from ...core.masks import Outlines, outlines_of
from ...core.raw import Edges, RawKeypoint, RawSkeleton
from ...core.reading import is_missing, plain, shown, whole
from .images import CocoCategory

_NOT_FOUND, _HIDDEN, _VISIBLE = 0, 1, 2
_LEAST_CORNERS = 3
_MOST_PIXELS = 2**28


def edges_of(bbox: Any) -> Edges:
    """Return the edges of ``x, y, width, height``; a box may be drawn from any of its corners.

    :raises ValueError: if these are no four finite numbers.
    """
    try:
        x, y, width, height = map(_number, bbox)
        edges = in_order((x, y, x + width, y + height))
    except (ValueError, TypeError):
        raise ValueError(f"bbox is {shown(bbox)}, not the numbers x, y, width, height") from None
    if not math.isfinite(sum(edges)):
        raise ValueError(f"bbox is {shown(bbox)}, not finite")
    return edges


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    if isinstance(value, bool | str | bytes | np.bool_):
        raise TypeError
    return _float(value)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _finite(numbers: Sequence[Any], what: str) -> None:
    """Refuse what is not finite or no number.

    :raises ValueError: with the first.
    """
    for value in numbers:
        try:
            if math.isfinite(_number(value)):
                continue
        except (ValueError, TypeError):
            pass
        raise ValueError(f"{what} {shown(value)}, not a finite number")


def segmentation_of(segmentation: Any, width: int, height: int) -> tuple[Any, bool]:
    """Return a segmentation as JSON has it, and whether it shows anything.

    :param segmentation: a list of ``[x, y, x, y, ...]``, or run lengths: compressed (a text) or not (a list).
    :param width: of the image, in pixels; 0 if unknown.
    :param height: of the image, in pixels; 0 if unknown.
    :raises ValueError: if it is neither, or not of the image.
    """
    if isinstance(segmentation, Mapping):
        return _run_lengths(segmentation, width, height)
    segmentation = plain(segmentation)
    if not isinstance(segmentation, list | tuple):
        raise ValueError(
            f"segmentation is neither polygons nor run lengths with size and counts: {shown(segmentation)}"
        )
    rings = [plain(ring) for ring in segmentation]
    for ring in rings:
        if not isinstance(ring, list | tuple):
            raise ValueError(
                f"segmentation has {shown(ring)}; polygons are lists of numbers, [[x, y, x, y, ...]]"
            )
        if any(isinstance(each, list | tuple) for each in ring):
            raise ValueError(
                f"a polygon has {shown(ring[0])}; COCO has its numbers in a row, [x, y, x, y, ...]"
            )
        _finite(ring, "a polygon has")
        if len(ring) % 2:
            raise ValueError(f"a polygon has {len(ring)} numbers, which are not pairs of x and y")
    return rings, any(len(ring) >= 2 * _LEAST_CORNERS for ring in rings)


def _run_lengths(lengths: Mapping[str, Any], width: int, height: int) -> tuple[dict[str, Any], bool]:
    if not {"size", "counts"} <= lengths.keys():
        raise ValueError("segmentation is neither polygons nor run lengths with size and counts")
    size, counts = lengths["size"], lengths["counts"]
    size = _rows_columns(size)
    if (height and size[0] != height) or (width and size[1] != width):
        raise ValueError(f"mask is {size} high and wide, its image [{height}, {width}]: scale the mask")
    if size[0] * size[1] > _MOST_PIXELS:
        raise ValueError(f"mask is {size} high and wide, which is too large")
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", errors="replace")
    runs = _runs_of_text(counts) if isinstance(counts, str) else _runs_of_list(counts)
    total = int(runs.sum())
    if (len(runs) and runs.min() < 0) or total != size[0] * size[1]:
        raise ValueError(f"run lengths add up to {total}, not to {size[0]} x {size[1]} pixels")
    letters_or_runs = counts if isinstance(counts, str) else runs.tolist()
    return {"size": size, "counts": letters_or_runs}, bool(runs[1::2].any())


def _rows_columns(size: Any) -> list[int]:
    """Return height and width of a mask, in pixels."""
    try:
        height, width = (whole(side, "a side") for side in plain(size))
    except (ValueError, TypeError):
        height = width = 0
    if min(height, width) < 1:
        raise ValueError(f"mask has the size {shown(size)}, which is no [height, width]")
    return [height, width]


def _runs_of_list(counts: Any) -> NDArray[np.int64]:
    counts = plain(counts)
    if not isinstance(counts, list | tuple):
        raise ValueError(f"counts are {shown(counts)}, not run lengths")
    runs = [whole(count, "a run length") for count in counts]
    if any(not 0 <= run <= _MOST_PIXELS for run in runs):
        raise ValueError(f"a run length is {next(run for run in runs if not 0 <= run <= _MOST_PIXELS)}")
    return np.array(runs, dtype=np.int64)


_FIRST_LETTER = 48
_BITS, _LOW, _MORE, _SIGN = 5, 0x1F, 0x20, 0x10
_MOST_LETTERS = 7
"""Of one number: 35 bits are more than any run has."""


def _runs_of_text(text: str) -> NDArray[np.int64]:
    """Return the run lengths that a text holds, without a look at pixels.

    A letter less 48 has five bits of a number, the lowest first, and a sixth one that is set where more
    follow; the highest bit of the last one is the sign. From the fourth on, numbers are the difference to the
    run length before the last one.

    :raises ValueError: if the text holds something else.
    """
    letters = np.frombuffer(text.encode("utf-8", errors="replace"), dtype=np.uint8).astype(np.int64)
    letters -= _FIRST_LETTER
    if len(letters) and (letters.min() < 0 or letters.max() > _LOW + _MORE):
        raise ValueError(
            f"counts are {shown(text)}, not run lengths: one of the letters is not part of a number"
        )
    ends = np.flatnonzero(letters & _MORE == 0)
    if len(letters) and (not len(ends) or ends[-1] != len(letters) - 1):
        raise ValueError(f"counts are {shown(text)}, which end in the middle of a number")
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    if len(ends) and (ends - starts).max() >= _MOST_LETTERS:
        raise ValueError(f"counts are {shown(text)}, not run lengths: a number is too large")
    place = np.arange(len(letters)) - np.repeat(starts, ends - starts + 1)
    parts = (letters & _LOW) << (_BITS * place)
    runs: NDArray[np.int64] = np.add.reduceat(parts, starts) if len(starts) else parts
    negative = letters[ends] & _SIGN != 0
    runs = runs - (negative.astype(np.int64) << (_BITS * (ends - starts + 1)))
    # The second number is the first of a pair of sums only by its place: differences begin at the fourth.
    for first in (1, 2):
        runs[first::2] = np.cumsum(runs[first::2])
    return runs


def outlines_of_segmentation(segmentation: Any, tolerance: float) -> Outlines:
    """Return the outlines of a segmentation: polygons as they are, those of a mask within the tolerance.

    A polygon of one or two corners surrounds nothing, and has its last corner again, so that it counts as
    what is left out; one without any is none.

    :param segmentation: as :func:`segmentation_of` returns it.
    :param tolerance: in pixels.
    """
    if isinstance(segmentation, Mapping):
        return outlines_of(_mask(segmentation), tolerance)
    rings = []
    for flat in filter(None, segmentation):
        ring = list(zip(flat[::2], flat[1::2], strict=True))
        rings.append(ring + ring[-1:] * (_LEAST_CORNERS - len(ring)))
    return Outlines(rings, 0)


def _mask(lengths: Mapping[str, Any]) -> Any:
    from pycocotools import mask

    height, width = lengths["size"]
    packed = lengths
    if isinstance(lengths["counts"], list):
        packed = mask.frPyObjects(dict(lengths), height, width)
    return mask.decode(packed)


def keypoints_of(values: Any, category: CocoCategory) -> tuple[list[float], bool]:
    """Return ``[x, y, v, x, y, v, ...]`` as plain numbers, and whether a joint was found.

    :raises ValueError: if these are no triples of finite numbers, or not as many as the category has joints;
        or if the skeleton of the category cannot be read.
    """
    values = plain(values)
    if not isinstance(values, list | tuple):
        raise ValueError(f"keypoints are {shown(values)}, not a list of numbers")
    count = len(category.joints)
    if len(values) % 3 or (count and len(values) != 3 * count):
        needed = f"3 for each of {count} joints" if count else "3 for each joint"
        raise ValueError(f"keypoints are {len(values)} numbers, not {needed}")
    numbers: list[float] = []
    for x, y, v in zip(values[::3], values[1::3], values[2::3], strict=True):
        if v == _NOT_FOUND and (is_missing(x) or is_missing(y)):
            x = y = 0
        _finite((x, y, v), "keypoints have")
        if v < _NOT_FOUND:
            raise ValueError(f"a keypoint has v {v}; 0 means not found, 1 hidden, 2 visible")
        numbers += (float(x), float(y), float(v))
    if category.problem:
        raise ValueError(category.problem)
    beyond = [end + 1 for bone in category.bones for end in bone if end >= len(values) // 3]
    if beyond:
        cause = f"names keypoint {beyond[0]}; there are {len(values) // 3}, counted from 1"
        raise ValueError(f"skeleton of {category.name!r} {cause}")
    return numbers, any(map(_is_found, numbers[::3], numbers[1::3], numbers[2::3]))


def _is_found(x: float, y: float, v: float) -> bool:
    return v != _NOT_FOUND and not x == y == 0


def skeleton_of(numbers: Sequence[float], category: CocoCategory) -> RawSkeleton:
    """Return the joints of ``[x, y, v, x, y, v, ...]``.

    A joint with v 0 was not found, wherever it is, and neither was one at (0, 0). One with v 1 is hidden
    where others have v 2; results in which all have v 1 do not say which are.

    :param numbers: as :func:`keypoints_of` returns them.
    """
    triples = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
    names: Sequence[str | None] = category.joints or [None] * len(triples)
    told = any(v == _VISIBLE for _, _, v in triples)
    return RawSkeleton(
        [
            RawKeypoint(x, y, name, _seen(v) if told else None) if _is_found(x, y, v) else None
            for name, (x, y, v) in zip(names, triples, strict=True)
        ],
        category.bones,
    )


def _seen(v: float) -> bool | None:
    return {_HIDDEN: False, _VISIBLE: True}.get(int(v)) if v == int(v) else None
