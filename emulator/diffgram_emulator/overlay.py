"""Instances as SVG shapes over their image."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PALETTE = (
    "#e4572e", "#1b7fd1", "#2a9d4b", "#b44ac0", "#c98a00", "#00939c", "#d6336c", "#5f6fdc", "#7a8b00",
    "#8d5a3b",
)  # fmt: skip
UNCHOSEN = "#00FF80"
"""The green of every label nobody chose a colour for."""

Attributes = dict[str, str | float]


@dataclass(frozen=True)
class Element:
    """One SVG element."""

    tag: str
    attributes: Attributes


@dataclass(frozen=True)
class Shape:
    """One instance: its elements, and a caption at a point."""

    instance_id: int
    colour: str
    caption: str
    x: float
    y: float
    elements: Sequence[Element]


def colour_of(instance: dict[str, Any]) -> str:
    """Return the colour of an instance: its label's, or one of the palette."""
    label = instance.get("label_file") or {}
    chosen = str((label.get("colour") or {}).get("hex") or UNCHOSEN)
    if chosen != UNCHOSEN and re.fullmatch(r"#[0-9a-fA-F]{6}", chosen):
        return chosen
    return PALETTE[(instance.get("label_file_id") or 0) % len(PALETTE)]


def caption_of(instance: dict[str, Any]) -> str:
    """Return label and score."""
    label = instance.get("label_file") or {}
    name = str((label.get("label") or {}).get("name") or instance["type"])
    score = instance.get("score")
    return name if score is None else f"{name} {score:.2f}"


def shape(instance: dict[str, Any]) -> Shape | None:
    """Return the shape of an instance, or None for one without a place in the image."""
    draw = _DRAW.get(instance["type"])
    try:
        elements = draw(instance) if draw is not None else []
        x, y = _number(instance["x_min"]), _number(instance["y_min"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not elements:
        return None
    return Shape(instance["id"], colour_of(instance), caption_of(instance), x, y, elements)


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _pair(point: dict[str, Any]) -> str:
    return f"{_number(point['x'])},{_number(point['y'])}"


def _dot(point: dict[str, Any]) -> Element:
    return Element("circle", {"class": "dot", "cx": _number(point["x"]), "cy": _number(point["y"])})


def _line(start: dict[str, Any], end: dict[str, Any]) -> Element:
    ends = {"x1": start["x"], "y1": start["y"], "x2": end["x"], "y2": end["y"]}
    return Element("line", {key: _number(value) for key, value in ends.items()})


def _box(instance: dict[str, Any]) -> list[Element]:
    x, y = _number(instance["x_min"]), _number(instance["y_min"])
    width, height = _number(instance["x_max"]) - x, _number(instance["y_max"]) - y
    return [Element("rect", {"x": x, "y": y, "width": width, "height": height})]


def _polygon(instance: dict[str, Any]) -> list[Element]:
    return [Element("polygon", {"points": " ".join(_pair(point) for point in instance["points"])})]


def _points(instance: dict[str, Any]) -> list[Element]:
    return [_dot(point) for point in instance["points"]]


def _polyline(instance: dict[str, Any]) -> list[Element]:
    points = instance["points"]
    return [_line(*pair) for pair in itertools.pairwise(points)]


def _ellipse(instance: dict[str, Any]) -> list[Element]:
    x, y = _number(instance["center_x"]), _number(instance["center_y"])
    turn = math.degrees(_number(instance.get("angle") or 0))
    return [
        Element(
            "ellipse",
            {
                "cx": x,
                "cy": y,
                "rx": _number(instance["width"]),
                "ry": _number(instance["height"]),
                "transform": f"rotate({turn:.2f} {x} {y})",
            },
        )
    ]


def _curve(instance: dict[str, Any]) -> list[Element]:
    path = f"M {_pair(instance['p1'])} Q {_pair(instance['cp'])} {_pair(instance['p2'])}"
    return [Element("path", {"d": path, "class": "open"})]


def _keypoints(instance: dict[str, Any]) -> list[Element]:
    nodes = {node.get("id"): node for node in instance["nodes"]}
    edges = [
        _line(nodes[edge["from"]], nodes[edge["to"]])
        for edge in instance["edges"]
        if edge.get("from") in nodes and edge.get("to") in nodes
    ]
    return [*edges, *(_dot(node) for node in instance["nodes"])]


_CORNERS = ("top_left", "top_right", "bot_right", "bot_left")


def _cuboid(instance: dict[str, Any]) -> list[Element]:
    front, rear = instance["front_face"], instance["rear_face"]
    faces = [
        Element("polygon", {"points": " ".join(_pair(face[corner]) for corner in _CORNERS)})
        for face in (rear, front)
    ]
    return [*faces, *(_line(front[corner], rear[corner]) for corner in _CORNERS)]


_DRAW: dict[str, Callable[[dict[str, Any]], list[Element]]] = {
    "box": _box,
    "polygon": _polygon,
    "point": _points,
    "line": _polyline,
    "ellipse": _ellipse,
    "curve": _curve,
    "keypoints": _keypoints,
    "cuboid": _cuboid,
}
