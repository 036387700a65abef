"""Measures how similar two instances of one type are: position, IoU, OKS. No I/O.

Instances are given by their fields, as they are sent. Boxes need no library; polygons and ellipses need
shapely, from the extra ``[metrics]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

Fields = Mapping[str, Any]
Place = tuple[Any, ...]

OKS_SIGMA = 0.05
"""Falloff of every keypoint: the middle of COCO's values for people, 0.025 to 0.107."""

_CLOSE = 1e-6
"""Numbers that differ by less are equal: the server stores floats of points as they were sent."""

_ELLIPSE_CORNERS = 64
_EXTRA = "airflow-provider-diffgram[metrics]"
_OUTLINED = frozenset(("polygon", "ellipse"))


class LibraryMissingError(ImportError):
    """The library that measures a type of instance is not installed."""


def place_of(instance: Fields) -> Place | None:
    """Return the position of an instance, for :func:`same_place`.

    None for a type without a position: a relation, or an unknown type.
    """
    kind = instance.get("type")
    if kind == "box":  # nearly all of them
        return instance.get("x_min"), instance.get("y_min"), instance.get("x_max"), instance.get("y_max")
    reader = _PLACES.get(str(kind))
    return None if reader is None else reader(instance)


def same_place(one: Place, other: Place) -> bool:
    """Whether two positions are equal; floats may differ by a millionth."""
    if one == other:
        return True
    return len(one) == len(other) and all(map(_same, one, other))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return same_place(one, other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(one == other)


def _at(point: Any) -> Place:
    return (point.get("x"), point.get("y")) if isinstance(point, Mapping) else (None, None)


def _points(instance: Fields) -> Place:
    return tuple(_at(each) for each in instance.get("points") or ())


def _keys(*names: str) -> Callable[[Fields], Place]:
    return lambda instance: tuple(_frozen(instance.get(name)) for name in names)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(sorted((key, _frozen(item)) for key, item in value.items() if item is not None))
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _ellipse(instance: Fields) -> Place:
    sides = tuple(instance.get(key) for key in ("center_x", "center_y", "width", "height"))
    return (*sides, instance.get("angle") or 0)


def _nodes(instance: Fields) -> Place:
    nodes = instance.get("nodes") or ()
    return tuple((str(each.get("id")), *_at(each), bool(each.get("occluded"))) for each in nodes)


_FACE = ("top_left", "top_right", "bot_left", "bot_right")


def _cuboid(instance: Fields) -> Place:
    faces = (instance.get("front_face") or {}, instance.get("rear_face") or {})
    return tuple(_at(face.get(corner)) for face in faces for corner in _FACE)


_ON_A_MAP = _keys("bounds_lonlat")

_PLACES: dict[str, Callable[[Fields], Place]] = {
    "polygon": _points,
    "line": _points,
    "point": _points,
    "ellipse": _ellipse,
    "curve": lambda instance: tuple(_at(instance.get(key)) for key in ("p1", "p2", "cp")),
    "cuboid": _cuboid,
    "keypoints": _nodes,
    "text_token": _keys("start_token", "end_token"),
    "audio": _keys("start_time", "end_time"),
    "cuboid_3d": _keys("center_3d", "dimensions_3d", "rotation_euler_angles", "position_3d"),
    "tag": lambda instance: (),
    "global": lambda instance: (),
    "geo_point": _keys("lonlat"),
    "geo_circle": _keys("lonlat", "radius"),
    "geo_polyline": _ON_A_MAP,
    "geo_polygon": _ON_A_MAP,
    "geo_box": _ON_A_MAP,
}


def likeness(one: Fields, other: Fields) -> float | None:
    """Return how similar the positions of two instances of one type are, 0 to 1.

    IoU for boxes, polygons and ellipses, and for spans of tokens (including the last one) and of seconds; OKS
    for keypoints; 1 for tags. None for a type that is not measured, or a shape without extent.

    :raises LibraryMissingError: for a polygon or an ellipse without shapely.
    """
    measure = _MEASURES.get(str(one.get("type")))
    if measure is None or one.get("type") != other.get("type"):
        return None
    try:
        return measure(one, other)
    except (KeyError, TypeError, ValueError):
        return None  # fields that do not fit the type


def problems_of(kinds: Iterable[str]) -> list[str]:
    """Return why types cannot be measured: a library is not installed."""
    if find_spec("shapely") is not None:
        return []
    return [
        f"the overlap of {kind} instances is measured by shapely, which is not installed: install {_EXTRA}"
        for kind in sorted(_OUTLINED.intersection(kinds))
    ]


def is_measured(kind: str) -> bool:
    """Whether :func:`likeness` measures a type."""
    return kind in _MEASURES


def box_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the IoU of two boxes, each ``x_min, y_min, x_max, y_max``."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    of_one = (one[2] - one[0]) * (one[3] - one[1])
    return float(common / (of_one + (other[2] - other[0]) * (other[3] - other[1]) - common))


def _box_iou(one: Fields, other: Fields) -> float:
    return box_iou(_sides(one), _sides(other))


def _sides(box: Fields) -> tuple[float, float, float, float]:
    return box["x_min"], box["y_min"], box["x_max"], box["y_max"]


def _span_iou(first: str, last: str, closed: int) -> Callable[[Fields, Fields], float]:
    """Return a function that measures spans.

    :param closed: 1 if the last position belongs to the span, as a token does, otherwise 0.
    """

    def measure(one: Fields, other: Fields) -> float:
        common = min(one[last], other[last]) - max(one[first], other[first]) + closed
        if common <= 0:
            return 0.0
        both = one[last] - one[first] + other[last] - other[first] + 2 * closed
        return float(common / (both - common))

    return measure


def outline_of(instance: Fields) -> list[tuple[float, float]] | None:
    """Return the corners of a polygon or an ellipse, or of a box; None for other types."""
    kind = instance.get("type")
    if kind == "polygon":
        return [(float(each["x"]), float(each["y"])) for each in instance["points"]]
    if kind == "box":
        x_min, y_min, x_max, y_max = _sides(instance)
        return [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max)]
    if kind != "ellipse":
        return None
    x, y, across, down = (float(instance[key]) for key in ("center_x", "center_y", "width", "height"))
    turn = float(instance.get("angle") or 0)
    steps = [2 * math.pi * step / _ELLIPSE_CORNERS for step in range(_ELLIPSE_CORNERS)]
    plain = [(across * math.cos(step), down * math.sin(step)) for step in steps]
    cosine, sine = math.cos(turn), math.sin(turn)
    return [(x + right * cosine - below * sine, y + right * sine + below * cosine) for right, below in plain]


