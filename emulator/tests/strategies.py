"""Requests to try the emulator with: good ones, of which some part is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from diffgram_emulator import routes
from diffgram_emulator.call import ENDPOINTS, Endpoint
from helpers import picture

routes.load()

BOX = {"type": "box", "label_file_id": 1, "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
POLYGON = {
    "type": "polygon",
    "label_file_id": 1,
    "points": [{"x": 1, "y": 1}, {"x": 5, "y": 9}, {"x": 9, "y": 1}],
}
PACKET: dict[str, Any] = {
    "directory_id": 1,
    "original_filename": "@name@.txt",
    "type": "from_text_data",
    "text_data": "hello",
    "media": {"type": "text", "url": "http://127.0.0.1:1/a.png"},
    "instance_list": [BOX, POLYGON],
}
GOOD: dict[str, dict[str, Any]] = {
    "/input/packet": PACKET,
    "/input/from_local": {"directory_id": 1, "instance_list": [BOX], "ordinal": 1},
    "/file/new-compound": {"name": "@name@", "directory_id": 1, "instance_list": [{"type": "global"}]},
    "/file/view": {"file_id": 1, "project_string_id": "demo-project"},
    "/file/list": {"metadata": {"directory_id": 1, "file_view_mode": "base", "limit": 3, "page": 1}},
    "/file/exists": {"file_id_list": [1, "a"], "directory_id": 1},
    "/update-metadata": {"ordinal": 1, "rotation_degrees": 90},
    "/label/new": {"name": "cat", "schema_id": 1},
    "/labels-schema/new": {"name": "s"},
    "/template/list": {"mode": "from_project", "schema_id": 1},
    "/group/update": {"group_id": 1, "mode": "UPDATE", "name": "g", "kind": "select", "label_file_list": []},
    "/attribute": {"mode": "NEW", "attribute": {"name": "red", "group_id": 1, "parent_id": None}},
    "/directory/list": {"limit": 5, "nickname": "D", "date_from": "2026-01-01"},
    "/directory/new": {"nickname": "d", "access_type": "project"},
    "/input-batch/new": {"pre_labeled_data": {"a.txt": {"instance_list": [], "frame_packet_map": None}}},
    "/view/list": {
        "limit": 5,
        "batch_id": 1,
        "parent_file_id": 1,
        "status_filter": "All",
        "date_to": "2026-01-01",
    },
    "/compound/status": {"parent_file_id": 1},
    "/input/update": {"id_list": [1], "mode": "RETRY"},
    "/export/to_file": {
        "kind": "Annotations",
        "source": "directory",
        "file_comparison_mode": "latest",
        "masks": False,
        "directory_id": 1,
    },
    "/export/link": {"id": 1, "format": "JSON", "return_type": "url"},
    "/job/list": {"metadata": {"project_string_id": "demo-project", "page_number": 1, "job_ids": [1]}},
    "/task/list": {
        "mode_data": "direct_route",
        "job_id": 1,
        "file_id": 1,
        "limit_count": 3,
        "page_number": 0,
    },
    "/job/new": {"name": "j", "instance_type": "box", "label_schema_id": 1, "member_list_ids": []},
    "/model-runs/list": {"id_list": [1]},
    "/frame-list/": {"frame_list": [0, 1]},
}
KEYS = sorted(
    {key for body in GOOD.values() for key in body}
    | set(BOX)
    | set(POLYGON)
    | {
        "file_id",
        "file_name",
        "mode",
        "ordinal",
        "job_id",
        "connection_id",
        "bucket_name",
        "frame_packet_map",
    }
    | {"raw_data_blob_path", "video_split_duration", "score", "model_ref", "model_run_ref", "number"}
    | {
        "creation_ref_id",
        "attribute_groups",
        "query",
        "search_term",
        "colour",
        "with_labels",
        "nodes",
        "edges",
    }
    | {"url", "type", "front_face", "center_x", "angle", "p1", "cp", "start_token", "soft_delete", "id"}
)
WORDS = ["", "None", "abc", "1", "2", "box", "global", "update", "update_with_existing", "from_url"]
WORDS += [
    "from_blob_path",
    "image",
    "video",
    "text",
    "explorer",
    "base",
    "2026-01-01",
    "é\x00",
    "\ud800",
    "a.png",
]
HUGE = [-1, 0, 1, 2, 3, 2**31, -(2**31) - 1, 2**63, 10**30]

scalars = st.one_of(
    st.none(), st.booleans(), st.sampled_from(HUGE), st.floats(), st.sampled_from(WORDS), st.text(max_size=6)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4),
    ),
    max_leaves=8,
)
segments = st.sampled_from(
    ["1", "2", "3", "0", "-1", "abc", "None", "99999999999", "1.5", "é", "\x00", "x" * 300, "%"]
)
PICTURE = picture()
BUSY_ENDS = ("/v1/project/{project}/input/packet", "/from_local", "/new-compound", "/file/list")
BUSY = [one for one in ENDPOINTS if one.path.endswith(BUSY_ENDS)]
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@st.composite
def bodies(draw: st.DrawFn, path: str) -> Any:
    """Draw a JSON value: most often a good one of which some keys are not."""
    if draw(st.integers(0, 9)) == 0:
        return draw(values)
    base = dict(next((body for end, body in GOOD.items() if path.endswith(end)), {}))
    if path.endswith("/input/packet") and draw(st.booleans()):
        base.update(type="from_url", original_filename="@name@.png", media={"type": "image", "url": "@url@"})
    inner = base.get("metadata")
    target = dict(inner) if isinstance(inner, dict) and draw(st.booleans()) else base
    known = st.sampled_from(sorted(target)) if target else st.sampled_from(KEYS)
    for key in draw(st.lists(known | st.sampled_from(KEYS), max_size=3)):
        target[key] = draw(values)
    if target is not base:
        base["metadata"] = target
    if "instance_list" in base and draw(st.booleans()):
        base["instance_list"] = [{**BOX, **draw(st.dictionaries(st.sampled_from(KEYS), values, max_size=3))}]
    return base


def multipart(parts: list[tuple[str, str | None, bytes]], boundary: str) -> bytes:
    """Return a multipart body."""
    pieces = []
    for name, filename, content in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        head += "" if filename is None else f'; filename="{filename}"'
        pieces.append(head.encode("utf-8", "replace") + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


@st.composite
def forms(draw: st.DrawFn, path: str) -> tuple[bytes, str]:
    """Draw a multipart body, now and then a broken one, and its content type."""
    fields = ["file", "json", "dzuuid", "dzchunkindex", "dztotalchunkcount", "dzchunkbyteoffset"]
    fields += ["dztotalfilesize", "directory_id", "input_batch_id", "source", "uuid"]
    parts: list[tuple[str, str | None, bytes]] = []
    first = ["file", "json"] if draw(st.booleans()) else []
    for name in first + draw(st.lists(st.sampled_from(fields), max_size=8, unique=True)):
        if name == "file":
            filename = "@name@" + draw(
                st.sampled_from(["a.png", "b.mp4", "c.txt", "d.xyz", "noext", "e.json", "f.mp3", "é.png"])
            )
            content = draw(st.sampled_from([PICTURE, PICTURE, b"", b"\x00\xff", b"{}"]))
            parts.append((name, filename, content))
        elif name == "json":
            parts.append((name, None, json.dumps(draw(bodies(path))).encode()))
        else:
            parts.append(
                (name, None, draw(st.sampled_from([b"1", b"0", b"abc", b"", b"99999999999", b"\xff"])))
            )
    content = multipart(parts, "b")
    content = content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 4)) == 0 else content
    kinds = ["multipart/form-data; boundary=b"] * 8 + [
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "text/x",
    ]
    return content, draw(st.sampled_from(kinds))


@dataclass
class Sent:
    """A request."""

    endpoint: Endpoint
    path: str
    body: bytes
    headers: dict[str, str]


@st.composite
def sent(draw: st.DrawFn) -> Sent:
    """Draw a request to one of the endpoints."""
    endpoint = draw(st.sampled_from(ENDPOINTS) | st.sampled_from(BUSY))
    path = endpoint.path
    for name in endpoint.pattern.groupindex:
        good = "demo-project" if name == "project" else "1"
        segment = draw(segments) if draw(st.integers(0, 5)) == 0 else good
        path = path.replace(f"{{{name}}}", quote(segment, ""))
    if draw(st.integers(0, 3)) == 0:
        keys = st.sampled_from(["schema_id", "name", "working_dir_id", "working_dir_ids[]", "with_instances"])
        words = st.sampled_from([one for one in WORDS if one.isprintable()])
        path += "?" + urlencode(draw(st.lists(st.tuples(keys, words), max_size=3)))
    headers = {}
    if draw(st.integers(0, 5)) == 0:
        names = [
            "directory-id",
            "Content-Range",
            "Content-Range-Index",
            "Cookie",
            "Accept",
            "X-Forwarded-For",
        ]
        headers = draw(st.dictionaries(st.sampled_from(names), header_values, max_size=3))
    shape = draw(st.integers(0, 11))
    if "upload" in path or "from_local" in path or "append-data" in path or shape == 0:
        body, headers["Content-Type"] = draw(forms(endpoint.path))
        headers.setdefault("Content-Range", "bytes 0-9/10")
        headers.setdefault("Content-Range-Index", "0")
    elif shape == 1:
        deep = b"[" * 100_000, b'{"a":' * 5000, b"\xff\xfe", b"", b"NaN", b'{"limit": 1e999}', b'"\\ud800"'
        body = draw(st.binary(max_size=20) | st.sampled_from(deep))
    else:
        body = json.dumps(draw(bodies(endpoint.path))).encode()
    return Sent(endpoint, path, body, headers)


POINT = {"x": 1, "y": 1}
FACE = dict.fromkeys(("top_left", "top_right", "bot_left", "bot_right"), POINT)
KINDS: list[dict[str, Any]] = [
    BOX,
    POLYGON,
    {"type": "point", "label_file_id": 1, "points": [POINT]},
    {"type": "line", "label_file_id": 1, "points": [POINT, {"x": 5, "y": 5}]},
    {"type": "tag", "label_file_id": 1},
    {"type": "global", "attribute_groups": {"1": {"id": 1}}},
    {
        "type": "ellipse",
        "label_file_id": 1,
        "center_x": 5,
        "center_y": 5,
        "width": 2,
        "height": 2,
        "angle": 1,
    },
    {"type": "curve", "label_file_id": 1, "p1": POINT, "p2": POINT, "cp": POINT},
    {"type": "cuboid", "label_file_id": 1, "front_face": FACE, "rear_face": FACE},
    {"type": "keypoints", "label_file_id": 1, "nodes": [{"id": 1, **POINT}], "edges": [{"from": 1, "to": 1}]},
    {"type": "text_token", "label_file_id": 1, "start_token": 0, "end_token": 1},
    {"type": "relation", "from_instance_id": 1, "to_instance_id": 1},
]
EXTRA = [
    "score",
    "number",
    "model_ref",
    "model_run_ref",
    "model_id",
    "creation_ref_id",
    "attribute_groups",
    "id",
]
EXTRA += [
    "client_created_time",
    "rating",
    "soft_delete",
    "machine_made",
    "sequence_id",
    "type",
    "label_file_id",
]


@st.composite
def instances(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an instance of which one or two keys are not good."""
    instance = dict(draw(st.sampled_from(KINDS)))
    for key in draw(
        st.lists(st.sampled_from(sorted(instance)) | st.sampled_from(EXTRA), min_size=1, max_size=2)
    ):
        instance[key] = draw(values)
    return instance


def ways(instance_list: list[dict[str, Any]], way: str) -> Sent:
    """Return a request that brings instances in one of three ways."""
    endpoint = next(one for one in BUSY if one.path.endswith(way))
    path, headers = endpoint.path.format(project="demo-project"), {}
    fields = {**PACKET, "name": "@name@", "instance_list": instance_list, "type": "from_url"}
    fields |= {"original_filename": "@name@.png", "media": {"type": "image", "url": "@url@"}}
    body = json.dumps(fields).encode()
    if way == "/from_local":
        body = multipart([("file", "@name@.png", PICTURE), ("json", None, body)], "b")
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return Sent(endpoint, path, body, headers)
