"""Exports (server.md 2.16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from .deployment import UNKNOWN_ID, until
from .media_server import picture
from .world import World

START = "/api/walrus/project/{p}/export/to_file"
LINK = "/api/walrus/project/{p}/export/link"
BODY = {"kind": "Annotations", "source": "directory", "file_comparison_mode": "latest", "masks": False}


@dataclass(frozen=True)
class Exported:
    """A finished export of a dataset with an image, a compound file and a file of an unknown type.

    :param started: what the start answered of it.
    :param ended: what the status told in the end.
    :param files: ids by name: ``image``, ``plain``, ``parent``, ``child``, ``odd``.
    """

    started: dict[str, Any]
    ended: dict[str, Any]
    files: dict[str, int]

    @property
    def id(self) -> int:
        """Id of the export."""
        return int(self.started["id"])


def status(world: World, export_id: int) -> dict[str, Any]:
    answer = world.get(f"/api/walrus/project/{{p}}/export/{export_id}/status")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["export"]
    return found


@pytest.fixture(scope="module")
def exported(module_world: World) -> Exported:
    """The export, once it is complete."""
    world = module_world
    box = world.box(score=0.5, machine_made=True, creation_ref_id="k", x_max=33)
    files = {
        "image": world.uploaded("image.png", picture(30, 20), instance_list=[box])["file"]["id"],
        "plain": world.uploaded("plain.png", picture())["file"]["id"],
        "parent": world.new_compound("parent", instance_list=[world.box(x_max=44)]),
        "odd": world.new_compound("odd", type="whatever"),
    }
    child = world.from_local("child.png", picture(), parent_file_id=files["parent"], instance_list=[box])
    files["child"] = child.json()["file"]["id"]
    answer = world.post(START, {**BODY, "directory_id": world.dataset})
    assert answer.status_code == 200, answer.text
    started = answer.json()["export"]

    def ended() -> dict[str, Any] | None:
        now = status(world, started["id"])
        assert now["status"] != "failed", now
        return now if now["status"] == "complete" else None

    return Exported(started, until(ended, "the export to be complete"), files)


@pytest.fixture(scope="module")
def document(module_world: World, exported: Exported) -> dict[str, Any]:
    """The document of the export."""
    answer = module_world.post(LINK, {"id": exported.id, "format": "JSON", "return_type": "url"})
    assert (answer.status_code, type(answer.json())) == (200, str)
    with requests.Session() as storage:
        storage.trust_env, storage.verify = False, module_world.deployment.place.verify
        try:
            fetched = storage.get(answer.json(), timeout=30)
        except (requests.ConnectionError, requests.Timeout) as error:
            pytest.skip(f"the deployment's storage is not to be reached from here: {type(error).__name__}")
    assert fetched.status_code == 200, fetched.text[:300]
    found: dict[str, Any] = fetched.json()
    return found


def test_an_export_begins_as_init_and_ends_as_complete(exported: Exported) -> None:
    started, ended = exported.started, exported.ended
    assert (started["kind"], started["source"], started["masks"]) == ("Annotations", "directory", False)
    assert started["status"] in ("init", "complete")
    assert (ended["id"], ended["status"], ended["percent_complete"]) == (started["id"], "complete", 100)


def test_an_export_names_its_dataset(module_world: World, exported: Exported) -> None:
    assert exported.started["directory"]["id"] == module_world.dataset
    assert (exported.started["job"], exported.started["task"]) == (None, None)


def test_q61_a_compound_holds_its_children_which_are_there_again(
    exported: Exported, document: dict[str, Any]
) -> None:
    parent, child = (str(exported.files[name]) for name in ("parent", "child"))
    assert document[parent]["file"]["original_filename"] == "parent"
    assert document[parent][child]["file"]["original_filename"] == "child.png"
    assert document[child]["file"]["original_filename"] == "child.png"


def test_q61_a_file_of_an_unknown_type_is_null(exported: Exported, document: dict[str, Any]) -> None:
    assert document[str(exported.files["odd"])] is None


def test_q61_instances_without_score_and_origin(
    module_world: World, exported: Exported, document: dict[str, Any]
) -> None:
    entry = document[str(exported.files["image"])]
    assert entry["file"]["id"] == exported.files["image"]
    assert (entry["image"]["width"], entry["image"]["height"]) == (30, 20)
    (one,) = entry["instance_list"]
    assert (one["type"], one["label_file_id"], one["x_max"]) == ("box", module_world.labels[0], 33)
    assert not {"score", "model_id", "model_run_id", "creation_ref_id", "machine_made"} & set(one)
    assert document[str(exported.files["plain"])]["instance_list"] == []


def test_labels_of_an_exported_document(module_world: World, document: dict[str, Any]) -> None:
    """Labels of which schemas there are is not stated."""
    names = dict(zip(map(str, module_world.labels), ("cat", "dog", "person"), strict=True))
    told = document["label_map"]
    assert {key: name for key, name in told.items() if key in names}.items() <= names.items()
    assert all(key.isdigit() and isinstance(name, str) for key, name in told.items())
    assert {"readme", "label_colour_map", "attribute_groups_reference", "export_info"} <= set(document)


def test_exports_are_listed(module_world: World, exported: Exported) -> None:
    answer = module_world.get("/api/walrus/project/{p}/export/working_dir/list")
    assert answer.status_code == 200
    listed = [one["id"] for one in answer.json()["export_list"]]
    assert exported.id in listed
    assert listed == sorted(listed, reverse=True)


def test_q41_a_viewer_gets_the_link_as_a_bare_text_but_no_status(
    module_world: World, exported: Exported
) -> None:
    body = {"id": exported.id, "format": "JSON", "return_type": "url"}
    link = module_world.post(LINK, body, level="Viewer")
    assert (link.status_code, type(link.json())) == (200, str)
    path = f"/api/walrus/project/{{p}}/export/{exported.id}/status"
    assert module_world.get(path, level="Viewer").status_code == 403


def test_an_unknown_kind_is_refused(module_world: World) -> None:
    answer = module_world.post(START, {**BODY, "directory_id": module_world.dataset, "kind": "CSV"})
    assert (answer.status_code, list(answer.json()["log"]["error"])) == (400, ["kind"])


def test_q39_unknown_exports_are_500(module_world: World) -> None:
    path = f"/api/walrus/project/{{p}}/export/{UNKNOWN_ID}/status"
    assert module_world.get(path).status_code == 500
    body = {"id": UNKNOWN_ID, "format": "JSON", "return_type": "url"}
    assert module_world.post(LINK, body).status_code == 500
