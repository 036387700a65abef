"""Exports: their rows, their document, their links (server.md 2.16)."""

from __future__ import annotations

import sqlite3
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
import yaml

from tests.contract.media_server import picture
from world import World, until

BASE = "/api/walrus/project/{p}/export"


def start(world: World, role: str = "admin", **body: Any) -> requests.Response:
    sent = {
        "kind": "Annotations",
        "source": "directory",
        "file_comparison_mode": "latest",
        "masks": False,
        "directory_id": world.dataset,
        **body,
    }
    kept = {key: value for key, value in sent.items() if value is not None}
    return world.post(f"{BASE}/to_file", kept, role)


def status(world: World, export_id: int) -> dict[str, Any]:
    answer = world.get(f"{BASE}/{export_id}/status")
    assert answer.status_code == 200, answer.text
    export: dict[str, Any] = answer.json()["export"]
    return export


def exported(world: World, **body: Any) -> dict[str, Any]:
    """Return an export that is done."""
    export_id = start(world, **body).json()["export"]["id"]
    done: dict[str, Any] = until(lambda: ended(world, export_id), f"export {export_id}")
    return done


def ended(world: World, export_id: int) -> dict[str, Any] | None:
    export = status(world, export_id)
    return export if export["status"] in ("complete", "failed") else None


def document(world: World, **body: Any) -> dict[str, Any]:
    url = link(world, exported(world, **body)["id"]).json()
    answer = requests.get(url, timeout=5)
    assert answer.status_code == 200
    read: dict[str, Any] = answer.json()
    return read


def link(world: World, export_id: int, **body: Any) -> requests.Response:
    return world.post(f"{BASE}/link", {"id": export_id, "format": "JSON", "return_type": "url", **body})


def local(world: World, name: str, **body: Any) -> int:
    answer = world.from_local(name, picture(), **body)
    assert answer.json()["input"]["status"] == "success"
    return int(answer.json()["file"]["id"])


def test_a_file_in_the_document(world: World) -> None:
    run = {"model_ref": "m", "model_run_ref": "r", "score": 0.5, "creation_ref_id": "k", "machine_made": True}
    file_id = local(world, "a.png", instance_list=[world.box(**run)])
    found = document(world)
    assert set(found) == {
        "readme", "label_map", "label_colour_map", "attribute_groups_reference", "export_info", str(file_id),
    }  # fmt: skip
    assert found["label_map"][str(world.labels[0])] == "cat"
    packet = found[str(file_id)]
    assert set(packet) == {"file", "image", "instance_list"}
    assert set(packet["file"]) == {
        "id", "original_filename", "blob_url", "created_time", "ann_is_complete", "type",
    }  # fmt: skip
    assert set(packet["image"]) == {
        "width", "height", "rotation_degrees", "image_signed_url", "image_signed_expiry", "original_filename",
    }  # fmt: skip
    assert requests.get(packet["image"]["image_signed_url"], timeout=5).content == picture()


def test_q61_instances_have_no_score_model_or_reference(world: World) -> None:
    run = {"model_ref": "m", "model_run_ref": "r", "score": 0.5, "creation_ref_id": "k", "machine_made": True}
    file_id = local(world, "a.png", instance_list=[world.box(**run)])
    (instance,) = document(world)[str(file_id)]["instance_list"]
    corners = {"x_min": 10, "y_min": 20, "x_max": 110, "y_max": 220}
    expected = {"type": "box", "label_file_id": world.labels[0], "attribute_groups": None, **corners}
    assert {key: value for key, value in instance.items() if key != "id"} == expected


