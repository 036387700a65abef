"""Predictions as Diffgram stores them: one class per instance type (server.md 5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from .base import Coordinate, Id, Int32, Number, Pixel, Sent, Text, WholeCoordinate
from .geo import GeoBox, GeoCircle, GeoPoint, GeoPolygon, GeoPolyline
from .instance_base import InstanceBase, Point2D
from .problems import first_of
from .repeats import twice

_SHOWN = 5


class Box(InstanceBase):
    """An axis-aligned box in whole pixels, ``x_min < x_max`` and ``y_min < y_max``.

    :param x_min: left edge, in whole pixels from the left of the image.
    :param y_min: upper edge, in whole pixels from the top.
    :param x_max: right edge, above ``x_min``.
    :param y_max: lower edge, above ``y_min``.
    """

    type: Literal["box"] = "box"
    x_min: Pixel
    y_min: Pixel
    x_max: Pixel
    y_max: Pixel

    @field_validator("x_max", "y_max")
    @classmethod
    def _is_above_the_minimum(cls, high: int, info: ValidationInfo) -> int:
        name = str(info.field_name).replace("max", "min")
        low = info.data.get(name)
        if low is not None and low >= high:
            raise ValueError(f"must be greater than {name} ({low})")
        return high


def _spans_a_pixel(points: list[Point2D]) -> list[Point2D]:
    """The server rounds the bounds and refuses less than 1 x 1 pixel (server.md 5.2).

    It sets a negative minimum to 0 (server.md 5.3), so nothing left of or above the image remains.
    """
    for axis in ("x", "y"):
        values = [getattr(point, axis) for point in points]
        side = "width" if axis == "x" else "height"
        if round(max(values)) - round(min(values)) < 1:
            raise ValueError(f"points span less than one pixel: the {side} of their bounds rounds to 0")
        if round(max(values)) < 1:
            raise ValueError(f"all points are outside the image: their greatest {axis} is {max(values)}")
    return points


class Polygon(InstanceBase):
    """A closed outline. Points may be floats; their bounds are at least one pixel wide and high.

    :param points: the corners in order, two or more; the outline closes by itself.
    """

    type: Literal["polygon"] = "polygon"
    points: Annotated[list[Point2D], Field(min_length=2), AfterValidator(_spans_a_pixel)]


class Point(InstanceBase):
    """One point.

    :param points: a list of exactly one point.
    """

    type: Literal["point"] = "point"
    points: Annotated[list[Point2D], Field(min_length=1, max_length=1)]


class Line(InstanceBase):
    """Two points.

    :param points: a list of exactly two points.
    """

    type: Literal["line"] = "line"
    points: Annotated[list[Point2D], Field(min_length=2, max_length=2)]


class Tag(InstanceBase):
    """A label for the whole file."""

    type: Literal["tag"] = "tag"


class Global(InstanceBase):
    """Attributes of the whole file; the server stores it without a label."""

    label_needed: ClassVar[bool] = False

    type: Literal["global"] = "global"


HalfAxis = Annotated[WholeCoordinate, Field(ge=1)]


class Ellipse(InstanceBase):
    """An ellipse: centre and half axes in pixels, turned clockwise by ``angle`` radians.

    :param center_x: centre, in whole pixels from the left.
    :param center_y: centre, in whole pixels from the top.
    :param width: half axis along x before turning, in whole pixels, 1 or more.
    :param height: half axis along y before turning, in whole pixels, 1 or more.
    :param angle: radians, clockwise.
    """

    type: Literal["ellipse"] = "ellipse"
    center_x: WholeCoordinate
    center_y: WholeCoordinate
    width: HalfAxis
    height: HalfAxis
    angle: Number = 0


class Curve(InstanceBase):
    """A quadratic curve from ``p1`` to ``p2`` with the control point ``cp``.

    :param p1: where it begins.
    :param p2: where it ends.
    :param cp: the control point.
    """

    type: Literal["curve"] = "curve"
    p1: Point2D
    p2: Point2D
    cp: Point2D


class CuboidFace(Sent):
    """Four corners of one face of a cuboid drawn in an image.

    :param top_left: its corner, in pixels.
    :param top_right: its corner, in pixels.
    :param bot_left: its corner, in pixels.
    :param bot_right: its corner, in pixels.
    """

    top_left: Point2D
    top_right: Point2D
    bot_left: Point2D
    bot_right: Point2D


class Cuboid(InstanceBase):
    """A box in perspective, drawn in an image.

    :param front_face: the face nearer to the camera.
    :param rear_face: the face behind it.
    """

    type: Literal["cuboid"] = "cuboid"
    front_face: CuboidFace
    rear_face: CuboidFace


class KeypointNode(Sent):
    """One joint of a skeleton. If the first node is at x or y 0, the stored bounds are 0 (server.md 5.2).

    :param id: number or name that edges refer to, unique in the skeleton.
    :param x: pixels from the left edge.
    :param y: pixels from the top edge.
    :param name: name of the joint, such as ``nose``.
    :param ordinal: place of the joint in its skeleton.
    :param occluded: true if the joint is hidden; None if unknown.
    """

    id: Int32 | Text
    x: Coordinate
    y: Coordinate
    name: Text | None = None
    ordinal: Int32 | None = None
    occluded: bool | None = None


class KeypointEdge(Sent):
    """A bone between two nodes, named by their ids.

    :param source: id of the node where it begins; ``from`` in a mapping.
    :param target: id of the node where it ends; ``to`` in a mapping.
    """

    source: Annotated[Int32 | Text, Field(alias="from", serialization_alias="from")]
    target: Annotated[Int32 | Text, Field(alias="to", serialization_alias="to")]

    model_config = {"populate_by_name": True}


class Keypoints(InstanceBase):
    """A skeleton: nodes and the edges between them.

    :param nodes: the joints, one or more.
    :param edges: the bones: pairs of ids of nodes.
    """

    type: Literal["keypoints"] = "keypoints"
    nodes: Annotated[list[KeypointNode], Field(min_length=1)]
    edges: list[KeypointEdge] = []

    @field_validator("nodes")
    @classmethod
    def _are_named_once(cls, nodes: list[KeypointNode]) -> list[KeypointNode]:
        repeated = twice(node.id for node in nodes)
        if repeated:
            raise ValueError(f"several nodes have the id {first_of(repeated, _SHOWN)}: give each its own")
        return nodes

    @field_validator("edges")
    @classmethod
    def _join_nodes(cls, edges: list[KeypointEdge], info: ValidationInfo) -> list[KeypointEdge]:
        if "nodes" in info.data:
            known = {node.id for node in info.data["nodes"]}
            unknown = {end for edge in edges for end in (edge.source, edge.target)} - known
            if unknown:
                raise ValueError(f"refers to nodes that do not exist: {sorted(map(str, unknown))}")
        return edges


class TextToken(InstanceBase):
    """A span of tokens in a text file.

    :param start_token: the first token, from 0, in the order in which Diffgram splits the text.
    :param end_token: the last token, not before ``start_token``.
    :param start_sentence: sentence of the first token; stored as given.
    :param end_sentence: sentence of the last token; stored as given.
    :param start_char: first character, from 0; stored as given.
    :param end_char: the character after the last one.
    :param sentence: sentence that holds the whole span; stored as given.
    """

    type: Literal["text_token"] = "text_token"
    start_token: Annotated[Int32, Field(ge=0)]
    end_token: Annotated[Int32, Field(ge=0)]
    start_sentence: Int32 | None = None
    end_sentence: Int32 | None = None
    start_char: Int32 | None = None
    end_char: Int32 | None = None
    sentence: Int32 | None = None

    @field_validator("end_token")
    @classmethod
    def _is_not_before_the_start(cls, end: int, info: ValidationInfo) -> int:
        start = info.data.get("start_token", end)
        if end < start:
            raise ValueError(f"is before start_token ({start})")
        return end


class Vector3D(Sent):
    """Three numbers in the point cloud's own units.

    :param x: along the first axis.
    :param y: along the second axis.
    :param z: along the third axis.
    """

    x: Number
    y: Number
    z: Number


class Dimensions3D(Sent):
    """Extent of a 3D box in the point cloud's own units.

    :param width: extent along x.
    :param height: extent along y.
    :param depth: extent along z.
    """

    width: Number
    height: Number
    depth: Number


class Cuboid3D(InstanceBase):
    """A box in a point cloud.

    :param center_3d: its centre.
    :param dimensions_3d: its extent.
    :param rotation_euler_angles: how it is turned about x, y and z; stored as given.
    :param position_3d: its position; stored as given.
    """

    type: Literal["cuboid_3d"] = "cuboid_3d"
    center_3d: Vector3D
    dimensions_3d: Dimensions3D
    rotation_euler_angles: Vector3D
    position_3d: Vector3D


class Relation(InstanceBase):
    """A directed relation between two instances, by id or by ``creation_ref_id``.

    :param from_instance_id: id of the stored instance where it begins; give this or ``from_creation_ref``.
    :param to_instance_id: id of the stored instance where it ends; give this or ``to_creation_ref``.
    :param from_creation_ref: ``creation_ref_id`` of the instance where it begins.
    :param to_creation_ref: ``creation_ref_id`` of the instance where it ends.
    """

    label_needed: ClassVar[bool] = False

    type: Literal["relation"] = "relation"
    from_instance_id: Id | None = None
    to_instance_id: Id | None = None
    from_creation_ref: Text | None = Field(default=None, validate_default=True)
    to_creation_ref: Text | None = Field(default=None, validate_default=True)

    @field_validator("from_creation_ref", "to_creation_ref")
    @classmethod
    def _names_each_end_once(cls, creation_ref: str | None, info: ValidationInfo) -> str | None:
        by_id = str(info.field_name).replace("creation_ref", "instance_id")
        if by_id in info.data and (creation_ref is None) == (info.data[by_id] is None):
            raise ValueError(f"give one of {by_id} and {info.field_name}")
        return creation_ref


class Audio(InstanceBase):
    """A span of an audio file, in seconds.

    :param start_time: seconds from the beginning.
    :param end_time: seconds from the beginning, after ``start_time``.
    """

    type: Literal["audio"] = "audio"
    start_time: Annotated[Number, Field(ge=0)]
    end_time: Annotated[Number, Field(ge=0)]

    @field_validator("end_time")
    @classmethod
    def _is_after_the_start(cls, end: float, info: ValidationInfo) -> float:
        start = info.data.get("start_time")
        if start is not None and end <= start:
            raise ValueError(f"must be after start_time ({start})")
        return end


Instance = Annotated[
    Box
    | Polygon
    | Point
    | Line
    | Tag
    | Global
    | Ellipse
    | Curve
    | Cuboid
    | Keypoints
    | TextToken
    | Cuboid3D
    | Relation
    | Audio
    | GeoPoint
    | GeoCircle
    | GeoPolyline
    | GeoPolygon
    | GeoBox,
    Field(discriminator="type"),
]
"""Any instance; ``type`` says which."""
