"""Levels and refusals that were read in the source only, or look different behind another proxy."""

from __future__ import annotations

import pytest
import requests

from world import World


def error_of(answer: requests.Response) -> str:
    return str(answer.json()["error"])


ROLES = {
    ("POST", "/api/walrus/v1/project/{p}/input/compound/status"): "Viewer",
    ("PUT", "/api/v1/project/{p}/file/1/update-metadata"): "Editor",
    ("POST", "/api/v1/project/{p}/file/exists"): "Editor",
    ("POST", "/api/v1/project/{p}/attribute/group/new"): "Editor",
    ("POST", "/api/v1/project/{p}/directory/new"): "Editor",
    ("POST", "/api/v1/project/{p}/input-batch/new"): "Editor",
    ("POST", "/api/project/{p}/video/1/instance/buffer/start/0/end/1/list"): "Viewer",
}


@pytest.mark.parametrize("method, path", ROLES)
def test_roles(world: World, method: str, path: str) -> None:
    """The least level an endpoint takes; anything else than 401 and 403 means that the door was open."""
    viewer = world.send(method, path, "Viewer", json={})
    editor = world.send(method, path, "Editor", json={})
    assert editor.status_code not in (401, 403)
    assert (viewer.status_code == 403) == (ROLES[method, path] == "Editor")
    if viewer.status_code == 403:
        assert "['admin', 'Editor']" in error_of(viewer)


def test_q43_tasks_are_for_people(world: World) -> None:
    answer = world.post("/api/v1/task/update")
    assert answer.status_code == 401
    assert "login" in error_of(answer)


NEEDS_JSON = [
    "/api/v1/project/{p}/input-batch/new",
    "/api/project/{p}/file/1/annotation/list",
    "/api/v1/file/view",
]


@pytest.mark.parametrize("path", NEEDS_JSON)
@pytest.mark.parametrize("body", [b"", b"{", b"[1]"])
def test_q40_a_json_object_is_needed_everywhere(world: World, path: str, body: bytes) -> None:
    answer = world.send("POST", path, data=body)
    assert answer.status_code == 400
    error = answer.json()["log"]["error"]["input"]
    assert error == ("Expecting dict" if body == b"[1]" else "Expecting json in request")


def test_true_is_an_int(world: World) -> None:
    rows = world.post("/api/v1/project/{p}/directory/list", {"limit": True}).json()["directory_list"]
    assert len(rows) == 1


def test_q06_the_dispatcher_answers_for_the_service(world: World) -> None:
    answer = world.packet(parent_file_id=99999)
    assert answer.status_code == 503
    assert answer.json()["error"]["port"] == 8082
    assert not [key for key in answer.headers if key.lower().startswith("x-ratelimit")]


@pytest.mark.parametrize("key", ["batch_id", "parent_file_id", "file_id", "directory_id"])
def test_q06_an_id_beyond_every_range_is_503(world: World, key: str) -> None:
    assert world.packet(**{key: 10**30}).status_code == 503
    listing = world.post("/api/walrus/v1/project/{p}/input/view/list", {"batch_id": 10**30})
    assert listing.status_code == 503


def test_q47_keys_are_sorted_and_a_newline_ends_the_body(world: World) -> None:
    world.new_label("ant")
    answer = world.get("/api/v1/project/{p}/labels/view/name_to_file_id")
    assert list(answer.json()["name_to_file_id"]) == ["ant", "cat", "dog", "person"]
    assert answer.text.endswith("}}\n")
    assert answer.raw.headers.getlist("date").__len__() == 2
    assert answer.headers["connection"] == "close"