def test_q61_each_kind_has_its_geometry(world: World) -> None:
    corner = {"x": 1, "y": 2}
    points = [corner, {"x": 30.5, "y": 2}, {"x": 9, "y": 20}]
    face = dict.fromkeys(("top_left", "top_right", "bot_left", "bot_right"), corner)
    face = {**face, "bot_right": {"x": 9, "y": 9}}
    centre = {"center_x": 20, "center_y": 20, "width": 5, "height": 6, "angle": 0.5}
    nodes = [{"id": 1, **corner}, {"id": 2, "x": 8, "y": 9}]
    geometry: dict[str, dict[str, Any]] = {
        "polygon": {"points": points},
        "point": {"points": points[:1]},
        "line": {"points": points[:2]},
        "tag": {},
        "ellipse": centre,
        "cuboid": {"front_face": face, "rear_face": face},
        "curve": {"p1": corner, "p2": {"x": 5, "y": 6}, "cp": {"x": 3, "y": 9}},
        "keypoints": {"nodes": nodes, "edges": [{"from": 1, "to": 2}]},
        "global": {},
    }
    sent = [{"type": kind, "label_file_id": world.labels[0], **more} for kind, more in geometry.items()]
    file_id = local(world, "a.png", instance_list=sent)
    exported = {one["type"]: one for one in document(world)[str(file_id)]["instance_list"]}
    assert set(exported) == set(geometry)
    for kind, more in geometry.items():
        assert set(more) <= set(exported[kind])
    assert exported["ellipse"]["center_x"] == 20
    assert [(point["x"], point["y"]) for point in exported["polygon"]["points"]] == [
        (point["x"], point["y"]) for point in points
    ]


def test_q61_children_appear_twice_and_unknown_types_are_null(world: World) -> None:
    parent = world.new_compound("parent")
    odd = world.new_compound("odd", type="whatever")
    child = local(world, "child.png", parent_file_id=parent, instance_list=[world.box()])
    found = document(world)
    assert found[str(odd)] is None
    assert set(found[str(parent)]) == {"file", "instance_list", str(child)}
    inside, outside = found[str(parent)][str(child)], found[str(child)]
    assert inside["file"]["id"] == outside["file"]["id"] == child
    assert len(inside["instance_list"]) == len(outside["instance_list"]) == 1
    assert found[str(parent)]["file"]["state"] == "added"


def test_q61_files_of_a_connection_have_dead_urls(world: World) -> None:
    body = {"project": world.project, "integration_name": "amazon_aws"}
    connection = world.emulator.control("connections", body)["id"]
    row = world.ingested(
        type="from_blob_path",
        connection_id=connection,
        bucket_name="b",
        raw_data_blob_path="dir/a.jpg",
        media={"type": "image"},
    )
    target = world.emulator.data_dir / "buckets" / "b" / "dir"
    target.mkdir(parents=True, exist_ok=True)
    (target / "a.jpg").write_bytes(picture())
    assert requests.get(world.view(row["file_id"])["image"]["url_signed"], timeout=5).status_code == 200
    url = document(world)[str(row["file_id"])]["image"]["image_signed_url"]
    assert requests.get(url, timeout=5).status_code == 403


def test_removed_files_are_left_out(world: World) -> None:
    uploaded = world.from_local("a.png", picture()).json()
    kept = local(world, "b.png")
    world.update_inputs("ARCHIVE", uploaded["input"]["id"])
    found = document(world)
    assert str(kept) in found
    assert str(uploaded["file"]["id"]) not in found


def test_a_file_that_cannot_be_built_is_missing_and_named(world: World) -> None:
    broken, good = local(world, "a.png"), local(world, "b.png")
    with sqlite3.connect(world.emulator.data_dir / "emulator.sqlite") as connection:
        connection.execute("UPDATE file SET media_id = NULL WHERE id = ?", (broken,))
    export = exported(world)
    assert export["status"] == "complete"
    assert f"File {broken}" in export["status_text"]
    found = requests.get(link(world, export["id"]).json(), timeout=5).json()
    assert (str(broken) in found, str(good) in found) == (False, True)


def test_what_is_no_annotations_fails(world: World) -> None:
    export = exported(world, kind="TF Records")
    assert (export["status"], bool(export["status_text"])) == ("failed", True)


def test_yaml_holds_the_same(world: World) -> None:
    file_id = local(world, "a.png")
    url = link(world, exported(world)["id"], format="YAML").json()
    assert str(file_id) in yaml.safe_load(requests.get(url, timeout=5).text)


