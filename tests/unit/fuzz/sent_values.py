"""Valid bodies of everything that is sent, as hypothesis draws them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from airflow_provider_diffgram import models
from airflow_provider_diffgram.models.base import Sent

MAX = 2**31 - 1
Bodies = st.SearchStrategy[dict[str, Any]]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
ids = st.integers(1, MAX)
int32s = st.integers(-MAX - 1, MAX)
counts = st.integers(0, MAX)
numbers = st.floats(-1e6, 1e6) | st.integers(-MAX, MAX)
coordinates = st.floats(-1e6, 1e6) | st.integers(-(2**30) + 1, 2**30 - 1)
whole = st.integers(-(2**30) + 1, 2**30 - 1)
half_axes = st.integers(1, 2**30 - 1)
json_values = st.recursive(
    st.booleans() | st.integers(-MAX, MAX) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
keys = texts.map(lambda text: text.lstrip("/") + "k")
names = texts.map(lambda text: text + ".png")

COMMON = {
    "score": st.floats(0, 1) | st.integers(0, 1),
    "machine_made": st.booleans(),
    "model_ref": texts,
    "number": int32s,
    "creation_ref_id": texts,
    "attributes": st.dictionaries(texts, json_values, max_size=3),
    "attribute_groups": st.dictionaries(ids.map(str), json_values, max_size=3),
}
LABEL = st.fixed_dictionaries({"label": texts}) | st.fixed_dictionaries({"label_file_id": ids})


def bodies(optional: dict[str, Any] | None = None, **fields: Any) -> Bodies:
    return st.fixed_dictionaries(fields, optional=optional or {})


def shaped(kind: str, optional: dict[str, Any] | None = None, **fields: Any) -> Bodies:
    """Return bodies of an instance type, with a label and some of the common fields."""
    body = bodies({**COMMON, **(optional or {})}, type=st.just(kind), **fields)
    return merged(body, LABEL)


def merged(*parts: Bodies) -> Bodies:
    return st.tuples(*parts).map(lambda drawn: {key: value for part in drawn for key, value in part.items()})


def ordered(low: str, high: str, values: Any) -> Bodies:
    """Return two values under two keys, the second greater."""
    return (
        st.lists(values, min_size=2, max_size=2, unique=True)
        .map(sorted)
        .filter(lambda pair: pair[0] < pair[1])
        .map(lambda pair: {low: pair[0], high: pair[1]})
    )


points = bodies(x=coordinates, y=coordinates)
vectors = bodies(x=numbers, y=numbers, z=numbers)
corners = bodies(top_left=points, top_right=points, bot_left=points, bot_right=points)
outlines = st.lists(points, min_size=2, max_size=5).map(
    lambda drawn: [*drawn, {"x": drawn[0]["x"] + 2, "y": drawn[0]["y"] + 2}]
)
outlines = outlines.filter(lambda drawn: all(abs(each[axis]) < 2**30 for each in drawn for axis in each))
outlines = outlines.filter(lambda drawn: all(max(each[axis] for each in drawn) >= 1 for axis in "xy"))
nodes = st.lists(
    bodies(
        {"name": texts, "ordinal": int32s, "occluded": st.booleans()}, id=ids, x=coordinates, y=coordinates
    ),
    min_size=1,
    max_size=4,
)
skeletons = nodes.flatmap(
    lambda drawn: bodies(
        {
            "edges": st.lists(
                bodies(
                    **{
                        "from": st.sampled_from([node["id"] for node in drawn]),
                        "to": st.sampled_from([node["id"] for node in drawn]),
                    }
                ),
                max_size=3,
            )
        },
        nodes=st.just(drawn),
    )
)
bounds = {"bounds": st.lists(json_values, max_size=3)}
lonlats = st.lists(numbers, min_size=2, max_size=2)
seconds = st.floats(0, 1e6)

INSTANCES: dict[type[Sent], Bodies] = {
    models.Box: merged(shaped("box"), ordered("x_min", "x_max", counts), ordered("y_min", "y_max", counts)),
    models.Polygon: shaped("polygon", points=outlines),
    models.Point: shaped("point", points=st.lists(points, min_size=1, max_size=1)),
    models.Line: shaped("line", points=st.lists(points, min_size=2, max_size=2)),
    models.Tag: shaped("tag"),
    models.Global: bodies(COMMON, type=st.just("global")),
    models.Ellipse: shaped(
        "ellipse", {"angle": numbers}, center_x=whole, center_y=whole, width=half_axes, height=half_axes
    ),
    models.Curve: shaped("curve", p1=points, p2=points, cp=points),
    models.Cuboid: shaped("cuboid", front_face=corners, rear_face=corners),
    models.Keypoints: merged(shaped("keypoints"), skeletons),
    models.TextToken: merged(
        shaped("text_token", {"sentence": int32s, "start_char": int32s}),
        ordered("start_token", "end_token", counts),
    ),
    models.Cuboid3D: shaped(
        "cuboid_3d",
        center_3d=vectors,
        dimensions_3d=bodies(width=numbers, height=numbers, depth=numbers),
        rotation_euler_angles=vectors,
        position_3d=vectors,
    ),
    models.Relation: bodies(type=st.just("relation"), from_instance_id=ids, to_creation_ref=texts),
    models.Audio: merged(shaped("audio"), ordered("start_time", "end_time", seconds)),
    models.GeoPoint: shaped("geo_point", {"coords": st.lists(numbers, max_size=3)}, lonlat=lonlats),
    models.GeoCircle: shaped("geo_circle", lonlat=lonlats, radius=st.floats(0.1, 1e6)),
    models.GeoPolyline: shaped("geo_polyline", bounds, bounds_lonlat=st.lists(json_values, max_size=3)),
    models.GeoPolygon: shaped("geo_polygon", bounds, bounds_lonlat=st.lists(json_values, max_size=3)),
    models.GeoBox: shaped("geo_box", bounds, bounds_lonlat=st.lists(json_values, max_size=3)),
}
instances = st.one_of(*INSTANCES.values())
instance_lists = st.lists(instances, max_size=3)

MEDIA: dict[type[Sent], Bodies] = {
    models.UrlMedia: bodies({"type": st.just("image")}, url=keys.map(lambda key: f"https://h/{key}.png")),
    models.PathMedia: bodies(path=keys.map(lambda key: f"s3://bucket/{key}.png")),
    models.PageMedia: bodies(
        {"dpi": st.integers(20, 1200)},
        path=keys.map(lambda key: f"s3://bucket/{key}.pdf"),
        page=counts,
    ),
    models.BlobMedia: bodies(connection_id=ids | texts, bucket_name=texts, raw_data_blob_path=keys),
    models.TextMedia: bodies(text_data=texts),
}
media = st.one_of(*MEDIA.values())
children = bodies(media=media, ordinal=counts, original_filename=names, instance_list=instance_lists)
videos = bodies(
    {"video_split_duration": st.integers(2, 180) | st.just(0)},
    media=st.just({"path": "v.mp4"}),
    frame_packet_map=st.dictionaries(st.integers(0, 35_999), instance_lists, max_size=2),
)
updates = bodies(
    file_id=ids, mode=st.sampled_from(["update", "update_with_existing"]), instance_list=instance_lists
)
PARTS: dict[type[Sent], Bodies] = {
    models.Point2D: points,
    models.CuboidFace: corners,
    models.KeypointNode: nodes.map(lambda drawn: drawn[0]),
    models.KeypointEdge: bodies(**{"from": ids | texts, "to": ids | texts}),
    models.Vector3D: vectors,
    models.Dimensions3D: bodies(width=numbers, height=numbers, depth=numbers),
}
WHOLES: dict[type[Sent], Bodies] = {
    models.Packet: merged(children, bodies(parent_file_id=ids)) | videos | updates,
    models.Child: children,
    models.CompoundFile: bodies(
        {"type": st.just("compound_conversational")}, name=texts, instance_list=instance_lists
    ),
}
SOURCES: dict[type[Sent], Bodies] = {
    models.ChildFolder: bodies(
        {"glob": texts, "sort": st.sampled_from(["natural", "name", "mtime"])}, folder=texts
    ),
    models.ChildPages: bodies({"dpi": st.integers(20, 1200)}, pages=keys.map(lambda key: f"{key}.TIFF")),
}
SENT = {**PARTS, **INSTANCES, **MEDIA, **SOURCES, **WHOLES}
"""Every class that is sent -> valid bodies of it."""
