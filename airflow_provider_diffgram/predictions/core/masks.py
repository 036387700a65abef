"""Masks -> outlines along the edges of their pixels, simplified within a tolerance. Needs numpy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .geometry import XY, area

TOLERANCE = 1.0
"""How far an outline may be from its mask by default, in pixels."""

_LEAST_TOLERANCE = 0.1
_LEAST_SHARE = 0.5
"""A simplified outline keeps this share of its area; else less is simplified: a wire is thinner than the
tolerance, and would vanish."""

_RIGHT, _DOWN = 0, 1


class Outlines(NamedTuple):
    """What surrounds the set pixels of a mask.

    :param rings: one for each part; pixels that touch at a corner only are two parts.
    :param holes: how many holes the parts have, which a ring cannot show.
    """

    rings: list[list[XY]]
    holes: int


def outlines_of(
    mask: ArrayLike, tolerance: float = TOLERANCE, width: int | None = None, height: int | None = None
) -> Outlines:
    """Return the outlines of a mask, in pixels from the top left corner of its first pixel.

    :param mask: rows of pixels, each set or not: true and false, or 0 and one other number.
    :param tolerance: how far the outline may be from the edges of the pixels, in pixels. 0 keeps every
        corner; a slanted edge has one at each pixel.
    :param width: of the picture, in pixels. Outlines of a mask of another size are scaled to it.
    :param height: of the picture, in pixels.
    :raises ValueError: if the mask does not have two dimensions, has several numbers besides 0 (several
        objects, or probabilities), or has another aspect ratio than the picture; or if the tolerance is
        negative.
    """
    pixels = _set_pixels(mask)
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance} pixels; 0 keeps all corners, 1 is usual")
    across, down = _scale(pixels.shape[1], pixels.shape[0], width, height)
    tolerance /= max(across, down)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return Outlines([], 0)
    top, left = int(rows[0]), int(columns[0])
    framed = np.pad(pixels[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    rings, holes = [], 0
    for ring, is_hole in _rings(framed):
        holes += is_hole
        if not is_hole:
            corners = _simplified(ring, tolerance)
            rings.append([((x + left) * across, (y + top) * down) for x, y in corners])
    return Outlines(rings, holes)


def _set_pixels(mask: ArrayLike) -> NDArray[np.bool_]:
    try:
        pixels = np.asarray(mask)
    except ValueError:
        raise ValueError("the rows of the mask are not equally long") from None
    if pixels.ndim != 2:
        raise ValueError(f"a mask has 2 dimensions; this one has {pixels.ndim}: {pixels.shape}")
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"a mask holds true and false or numbers; this one holds {pixels.dtype}")
    chosen: NDArray[np.bool_] = pixels != 0
    if pixels.dtype.kind != "b" and chosen.any():
        first = pixels[chosen][0]
        others = pixels[chosen & (pixels != first)]
        if len(others) or first != first:
            raise ValueError(
                f"the mask holds {first}, {others[0] if len(others) else first} and 0: give one mask for "
                "each object, and of probabilities whether they are high enough, as mask > 0.5"
            )
    return chosen


def _scale(mask_width: int, mask_height: int, width: int | None, height: int | None) -> tuple[float, float]:
    """Return by what the outlines of a mask are multiplied; 1 if the size of the picture is not known.

    Sides are whole pixels, so that a mask of a picture's shape may be off by one of its own pixels.
    """
    if width is None or height is None or (mask_width, mask_height) == (width, height):
        return 1.0, 1.0
    if not mask_width or not mask_height or width < 1 or height < 1:
        raise ValueError(f"mask is {mask_width} x {mask_height} pixels, its picture {width} x {height}")
    across, down = width / mask_width, height / mask_height
    if abs(mask_width - width / down) > 1 and abs(mask_height - height / across) > 1:
        raise ValueError(
            f"mask is {mask_width} x {mask_height} pixels, which is not the shape of its picture, "
            f"{width} x {height}: cut off the margin that the model was given, and scale it"
        )
    return across, down


def _rings(framed: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], bool]]:
    """Return each closed outline as corners ``x, y``, and whether it surrounds a hole.

    Corners are where two by two pixels are not set alike along a row or a column. In each row they are the
    ends of horizontal edges in turn, start, end, start, end; in each column those of vertical ones. Where
    two pixels touch at a corner only, it is there twice.

    :param framed: with a margin of one unset pixel all around.
    """
    upper_left, upper_right = framed[:-1, :-1], framed[:-1, 1:]
    lower_left, lower_right = framed[1:, :-1], framed[1:, 1:]
    odd = upper_left ^ upper_right ^ lower_left ^ lower_right
    touch = (upper_left == lower_right) & (upper_right == lower_left) & (upper_left != upper_right)
    times = odd.astype(np.int8) + 2 * touch.astype(np.int8)
    ys, xs = np.nonzero(times)
    repeats = times[ys, xs]
    ys, xs = np.repeat(ys, repeats), np.repeat(xs, repeats)
    second = np.zeros(len(xs), dtype=np.bool_)
    second[1:] = (xs[1:] == xs[:-1]) & (ys[1:] == ys[:-1])
    # Along its row, the first of a double corner ends the edge on its left. Along its column it belongs to
    # the pixel that this edge bounds: above if the upper left one is set, else below.
    above = upper_left[ys, xs]
    by_column = np.lexsort((np.where(above, second, ~second), ys, xs))
    partner = np.empty((2, len(xs)), dtype=np.int64)
    along = np.arange(len(xs))
    partner[_RIGHT] = along ^ 1
    partner[_DOWN, by_column] = by_column[along ^ 1]
    return _linked(xs, ys, partner.tolist(), lower_right[ys, xs])


def _linked(xs: Any, ys: Any, partner: list[list[int]], lower_right: Any) -> list[tuple[Any, bool]]:
    """Return the rings that follow from each corner's partners; the first corner of each is its top left."""
    found = []
    seen = bytearray(len(xs))
    across, down = partner
    for start in range(len(xs)):
        if seen[start]:
            continue
        ring: list[int] = []
        corner = start
        while not seen[corner]:
            other = across[corner]
            seen[corner] = seen[other] = 1
            ring += (corner, other)
            corner = down[other]
        found.append((np.column_stack((xs[ring], ys[ring])), not lower_right[start]))
    return found