def _outline_iou(one: Fields, other: Fields) -> float | None:
    try:
        import shapely
    except ImportError:
        raise LibraryMissingError(
            f"the IoU of a {one['type']} needs shapely, which is not installed: install {_EXTRA}"
        ) from None
    shapes = []
    for each in (one, other):
        corners = outline_of(each)
        if corners is None or len(corners) < 3:
            return None
        shapes.append(shapely.make_valid(shapely.Polygon(corners)))
    whole = shapes[0].union(shapes[1]).area
    return float(shapes[0].intersection(shapes[1]).area / whole) if whole else None


def _oks(one: Fields, other: Fields) -> float | None:
    """Return the object keypoint similarity; a node that one of them lacks counts as 0."""
    first = {str(each["id"]): (float(each["x"]), float(each["y"])) for each in one["nodes"]}
    second = {str(each["id"]): (float(each["x"]), float(each["y"])) for each in other["nodes"]}
    xs, ys = zip(*first.values(), strict=True)
    area = (max(xs) - min(xs)) * (max(ys) - min(ys)) or max(max(xs) - min(xs), max(ys) - min(ys)) ** 2
    if not area:
        return None
    falloff = 2 * area * (2 * OKS_SIGMA) ** 2
    alike = [
        math.exp(
            -((first[node][0] - second[node][0]) ** 2 + (first[node][1] - second[node][1]) ** 2) / falloff
        )
        for node in first.keys() & second.keys()
    ]
    return sum(alike) / len(first.keys() | second.keys())


_MEASURES: dict[str, Callable[[Fields, Fields], float | None]] = {
    "box": _box_iou,
    "polygon": _outline_iou,
    "ellipse": _outline_iou,
    "keypoints": _oks,
    "text_token": _span_iou("start_token", "end_token", 1),
    "audio": _span_iou("start_time", "end_time", 0),
    "tag": lambda one, other: 1.0,
}


def shift(one: Fields, other: Fields) -> float | None:
    """Return how far the middle of an instance moved, in pixels; None if it is not in a picture."""
    first, second = _middle(one), _middle(other)
    return None if first is None or second is None else math.dist(first, second)


def _middle(instance: Fields) -> tuple[float, float] | None:
    points = _spread(instance)
    try:
        xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    except (TypeError, ValueError):
        return None
    return ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2) if xs else None


def _spread(instance: Fields) -> Sequence[tuple[Any, Any]]:
    kind, place = instance.get("type"), place_of(instance)
    if place is None:
        return ()
    if kind == "box":
        return (place[0], place[1]), (place[2], place[3])
    if kind == "ellipse":
        return ((place[0], place[1]),)
    if kind == "keypoints":
        return [(node[1], node[2]) for node in place]
    return place if kind in ("polygon", "line", "point", "curve", "cuboid") else ()
