"""Cuts a polygon at the edge of its picture."""

from __future__ import annotations

from collections.abc import Callable

XY = tuple[float, float]


def clip_polygon(points: list[XY], width: float, height: float) -> list[XY]:
    """Return the part of a polygon inside ``(0, 0)`` to ``(width, height)`` (Sutherland and Hodgman).

    :param points: the corners in order, in pixels.
    :return: the corners of the part, empty if nothing is inside. A convex polygon gains at most four corners;
        several parts of another one are joined along the edge.
    """
    for axis, bound, inside in _edges(width, height):
        clipped: list[XY] = []
        for start, end in zip(points[-1:] + points[:-1], points, strict=True):
            if inside(start[axis]) != inside(end[axis]):
                clipped.append(_crossing(start, end, axis, bound))
            if inside(end[axis]):
                clipped.append(end)
        points = clipped
    return points


def _edges(width: float, height: float) -> tuple[tuple[int, float, Callable[[float], bool]], ...]:
    return (
        (0, 0.0, lambda x: x >= 0),
        (0, float(width), lambda x: x <= width),
        (1, 0.0, lambda y: y >= 0),
        (1, float(height), lambda y: y <= height),
    )


def _crossing(start: XY, end: XY, axis: int, bound: float) -> XY:
    """Return the point of the segment at which the coordinate ``axis`` is exactly ``bound``."""
    other = 1 - axis
    share = (bound - start[axis]) / (end[axis] - start[axis])
    along = start[other] + share * (end[other] - start[other])
    return (bound, along) if axis == 0 else (along, bound)
