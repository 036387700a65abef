"""Instances as SVG, in the coordinates of their picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from ...models import (
    Box,
    Cuboid,
    Curve,
    Ellipse,
    Instance,
    Keypoints,
    Line,
    Point,
    Point2D,
    Polygon,
)

Extent = tuple[float, float, float, float]


def extent_of(instance: Instance) -> Extent | None:
    """Return ``x_min, y_min, x_max, y_max`` of an instance in pixels, None if it has no place."""
    if isinstance(instance, Box):
        return instance.x_min, instance.y_min, instance.x_max, instance.y_max
    if isinstance(instance, Ellipse):
        x, y, a, b = instance.center_x, instance.center_y, instance.width, instance.height
        right, down = math.cos(instance.angle), math.sin(instance.angle)
        reach_x, reach_y = math.hypot(a * right, b * down), math.hypot(a * down, b * right)
        return x - reach_x, y - reach_y, x + reach_x, y + reach_y
    points = _points(instance)
    if not points:
        return None
    xs, ys = [point.x for point in points], [point.y for point in points]
    return min(xs), min(ys), max(xs), max(ys)


def _points(instance: Instance) -> list[Any]:
    if isinstance(instance, Polygon | Line | Point):
        return list(instance.points)
    if isinstance(instance, Curve):
        return [instance.p1, instance.p2]
    if isinstance(instance, Keypoints):
        return list(instance.nodes)
    if isinstance(instance, Cuboid):
        return [*_corners(instance.front_face), *_corners(instance.rear_face)]
    return []


def _corners(face: Any) -> list[Point2D]:
    return [face.top_left, face.top_right, face.bot_right, face.bot_left]


def drawn(instance: Instance, *, label: str, colour: str, unit: float, width: float) -> str:
    """Return an instance as a group of SVG elements; nothing if it has no place.

    :param colour: of lines and text, as CSS names it.
    :param unit: what is one pixel on the screen, in pixels of the picture.
    :param width: of the picture, in its pixels.
    """
    extent = extent_of(instance)
    shape = _SHAPES.get(type(instance))
    if extent is None or shape is None:
        return ""
    score = "" if instance.score is None else f" {instance.score:.2f}"
    words = escape(label + score)
    top = max(extent[1] - 4 * unit, 13 * unit)
    if extent[0] < 0.7 * width:
        place = f'x="{max(extent[0], 2 * unit):.6g}"'
    else:
        place = f'x="{min(extent[2], width - 2 * unit):.6g}" text-anchor="end"'
    return (
        f'<g style="--c:{colour}"><title>{words} ({instance.type})</title>{shape(instance, unit)}'
        f'<text {place} y="{top:.6g}" font-size="{13 * unit:.6g}">{words}</text></g>'
    )


def _xy(points: Iterable[Any]) -> str:
    return " ".join(f"{point.x:.6g},{point.y:.6g}" for point in points)


def _box(instance: Any, unit: float) -> str:
    x, y = instance.x_min, instance.y_min
    return f'<rect x="{x}" y="{y}" width="{instance.x_max - x}" height="{instance.y_max - y}"/>'


def _polygon(instance: Any, unit: float) -> str:
    return f'<polygon points="{_xy(instance.points)}"/>'


def _line(instance: Any, unit: float) -> str:
    return f'<polyline points="{_xy(instance.points)}"/>'


def _dot(point: Any, unit: float) -> str:
    return f'<circle cx="{point.x:.6g}" cy="{point.y:.6g}" r="{4 * unit:.6g}"/>'


def _point(instance: Any, unit: float) -> str:
    return _dot(instance.points[0], unit)


def _ellipse(instance: Any, unit: float) -> str:
    x, y = instance.center_x, instance.center_y
    return (
        f'<ellipse cx="{x}" cy="{y}" rx="{instance.width}" ry="{instance.height}" '
        f'transform="rotate({math.degrees(instance.angle):.6g} {x} {y})"/>'
    )


def _curve(instance: Any, unit: float) -> str:
    return f'<path d="M{_xy([instance.p1])} Q{_xy([instance.cp, instance.p2])}"/>'


def _cuboid(instance: Any, unit: float) -> str:
    front, rear = _corners(instance.front_face), _corners(instance.rear_face)
    edges = "".join(f'<polyline points="{_xy(pair)}"/>' for pair in zip(front, rear, strict=True))
    return f'<polygon points="{_xy(front)}"/><polygon points="{_xy(rear)}"/>{edges}'


def _keypoints(instance: Any, unit: float) -> str:
    nodes = {node.id: node for node in instance.nodes}
    bones = [f'<polyline points="{_xy([nodes[e.source], nodes[e.target]])}"/>' for e in instance.edges]
    return "".join([*bones, *(_dot(node, unit) for node in instance.nodes)])


_SHAPES: dict[type, Callable[[Any, float], str]] = {
    Box: _box,
    Polygon: _polygon,
    Line: _line,
    Point: _point,
    Ellipse: _ellipse,
    Curve: _curve,
    Cuboid: _cuboid,
    Keypoints: _keypoints,
}