def test_only_complete_files_on_request(world: World) -> None:
    local(world, "a.png")
    assert exported(world, ann_is_complete=True)["file_list_length"] == 0
    assert exported(world)["file_list_length"] == 1


@pytest.mark.parametrize(
    "change, key",
    [
        ({"kind": "Everything"}, "kind"),
        ({"kind": None}, "kind"),
        ({"source": None}, "source"),
        ({"masks": None}, "masks"),
        ({"file_comparison_mode": None}, "file_comparison_mode"),
        ({"source": "elsewhere"}, "valid_values_list"),
    ],
)
def test_what_is_refused(world: World, change: dict[str, Any], key: str) -> None:
    answer = start(world, **change)
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, [key])


def test_without_a_dataset_the_default_one(world: World) -> None:
    assert start(world, directory_id=None).json()["export"]["directory"]["nickname"] == "Default"


def test_before_it_is_complete_there_is_no_link(world: World) -> None:
    world.emulator.tune(export_seconds=60.0)
    export_id = start(world).json()["export"]["id"]
    answer = link(world, export_id)
    assert answer.status_code == 400
    assert list(answer.json()["error"]) == ["export"]
    assert answer.json()["success"] is False


def test_a_link_is_a_bare_text_good_for_five_minutes(world: World) -> None:
    export_id = exported(world)["id"]
    answer = link(world, export_id)
    (expires,) = [part[8:] for part in answer.json().split("?")[1].split("&") if part.startswith("expires=")]
    served = parsedate_to_datetime(answer.headers["date"][:29])
    assert status(world, export_id)["percent_complete"] == 100
    assert abs(int(expires) - served.timestamp() - 300) <= 2


def test_inline_data_fails_as_observed(world: World) -> None:
    assert link(world, exported(world)["id"], return_type="data").status_code == 500


def test_q39_unknown_is_500_and_foreign_400_plain_text(world: World) -> None:
    assert world.get(f"{BASE}/99999/status").status_code == 500
    assert link(world, 99999).status_code == 500
    export_id = start(world).json()["export"]["id"]
    other = World(world.emulator.with_project(f"{world.project}-b"), world.media)
    answer = other.get(f"{BASE}/{export_id}/status")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/")


def test_levels(world: World) -> None:
    export_id = exported(world)["id"]
    assert start(world, "Viewer").status_code == 403
    assert world.get(f"{BASE}/{export_id}/status", "Viewer").status_code == 403
    assert world.post(f"{BASE}/update", {"id": export_id, "mode": "ARCHIVE"}, "Viewer").status_code == 403
    assert world.post(f"{BASE}/link", {"id": export_id, "format": "JSON"}, "Viewer").status_code == 200
    assert world.get(f"{BASE}/working_dir/list", "Viewer").status_code == 200


def test_the_list_is_newest_first_without_archived_ones(world: World) -> None:
    ids = [start(world).json()["export"]["id"] for _ in range(3)]
    assert world.post(f"{BASE}/update", {"id": ids[1], "mode": "ARCHIVE"}).status_code == 200
    answer = world.get(f"{BASE}/working_dir/list").json()
    assert [export["id"] for export in answer["export_list"]] == [ids[2], ids[0]]
    assert answer["success"] is True


def test_waiting_for_the_document(world: World) -> None:
    file_id = local(world, "a.png")
    waited = start(world, wait_for_export_generation=True, return_type="data").json()
    assert str(file_id) in waited
    url = start(world, wait_for_export_generation=True).json()
    assert str(file_id) in requests.get(url, timeout=5).json()


def test_an_export_survives_a_restart(own_world: World) -> None:
    file_id = local(own_world, "a.png")
    export_id = exported(own_world)["id"]
    own_world.emulator = own_world.emulator.restart(kill=True)
    assert status(own_world, export_id)["status"] == "complete"
    assert str(file_id) in requests.get(link(own_world, export_id).json(), timeout=5).json()


def test_an_export_may_never_be_made(world: World) -> None:
    world.emulator.tune(export_hangs=True)
    made = start(world).json()["export"]["id"]
    time.sleep(0.3)
    assert status(world, made)["status"] == "init"
