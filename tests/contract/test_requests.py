"""What a request must look like, and the shapes of refusals (server.md 1.3 and 1.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from .deployment import PACKET, UNKNOWN_ID, Deployment, until
from .media_server import picture
from .world import LIST, World

NEEDS_JSON = [
    PACKET,
    LIST,
    "/api/walrus/v1/project/{p}/input/compound/status",
    "/api/v1/project/{p}/directory/list",
    "/api/v1/project/{p}/file/new-compound",
]


def refused_fields(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    log = answer.json()["log"]
    assert log["success"] is False
    found: dict[str, str] = log["error"]
    return found


def raw(world: World, path: str, body: bytes) -> requests.Response:
    found: list[requests.Response] = []

    def admitted() -> bool:
        found.append(world.send("POST", path, data=body))
        return found[-1].status_code != 429

    until(admitted, "room in the rate limit")
    return found[-1]


@pytest.mark.parametrize("path", NEEDS_JSON)
@pytest.mark.parametrize("body", [b"", b"{"])
def test_q40_json_is_needed_everywhere(world: World, path: str, body: bytes) -> None:
    assert refused_fields(raw(world, path, body))["input"] == "Expecting json in request"


@pytest.mark.parametrize("path", NEEDS_JSON)
def test_q40_an_object_is_needed_everywhere(world: World, path: str) -> None:
    assert refused_fields(raw(world, path, b"[1]"))["input"] == "Expecting dict"


def test_q40_view_of_an_input_needs_no_body(world: World) -> None:
    input_id = world.uploaded("one.png", picture())["input"]["id"]
    answer = world.send("POST", f"/api/walrus/v1/project/{{p}}/input/view/{input_id}")
    assert (answer.status_code, answer.json()["input"]["id"]) == (200, input_id)


def test_content_type_does_not_matter(world: World) -> None:
    dataset, headers = world.dataset, {"Content-Type": "text/plain"}
    body = json.dumps({"nickname": world.dataset_name}).encode()
    answer = world.send("POST", "/api/v1/project/{p}/directory/list", data=body, headers=headers)
    assert [one["id"] for one in answer.json()["directory_list"]] == [dataset]


def test_all_errors_of_a_request_come_together(world: World) -> None:
    body = {
        "directory_id": world.dataset,
        "parent_file_id": "6",
        "ordinal": 5.0,
        "instance_list": {"not": "a list"},
        "bucket_name": "",
        "connection_id": "1",
    }
    expected = {
        "parent_file_id": "Must be an int",
        "ordinal": "Must be an int",
        "instance_list": "Must be a list",
        "bucket_name": "String bucket_name must not be of length zero.",
        "connection_id": "Must be an int",
    }
    assert expected.items() <= refused_fields(world.admitted(body)).items()


def test_a_value_outside_a_closed_list_has_a_key_of_its_own(world: World) -> None:
    answer = world.post(LIST, {"batch_id": world.batch, "status_filter": "no such status"})
    assert list(refused_fields(answer)) == ["valid_values_list"]


def test_a_date_has_one_form(world: World) -> None:
    answer = world.post(LIST, {"batch_id": world.batch, "date_from": "06/05/2026"})
    assert refused_fields(answer)["date_from"] == "Incorrect data format, should be YYYY-MM-DD"


def test_null_is_as_absent(world: World) -> None:
    body = {"name": None, "directory_id": world.dataset}
    answer = world.post("/api/v1/project/{p}/file/new-compound", body)
    assert refused_fields(answer)["name"] == "Missing name"


def test_unknown_keys_are_ignored(world: World) -> None:
    body = {"nickname": world.dataset_name, "access_type": "project", "no_such_key": [1]}
    answer = world.post("/api/v1/project/{p}/directory/new", body)
    assert answer.status_code == 200
    assert answer.json()["new_directory"]["nickname"] == body["nickname"]


@pytest.mark.parametrize(
    "ids",
    [
        {"parent_file_id": UNKNOWN_ID},
        {"batch_id": UNKNOWN_ID},
        {"job_id": UNKNOWN_ID},
        {"file_id": UNKNOWN_ID},
        {"directory_id": UNKNOWN_ID},
        {"directory_id": "abc"},
        {"directory_id": "None"},
    ],
)
def test_q06_q11_unknown_ids_are_no_400_and_store_nothing(world: World, ids: dict[str, Any]) -> None:
    """The dispatcher says that the service is down; another proxy may break the connection (quirk 7)."""
    try:
        answer = world.packet(**ids)
    except requests.ConnectionError:
        pass
    else:
        assert answer.status_code in (502, 503)
        if answer.status_code == 503:
            assert answer.json()["error"]["message"].startswith("Service is unreachable")
    assert world.inputs(batch_id=world.batch) == []


@pytest.mark.parametrize(
    "path, body",
    [
        ("/api/v1/project/{p}/file/new-compound", {"name": "unread", "directory_id": "abc"}),
        ("/api/project/{p}/file/abc/annotation/list", {}),
        (LIST, {"limit": -2}),
    ],
)
def test_q06_what_the_database_cannot_read_is_no_400(
    deployment: Deployment, path: str, body: dict[str, Any]
) -> None:
    assert deployment.is_refused_by_database("POST", path, json=body)


def test_q11_some_ids_may_be_text(world: World) -> None:
    assert world.packet(directory_id=str(world.dataset)).status_code == 200
    assert world.packet(batch_id=str(world.batch)).status_code == 200
    rows = world.inputs(batch_id=world.batch)
    assert [(row["directory"]["id"], row["batch_id"]) for row in rows] == [(world.dataset, world.batch)] * 2


@pytest.mark.parametrize("key", ["parent_file_id", "ordinal"])
def test_q11_other_ids_may_not_be_text(world: World, key: str) -> None:
    assert refused_fields(world.packet(**{key: "1"})) == {key: "Must be an int"}


TEXT = {"type": "from_text_data", "text_data": "x", "media": {"type": "text"}}


def test_q10_directory_header_overrides_the_body(world: World) -> None:
    other = world.deployment.new_dataset(f"{world.name} other")
    body = {**TEXT, "directory_id": world.dataset, "batch_id": world.batch, "original_filename": "h.txt"}
    answer = world.admitted(body, headers={"directory-id": str(other)})
    assert answer.status_code == 200
    (row,) = world.inputs(batch_id=world.batch)
    assert row["directory"]["id"] == other


def test_q10_directory_header_with_an_underscore_is_lost(world: World) -> None:
    body = {**TEXT, "batch_id": world.batch, "original_filename": "h.txt"}
    answer = world.admitted(body, headers={"directory_id": str(world.dataset)})
    if answer.status_code == 200:
        pytest.skip("the Werkzeug of this server keeps headers with an underscore")
    assert "directory" in refused_fields(answer)


def test_q41_shapes_that_differ(world: World) -> None:
    assert isinstance(world.get("/api/v1/project/{p}/labels-schema").json(), list)
    metadata = {"directory_id": UNKNOWN_ID, "file_view_mode": "base"}
    listed = world.post("/api/project/{p}/user/x/file/list", {"metadata": metadata})
    assert (listed.status_code, listed.json()) == (400, "Error with directory")
    schema = world.get(f"/api/v1/project/{{p}}/labels/view/name_to_file_id?schema_id={UNKNOWN_ID}")
    assert schema.status_code == 400
    assert schema.json()["error"] == {"schema": "Label Schema not found"}
    labels = world.get(f"/api/project/{{p}}/labels?schema_id={UNKNOWN_ID}")
    assert (labels.status_code, list(labels.json()["error"])) == (400, ["project"])


@pytest.mark.parametrize("path", ["input/view/{id}", "input/compound/status"])
def test_q39_unknown_ids_of_lookups_are_500(world: World, path: str) -> None:
    url = "/api/walrus/v1/project/{p}/" + path.replace("{id}", str(UNKNOWN_ID))
    answer = world.post(url, {"parent_file_id": UNKNOWN_ID})
    assert answer.status_code == 500
    assert isinstance(answer.json()["error"], str)


def test_too_large_a_body_is_413(deployment: Deployment) -> None:
    body = b'{"name": "' + b"x" * (51 * 1024 * 1024) + b'"}'
    answer = deployment.send("POST", "/api/v1/project/{p}/file/new-compound", data=body)
    if answer.status_code == 400 and "Expecting json" in answer.text:
        pytest.skip("the Werkzeug of this server reads too large a body as none")
    assert answer.status_code == 413
    assert "error" in answer.json()
