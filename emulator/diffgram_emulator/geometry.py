"""What each instance type requires and which bounds it gets (server.md 5.2 and 5.3).

A function here takes an instance as sent and returns the columns to be stored. It raises
:class:`GeometryRefused` where the server answers with named errors, and lets a plain exception through where
the server's own code fails with one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Instance = dict[str, Any]


class GeometryRefused(Exception):
    """The instance is refused, with one text per field.

    :ivar has_valid_fields: whether what is wrong shows only in the label or the geometry.
    """

    def __init__(self, errors: dict[str, Any], has_valid_fields: bool = True) -> None:
        super().__init__(errors)
        self.errors = errors
        self.has_valid_fields = has_valid_fields


def _bounds(xs: list[Any], ys: list[Any]) -> Instance:
    """Return rounded bounds; NaN and Infinity are stored too (quirk 59) and do not count here."""
    xs = [x for x in xs if math.isfinite(x)] or [0]
    ys = [y for y in ys if math.isfinite(y)] or [0]
    return {
        "x_min": round(min(xs)),
        "x_max": round(max(xs)),
        "y_min": round(min(ys)),
        "y_max": round(max(ys)),
    }


def _size(bounds: Instance) -> Instance:
    """Return width and height of bounds.

    :raises GeometryRefused: for less than one pixel.
    """
    errors = {}
    for side, axis in (("width", "x"), ("height", "y")):
        low, high = bounds[f"{axis}_min"], bounds[f"{axis}_max"]
        if high - low < 1:
            errors[side] = (
                f"{side.title()}: {high - low} less than 1 pixels or negative. "
                f"{axis}min: {low} {axis}max: {high}"
            )
    if errors:
        raise GeometryRefused(errors)
    return {
        "width": bounds["x_max"] - bounds["x_min"],
        "height": bounds["y_max"] - bounds["y_min"],
    }


def box(instance: Instance) -> Instance:
    """A box: negative minima become 0, the image's size is never looked at."""
    edges = {key: instance.get(key) for key in ("x_min", "y_min", "x_max", "y_max")}
    for key, value in edges.items():
        assert value is not None, f"{key} is None"
    bounds = {key: int(value) for key, value in edges.items() if value is not None}
    bounds["x_min"] = max(0, bounds["x_min"])
    bounds["y_min"] = max(0, bounds["y_min"])
    return {**bounds, **_size(bounds)}


def _points(instance: Instance) -> list[Instance]:
    points = instance.get("points")
    if points is None:
        raise GeometryRefused({"points": "Missing points"})
    if not isinstance(points, list):
        raise GeometryRefused({"points": "Must be a list"})
    return points


def polygon(instance: Instance) -> Instance:
    """A polygon: at least two usable points, bounds rounded and at least one pixel."""
    points = [
        {"figure_id": None, **point}
        for point in _points(instance)
        if point.get("x") is not None and point.get("y") is not None
    ]
    if len(points) < 2:
        raise GeometryRefused({"filtered_points": "1 or less points."})
    bounds = _bounds([point["x"] for point in points], [point["y"] for point in points])
    return {"points": points, **bounds, **_size(bounds)}


def _exactly(count: int, text: str) -> Callable[[Instance], Instance]:
    def shape(instance: Instance) -> Instance:
        points = _points(instance)
        if len(points) != count:
            raise GeometryRefused({"points": text})
        return {
            "points": points,
            **_bounds([point["x"] for point in points], [point["y"] for point in points]),
        }

    return shape


def tag(instance: Instance) -> Instance:
    """A tag: no geometry, stored as zeros."""
    return {"x_min": 0, "x_max": 0, "y_min": 0, "y_max": 0}


def nothing(instance: Instance) -> Instance:
    """A type without bounds."""
    return {}


def ellipse(instance: Instance) -> Instance:
    """An ellipse: width and height are half axes."""
    x, y = int(instance["center_x"]), int(instance["center_y"])
    width, height = int(instance["width"]), int(instance["height"])
    return {
        "center_x": x,
        "center_y": y,
        "width": width,
        "height": height,
        **_bounds([x - width, x + width], [y - height, y + height]),
    }


def cuboid(instance: Instance) -> Instance:
    """A cuboid: two faces of four corners each."""
    corners = [
        instance[face][corner]
        for face in ("front_face", "rear_face")
        for corner in ("top_left", "top_right", "bot_left", "bot_right")
    ]
    return {
        "front_face": instance["front_face"],
        "rear_face": instance["rear_face"],
        **_bounds([corner["x"] for corner in corners], [corner["y"] for corner in corners]),
    }


def curve(instance: Instance) -> Instance:
    """A curve: its ends and one control point; the control point does not widen the bounds."""
    ends = [instance["p1"], instance["p2"]]
    return {
        "p1": instance["p1"],
        "p2": instance["p2"],
        "cp": instance["cp"],
        **_bounds([end["x"] for end in ends], [end["y"] for end in ends]),
    }


def keypoints(instance: Instance) -> Instance:
    """Keypoints: a first node at 0 or null makes all bounds 0."""
    nodes, edges = instance["nodes"], instance["edges"]
    if not nodes or not nodes[0].get("x") or not nodes[0].get("y"):
        bounds = {"x_min": 0, "x_max": 0, "y_min": 0, "y_max": 0}
    else:
        placed = [node for node in nodes if node.get("x") is not None and node.get("y") is not None]
        bounds = _bounds([node["x"] for node in placed], [node["y"] for node in placed])
    return {"nodes": nodes, "edges": edges, **bounds}


def text_token(instance: Instance) -> Instance:
    """A span of tokens."""
    errors = {key: f"Missing {key}" for key in ("start_token", "end_token") if instance.get(key) is None}
    if errors:
        raise GeometryRefused(errors)
    tokens = {"start_token": instance["start_token"], "end_token": instance["end_token"]}
    return {**tokens, "x_min": 0, "x_max": 0, "y_min": 0, "y_max": 0}


def relation(instance: Instance) -> Instance:
    """A relation between two instances, by id or by reference."""
    errors = {
        f"{end}_id": f"Provide {end}_instance_id or {end}_creation_ref"
        for end in ("from", "to")
        if instance.get(f"{end}_instance_id") is None and not instance.get(f"{end}_creation_ref")
    }
    if errors:
        raise GeometryRefused(errors)
    return {key: instance.get(key) for key in ("from_instance_id", "to_instance_id")}


def copied(*keys: str) -> Callable[[Instance], Instance]:
    """A type whose keys are stored as sent."""

    def shape(instance: Instance) -> Instance:
        return {key: instance[key] for key in keys if instance.get(key) is not None}

    return shape


_geo = copied("lonlat", "coords", "radius", "bounds", "bounds_lonlat")

SHAPES: dict[str, Callable[[Instance], Instance]] = {
    "box": box,
    "polygon": polygon,
    "point": _exactly(1, "Must be one point"),
    "geo_point": _geo,
    "geo_circle": _geo,
    "geo_polyline": _geo,
    "geo_polygon": _geo,
    "geo_box": _geo,
    "cuboid": cuboid,
    "tag": tag,
    "line": _exactly(2, "Must be two points"),
    "text_token": text_token,
    "ellipse": ellipse,
    "curve": curve,
    "keypoints": keypoints,
    "cuboid_3d": copied("center_3d", "dimensions_3d", "rotation_euler_angles", "position_3d"),
    "global": nothing,
    "relation": relation,
    "audio": copied("start_time", "end_time"),
}
