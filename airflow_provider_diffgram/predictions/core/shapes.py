"""The geometry of one prediction -> what Diffgram stores of it: clipped at the image, rounded, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from airflow_provider_diffgram.drawing.clipping import clip_polygon
from airflow_provider_diffgram.models import (
    Box,
    Ellipse,
    Instance,
    KeypointEdge,
    KeypointNode,
    Keypoints,
    Line,
    Point,
    Point2D,
    Polygon,
    Tag,
    TextToken,
)

from .account import Wrong
from .geometry import XY, clip_rectangle, clip_segment, hull_area, nearest
from .raw import Edges, RawEllipse, RawPrediction, RawSkeleton, RawTokens, Ring

_DECIMALS = 2
"""Points keep hundredths of a pixel."""

_ANGLE_DECIMALS = 6
"""Angles are radians: a hundredth of one moves the end of an ellipse of 4000 pixels by 20."""


class Size(NamedTuple):
    """Width and height of an image, in pixels."""

    width: float
    height: float


class Shape(NamedTuple):
    """A geometry of Diffgram.

    :param kind: class of the instance.
    :param geometry: hashable, and equal for what the server takes for equal; None if it cannot be drawn.
    :param clipped: whether a part of the prediction is beyond the image.
    :param wrong: why it cannot be drawn.
    """

    kind: type[Any]
    geometry: tuple[Any, ...] | None
    clipped: bool = False
    wrong: Wrong = "empty"


def shapes_of(prediction: RawPrediction, size: Size) -> list[Shape]:
    """Return the shapes of a prediction: one, or one for each part of a mask.

    :param size: of the image.
    :raises ValueError: if there is no geometry or more than one, or if it is invalid: not finite, too few
        corners.
    """
    if prediction.box is not None and prediction.polygons is None:
        return [box_shape(prediction.box, size)]
    given = [name for name in _SHAPES if getattr(prediction, name) not in (None, False)]
    if len(given) != 1:
        raise ValueError(f"has {' and '.join(given) or 'no geometry'}; needs one of {', '.join(_SHAPES)}")
    return _SHAPES[given[0]](getattr(prediction, given[0]), size)


def instance_of(shape: Shape, common: dict[str, Any]) -> Instance:
    """Return the instance of a shape that is left.

    :param common: the fields that all instances have.
    """
    fields = _FIELDS[shape.kind](*(shape.geometry or ()))
    instance: Instance = shape.kind(**fields, **common)
    return instance


def box_shape(box: Edges, size: Size) -> Shape:
    """Return a box with its edges at the nearest whole pixels."""
    x_min, y_min, x_max, y_max = finite(box)
    edges = x_min, y_min, x_max, y_max
    x_low, y_low, x_high, y_high = inside = clip_rectangle(edges, *size)
    if x_max < x_min or y_max < y_min:
        return Shape(Box, None, inside != edges, "backwards")
    if is_outside(edges, size):
        return Shape(Box, None, inside != edges, "outside")
    if x_high - x_low < 1 or y_high - y_low < 1:
        return Shape(Box, None, inside != edges, "too_small")
    corners = nearest(x_low), nearest(y_low), nearest(x_high), nearest(y_high)
    flat = corners[0] == corners[2] or corners[1] == corners[3]
    return Shape(Box, None if flat else corners, inside != edges, "too_small")


def is_outside(edges: Edges, size: Size) -> bool:
    """Return whether no part of a rectangle is inside the image."""
    x_min, y_min, x_max, y_max = edges
    return x_min >= size.width or y_min >= size.height or x_max <= 0 or y_max <= 0


def polygon_shape(ring: Ring, size: Size) -> Shape:
    """Return the outline of what is inside the image.

    :raises ValueError: if it has fewer than three corners.
    """
    corners = [_point(corner) for corner in ring]
    if len(corners) < 3:
        raise ValueError(f"a polygon has {len(corners)} corners, needs at least 3")
    beyond = any(not _is_inside(corner, size) for corner in corners)
    if beyond and is_outside(_bounds(corners), size):
        return Shape(Polygon, None, True, "outside")
    inside = clip_polygon(corners, *size) if beyond else corners
    return Shape(Polygon, _outline(inside), beyond, "too_small" if inside else "outside")


def _polygons(rings: Iterable[Ring], size: Size) -> list[Shape]:
    return [polygon_shape(ring, size) for ring in rings] or [Shape(Polygon, None)]


def _outline(corners: list[XY]) -> tuple[XY, ...] | None:
    """Round the corners and drop repeated ones; None if less than a pixel remains, as the server counts.

    An outline that crosses itself stays as it is, as it does in a drawing tool. What it surrounds may then
    add up to nothing, so what counts is the area of the hull.
    """
    rounded = [_rounded(corner) for corner in corners]
    distinct = [after for before, after in pairwise(rounded[-1:] + rounded) if before != after]
    if len(distinct) < 3 or hull_area(distinct) < 1:
        return None
    x_min, y_min, x_max, y_max = _bounds(distinct)
    if round(x_max) - round(x_min) < 1 or round(y_max) - round(y_min) < 1:
        return None
    return tuple(distinct)


def _bounds(corners: Iterable[XY]) -> Edges:
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _points(point: XY, size: Size) -> list[Shape]:
    corner = _point(point)
    inside = _is_inside(corner, size)
    return [Shape(Point, (_rounded(corner),) if inside else None, not inside, "outside")]


def _lines(line: tuple[XY, XY], size: Size) -> list[Shape]:
    start, end = (_point(point) for point in line)
    inside = clip_segment(start, end, *size)
    clipped = inside != (start, end)
    if inside is None:
        return [Shape(Line, None, clipped, "outside")]
    if _rounded(inside[0]) == _rounded(inside[1]):
        return [Shape(Line, None, clipped, "too_small")]
    return [Shape(Line, (_rounded(inside[0]), _rounded(inside[1])), clipped)]


def _ellipses(ellipse: RawEllipse, size: Size) -> list[Shape]:
    """Return the ellipse unchanged, because a part of it is not an ellipse; nothing if it is all outside."""
    x, y = _point(ellipse.center)
    across, down = map(abs, _point(ellipse.half_axes))
    (turn,) = finite([ellipse.angle])
    reach_x = math.hypot(across * math.cos(turn), down * math.sin(turn))
    reach_y = math.hypot(across * math.sin(turn), down * math.cos(turn))
    clip = clip_rectangle((x - reach_x, y - reach_y, x + reach_x, y + reach_y), *size)
    beyond = clip != (x - reach_x, y - reach_y, x + reach_x, y + reach_y)
    axes = nearest(across), nearest(down)
    if clip[0] >= clip[2] or clip[1] >= clip[3]:
        return [Shape(Ellipse, None, beyond, "outside")]
    if min(axes) < 1:
        return [Shape(Ellipse, None, beyond, "too_small")]
    return [Shape(Ellipse, (nearest(x), nearest(y), *axes, round(turn, _ANGLE_DECIMALS)))]


def _skeletons(skeleton: RawSkeleton, size: Size) -> list[Shape]:
    """Return the joints inside the image and the bones between them: a joint cannot be cut.

    Joints that all lie within a pixel are not a skeleton; joints given as shares of the size do.
    """
    nodes: dict[int, tuple[Any, ...]] = {}
    beyond = False
    for place, joint in enumerate(skeleton.points):
        if joint is None:
            continue
        point = _point((joint.x, joint.y))
        if _is_inside(point, size):
            hidden = None if joint.visible is None else not joint.visible
            nodes[place] = (place + 1, *_rounded(point), joint.name, place, hidden)
        else:
            beyond = True
    strange = sorted({end for bone in skeleton.bones for end in bone} - set(range(len(skeleton.points))))
    if strange:
        raise ValueError(f"bones name joints {strange}; there are {len(skeleton.points)}, from 0")
    if len(nodes) > 1:
        x_min, y_min, x_max, y_max = _bounds((node[1], node[2]) for node in nodes.values())
        if x_max - x_min < 1 and y_max - y_min < 1:
            return [Shape(Keypoints, None, beyond, "too_small")]
    bones = tuple((a + 1, b + 1) for a, b in skeleton.bones if a in nodes and b in nodes)
    # A first node at 0 makes the server store bounds of 0 (server.md 5.2).
    ordered = tuple(sorted(nodes.values(), key=lambda node: not (node[1] and node[2])))
    return [Shape(Keypoints, (ordered, bones) if ordered else None, beyond, "outside" if beyond else "empty")]


def _tokens(tokens: RawTokens, _size: Size) -> list[Shape]:
    return [Shape(TextToken, (tokens.start, tokens.end, tokens.start_char, tokens.end_char))]


def _tags(_tag: bool, _size: Size) -> list[Shape]:
    return [Shape(Tag, ())]


_SHAPES: dict[str, Callable[[Any, Size], list[Shape]]] = {
    "box": lambda box, size: [box_shape(box, size)],
    "polygons": _polygons,
    "point": _points,
    "line": _lines,
    "ellipse": _ellipses,
    "keypoints": _skeletons,
    "tokens": _tokens,
    "tag": _tags,
}


def _points_2d(*points: XY) -> dict[str, Any]:
    return {"points": [Point2D(x=x, y=y) for x, y in points]}


def _skeleton_fields(nodes: Iterable[tuple[Any, ...]], bones: Iterable[tuple[int, int]]) -> dict[str, Any]:
    keys = ("id", "x", "y", "name", "ordinal", "occluded")
    return {
        "nodes": [KeypointNode(**dict(zip(keys, node, strict=True))) for node in nodes],
        "edges": [KeypointEdge(source=source, target=target) for source, target in bones],
    }


def _named(*names: str) -> Callable[..., dict[str, Any]]:
    return lambda *values: dict(zip(names, values, strict=True))


_FIELDS: dict[type[Any], Callable[..., dict[str, Any]]] = {
    Box: _named("x_min", "y_min", "x_max", "y_max"),
    Polygon: _points_2d,
    Point: _points_2d,
    Line: _points_2d,
    Ellipse: _named("center_x", "center_y", "width", "height", "angle"),
    Keypoints: _skeleton_fields,
    TextToken: _named("start_token", "end_token", "start_char", "end_char"),
    Tag: _named(),
}


def finite(numbers: Iterable[float]) -> tuple[float, ...]:
    """Return the numbers as floats.

    :raises ValueError: if one of them is not finite.
    """
    try:
        values = tuple(map(float, numbers))
    except OverflowError:
        raise ValueError("a coordinate has more than 300 digits") from None
    if not all(map(math.isfinite, values)):
        raise ValueError(
            f"{list(values)} are not all finite: the model is broken, or the data is in another format"
        )
    return values


def _point(point: Iterable[float]) -> XY:
    x, y = finite(point)
    return x, y


def _rounded(point: XY) -> XY:
    return round(point[0], _DECIMALS), round(point[1], _DECIMALS)


def _is_inside(point: XY, size: Size) -> bool:
    return 0 <= point[0] <= size.width and 0 <= point[1] <= size.height
