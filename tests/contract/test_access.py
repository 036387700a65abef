"""Credentials, levels, paths and methods (server.md 1.1, 1.2 and 6)."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from .deployment import PACKET, UNKNOWN_ID, Deployment
from .media_server import picture
from .world import World

WRONG = "Failed API Permissions. Allowed roles are only:"


def error_of(answer: requests.Response) -> str:
    return str(answer.json()["error"])


@pytest.mark.parametrize("path", ["/api/status", "/api/walrus/status"])
def test_health_needs_no_credential(deployment: Deployment, path: str) -> None:
    answer = deployment.send("GET", path, level=None)
    assert (answer.status_code, answer.json()) == (200, True)


def test_empty_secret_is_named(deployment: Deployment) -> None:
    answer = deployment.post(PACKET, auth=(deployment.access("admin").client_id, ""))
    assert answer.status_code == 403
    assert "No password. (client_secret)" in error_of(answer)


def test_bearer_is_not_supported(deployment: Deployment) -> None:
    answer = deployment.post(PACKET, level=None, headers={"Authorization": "Bearer abc"})
    assert answer.status_code == 403
    if "Check client_id client_secret" in error_of(answer):
        pytest.skip("the Werkzeug of this server hides a Bearer header: it is told of no credential at all")
    assert "No username. (client_id)" in error_of(answer)


def test_a_wrong_secret_looks_like_an_unknown_client(deployment: Deployment) -> None:
    wrong = deployment.post(PACKET, auth=(deployment.access("admin").client_id, "wrong"))
    unknown = deployment.post(PACKET, auth=(f"{deployment.prefix}-nobody", "wrong"))
    assert (wrong.status_code, unknown.status_code) == (403, 403)
    assert error_of(wrong) == error_of(unknown)
    assert WRONG in error_of(wrong)


@pytest.mark.parametrize("level", ["other", "Viewer"])
def test_a_good_credential_of_too_little_looks_like_a_wrong_one(deployment: Deployment, level: str) -> None:
    answer = deployment.post(PACKET, level=level)
    wrong = deployment.post(PACKET, auth=(deployment.access("admin").client_id, "wrong"))
    assert (answer.status_code, error_of(answer)) == (403, error_of(wrong))


def test_q26_no_credential_is_401_or_403_by_user_agent(deployment: Deployment) -> None:
    curl = deployment.post(PACKET, level=None, headers={"User-Agent": "curl/8"})
    python = deployment.post(PACKET, level=None)
    assert (curl.status_code, python.status_code) == (401, 403)
    assert "Failed LoggedIn" in error_of(curl)
    assert "Check client_id client_secret" in error_of(python)


def test_q27_unknown_project_is_403(deployment: Deployment) -> None:
    answer = deployment.send("GET", f"/api/v1/project/{deployment.prefix}/labels-schema")
    assert answer.status_code == 403
    assert "Can't find project" in error_of(answer)


def test_authentication_comes_before_validation(deployment: Deployment) -> None:
    answer = deployment.send("POST", PACKET, auth=("nobody", "wrong"), data=b"{")
    assert answer.status_code == 403


LEVELS = {
    ("POST", "/api/walrus/v1/project/{p}/input/packet"): "Editor",
    ("POST", "/api/walrus/v1/project/{p}/input/from_local"): "Editor",
    ("POST", "/api/walrus/project/{p}/upload/large"): "Editor",
    ("POST", "/api/walrus/v1/project/{p}/input/update"): "Editor",
    ("POST", "/api/walrus/v1/project/{p}/input/view/list"): "Viewer",
    ("POST", "/api/walrus/v1/project/{p}/input/view/{input}"): "Viewer",
    ("POST", "/api/v1/project/{p}/file/new-compound"): "Viewer",
    ("GET", "/api/v1/project/{p}/file/{file}/child-files"): "Viewer",
    ("GET", "/api/v1/project/{p}/file/{file}/file-stats"): "Viewer",
    ("POST", "/api/project/{p}/file/{file}/annotation/list"): "Viewer",
    ("POST", "/api/project/{p}/user/x/file/list"): "Viewer",
    ("GET", "/api/v1/project/{p}/labels/view/name_to_file_id"): "Viewer",
    ("GET", "/api/project/{p}/labels"): "Viewer",
    ("GET", "/api/v1/project/{p}/labels-schema"): "Viewer",
    ("POST", "/api/v1/project/{p}/labels-schema/new"): "Editor",
    ("POST", "/api/v1/project/{p}/label/new"): "Editor",
    ("POST", "/api/v1/project/{p}/attribute/template/list"): "Viewer",
    ("POST", "/api/v1/project/{p}/directory/list"): "Viewer",
    ("GET", "/api/project/{p}/user/x/working_dir/view"): "Editor",
    ("GET", "/api/project/{p}/connections"): "Viewer",
    ("POST", "/api/v1/project/{p}/model-runs/list"): "Editor",
}

NOT_FOR_VIEWERS = [one for one, level in LEVELS.items() if level == "Editor"]
NOT_FOR_VIEWERS += [
    ("PUT", "/api/v1/project/{p}/file/{file}/update-metadata"),
    ("POST", "/api/v1/project/{p}/file/exists"),
    ("POST", "/api/v1/project/{p}/input-batch/new"),
]


@pytest.fixture(scope="module")
def own_ids(module_world: World) -> dict[str, int]:
    """A file and its input."""
    made = module_world.uploaded("levels.png", picture())
    return {"{file}": made["file"]["id"], "{input}": made["input"]["id"]}


def _with_ids(path: str, ids: dict[str, int]) -> str:
    for name, one in ids.items():
        path = path.replace(name, str(one))
    return path


def knock(
    deployment: Deployment, ids: dict[str, int], method: str, path: str, level: str
) -> requests.Response:
    """Ask for as little as possible: a schema is the one thing that may come of it, and has a name."""
    named = {"name": f"{deployment.prefix} by {level}"} if path.endswith("labels-schema/new") else {}
    body = {} if method == "GET" else {"json": named}
    return deployment.send(method, _with_ids(path, ids), level, **body)


@pytest.mark.parametrize("method, path", LEVELS)
def test_least_level_is_enough(
    deployment: Deployment, own_ids: dict[str, int], method: str, path: str
) -> None:
    """Anything else than 401 and 403 means that the door was open."""
    answer = knock(deployment, own_ids, method, path, LEVELS[method, path])
    assert answer.status_code not in (401, 403), answer.text


@pytest.mark.parametrize("method, path", NOT_FOR_VIEWERS)
def test_viewer_is_refused(deployment: Deployment, own_ids: dict[str, int], method: str, path: str) -> None:
    answer = knock(deployment, own_ids, method, path, "Viewer")
    assert answer.status_code == 403, answer.text
    assert WRONG in error_of(answer)


def test_q29_viewer_can_create_a_compound_but_no_child(world: World) -> None:
    body = {"name": "by-viewer", "directory_id": world.dataset}
    answer = world.post("/api/v1/project/{p}/file/new-compound", body, "Viewer")
    assert answer.status_code == 200
    file = answer.json()["file"]
    world.deployment.inputs.add(file["input"]["id"])
    child = {"directory_id": world.dataset, "parent_file_id": file["id"]}
    assert world.post(PACKET, child, "Viewer").status_code == 403
    assert world.from_local("c.png", picture(), level="Viewer", parent_file_id=file["id"]).status_code == 403


@pytest.mark.parametrize("level", ["admin", "Editor"])
def test_writing_is_proved_by_an_empty_packet(world: World, level: str) -> None:
    answer = world.admitted({}, level=level)
    assert answer.status_code == 400
    assert list(answer.json()["log"]["error"]) == ["directory"]


def test_q43_tasks_are_for_people(deployment: Deployment) -> None:
    answer = opened_task(deployment, {"task_id": UNKNOWN_ID, "builder_or_trainer_mode": "builder"})
    assert answer.status_code == 401
    assert "login" in error_of(answer)


def test_q43_the_body_of_a_task_is_looked_at_before_the_credential(deployment: Deployment) -> None:
    answer = opened_task(deployment, {}, auth=("nobody", "wrong"))
    assert answer.status_code == 400
    assert sorted(answer.json()["log"]["error"]) == ["builder_or_trainer_mode", "task_id"]


def opened_task(deployment: Deployment, body: dict[str, Any], **options: Any) -> requests.Response:
    """Ask for a task, which the server answers once a second and 500 times a day."""
    for _ in range(3):
        answer: requests.Response = deployment.post("/api/v1/task", body, **options)
        if answer.status_code != 429:
            return answer
        time.sleep(1.1)
    pytest.skip(f"the server opens no more tasks: {error_of(answer)}")


def test_q28_documented_packet_path_is_405_and_its_get_500(deployment: Deployment) -> None:
    path = "/api/v1/walrus/project/{p}/input/packet"
    posted, got = deployment.post(path), deployment.send("GET", path)
    assert (posted.status_code, posted.text) == (405, "Not found.")
    assert (got.status_code, got.json()) == (500, {"error": "index.html"})


def test_q44_trailing_slash_is_404(deployment: Deployment) -> None:
    answer = deployment.post(PACKET + "/")
    assert answer.status_code == 404
    assert error_of(answer).startswith("404 Not Found")


@pytest.mark.parametrize(
    "path", ["/api/walrus/project/{p}/input/packet", "/api/walrus/v1/project/{p}/upload/large"]
)
def test_version_segment_is_exact(deployment: Deployment, path: str) -> None:
    assert deployment.post(path).status_code == 404


def test_q28_an_unknown_path_of_the_default_service_is_405(deployment: Deployment) -> None:
    answer = deployment.post("/api/v1/project/{p}/models/list")
    assert (answer.status_code, answer.text) == (405, "Not found.")


@pytest.mark.parametrize("path", [PACKET, "/api/walrus/v1/project/{p}/input/view/{input}"])
def test_get_of_a_walrus_post_is_405_json(deployment: Deployment, own_ids: dict[str, int], path: str) -> None:
    answer = deployment.send("GET", _with_ids(path, own_ids))
    assert answer.status_code == 405
    assert "error" in answer.json()


def test_get_of_a_batch_is_500(world: World) -> None:
    answer = world.get(f"/api/v1/project/{{p}}/input-batch/{world.batch}")
    assert (answer.status_code, answer.json()) == (500, {"error": "index.html"})


def test_a_repeated_query_key_keeps_its_last_value(world: World) -> None:
    first, second = world.dataset, world.deployment.new_dataset(f"{world.name} b")
    query = f"?working_dir_ids[]={first}&working_dir_ids[]={second}"
    answer: dict[str, Any] = world.get(f"/api/project/{{p}}/user/x/working_dir/view{query}").json()
    assert [one["id"] for one in answer["working_dir"]] == [second]
