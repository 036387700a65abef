"""Plane geometry of rectangles and polygons. Units are pixels throughout."""

from __future__ import annotations

import math

XY = tuple[float, float]
Rectangle = tuple[float, float, float, float]


def nearest(value: float) -> int:
    """Return the nearest whole number, halves upwards.

    :func:`round` takes halves to the even neighbour, which makes a box from 1.5 to 2.5 vanish; upwards, an
    extent of at least one pixel stays at least one pixel.
    """
    return math.floor(value + 0.5)


def clip_rectangle(rectangle: Rectangle, width: float, height: float) -> Rectangle:
    """Return the part of a rectangle inside ``(0, 0)`` to ``(width, height)``.

    If no part is inside, the width or the height is zero or less.

    :param rectangle: ``x_min, y_min, x_max, y_max`` in pixels.
    """
    x_min, y_min, x_max, y_max = rectangle
    return max(x_min, 0.0), max(y_min, 0.0), min(x_max, float(width)), min(y_max, float(height))


def clip_segment(start: XY, end: XY, width: float, height: float) -> tuple[XY, XY] | None:
    """Return the part of a segment inside ``(0, 0)`` to ``(width, height)`` (Liang and Barsky); None if none.

    :param start: one end, in pixels.
    :param end: the other end.
    """
    first, last = 0.0, 1.0
    for axis, bound in ((0, width), (1, height)):
        step = end[axis] - start[axis]
        if step == 0:
            if not 0 <= start[axis] <= bound:
                return None
            continue
        near, far = sorted(((0 - start[axis]) / step, (bound - start[axis]) / step))
        first, last = max(first, near), min(last, far)
    if first > last:
        return None
    return (
        start if first == 0 else _along(start, end, first, width, height),
        end if last == 1 else _along(start, end, last, width, height),
    )


def _along(start: XY, end: XY, share: float, width: float, height: float) -> XY:
    x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    return min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))


def area(points: list[XY]) -> float:
    """Return the area of a polygon that does not cross itself, in square pixels (shoelace formula)."""
    turns = (a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))
    return abs(sum(turns)) / 2


def hull_area(points: list[XY]) -> float:
    """Return the area of the smallest convex polygon around points, in square pixels (Andrew)."""
    ordered = sorted(set(points))
    return area([*_half_hull(ordered), *_half_hull(ordered[::-1])]) if len(ordered) > 2 else 0.0


def _half_hull(ordered: list[XY]) -> list[XY]:
    """Return the hull from the first point to the one before the last, turning left all the way."""
    hull: list[XY] = []
    for point in ordered:
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull[:-1]


def _turn(a: XY, b: XY, c: XY) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def in_order(edges: tuple[float, float, float, float]) -> Rectangle:
    """Return the edges of a rectangle that may have been drawn from any corner, the lesser ones first."""
    x_first, y_first, x_last, y_last = edges
    return min(x_first, x_last), min(y_first, y_last), max(x_first, x_last), max(y_first, y_last)


def around(corners: list[XY]) -> list[XY]:
    """Return the four corners of a rectangle, turned or not, in order around it.

    If they are in order, nothing changes. Otherwise two sides cross, and there is only one order in which
    they do not: the second and the third, or the third and the fourth corner are swapped.

    :raises ValueError: if there are not four corners.
    """
    if len(corners) != 4:
        raise ValueError(f"a rotated box has 4 corners; this one has {len(corners)}")
    first, second, third, fourth = corners
    orders = [corners, [first, third, second, fourth], [first, second, fourth, third]]
    return max(orders, key=area)
