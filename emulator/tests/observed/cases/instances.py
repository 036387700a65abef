"""Instances, their attributes and model runs."""

from __future__ import annotations

import json
import re

from world import World

from .common import Pair, Ready, case, final, one_image, wanted


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
    row = one_image(world, file["original_filename"], "/tiny.png", instance_list=sent)
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
    text = re.sub(r'("id"|"name"): (3|7|9)\b', lambda found: f"{found[1]}: {options[int(found[2])]}", text)
    values = json.loads(text)
    green = _options(world, groups[3][0])["green"]
    values[3] = {str(green): values[3]["13"]}
    sent = {str(group): value for (group, _), value in zip(groups, values, strict=True)}
    box = world.box(x_min=1, y_min=2, x_max=30, y_max=40, attribute_groups=sent)
    row = one_image(world, seen["original_filename"], "/tiny.png", instance_list=[box])
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
    return final(world, row["id"])


@case("probe_model_refs_annotations", "probe_model_runs_after")
def model_refs(world: World, pair: Pair) -> Ready:
    boxes = [
        world.box(
            x_min=1, y_min=1, x_max=9, y_max=9, model_ref="yolo", model_run_ref="run-1", score=0.87,
            machine_made=True, creation_ref_id="abc-1", number=3,
        ),
        world.box(x_min=1, y_min=1, x_max=20, y_max=9, model_ref="yolo", model_run_ref="run-2", score=0.5),
    ]  # fmt: skip
    row = one_image(world, "model_refs-1795294733.png", "/tiny.png", instance_list=boxes)
    if pair["name"] == "probe_model_runs_after":
        return Ready()
    return Ready(f"/api/project/{{p}}/file/{row['file_id']}/annotation/list")
