"""Draws instances as SVG, in the coordinates of their picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ..models import Instance
from ..models.base import is_score
from .words import SIZE as LETTERS
from .words import Extent, Words

Fields = Mapping[str, Any]
"""An instance as it is sent; if it is invalid, whatever fields it has."""

Point = tuple[float, float]

_NO_PLACE = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""Errors raised for fields that do not fit the type."""


def fields_of(instance: Instance | Fields) -> Fields:
    """Return the fields of an instance as it is sent."""
    if isinstance(instance, Mapping):
        return instance
    return instance.model_dump(mode="json", by_alias=True, exclude_none=True)


def extent_of(instance: Instance | Fields) -> Extent | None:
    """Return ``x_min, y_min, x_max, y_max`` of an instance in pixels; None if it has no position."""
    fields = fields_of(instance)
    try:
        points = _POINTS[fields["type"]](fields)
        xs, ys = zip(*points, strict=True)
    except _NO_PLACE:
        return None
    return min(xs), min(ys), max(xs), max(ys)


def drawn(instance: Instance | Fields, *, label: str, colour: str, words: Words, wrong: bool = False) -> str:
    """Return an instance as a group of SVG elements; empty if it has no position.

    :param label: text to write at it, with its score; nothing is written if it is empty.
    :param colour: CSS colour of lines and text.
    :param words: places the words of the picture.
    :param wrong: whether to use a dashed line.
    """
    fields = fields_of(instance)
    extent = extent_of(fields)
    if extent is None:
        return ""
    try:
        shape = _SHAPES[fields["type"]](fields, words.unit)
    except _NO_PLACE:
        return ""
    said = label + _score(fields)
    mark = ' class="wrong"' if wrong else ""
    score = fields.get("score")
    told = f' data-score="{score:.6g}"' if is_score(score) else ""
    return (
        f'<g{mark} style="--c:{colour}"{told}><title>{escape(said)} ({fields["type"]})</title>{shape}'
        f"{_written(said, extent, words) if said else ''}</g>"
    )


def _written(said: str, extent: Extent, words: Words) -> str:
    place = words.place(said, extent)
    end = ' text-anchor="end"' if place.is_end else ""
    folded = ' class="folded"' if place.is_folded else ""
    size = f'font-size="{LETTERS * words.unit:.6g}"'
    return f'<text{folded} x="{place.x:.6g}" y="{place.y:.6g}"{end} {size}>{escape(said)}</text>'


def _score(fields: Fields) -> str:
    score = fields.get("score")
    return f" {score:.2f}" if is_score(score) else ""


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a coordinate is {number}, not a finite number")
    return number


def _at(point: Fields) -> Point:
    return _number(point["x"]), _number(point["y"])


# Where each type of instance has its points


def _corners(fields: Fields) -> list[Point]:
    x_min, y_min, x_max, y_max = (_number(fields[each]) for each in ("x_min", "y_min", "x_max", "y_max"))
    return [(x_min, y_min), (x_max, y_max)]


def _listed(fields: Fields) -> list[Point]:
    return [_at(point) for point in fields["points"]]


def _reach(fields: Fields) -> list[Point]:
    """Return two opposite corners of the rectangle around an ellipse."""
    x, y, across, down, turn = _ellipse_of(fields)
    reach_x = math.hypot(across * math.cos(turn), down * math.sin(turn))
    reach_y = math.hypot(across * math.sin(turn), down * math.cos(turn))
    return [(x - reach_x, y - reach_y), (x + reach_x, y + reach_y)]


def _ellipse_of(fields: Fields) -> tuple[float, float, float, float, float]:
    keys = ("center_x", "center_y", "width", "height")
    x, y, across, down = (_number(fields[each]) for each in keys)
    return x, y, abs(across), abs(down), _number(fields.get("angle") or 0)


def _ends(fields: Fields) -> list[Point]:
    return [_at(fields["p1"]), _at(fields["p2"])]


def _nodes(fields: Fields) -> list[Point]:
    return [_at(node) for node in fields["nodes"]]


_FACE = ("top_left", "top_right", "bot_right", "bot_left")


def _face(face: Fields) -> list[Point]:
    return [_at(face[corner]) for corner in _FACE]


def _faces(fields: Fields) -> list[Point]:
    return [*_face(fields["front_face"]), *_face(fields["rear_face"])]


_POINTS: dict[Any, Callable[[Fields], list[Point]]] = {
    "box": _corners,
    "polygon": _listed,
    "line": _listed,
    "point": _listed,
    "ellipse": _reach,
    "curve": _ends,
    "cuboid": _faces,
    "keypoints": _nodes,
}


# How each is drawn


def _xy(points: list[Point]) -> str:
    return " ".join(f"{x:.6g},{y:.6g}" for x, y in points)


def _box(fields: Fields, unit: float) -> str:
    """Return a rectangle. Swapped edges are put in order, because it would be invisible otherwise."""
    (x_first, y_first), (x_last, y_last) = _corners(fields)
    x, y = min(x_first, x_last), min(y_first, y_last)
    sides = f'width="{abs(x_last - x_first):.6g}" height="{abs(y_last - y_first):.6g}"'
    return f'<rect x="{x:.6g}" y="{y:.6g}" {sides}/>'


def _polygon(fields: Fields, unit: float) -> str:
    return f'<polygon points="{_xy(_listed(fields))}"/>'


def _line(fields: Fields, unit: float) -> str:
    return f'<polyline points="{_xy(_listed(fields))}"/>'


def _dot(point: Point, unit: float) -> str:
    return f'<circle cx="{point[0]:.6g}" cy="{point[1]:.6g}" r="{4 * unit:.6g}"/>'


def _point(fields: Fields, unit: float) -> str:
    return _dot(_listed(fields)[0], unit)


def _ellipse(fields: Fields, unit: float) -> str:
    x, y, across, down, turn = _ellipse_of(fields)
    return (
        f'<ellipse cx="{x:.6g}" cy="{y:.6g}" rx="{across:.6g}" ry="{down:.6g}" '
        f'transform="rotate({math.degrees(turn):.6g} {x:.6g} {y:.6g})"/>'
    )


def _curve(fields: Fields, unit: float) -> str:
    start, end = _ends(fields)
    return f'<path d="M{_xy([start])} Q{_xy([_at(fields["cp"]), end])}"/>'


def _cuboid(fields: Fields, unit: float) -> str:
    front, rear = _face(fields["front_face"]), _face(fields["rear_face"])
    edges = "".join(f'<polyline points="{_xy([*pair])}"/>' for pair in zip(front, rear, strict=True))
    return f'<polygon points="{_xy(front)}"/><polygon points="{_xy(rear)}"/>{edges}'


def _keypoints(fields: Fields, unit: float) -> str:
    nodes = {node["id"]: _at(node) for node in fields["nodes"]}
    bones = [[nodes[edge["from"]], nodes[edge["to"]]] for edge in fields.get("edges") or ()]
    lines = [f'<polyline points="{_xy(bone)}"/>' for bone in bones]
    return "".join([*lines, *(_dot(node, unit) for node in nodes.values())])


_SHAPES: dict[Any, Callable[[Fields, float], str]] = {
    "box": _box,
    "polygon": _polygon,
    "line": _line,
    "point": _point,
    "ellipse": _ellipse,
    "curve": _curve,
    "cuboid": _cuboid,
    "keypoints": _keypoints,
}
