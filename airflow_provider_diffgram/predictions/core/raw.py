"""Predictions as a format gives them, before anything is checked, clipped or rounded.

Every converter makes these values; :mod:`.convert` turns them into instances. Coordinates are fractional
pixels of the original image: ``(0, 0)`` is its top left corner, ``(width, height)`` its bottom right one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

XY = tuple[float, float]
"""A point: pixels from the left edge, pixels from the top edge."""

Edges = tuple[float, float, float, float]
"""``x_min, y_min, x_max, y_max`` of a box, in pixels."""

Ring = Sequence[XY]
"""The corners of an outline in order; the last one joins the first."""


@dataclass(slots=True)
class RawEllipse:
    """An ellipse.

    :param center: of the ellipse.
    :param half_axes: along x and along y before it is turned, in pixels.
    :param angle: angle by which it is turned clockwise, in radians as in Diffgram.
    """

    center: XY
    half_axes: XY
    angle: float = 0.0


@dataclass(slots=True)
class RawKeypoint:
    """A joint of a skeleton.

    :param x: pixels from the left edge.
    :param y: pixels from the top edge.
    :param name: such as ``left_elbow``.
    :param visible: false if the model says that it is hidden; None if it says nothing.
    """

    x: float
    y: float
    name: str | None = None
    visible: bool | None = None


@dataclass(slots=True)
class RawSkeleton:
    """Joints and the bones between them.

    :param points: in the model's order; None for a joint that the model did not find.
    :param bones: pairs of indices into ``points``, from 0.
    """

    points: Sequence[RawKeypoint | None]
    bones: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class RawTokens:
    """A span of a text.

    :param start: first token, from 0.
    :param end: last token.
    :param start_char: first character, from 0; None if unknown.
    :param end_char: character after the last one; None if unknown.
    """

    start: int
    end: int
    start_char: int | None = None
    end_char: int | None = None


@dataclass(slots=True)
class RawPrediction:
    """One prediction, with exactly one geometry.

    :param label: class, by name or number, as the format gives it.
    :param score: confidence, 0 to 1; None if the model gives none.
    :param box: an axis-aligned box; its edges may be fractions of pixels.
    :param polygons: outlines of one object; a mask of several parts has several.
    :param point: one point.
    :param line: the two ends of a line.
    :param ellipse: as :class:`RawEllipse`.
    :param keypoints: as :class:`RawSkeleton`.
    :param tokens: as :class:`RawTokens`.
    :param tag: whether it is a label of the whole file.
    :param by_box: whether the box stands in for joints or a mask in which nothing was found.
    :param holes: how many holes of the mask ``polygons`` do not show.
    :param track: number of the track in a video.
    :param frame: 0-based frame of the original video.
    :param attributes: name of an attribute of the label schema -> value, as in an instance.
    """

    label: str
    score: float | None = None
    box: Edges | None = None
    polygons: Sequence[Ring] | None = None
    point: XY | None = None
    line: tuple[XY, XY] | None = None
    ellipse: RawEllipse | None = None
    keypoints: RawSkeleton | None = None
    tokens: RawTokens | None = None
    tag: bool = False
    by_box: bool = False
    holes: int = 0
    track: int | None = None
    frame: int | None = None
    attributes: Mapping[str, Any] | None = None


@dataclass(slots=True)
class RawImage:
    """A file and its predictions.

    :param name: name of the file in the format: a file name, a path or an address.
    :param width: in pixels; None if unknown or not an image.
    :param height: in pixels; None if unknown or not an image.
    :param predictions: in the format's order.
    """

    name: str
    width: int | None = None
    height: int | None = None
    predictions: list[RawPrediction] = field(default_factory=list)
