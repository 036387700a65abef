"""What every error carries: field, value, whether it was processed, what to do; and no secret."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramError,
    HostUnreachableError,
    NoReplyError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    TlsError,
    TooLargeError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request
from tests.unit.client.both_clients import BOTH
from tests.unit.client.every_route import EVERY, P, medium
from tests.unit.client.scripted_server import Answer, answering

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = b"<html><head><title>gateway</title></head></html>"
SECRET = "a-client-secret-of-some-length"
PACKET = routes.send_packet(P, {"directory_id": 2, "parent_file_id": "6", "instance_list": []}, "a.jpg")
COMPOUND = routes.create_compound(P, 2, "page-1", "compound", [])
LOCAL = routes.upload_local(P, medium(), {"directory_id": 99999})


def meaning(
    status: int,
    body: Any,
    request: Request[Any] = PACKET,
    headers: dict[str, str] | None = None,
    secrets: tuple[str, ...] = (),
) -> DiffgramError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(DiffgramError) as caught:
        value_of(request, status, headers or JSON, raw, secrets=secrets)
    error = caught.value
    assert error.remedy
    assert error.remedy in str(error)
    assert error.status == status
    return error


def refused(**fields: str) -> dict[str, Any]:
    return {"log": {"error": fields, "info": {}, "success": False}}


@pytest.mark.parametrize(
    "request_, fields, field, value",
    [
        (PACKET, {"instance_list": "List must not be empty"}, "instance_list", "[]"),
        (PACKET, {"parent_file_id": "Must be an int"}, "parent_file_id", "'6'"),
        (PACKET, {"unsupported": "x", "directory_id": "y"}, "directory_id", "2"),
        (PACKET, {"file_name": "Provide file_name along with directory_id"}, "file_name", None),
        (COMPOUND, {"directory_id": "File name: page-1 already exists in dataset d"}, "directory_id", "2"),
        (LOCAL, {"directory_id": "Bad"}, "directory_id", "99999"),
        (routes.list_labels(P, 9), {"schema_id": "no"}, "schema_id", "9"),
    ],
)
def test_a_refusal_names_the_field_and_what_was_sent_in_it(
    request_: Request[Any], fields: dict[str, str], field: str, value: str | None
):
    error = meaning(400, refused(**fields), request_)
    assert (error.field, error.value) == (field, value)
    assert value is None or f"{field} = {value}" in str(error)
    assert request_.what in str(error)
    assert error.processed is False


def test_a_value_is_cut_and_shows_no_signature():
    url = "http://storage.test/a.jpg?X-Amz-Signature=0123456789"
    error = meaning(400, refused(media="no"), routes.send_packet(P, {"media": {"url": url}}, "a.jpg"))
    assert error.value == "{'url': 'http://storage.test/a.jpg?...'}"
    long = routes.send_packet(P, {"instance_list": [{"x": 1}] * 500}, "a.jpg")
    error = meaning(400, refused(instance_list="no"), long)
    assert error.value is not None
    assert len(error.value) <= 60


@pytest.mark.parametrize(
    "request_, fields, words",
    [
        (PACKET, {"file_name": "Provide file_name along with directory_id"}, "media.url and media.type"),
        (COMPOUND, {"directory_id": "File name: page-1 already exists in dataset d"}, "look it up"),
        (COMPOUND, {"directory_id": "Dataset 9 does not belong to project p"}, "dataset of this project"),
        (PACKET, {"instance_list": "List must not be empty"}, "empty list out"),
        (PACKET, {"ordinal": "Must be an int"}, "whole numbers"),
        (PACKET, {"directory": "'directory_id' not supplied"}, "directory_id in the body"),
        (LOCAL, {"input": "Expecting a key 'json' in the form"}, "250 MiB"),
        (PACKET, {"connection_id": "Connection ID does not exist"}, "connection"),
        (PACKET, {"quantum": "unheard of"}, "Correct the request"),
    ],
)
def test_a_refusal_says_what_to_do_also_where_the_server_names_the_wrong_thing(
    request_: Request[Any], fields: dict[str, str], words: str
):
    assert words in meaning(400, refused(**fields), request_).remedy


def test_a_compound_that_was_refused_for_its_instances_exists_all_the_same_quirk_20():
    error = meaning(400, refused(instance_list_compound="Traceback"), COMPOUND)
    assert type(error) is RefusedError
    assert error.processed is True
    assert "look up its name" in error.remedy


@pytest.mark.parametrize(
    "status, body, headers, kind, processed",
    [
        (401, {"error": "no"}, JSON, CredentialError, False),
        (403, {"error": "no"}, JSON, CredentialError, False),
        (404, {"error": "no"}, JSON, WrongAddressError, False),
        (413, {"error": "no"}, JSON, TooLargeError, False),
        (302, PAGE, HTML, WrongAddressError, False),
        (200, PAGE, HTML, WrongAddressError, False),
        (200, {"error": "no"}, JSON, RefusedError, False),
        (400, PAGE, HTML, WrongAddressError, False),
        (403, PAGE, HTML, CredentialError, False),
        (413, PAGE, HTML, TooLargeError, False),
        (500, PAGE, HTML, ServerFaultError, None),
        (502, PAGE, HTML, ServerUnavailableError, None),
        (503, PAGE, HTML, ServerUnavailableError, None),
        (504, PAGE, HTML, ServerUnavailableError, None),
        (200, b'{"input_id": nu', JSON, ServerFaultError, None),
    ],
)
def test_every_error_says_whether_the_server_executed_it(
    status: int, body: Any, headers: dict[str, str], kind: type[DiffgramError], processed: bool | None
):
    error = meaning(status, body, headers=headers)
    assert type(error) is kind
    assert error.processed is processed


@pytest.mark.parametrize(
    "request_, words",
    [
        (routes.list_job_tasks(P, 9), "job that does not exist"),
        (routes.send_packet(P, {"connection_id": 3}, "a.jpg"), "connection of another project"),
    ],
)
def test_403_has_other_causes_here_2_7_and_2_17(request_: Request[Any], words: str):
    assert words in meaning(403, {"error": "403 Forbidden"}, request_).remedy
    assert words not in meaning(403, {"error": "403 Forbidden"}).remedy


def test_a_page_is_told_from_the_plain_text_of_diffgram_e7():
    error = meaning(400, b"Dataset not found", headers=HTML)
    assert type(error) is RefusedError
    assert "proxy" in str(meaning(403, PAGE, headers=HTML))
    assert "https://" in str(meaning(400, PAGE, headers=HTML))


NGINX = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"
    b"</center>\r\n<hr><center>nginx/1.25.3</center>\r\n</body>\r\n</html>\r\n"
)
LOGIN = (
    b"\xef\xbb\xbf<!DOCTYPE html><html><head><title>Sign in</title><script>if (a < b) token('x');</script>"
    b"<style>a {}</style></head><body><form action=/login>Please&nbsp;log <b>in</b><input></form></body>"
)
STORAGE = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.mark.parametrize(
    "status, page, said",
    [
        (502, NGINX, "502 Bad Gateway; nginx/1.25.3"),
        (200, LOGIN, "Sign in; Please log; in"),
        (403, STORAGE, "AccessDenied; Access Denied"),
        (
            500,
            b"<html><body>" + b"<p>word &amp; word</p>" * 3 + b"<p>" + b"x" * 5000,
            "word & word; " + "x" * 107,
        ),
        (502, b"<html></html>", ""),
        (502, b"<" * 9000, None),
    ],
)
def test_of_a_page_only_what_a_person_would_read_of_it_is_said(status: int, page: bytes, said: str | None):
    error = meaning(status, page, headers=HTML)
    assert said is None or error.server_text == said
    assert "\n" not in str(error)
    assert len(str(error)) < 500
    for markup in ("<html", "<title", "script", "token", "{"):
        assert markup not in str(error)


@pytest.mark.parametrize("status", [502, 503, 504, 521, 524])
def test_a_proxy_that_gets_no_answer_from_diffgram_is_an_outage(status: int):
    error = meaning(status, NGINX, headers={**HTML, "retry-after": "7"})
    assert isinstance(error, ServerUnavailableError)
    assert error.retry_after == 7
    assert "a proxy in front of Diffgram got no answer from it" in str(error)
    assert "ids" not in error.remedy


@pytest.mark.parametrize("transport", BOTH)
@pytest.mark.parametrize(
    "status, body", [(200, LOGIN), (302, b""), (404, b"{}"), (401, b"{}"), (502, NGINX), (503, b"{}")]
)
def test_what_is_wrong_with_the_place_names_host_and_connection(transport: Any, status: int, body: bytes):
    with answering(Answer(status, body, dict(HTML))) as server, pytest.raises(DiffgramError) as caught:
        transport(server.settings(name="diffgram_eu", retry_timeout=0)).send(routes.list_schemas(P))
    assert str(caught.value).endswith(f"Asked: {server.url}, project 'p', connection 'diffgram_eu'")


@pytest.mark.parametrize("transport", BOTH)
def test_a_host_that_does_not_answer_is_named_with_its_connection(transport: Any):
    with answering(Answer(kind="reset")) as server:
        settings = server.settings(name="diffgram_eu", retry_timeout=0)
        with pytest.raises(NoReplyError, match=re.escape(f"{server.url} (connection 'diffgram_eu') broke")):
            transport(settings).send(routes.list_schemas(P))
    with pytest.raises(
        HostUnreachableError, match=re.escape(f"{server.url} (connection 'diffgram_eu'): nothing")
    ):
        transport(settings).send(routes.list_schemas(P))


def test_e5_names_the_ids_of_the_request_and_no_field_quirk_6():
    body = {"error": {"message": "Service is unreachable", "port": 8082, "service": "http://walrus"}}
    error = meaning(503, body)
    assert (error.fields, error.field) == ({}, None)
    assert error.server_text == "Service is unreachable"
    assert "directory_id 2" in str(error)
    assert "parent_file_id '6'" in str(error)
    assert "Check the ids" in error.remedy


@pytest.mark.parametrize(
    "location, words",
    [
        ("https://diffgram.test/api/v1/x", "write https://diffgram.test as the host"),
        ("http://login.test/?next=1&token=abc", "write http://login.test as the host"),
        ("/login", "Use https"),
        ("https://[broken", "Use https"),
        ("https://user:hidden@diffgram.test/", "https://...@diffgram.test"),
    ],
)
def test_e13_a_redirect_says_which_address_to_write_quirk_42(location: str, words: str):
    error = meaning(302, PAGE, headers=HTML | {"location": location})
    assert words in error.remedy
    assert "hidden" not in str(error)
    assert "abc" not in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"error": f"Basic {SECRET}"},
        {"log": {"error": {"authorization": SECRET, SECRET: "x"}}},
        SECRET,
        f"plain {SECRET}".encode(),
        {"message": SECRET},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
def test_a_secret_that_the_answer_repeats_is_not_shown(status: int, body: Any):
    with pytest.raises(DiffgramError) as caught:
        value_of(
            routes.view_file(P, 5),
            status,
            JSON,
            body if isinstance(body, bytes) else json.dumps(body).encode(),
            secrets=(SECRET,),
        )
    error = caught.value
    assert SECRET not in f"{error}{error!r}{error.fields}{error.server_text}{error.value}{error.remedy}"


@pytest.mark.parametrize("transport", BOTH)
def test_a_proxy_that_echoes_the_header_does_not_make_the_secret_public(transport: Any):
    with (
        answering(
            Answer(status=400, body={"error": "saw Authorization: Basic aWQ6dmVyeS1zZWNyZXQ= very-secret"})
        ) as server,
        pytest.raises(RefusedError) as caught,
    ):
        transport(server.settings()).send(routes.list_model_runs("p"))
    assert "saw Authorization" in str(caught.value)
    assert "very-secret" not in repr(caught.value)
    assert "aWQ6" not in f"{caught.value!r}{caught.value.server_text}"


@pytest.mark.parametrize("kind", [TlsError, HostUnreachableError, NoReplyError, ServerFaultError])
def test_errors_that_others_raise_have_the_remedy_of_their_kind(kind: type[DiffgramError]):
    assert kind("words").remedy
    assert kind("words", remedy="mine", processed=True).remedy == "mine"
    assert kind("words", processed=True).processed is True


def test_an_error_survives_the_way_between_processes():
    error = meaning(400, refused(instance_list="List must not be empty"))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("name", EVERY)
def test_every_route_names_itself_in_its_errors(name: str):
    request = EVERY[name][0]
    assert request.what in str(meaning(500, {"error": ""}, request))
