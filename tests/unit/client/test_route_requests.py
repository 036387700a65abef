"""Every route asks what was recorded, spelled exactly so, and reads the answer (server.md 1.1, 2)."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request, Upload
from tests.unit.recorded import recording

P = "demo-project"
BLOB = {"type": "from_blob_path", "connection_id": 1}


def packet(name: str) -> Request[Any]:
    return routes.send_packet(P, recording(name).sent, "cat-1.jpg")


SAME: dict[str, Request[Any]] = {
    "labels_schema_list": routes.list_schemas(P),
    "labels_list": routes.list_labels(P, 1),
    "directory_list": routes.list_datasets(P, limit=10),
    "compound_new": routes.create_compound(P, 2, "compound-1", "compound", []),
    "file_view": routes.view_file(P, 5),
    "compound_file_view": routes.view_file(P, 6),
    "input_view_final": routes.view_input(P, 1),
    "input_view_unknown_id": routes.view_input(P, 999999),
    "input_update_ARCHIVE": routes.update_inputs(P, [36], "ARCHIVE"),
    "input_update_RETRY": routes.update_inputs(P, [36], "RETRY"),
    "probe_model_runs_after": routes.list_model_runs(P),
    "probe_all_types_annotations": routes.list_annotations(P, 240),
    **{
        name: packet(name)
        for name in (
            "packet_from_url_box",
            "packet_child_of_compound",
            "packet_mode_update",
            "packet_mode_update_with_existing",
            "packet_video",
            "probe_model_refs",
            "probe_packet_from_blob_path",
        )
    },
}
"""Requests that are the recorded ones, body and all."""

BROADER: dict[str, Request[Any]] = {
    "input_view_list_just_after_packet": routes.list_inputs(P, limit=10),
    "input_view_list_of_parent": routes.list_inputs(P, parent_file_id=6, limit=10),
    "batch_of_three_one_bad__view_list_by_batch_id": routes.list_inputs(P, batch_id=4, limit=100),
}
"""Requests that hold what was recorded, and further keys."""


def read(name: str, request: Request[Any]) -> Any:
    pair = recording(name)
    return value_of(request, pair.status, pair.headers, pair.body)


@pytest.mark.parametrize("name", SAME)
def test_method_path_query_and_body_are_the_recorded_ones(name: str):
    pair, request = recording(name), SAME[name]
    parts = urlsplit(pair.path)
    assert (request.method, request.path) == (pair.method, parts.path)
    assert {key: str(value) for key, value in request.params.items()} == dict(parse_qsl(parts.query))
    assert request.json == pair.sent


@pytest.mark.parametrize("name", BROADER)
def test_path_is_the_recorded_one_and_the_body_holds_the_recorded_keys(name: str):
    pair, request = recording(name), BROADER[name]
    assert (request.method, request.path) == (pair.method, pair.path)
    assert request.json | pair.sent == request.json
    assert request.json["status_filter"] == "All"


@pytest.mark.parametrize(
    "name, request_",
    [
        ("compound_child_files", routes.list_children(P, 6)),
        ("file_annotation_list", routes.list_annotations(P, 5)),
        ("input_batch_new", routes.create_batch(P)),
        ("probe_attr_list_all_kinds", routes.list_attributes(P)),
    ],
)
def test_paths_of_requests_that_send_less_than_was_recorded(name: str, request_: Request[Any]):
    pair = recording(name)
    assert (request_.method, request_.path) == (pair.method, urlsplit(pair.path).path)
    assert {**(pair.sent or {}), **(request_.json or {})} == (pair.sent or {})
    assert value_of(request_, pair.status, pair.headers, pair.body)


def test_attributes_are_asked_of_the_whole_project_in_the_only_mode_there_is_2_2():
    assert routes.list_attributes(P).json == {"mode": "from_project"}


def test_files_are_listed_as_recorded_but_a_thousand_at_once_2_6():
    pair, request = recording("probe_file_list_base"), routes.list_files(P, 2, search_term="cat")
    assert request.path.replace("/user/any/", "/user/x/") == pair.path
    assert request.json["metadata"] | pair.sent["metadata"] == request.json["metadata"] | {"limit": 2}
    assert request.json["metadata"]["limit"] == 1000


@pytest.mark.parametrize("name", [name for name in SAME if name != "input_view_unknown_id"])
def test_the_recorded_answer_is_read(name: str):
    value = read(name, SAME[name])
    body = recording(name).answer
    if isinstance(value, list):
        (rows,) = (
            [body] if isinstance(body, list) else [each for each in body.values() if isinstance(each, list)]
        )
        assert [each.id for each in value] == [row["id"] for row in rows]
    else:
        assert value is not None


def test_labels_are_read_with_their_label_file_id_not_the_label_id_2_1():
    listed = read("labels_list", SAME["labels_list"])
    rows = recording("labels_list").answer["labels_out"]
    assert {label.id: label.name for label in listed.labels} == {
        row["id"]: row["label"]["name"] for row in rows
    }


def test_the_answer_to_a_packet_holds_no_id_quirk_1():
    assert read("packet_from_url_box", SAME["packet_from_url_box"]).input_id is None


def upload() -> Upload:
    return Upload("local-2.png", 3, lambda: io.BytesIO(b"abc"))


def test_an_upload_holds_the_recorded_parts_2_8():
    pair = recording("from_local_with_instances")
    parts = {part["name"]: part for part in pair.sent["multipart"]}
    body = json.loads(parts["json"]["value"])
    request = routes.upload_local(P, upload(), body)
    assert (request.method, request.path, request.write) == (pair.method, pair.path, True)
    assert request.upload is not None
    assert json.loads(request.upload.form["json"]) == body
    assert request.upload.filename == parts["file"]["filename"]
    reply = value_of(request, pair.status, pair.headers, pair.body)
    assert (reply.file.id, reply.input.id, reply.input.succeeded) == (15, 11, True)


def test_an_upload_with_numbers_that_are_no_json_is_refused_quirk_59():
    with pytest.raises(ValueError, match="JSON"):
        routes.upload_local(P, upload(), {"score": float("nan")})


ALL: list[Request[Any]] = [
    *SAME.values(),
    *BROADER.values(),
    routes.create_label(P, "cat", 1),
    routes.create_dataset(P, "d"),
    routes.list_children(P, 6),
    routes.list_files(P, 2),
    routes.probe_write(P),
    routes.create_batch(P),
    routes.upload_local(P, upload(), {}),
]


@pytest.mark.parametrize("request_", ALL, ids=lambda request: request.what)
def test_posts_have_a_body_quirk_40_and_no_path_ends_in_a_slash_quirk_44(request_: Request[Any]):
    if request_.method == "POST":
        assert request_.json is not None or request_.upload is not None
    assert request_.path.startswith("/api/")
    assert not request_.path.endswith("/")


def test_only_what_changes_twice_is_a_write():
    writes = {request.what for request in ALL if request.write}
    verbs = {what.split()[0] for what in writes}
    assert verbs == {"create", "send", "upload", "archive", "retry"}
    reads = {request.what.split()[0] for request in ALL if not request.write}
    assert not reads & {"send", "upload", "archive", "retry", "create"}


def test_a_project_name_is_quoted_in_every_path():
    assert routes.list_schemas("a/b c?d").path == "/api/v1/project/a%2Fb%20c%3Fd/labels-schema"
    assert routes.view_file("a/b", 5).json == {"file_id": 5, "project_string_id": "a/b"}


def test_no_request_shows_its_body_in_its_repr():
    request = routes.send_packet(P, {"media": {"url": "http://h/a.jpg?X-Amz-Signature=abc"}}, "a.jpg")
    assert "Signature" not in repr(request)
    assert "secret-text" not in repr(routes.upload_local(P, upload(), {"text": "secret-text"}))


def test_only_packets_count_against_the_packet_limit_1_5():
    limited = {request.path for request in ALL if request.limit}
    assert limited == {f"/api/walrus/v1/project/{P}/input/packet"}
