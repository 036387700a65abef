"""Credentials, paths, methods and error shapes (wire contract, 1.1 to 1.4)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .world import World

PACKET = "/api/walrus/v1/project/{p}/input/packet"
UNREACHABLE = "Service is unreachable."


def error_of(answer: requests.Response) -> str:
    return str(answer.json()["error"])


@pytest.mark.parametrize("path", ["/api/status", "/api/walrus/status"])
def test_health_needs_no_credential(world: World, path: str) -> None:
    answer = world.get(path, role=None)
    assert (answer.status_code, answer.json()) == (200, True)


def test_empty_secret_is_named(world: World) -> None:
    answer = world.packet_as((world.emulator.client_id, ""))
    assert answer.status_code == 403
    assert "No password. (client_secret)" in error_of(answer)


def test_bearer_is_not_supported(world: World) -> None:
    answer = world.post(PACKET, role=None, headers={"Authorization": "Bearer abc"})
    assert answer.status_code == 403
    assert "No username. (client_id)" in error_of(answer)


def test_credential_of_another_project_looks_like_a_wrong_one(world: World) -> None:
    other = world.emulator.with_project(f"{world.project}-other").credentials["admin"]
    stranger = world.packet_as((other.client_id, other.client_secret))
    unknown = world.packet_as(("LIVE__nobody", "wrong"))
    assert stranger.status_code == unknown.status_code == 403
    assert stranger.json() == unknown.json()


def test_q26_no_credential_is_401_or_403_by_user_agent(world: World) -> None:
    curl = world.post(PACKET, role=None, headers={"User-Agent": "curl/8"})
    python = world.post(PACKET, role=None)
    assert (curl.status_code, python.status_code) == (401, 403)
    assert "Failed LoggedIn" in error_of(curl)
    assert "Check client_id client_secret" in error_of(python)


def test_q27_unknown_project_is_403(world: World) -> None:
    answer = world.get("/api/v1/project/no-such-project/labels-schema")
    assert answer.status_code == 403
    assert "Can't find project" in error_of(answer)


ROLES = {
    ("POST", "/api/walrus/v1/project/{p}/input/packet"): "Editor",
    ("POST", "/api/walrus/v1/project/{p}/input/from_local"): "Editor",
    ("POST", "/api/walrus/project/{p}/upload/large"): "Editor",
    ("POST", "/api/walrus/v1/project/{p}/input/update"): "Editor",
    ("POST", "/api/walrus/v1/project/{p}/input/view/list"): "Viewer",
    ("POST", "/api/walrus/v1/project/{p}/input/view/1"): "Viewer",
    ("POST", "/api/walrus/v1/project/{p}/input/compound/status"): "Viewer",
    ("POST", "/api/v1/project/{p}/file/new-compound"): "Viewer",
    ("GET", "/api/v1/project/{p}/file/1/child-files"): "Viewer",
    ("PUT", "/api/v1/project/{p}/file/1/update-metadata"): "Editor",
    ("POST", "/api/v1/project/{p}/file/exists"): "Editor",
    ("GET", "/api/v1/project/{p}/file/1/file-stats"): "Viewer",
    ("POST", "/api/project/{p}/file/1/annotation/list"): "Viewer",
    ("POST", "/api/project/{p}/user/x/file/list"): "Viewer",
    ("GET", "/api/v1/project/{p}/labels/view/name_to_file_id"): "Viewer",
    ("GET", "/api/project/{p}/labels"): "Viewer",
    ("GET", "/api/v1/project/{p}/labels-schema"): "Viewer",
    ("POST", "/api/v1/project/{p}/labels-schema/new"): "Editor",
    ("POST", "/api/v1/project/{p}/label/new"): "Editor",
    ("POST", "/api/v1/project/{p}/attribute/template/list"): "Viewer",
    ("POST", "/api/v1/project/{p}/attribute/group/new"): "Editor",
    ("POST", "/api/v1/project/{p}/directory/list"): "Viewer",
    ("GET", "/api/project/{p}/user/x/working_dir/view"): "Editor",
    ("POST", "/api/v1/project/{p}/directory/new"): "Editor",
    ("POST", "/api/v1/project/{p}/input-batch/new"): "Editor",
    ("GET", "/api/project/{p}/connections"): "Viewer",
    ("POST", "/api/v1/project/{p}/model-runs/list"): "Editor",
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


def test_q29_viewer_can_create_a_compound_but_no_child(world: World) -> None:
    body = {"name": "by-viewer", "directory_id": world.dataset}
    parent = world.post("/api/v1/project/{p}/file/new-compound", body, "Viewer")
    assert parent.status_code == 200
    child = {"directory_id": world.dataset, "parent_file_id": parent.json()["file"]["id"]}
    assert world.post(PACKET, child, "Viewer").status_code == 403


def test_writing_is_proved_by_an_empty_packet(world: World) -> None:
    assert world.post(PACKET, {}, "Viewer").status_code == 403
    answer = world.post(PACKET, {}, "Editor")
    assert answer.status_code == 400
    assert list(answer.json()["log"]["error"]) == ["directory"]


@pytest.mark.parametrize("path", ["/api/v1/task", "/api/v1/task/update"])
def test_q43_tasks_are_for_people(world: World, path: str) -> None:
    answer = world.post(path)
    assert answer.status_code == 401
    assert "login" in error_of(answer)


def test_q28_documented_packet_path_is_405_and_its_get_500(world: World) -> None:
    path = "/api/v1/walrus/project/{p}/input/packet"
    assert (world.post(path).status_code, world.post(path).text) == (405, "Not found.")
    got = world.get(path)
    assert (got.status_code, got.json()) == (500, {"error": "index.html"})


def test_q44_trailing_slash_is_404(world: World) -> None:
    answer = world.post(PACKET + "/")
    assert answer.status_code == 404
    assert error_of(answer).startswith("404 Not Found")


@pytest.mark.parametrize(
    "path", ["/api/walrus/project/{p}/input/packet", "/api/walrus/v1/project/{p}/upload/large"]
)
def test_version_segment_is_exact(world: World, path: str) -> None:
    assert world.post(path).status_code == 404


def test_get_of_a_walrus_post_is_405_json(world: World) -> None:
    answer = world.get(PACKET)
    assert answer.status_code == 405
    assert error_of(answer).startswith("405 Method Not Allowed")


def test_get_of_a_batch_is_500(world: World) -> None:
    answer = world.get(f"/api/v1/project/{{p}}/input-batch/{world.new_batch()}")
    assert (answer.status_code, answer.json()) == (500, {"error": "index.html"})


def test_models_list_does_not_exist(world: World) -> None:
    assert world.post("/api/v1/project/{p}/models/list").status_code == 405


NEEDS_JSON = [
    PACKET,
    "/api/walrus/v1/project/{p}/input/view/list",
    "/api/walrus/v1/project/{p}/input/compound/status",
    "/api/v1/project/{p}/directory/list",
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


def test_content_type_does_not_matter(world: World) -> None:
    path = "/api/v1/project/{p}/directory/list"
    answer = world.send("POST", path, data=b'{"limit": 1}', headers={"Content-Type": "text/plain"})
    assert len(answer.json()["directory_list"]) == 1


def test_all_errors_of_a_request_come_together(world: World) -> None:
    body: dict[str, Any] = {
        "directory_id": world.dataset,
        "parent_file_id": "6",
        "ordinal": 5.0,
        "instance_list": {},
        "bucket_name": "",
        "type": 3,
    }
    answer = world.post(PACKET, body)
    assert answer.status_code == 400
    assert answer.json()["log"] == {
        "error": {
            "parent_file_id": "Must be an int",
            "ordinal": "Must be an int",
            "instance_list": "Must be a list",
            "bucket_name": "String bucket_name must not be of length zero.",
            "type": "Must be string",
        },
        "info": {},
        "success": False,
    }


def test_true_is_an_int(world: World) -> None:
    rows = world.post("/api/v1/project/{p}/directory/list", {"limit": True}).json()["directory_list"]
    assert len(rows) == 1


def test_null_is_as_absent(world: World) -> None:
    answer = world.post("/api/v1/project/{p}/file/new-compound", {"name": None})
    assert answer.json()["log"]["error"] == {"name": "Missing name"}


@pytest.mark.parametrize(
    "body",
    [
        {"parent_file_id": 99999},
        {"batch_id": 99999},
        {"job_id": 99999},
        {"file_id": 99999},
        {"directory_id": 99999},
        {"directory_id": "abc"},
        {"directory_id": "None"},
    ],
)
def test_q06_unknown_ids_are_503_and_store_nothing(world: World, body: dict[str, Any]) -> None:
    answer = world.packet(**body)
    assert answer.status_code == 503
    assert answer.json()["error"]["message"].startswith(UNREACHABLE)
    assert answer.json()["error"]["port"] == 8082
    assert not [key for key in answer.headers if key.lower().startswith("x-ratelimit")]
    assert world.inputs() == []


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("POST", "/api/v1/project/{p}/file/new-compound", {"name": "x", "directory_id": "abc"}),
        ("POST", "/api/project/{p}/file/abc/annotation/list", {}),
        ("POST", "/api/walrus/v1/project/{p}/input/view/list", {"limit": -2}),
    ],
)
def test_q06_what_the_database_cannot_read_is_503(
    world: World, method: str, path: str, body: dict[str, Any]
) -> None:
    assert world.send(method, path, json=body).status_code == 503


@pytest.mark.parametrize("key", ["batch_id", "parent_file_id", "file_id", "directory_id"])
def test_q06_an_id_beyond_every_range_is_503(world: World, key: str) -> None:
    assert world.packet(**{key: 10**30}).status_code == 503
    listing = world.post("/api/walrus/v1/project/{p}/input/view/list", {"batch_id": 10**30})
    assert listing.status_code == 503


def test_q11_ids_as_text(world: World) -> None:
    assert world.packet(directory_id=str(world.dataset)).status_code == 200
    assert world.packet(batch_id=str(world.new_batch())).status_code == 200
    assert world.packet(parent_file_id="1").status_code == 400
    assert world.packet(ordinal="1").status_code == 400


def test_q10_directory_header_overrides_the_body(world: World) -> None:
    other = world.new_dataset("other")
    body = {
        "directory_id": world.dataset,
        "type": "from_text_data",
        "text_data": "x",
        "media": {"type": "text"},
    }
    answer = world.post(PACKET, body, headers={"directory-id": str(other)})
    assert answer.status_code == 200
    (row,) = world.inputs()
    assert row["directory"]["id"] == other


def test_q41_shapes_that_differ(world: World) -> None:
    assert isinstance(world.get("/api/v1/project/{p}/labels-schema").json(), list)
    listed = world.post(
        "/api/project/{p}/user/x/file/list", {"metadata": {"directory_id": 99999, "file_view_mode": "base"}}
    )
    assert (listed.status_code, listed.json()) == (400, "Error with directory")
    schema = world.get("/api/v1/project/{p}/labels/view/name_to_file_id?schema_id=99999")
    assert schema.status_code == 400
    assert schema.json()["error"] == {"schema": "Label Schema not found"}
    assert world.get("/api/project/{p}/labels?schema_id=99999").json()["error"].keys() == {"project"}


def test_q47_keys_are_sorted_and_a_newline_ends_the_body(world: World) -> None:
    world.new_label("ant")
    answer = world.get("/api/v1/project/{p}/labels/view/name_to_file_id")
    assert list(answer.json()["name_to_file_id"]) == ["ant", "cat", "dog", "person"]
    assert answer.text.endswith("}}\n")
    assert answer.raw.headers.getlist("date").__len__() == 2
    assert answer.headers["connection"] == "close"


def test_a_repeated_query_key_keeps_its_last_value(world: World) -> None:
    first, second = world.new_dataset("one"), world.new_dataset("two")
    path = "/api/project/{p}/user/x/working_dir/view"
    answer = world.get(f"{path}?working_dir_ids[]={first}&working_dir_ids[]={second}")
    assert [one["id"] for one in answer.json()["working_dir"]] == [second]


def test_too_large_a_body_is_413(world: World) -> None:
    body = b'{"name": "' + b"x" * (51 * 1024 * 1024) + b'"}'
    answer = world.send("POST", "/api/v1/project/{p}/label/new", data=body)
    assert answer.status_code == 413
    assert "error" in answer.json()
