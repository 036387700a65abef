"""What each answer of the server means: one test per row of server.md 1.4, E1 to E14."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    TooLargeError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request
from tests.unit.client.judged import HTML, JSON, LABELS, PACKET, SIGNED, UPLOAD, VIEW, P, meaning, recorded
from tests.unit.recorded import recording


def test_e1_validation_is_refused_with_each_field():
    error = meaning(400, {"log": {"error": {"a": "Must be an int", "b": "no"}, "info": {}, "success": False}})
    assert type(error) is RefusedError
    assert error.status == 400
    assert error.fields == {"a": "Must be an int", "b": "no"}
    assert error.server_text == "a: Must be an int; b: no"
    assert "send packet cat-1.jpg" in str(error)
    assert error.server_text in str(error)


@pytest.mark.parametrize(
    "name, field",
    [
        ("packet_no_directory_id", "directory"),
        ("packet_empty_body", "input"),
        ("probe_packet_instance_list_empty", "instance_list"),
        ("probe_packet_from_blob_path_unsupported_provider", "unsupported"),
        ("compound_new_duplicate_name", "directory_id"),
    ],
)
def test_e1_as_recorded(name: str, field: str):
    error = recorded(name)
    assert type(error) is RefusedError
    assert field in error.fields


def test_e1_with_info_as_text():
    body = {
        "log": {"error": {"file_name": "Provide file_name"}, "info": "Started processing", "success": False}
    }
    assert meaning(400, body).fields == {"file_name": "Provide file_name"}


def test_e2_the_error_of_an_upload_is_a_plain_text():
    error = meaning(400, {"log": {"error": "No files", "info": {}, "success": False}}, UPLOAD)
    assert type(error) is RefusedError
    assert (error.fields, error.server_text) == ({}, "No files")


def test_e3_the_error_is_not_nested():
    body = {"error": {"schema": "Label Schema not found"}, "info": {}, "success": False}
    error = meaning(400, body, LABELS)
    assert type(error) is RefusedError
    assert error.fields == {"schema": "Label Schema not found"}


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, RefusedError),
        (401, CredentialError),
        (403, CredentialError),
        (404, WrongAddressError),
        (405, WrongAddressError),
        (413, TooLargeError),
        (429, RateLimitedError),
        (500, ServerFaultError),
        (502, ServerUnavailableError),
        (504, ServerUnavailableError),
    ],
)
def test_e4_an_error_as_text_is_told_by_its_status(status: int, kind: type[DiffgramError]):
    error = meaning(status, {"error": "the server's words"})
    assert type(error) is kind
    assert (error.status, error.server_text, error.fields) == (status, "the server's words", {})
    assert "the server's words" in str(error)


def test_e4_an_empty_500_is_a_fault_all_the_same():
    error = meaning(500, {"error": ""}, UPLOAD)
    assert type(error) is ServerFaultError
    assert error.server_text == ""
    assert "HTTP 500" in str(error)


@pytest.mark.parametrize(
    "name, words",
    [
        ("auth_bad_secret", ("Client ID or client secret", "another project", "role")),
        ("auth_viewer_packet", ("role does not allow this",)),
        ("auth_none", ("Client ID", "connection")),
        ("auth_none_python_requests_user_agent", ("client ID", "connection")),
    ],
)
def test_401_and_403_name_the_credential_and_the_remedy_quirk_26(name: str, words: tuple[str, ...]):
    error = recorded(name)
    assert type(error) is CredentialError
    assert isinstance(error, RefusedError)
    assert all(word.lower() in str(error).lower() for word in words)


def test_an_unknown_project_is_a_403_that_names_the_project_quirk_27():
    error = meaning(403, {"error": "403 Forbidden: (Project Scope) Can't find project"})
    assert type(error) is CredentialError
    assert "no such project" in str(error)
    assert "project_string_id" in str(error)


def test_e5_503_is_the_service_or_an_unknown_id_quirk_6():
    error = recorded("packet_unknown_parent")
    assert type(error) is ServerUnavailableError
    assert isinstance(error, OutcomeUnknownError)
    assert "service is down" in str(error)
    assert "does not exist" in str(error)
    assert "Service is unreachable" in error.server_text


def test_e6_an_upload_that_failed_is_an_input_with_its_reason():
    pair = recording("from_local_same_name_again")
    assert pair.status == 400
    row = value_of(UPLOAD, pair.status, pair.headers, pair.body).input
    assert row.failed
    assert row.existing_file_id == 15


def test_e6_without_a_row_still_tells_why():
    body = {
        "input": {"id": None, "status": None, "status_text": "Invalid file type: .xyz"},
        "log": {"error": {}},
    }
    reply = value_of(UPLOAD, 400, JSON, json.dumps(body).encode())
    assert (reply.input.id, reply.input.reason) == (None, "Invalid file type: .xyz")


def test_e7_plain_text_is_shown():
    error = meaning(400, b"Dataset not found", VIEW, HTML)
    assert type(error) is RefusedError
    assert error.server_text == "Dataset not found"
    assert "Dataset not found" in str(recorded("working_dir_view_unknown_name"))


def test_e8_a_bare_json_text_is_shown():
    error = meaning(400, "Error with directory", routes.list_files(P, 99))
    assert type(error) is RefusedError
    assert error.server_text == "Error with directory"


def test_e9_a_message_is_shown():
    body = {"message": " File not in valid project directory.", "success": False}
    error = meaning(400, body, routes.list_annotations(P, 9))
    assert type(error) is RefusedError
    assert error.server_text == "File not in valid project directory."


@pytest.mark.parametrize(
    "status, body, headers",
    [
        pytest.param(405, b"Not found.", HTML, id="E10"),
        pytest.param(500, b'{"error":"index.html"}', JSON, id="E11"),
        pytest.param(404, b'{"error":"404 Not Found: The requested URL"}', JSON, id="E14"),
        pytest.param(404, b"<html>nginx</html>", HTML, id="a proxy's 404"),
    ],
)
def test_e10_e11_e14_an_unknown_path_is_a_wrong_address_quirk_28(
    status: int, body: bytes, headers: dict[str, str]
):
    error = meaning(status, body, PACKET, headers)
    assert type(error) is WrongAddressError
    assert isinstance(error, RefusedError)
    assert PACKET.path in str(error)
    assert "host" in str(error)


def test_e10_as_recorded():
    assert type(recorded("wrong_path_api_v1_walrus_packet_POST")) is WrongAddressError


def test_e12_200_with_an_error_is_refused():
    error = meaning(200, {"error": "unknown upload"})
    assert type(error) is RefusedError
    assert (error.status, error.server_text) == (200, "unknown upload")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("request_", [PACKET, LABELS], ids=["write", "read"])
def test_e13_a_redirect_is_a_wrong_address_quirk_42(status: int, request_: Request[Any]):
    headers = HTML | {"location": SIGNED}
    error = meaning(status, b"<html>moved</html>", request_, headers)
    assert type(error) is WrongAddressError
    assert "https" in str(error)
    assert "http://storage.test/a.jpg" in str(error)