def _simplified(ring: NDArray[np.int64], tolerance: float) -> list[XY]:
    """Return the ring with the fewest corners that keep it within the tolerance and most of its area."""
    corners = [(float(x), float(y)) for x, y in ring.tolist()]
    whole = area(corners)
    while tolerance >= _LEAST_TOLERANCE:
        kept = [corners[place] for place in _kept(ring.astype(np.float64), tolerance)]
        if len(kept) >= 3 and area(kept) >= _LEAST_SHARE * whole:
            return kept
        tolerance /= 2
    return corners


def _kept(ring: NDArray[np.float64], tolerance: float) -> list[int]:
    """Return the places of the corners to keep (Douglas and Peucker), between the two that are far apart."""
    closed = np.concatenate((ring, ring[:1]))
    far = int(np.argmax(((ring - ring[0]) ** 2).sum(axis=1)))
    kept = {0, far}
    spans = [(0, far), (far, len(ring))]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distances = _distances(closed[first + 1 : last], closed[first], closed[last])
        place = int(np.argmax(distances))
        if distances[place] > tolerance:
            middle = first + 1 + place
            kept.add(middle)
            spans += [(first, middle), (middle, last)]
    return sorted(kept)


def _distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far points are from the segment between two others."""
    along = end - start
    length = float(along @ along)
    share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
    apart: NDArray[np.float64] = np.hypot(*(points - start - share[:, None] * along).T)
    return apart
