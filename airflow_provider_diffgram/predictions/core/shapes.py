"""The geometry of one prediction -> what Diffgram stores of it: cut at the image, rounded, or nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

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

from .geometry import XY, area, clip_polygon, clip_rectangle, clip_segment, nearest
from .raw import Edges, RawEllipse, RawPrediction, RawSkeleton, RawTokens, Ring

_DECIMALS = 2
"""Points keep hundredths of a pixel."""


class Size(NamedTuple):
    """Width and height of an image, in pixels."""

    width: float
    height: float


class Shape(NamedTuple):
    """A geometry of Diffgram.

    :param kind: class of the instance.
    :param geometry: hashable, and equal for what the server takes for equal; None if nothing worth a pixel
        is inside the image.
    :param clipped: whether a part of the prediction is beyond the image.
    """

    kind: type[Any]
    geometry: tuple[Any, ...] | None
    clipped: bool = False


def shapes_of(prediction: RawPrediction, size: Size) -> list[Shape]:
    """Return the shapes of a prediction: one, or one for each part of a mask.

    :param size: of the image.
    :raises ValueError: if there is no geometry or more than one, or if it is none: not finite, too few
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
    if x_high - x_low < 1 or y_high - y_low < 1:
        return Shape(Box, None, inside != edges)
    corners = nearest(x_low), nearest(y_low), nearest(x_high), nearest(y_high)
    flat = corners[0] == corners[2] or corners[1] == corners[3]
    return Shape(Box, None if flat else corners, inside != edges)


def polygon_shape(ring: Ring, size: Size) -> Shape:
    """Return the outline of what is inside the image.

    :raises ValueError: if it has fewer than three corners.
    """
    corners = [_point(corner) for corner in ring]
    if len(corners) < 3:
        raise ValueError(f"a polygon has {len(corners)} corners, needs at least 3")
    beyond = any(not _is_inside(corner, size) for corner in corners)
    return Shape(Polygon, _outline(clip_polygon(corners, *size) if beyond else corners), beyond)


def _polygons(rings: Iterable[Ring], size: Size) -> list[Shape]:
    return [polygon_shape(ring, size) for ring in rings] or [Shape(Polygon, None)]


def _outline(corners: list[XY]) -> tuple[XY, ...] | None:
    """Round the corners and drop repeated ones; None if less than a pixel remains, as the server counts."""
    rounded = [_rounded(corner) for corner in corners]
    distinct = [after for before, after in pairwise(rounded[-1:] + rounded) if before != after]
    if len(distinct) < 3 or area(distinct) < 1:
        return None
    xs, ys = zip(*distinct, strict=True)
    if round(max(xs)) - round(min(xs)) < 1 or round(max(ys)) - round(min(ys)) < 1:
        return None
    return tuple(distinct)


def _points(point: XY, size: Size) -> list[Shape]:
    corner = _point(point)
    inside = _is_inside(corner, size)
    return [Shape(Point, (_rounded(corner),) if inside else None, not inside)]


def _lines(line: tuple[XY, XY], size: Size) -> list[Shape]:
    start, end = (_point(point) for point in line)
    inside = clip_segment(start, end, *size)
    clipped = inside != (start, end)
    if inside is None or _rounded(inside[0]) == _rounded(inside[1]):
        return [Shape(Line, None, clipped)]
    return [Shape(Line, (_rounded(inside[0]), _rounded(inside[1])), clipped)]


def _ellipses(ellipse: RawEllipse, size: Size) -> list[Shape]:
    """Return the ellipse as it is, since its part inside the image is none; nothing if all is outside."""
    x, y = _point(ellipse.center)
    across, down = _point(ellipse.half_axes)
    (angle,) = finite([ellipse.angle])
    turn = math.radians(angle)
    reach_x = math.hypot(across * math.cos(turn), down * math.sin(turn))
    reach_y = math.hypot(across * math.sin(turn), down * math.cos(turn))
    clip = clip_rectangle((x - reach_x, y - reach_y, x + reach_x, y + reach_y), *size)
    beyond = clip != (x - reach_x, y - reach_y, x + reach_x, y + reach_y)
    axes = nearest(across), nearest(down)
    if min(axes) < 1 or clip[0] >= clip[2] or clip[1] >= clip[3]:
        return [Shape(Ellipse, None, beyond)]
    return [Shape(Ellipse, (nearest(x), nearest(y), *axes, round(angle, _DECIMALS)))]


def _skeletons(skeleton: RawSkeleton, size: Size) -> list[Shape]:
    """Return the joints inside the image and the bones between them: a joint cannot be cut."""
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
    bones = tuple((a + 1, b + 1) for a, b in skeleton.bones if a in nodes and b in nodes)
    # A first node at 0 makes the server store bounds of 0 (wire contract 5.2).
    ordered = tuple(sorted(nodes.values(), key=lambda node: not (node[1] and node[2])))
    return [Shape(Keypoints, (ordered, bones) if ordered else None, beyond)]


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
    values = tuple(map(float, numbers))
    if not all(map(math.isfinite, values)):
        raise ValueError(f"{list(values)} are not all finite: the model is broken, or the format is another")
    return values


def _point(point: Iterable[float]) -> XY:
    x, y = finite(point)
    return x, y


def _rounded(point: XY) -> XY:
    return round(point[0], _DECIMALS), round(point[1], _DECIMALS)


def _is_inside(point: XY, size: Size) -> bool:
    return 0 <= point[0] <= size.width and 0 <= point[1] <= size.height
