"""How the state of each recorded pair is made: one function per pair, or per group of pairs of one state.

A function gets the world and the pair, brings the world into the state the pair was recorded in, and returns
what stands for the recorded ids in the request.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .media_server import picture
from .world import World, until

Pair = dict[str, Any]


@dataclass
class Ready:
    """What the request needs.

    :param path: replaces the request's path, if given.
    :param ids: values by key of the body.
    :param files: bytes of the parts that are files.
    :param role: who asks.
    """

    path: str | None = None
    ids: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""
    role: str | None = "admin"
    headers: dict[str, str] = field(default_factory=dict)


CASES: dict[str, Callable[[World, Pair], Ready]] = {}

NOT_REPLAYED = {
    "probe_export_start": "exports are later work",
    "probe_export_status": "exports are later work",
    "probe_job_list_after": "jobs are later work",
    "probe_job_tasks": "tasks are later work",
}


def case(*names: str) -> Callable[[Callable[[World, Pair], Ready]], Callable[[World, Pair], Ready]]:
    """Enter a function for the pairs of these names."""

    def enter(function: Callable[[World, Pair], Ready]) -> Callable[[World, Pair], Ready]:
        for name in names:
            CASES[name] = function
        return function

    return enter


def wanted(pair: Pair) -> dict[str, Any]:
    """Return the Input of a recorded answer."""
    found: dict[str, Any] = pair["response"]["body"]["input"]
    return found


@case(
    "packet_no_directory_id",
    "packet_empty_body",
    "packet_from_url_box",
    "probe_model_refs",
    "probe_packet_instance_list_empty",
    "packet_video",
    "packet_unknown_parent",
    "compound_new",
    "compound_new_with_box_instance",
    "compound_status_unknown_parent",
    "directory_list",
    "input_batch_new",
    "input_view_unknown_id",
    "labels_name_to_file_id",
    "labels_schema_list",
    "probe_connections",
    "working_dir_view_by_name",
    "working_dir_view_unknown_name",
    "wrong_path_api_v1_walrus_packet_POST",
)
def nothing_special(world: World, pair: Pair) -> Ready:
    return Ready()


@case("auth_viewer_compound_new", "auth_viewer_packet")
def viewer(world: World, pair: Pair) -> Ready:
    return Ready(role="Viewer")


@case("auth_none", "auth_none_python_requests_user_agent")
def nobody(world: World, pair: Pair) -> Ready:
    return Ready(role=None, headers={"User-Agent": "curl/8.5.0"})


@case("auth_bad_secret")
def bad_secret(world: World, pair: Pair) -> Ready:
    return Ready(role="bad")


@case("batch_of_three_one_bad__batch_detail", "batch_of_three_one_bad__view_list_by_batch_id")
def batch_of_three(world: World, pair: Pair) -> Ready:
    batch = world.new_batch()
    slow = {"url": f"{world.media.url}/slow.png", "type": "image"}
    missing = {"url": f"{world.media.url}/missing.jpg", "type": "image"}
    sent = (("0.png", slow), ("1.jpg", missing), ("2.png", slow))
    for name, media in sent:
        world.packet(original_filename=f"b1795294204-{name}", media=media, batch_id=batch)
    for row in world.inputs(batch_id=batch):
        world.settled(row["id"])
    return Ready(path=f"/api/v1/project/{{p}}/input-batch/{batch}", ids={"batch_id": batch})


def _compound_of_two(world: World, second_done: bool = True) -> int:
    parent = world.new_compound("compound-1")
    for ordinal, (name, boxes) in enumerate((("cat", [world.box()]), ("small", None))):
        media = {"url": f"{world.media.url}/{name}.jpg", "type": "image"}
        body = {"original_filename": f"child-{ordinal}.jpg", "parent_file_id": parent, "ordinal": ordinal}
        input_id = world.accepted(media=media, instance_list=boxes, **body)
        if second_done or ordinal == 0:
            world.settled(input_id)
    return parent


@case("compound_child_files", "compound_file_view", "compound_status_all_done", "input_view_list_of_parent")
def compound_done(world: World, pair: Pair) -> Ready:
    parent = _compound_of_two(world)
    return Ready(
        path=f"/api/v1/project/{{p}}/file/{parent}/child-files?with_instances=True",
        ids={"file_id": parent, "parent_file_id": parent},
    )


@case("compound_status_before_children", "packet_child_of_compound", "compound_new_duplicate_name")
def compound_empty(world: World, pair: Pair) -> Ready:
    return Ready(ids={"parent_file_id": world.new_compound("compound-1")})


@case("compound_status_while_second_child_pending")
def compound_pending(world: World, pair: Pair) -> Ready:
    parent = world.new_compound("compound-1")
    world.settled(world.accepted(parent_file_id=parent, original_filename="c-0.png"))
    world.media.slow_seconds = 0.5
    slow = {"url": f"{world.media.url}/slow.png", "type": "image"}
    second = world.accepted(parent_file_id=parent, original_filename="c-1.png", media=slow)
    first = next(one for one in world.inputs(parent_file_id=parent) if one["id"] != second)
    until(lambda: world.row(second)["status"] == "processing", "the second child to be fetched")
    world.update_inputs("RETRY", first["id"])
    until(lambda: world.row(first["id"])["status"] == "success", "the first child to be the last one changed")
    assert world.row(second)["status"] == "processing"
    return Ready(ids={"parent_file_id": parent})


def _one_image(world: World, name: str, url: str = "/cat.jpg", **body: Any) -> dict[str, Any]:
    media = {"url": world.media.url + url, "type": "image"}
    return world.ingested(original_filename=name, media=media, **body)


@case("file_annotation_list", "file_view", "probe_file_list_base")
def cat_with_box(world: World, pair: Pair) -> Ready:
    row = _one_image(world, "cat-1.jpg", instance_list=[world.box()])
    file_id = row["file_id"]
    return Ready(f"/api/project/{{p}}/file/{file_id}/annotation/list", {"file_id": file_id})


@case("from_local_with_instances")
def local_image(world: World, pair: Pair) -> Ready:
    return Ready(content=picture())


@case("from_local_same_name_again")
def local_image_there(world: World, pair: Pair) -> Ready:
    assert world.from_local("local-2.png", picture()).status_code == 200
    return Ready(content=picture())


@case("from_local_not_an_image")
def local_rubbish(world: World, pair: Pair) -> Ready:
    return Ready(content=b"x" * 400)


@case("upload_large_one_chunk__chunk1of1", "upload_large_with_batch__chunk1of1")
def chunk(world: World, pair: Pair) -> Ready:
    return Ready(content=picture(), ids={"input_batch_id": world.new_batch()})


@case("input_batch_append_data")
def batch_slice(world: World, pair: Pair) -> Ready:
    (part,) = pair["request"]["body"]["multipart"]
    headers = pair["request"]["headers"]
    batch = world.new_batch()
    path = f"/api/v1/project/{{p}}/input-batch/{batch}/append-data"
    return Ready(path, content=part["content"].encode(), headers=headers)


@case("input_batch_detail_after_packet")
def batch_done(world: World, pair: Pair) -> Ready:
    batch = world.new_batch()
    world.ingested(batch_id=batch)
    return Ready(f"/api/v1/project/{{p}}/input-batch/{batch}")


@case("input_update_ARCHIVE", "input_update_RETRY")
def failed_row(world: World, pair: Pair) -> Ready:
    return Ready(ids={"id_list": [_one_image(world, "m404.jpg", "/missing.jpg")["id"]]})


@case("input_view_list_just_after_packet")
def waiting_row(world: World, pair: Pair) -> Ready:
    (seen,) = pair["response"]["body"]["input_list"]
    world.emulator.pause_queue()
    media = {"url": f"{world.media.url}/cat.jpg", "type": "image"}
    world.accepted(original_filename=seen["original_filename"], media=media, instance_list=[world.box()])
    return Ready()


@case("labels_list")
def labels(world: World, pair: Pair) -> Ready:
    world.new_label("cat")
    (schema,) = world.get("/api/v1/project/{p}/labels-schema").json()
    return Ready(f"/api/project/{{p}}/labels?schema_id={schema['id']}")


def _final(world: World, input_id: int) -> Ready:
    return Ready(f"/api/walrus/v1/project/{{p}}/input/view/{input_id}")


@case(
    "input_view_final",
    "packet_box_float_coordinates__input_view_final",
    "packet_box_inverted__input_view_final",
    "packet_unknown_label_file_id__input_view_final",
)
def one_row(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    sent = [
        {**one, "label_file_id": {1: world.labels[0]}.get(one["label_file_id"], one["label_file_id"])}
        for one in seen["instance_list"]["list"]
    ]
    row = _one_image(world, seen["original_filename"], instance_list=sent)
    return _final(world, row["id"])


@case("packet_instance_list_null_element__input_view_final")
def null_element(world: World, pair: Pair) -> Ready:
    return _final(world, _one_image(world, "null-inst.jpg", instance_list=[None])["id"])


@case("packet_media_404__input_view_final")
def media_missing(world: World, pair: Pair) -> Ready:
    return _final(world, _one_image(world, "m404.jpg", "/missing.jpg")["id"])


@case("packet_media_connection_refused__input_view_final")
def media_refused(world: World, pair: Pair) -> Ready:
    media = {"url": "http://127.0.0.1:9/x.jpg", "type": "image"}
    return _final(world, world.ingested(original_filename="refused.jpg", media=media)["id"])


@case("packet_duplicate_original_filename__input_view_final")
def duplicate(world: World, pair: Pair) -> Ready:
    _one_image(world, "cat-1.jpg")
    return _final(world, _one_image(world, "cat-1.jpg")["id"])


@case("packet_directory_of_another_project__input_view_final")
def foreign_dataset(world: World, pair: Pair) -> Ready:
    other = World(world.emulator.with_project(f"{world.project}-other"), world.media)
    return _final(world, world.ingested(original_filename="xproj.png", directory_id=other.dataset)["id"])


@case("packet_text_data__input_view_final")
def text(world: World, pair: Pair) -> Ready:
    body = {"type": "from_text_data", "text_data": "hello world", "media": {"type": "text"}}
    return _final(world, world.ingested(original_filename="t2.txt", **body)["id"])


@case("probe_retry_after_404__input_view_final")
def retried(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    path = f"/{world.project}-retried.jpg"
    sent = [{**one, "label_file_id": world.labels[0]} for one in seen["instance_list"]["list"]]
    row = _one_image(world, seen["original_filename"], path, instance_list=sent, batch_id=world.new_batch())
    assert row["status"] == "failed"
    world.media.files[path] = picture()
    world.update_inputs("RETRY", row["id"])
    until(lambda: world.row(row["id"])["status"] == "success", "the retry")
    return _final(world, row["id"])


@case("packet_mode_update", "packet_mode_update_with_existing")
def updatable(world: World, pair: Pair) -> Ready:
    return Ready(ids={"file_id": _one_image(world, "upd.jpg", instance_list=[world.box()])["file_id"]})


@case("packet_mode_update__annotations", "packet_mode_update_with_existing__annotations")
def updated(world: World, pair: Pair) -> Ready:
    cat, dog, person = world.labels
    file_id = _one_image(world, "upd.jpg", instance_list=[world.box(label_file_id=cat)])["file_id"]
    update = {"file_id": file_id, "original_filename": None, "media": {}}
    world.ingested(mode="update", instance_list=[world.box(label_file_id=dog, x_max=60)], **update)
    if "existing" in pair["name"]:
        boxes = [world.box(label_file_id=person, x_max=70)]
        world.ingested(mode="update_with_existing", instance_list=boxes, **update)
    return Ready(f"/api/project/{{p}}/file/{file_id}/annotation/list")


@case("packet_rate_limited_429")
def throttled(world: World, pair: Pair) -> Ready:
    for _ in range(20):
        world.packet(directory_id=None)
    return Ready()


def _video(world: World, name: str, frames: dict[str, Any], **body: Any) -> dict[str, Any]:
    media = {"url": f"{world.media.url}/v.mp4", "type": "video"}
    return world.ingested(original_filename=name, media=media, frame_packet_map=frames, **body)


def _frames(world: World, frames: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [
            {
                name: value
                for name, value in {**one, "label_file_id": world.labels[one["label_file_id"] - 1]}.items()
                if name != "sequence_id"
            }
            for one in units
        ]
        for key, units in frames.items()
    }


@case("packet_video__input_view_final", "probe_video_bad_frame__input_view_final")
def video_row(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    batch = world.new_batch() if seen["batch_id"] else None
    frames = _frames(world, seen["frame_packet_map"])
    row = _video(world, seen["original_filename"], frames, batch_id=batch)
    until(lambda: world.row(row["id"])["status"] == "success", "the last frame")
    return _final(world, row["id"])


@case("probe_video_instance_buffer")
def video_buffer(world: World, pair: Pair) -> Ready:
    kept = ("type", "label_file_id", "x_min", "y_min", "x_max", "y_max", "number")
    seen = pair["response"]["body"]["instance_buffer_dict"]
    frames = {
        key: [{name: one[name] for name in kept} for one in units] for key, units in seen.items() if units
    }
    row = _video(world, "v.mp4", _frames(world, frames))
    return Ready(f"/api/project/{{p}}/video/{row['file_id']}/instance/buffer/start/0/end/60/list")


@case("probe_all_types_annotations")
def all_types(world: World, pair: Pair) -> Ready:
    geometry = (
        "type", "points", "nodes", "edges", "p1", "p2", "cp", "front_face", "rear_face", "center_x",
        "center_y", "angle",
    )  # fmt: skip
    file = pair["response"]["body"]["file_serialized"]
    sent = []
    for seen in file["instance_list"]:
        one = {key: seen[key] for key in geometry if seen[key]}
        if seen["type"] == "ellipse":
            one |= {"width": seen["width"], "height": seen["height"]}
        if seen["label_file_id"]:
            one["label_file_id"] = world.labels[seen["label_file_id"] - 1]
        sent.append(one)
    row = _one_image(world, file["original_filename"], "/tiny.png", instance_list=sent)
    return Ready(f"/api/project/{{p}}/file/{row['file_id']}/annotation/list")


def _all_kinds(world: World) -> list[tuple[int, list[int]]]:
    colours = ("red", "green", "blue")
    groups = [world.new_group(kind, colours) for kind in ("select", "radio", "multiple_select")]
    tree, (red,) = world.new_group("tree", ("red",))
    for name, parent in (("green", red), ("blue", None)):
        attribute = {"name": name, "group_id": tree, "parent_id": parent}
        world.post("/api/v1/project/{p}/attribute", {"mode": "NEW", "attribute": attribute})
    groups.append((tree, [red]))
    groups.append(world.new_group("text"))
    groups.append(world.new_group("slider", min_value=1, max_value=10))
    return [*groups, world.new_group("date"), world.new_group("time")]


@case("probe_attr_list_all_kinds")
def attribute_list(world: World, pair: Pair) -> Ready:
    _all_kinds(world)
    (schema,) = world.get("/api/v1/project/{p}/labels-schema").json()
    return Ready(ids={"schema_id": schema["id"]})


@case("probe_attr_list_schema2")
def attribute_list_of_second_schema(world: World, pair: Pair) -> Ready:
    schema = world.post("/api/v1/project/{p}/labels-schema/new", {"name": "second"}).json()["id"]
    base = "/api/v1/project/{p}/attribute"
    world.new_group("text")
    group = world.post(f"{base}/group/new", {"schema_id": schema}).json()["attribute_template_group"]["id"]
    world.post(
        f"{base}/group/update",
        {"group_id": group, "mode": "UPDATE", "name": "Colour", "prompt": "Which colour?", "kind": "select"},
    )
    for name in ("red", "blue"):
        world.post(base, {"mode": "NEW", "attribute": {"name": name, "group_id": group}})
    return Ready(ids={"schema_id": schema})


@case("probe_attr_all_kinds__annotations")
def attribute_values(world: World, pair: Pair) -> Ready:
    seen = pair["response"]["body"]["file_serialized"]
    groups = _all_kinds(world)
    options = {3: groups[0][1][0], 7: groups[1][1][1], 9: groups[2][1][0]}
    (recorded,) = (one["attribute_groups"] for one in seen["instance_list"])
    text = json.dumps(list(recorded.values()))
    for old, new in options.items():
        text = text.replace(f'"id": {old}', f'"id": {new}').replace(f'"name": {old}', f'"name": {new}')
    values = json.loads(text)
    green = _options(world, groups[3][0])["green"]
    values[3] = {str(green): values[3]["13"]}
    sent = {str(group): value for (group, _), value in zip(groups, values, strict=True)}
    box = world.box(x_min=1, y_min=2, x_max=30, y_max=40, attribute_groups=sent)
    row = _one_image(world, seen["original_filename"], "/tiny.png", instance_list=[box])
    return Ready(f"/api/project/{{p}}/file/{row['file_id']}/annotation/list")


def _options(world: World, group: int) -> dict[str, int]:
    body = {"mode": "from_project", "group_id": group}
    answer = world.post("/api/v1/project/{p}/attribute/template/list", body).json()
    (found,) = answer["attribute_group_list"]
    return {one["name"]: one["id"] for one in found["attribute_template_list"]}


@case("probe_attr_time_with_seconds__input_view_final")
def bad_time(world: World, pair: Pair) -> Ready:
    seen = wanted(pair)
    group, _ = world.new_group("time")
    box = world.box(x_min=1, y_min=2, x_max=30, y_max=40, attribute_groups={str(group): "13:45:10"})
    world.dataset = world.new_dataset(seen["directory"]["nickname"])
    row = world.ingested(
        original_filename=seen["original_filename"], instance_list=[box], batch_id=world.new_batch()
    )
    return _final(world, row["id"])


@case("probe_model_refs_annotations", "probe_model_runs_after")
def model_refs(world: World, pair: Pair) -> Ready:
    boxes = [
        world.box(
            x_min=1, y_min=1, x_max=9, y_max=9, model_ref="yolo", model_run_ref="run-1", score=0.87,
            machine_made=True, creation_ref_id="abc-1", number=3,
        ),
        world.box(x_min=1, y_min=1, x_max=20, y_max=9, model_ref="yolo", model_run_ref="run-2", score=0.5),
    ]  # fmt: skip
    row = _one_image(world, "model_refs-1795294733.png", "/tiny.png", instance_list=boxes)
    if pair["name"] == "probe_model_runs_after":
        return Ready()
    return Ready(f"/api/project/{{p}}/file/{row['file_id']}/annotation/list")


def _connection(world: World, provider: str, name: str, **more: Any) -> int:
    body = {"project": world.project, "integration_name": provider, "name": name, **more}
    return int(world.emulator.control("connections", body)["id"])


@case("probe_connections_amazon_aws")
def two_connections(world: World, pair: Pair) -> Ready:
    _connection(world, "amazon_aws", "s3 probe")
    _connection(world, "amazon_aws", "gone", archived=True)
    _connection(world, "minio", "minio probe", private_host="http://storage.test")
    return Ready()


@case("probe_packet_from_blob_path", "probe_packet_from_blob_path_unsupported_provider")
def blob_packet(world: World, pair: Pair) -> Ready:
    provider = "minio" if "unsupported" in pair["name"] else "amazon_aws"
    return Ready(ids={"connection_id": _connection(world, provider, "s3"), "batch_id": world.new_batch()})


@case("probe_packet_from_blob_path__input_view_final", "probe_packet_from_blob_path__file_view")
def blob_row(world: World, pair: Pair) -> Ready:
    boxes = [
        world.box(x_max=60, y_max=120),
        world.box(x_min=80, x_max=130, y_max=120, score=0.5, machine_made=True),
    ]
    row = world.ingested(
        type="from_blob_path",
        connection_id=_connection(world, "amazon_aws", "s3"),
        bucket_name="customer-bucket",
        raw_data_blob_path="images/cat.jpg",
        original_filename="b-97970.jpg",
        media={"type": "image"},
        instance_list=boxes,
        batch_id=world.new_batch(),
    )
    if pair["name"].endswith("file_view"):
        return Ready(ids={"file_id": row["file_id"]})
    return _final(world, row["id"])


@case("probe_file_list_explorer")
def explorer(world: World, pair: Pair) -> Ready:
    box = world.box(x_min=0, x_max=50, y_max=120, score=0.5, machine_made=True, creation_ref_id="k0")
    _one_image(world, "f0.png", "/tiny.png")
    _one_image(world, "f1.png", "/tiny.png", instance_list=[box])
    _one_image(world, "f2.png", "/tiny.png")
    return Ready(ids={"query": f"dataset.id = {world.dataset}"})
