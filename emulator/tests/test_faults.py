"""Faults on request, and the other controls."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
import requests

from diffgram_emulator.control import answer
from diffgram_emulator.process import EmulatorProcess
from helpers import call, rows
from world import until

LABEL = "/api/v1/project/{p}/label/new"
NAMES = "/api/v1/project/{p}/labels/view/name_to_file_id"


def names(emulator: EmulatorProcess) -> set[str]:
    return set(call(emulator, "GET", NAMES).json()["name_to_file_id"])


def new_label(emulator: EmulatorProcess, name: str) -> requests.Response:
    return call(emulator, "POST", LABEL, json={"name": name})


def test_a_status_is_answered_without_processing(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", status=502, body={"error": "bad gateway"}, times=2)
    answers = [new_label(diffgram_emulator, name) for name in ("one", "two", "three")]
    assert [one.status_code for one in answers] == [502, 502, 200]
    assert answers[0].json() == {"error": "bad gateway"}
    assert names(diffgram_emulator) == {"three"}


def test_a_reset_before_processing(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "reset_before")
    with pytest.raises(requests.ConnectionError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == set()


def test_a_reset_after_the_commit(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "reset_after")
    with pytest.raises(requests.ConnectionError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == {"one"}


def test_half_an_answer(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == {"one"}


def test_latency(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "latency", seconds=0.3)
    began = time.monotonic()
    assert new_label(diffgram_emulator, "one").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_only_matching_requests_meet_a_fault(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("labels/view", "status", method="POST")
    assert call(diffgram_emulator, "GET", NAMES).status_code == 200
    assert diffgram_emulator.control("state")["faults"] == 1
    assert diffgram_emulator.control("faults", method="DELETE") == {"faults": 0}


def test_an_answer_of_a_proxy(diffgram_emulator: EmulatorProcess) -> None:
    page, headers = "<h1>Bad gateway</h1>", {"Retry-After": "7", "Server": "nginx"}
    diffgram_emulator.fault("label/new", "status", status=502, body=page, headers=headers)
    answer = new_label(diffgram_emulator, "one")
    assert (answer.status_code, answer.text) == (502, page)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert (answer.headers["Retry-After"], answer.headers["Server"]) == ("7", "nginx")


def test_a_status_after_processing(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", status=500, processed=True)
    assert new_label(diffgram_emulator, "one").status_code == 500
    assert names(diffgram_emulator) == {"one"}


def test_a_status_without_a_body(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", status=204)
    answer = new_label(diffgram_emulator, "one")
    assert (answer.status_code, answer.content) == (204, b"")


def raw_answer(emulator: EmulatorProcess, request: bytes) -> bytes:
    host, _, port = emulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_malformed_status_line(diffgram_emulator: EmulatorProcess) -> None:
    """server.md 1.4: what a client sees without the dispatcher (quirk 7)."""
    diffgram_emulator.fault("/api/status", "malformed", times=2)
    raw = raw_answer(diffgram_emulator, b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n")
    line, _, rest = raw.partition(b"\r\n")
    assert line == b"HTTP/1.1 0 gkpj"
    assert "error" in json.loads(rest.partition(b"\r\n\r\n")[2])
    with pytest.raises(requests.ConnectionError):
        call(diffgram_emulator, "GET", "/api/status")


@pytest.mark.parametrize("processed", [True, False])
def test_a_malformed_status_line_through_the_dispatcher(
    diffgram_emulator: EmulatorProcess, processed: bool
) -> None:
    """server.md 1.4, E5 (quirk 6)."""
    diffgram_emulator.fault("label/new", "malformed", dispatched=True, processed=processed)
    answer = new_label(diffgram_emulator, "one")
    assert answer.status_code == 503
    assert answer.json()["error"]["service"] == "http://default"
    assert names(diffgram_emulator) == ({"one"} if processed else set())


@pytest.mark.parametrize("kind, stored", [("timeout_before", set()), ("timeout_after", {"one"})])
def test_no_answer_until_the_client_goes(
    diffgram_emulator: EmulatorProcess, kind: str, stored: set[str]
) -> None:
    diffgram_emulator.fault("label/new", kind)
    url = f"{diffgram_emulator.url}/api/v1/project/{diffgram_emulator.project}/label/new"
    auth = (diffgram_emulator.client_id, diffgram_emulator.client_secret)
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, json={"name": "one"}, auth=auth, timeout=0.5)
    assert names(diffgram_emulator) == stored


def test_no_answer_and_the_connection_dropped_after_a_time(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "timeout_after", seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        new_label(diffgram_emulator, "one")
    assert names(diffgram_emulator) == {"one"}


def answers_again(emulator: EmulatorProcess) -> bool:
    try:
        return call(emulator, "GET", "/api/status").status_code == 200
    except requests.ConnectionError:
        return False


def test_connections_are_refused_for_a_while(diffgram_emulator: EmulatorProcess) -> None:
    for _ in range(2):
        diffgram_emulator.refuse(0.4)
        with pytest.raises(requests.ConnectionError, match="refused"):
            call(diffgram_emulator, "GET", "/api/status")
        until(lambda: answers_again(diffgram_emulator), "the port to be open again")


def test_connections_are_refused_after_a_request(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "refuse", skip=1, seconds=0.4)
    assert new_label(diffgram_emulator, "one").status_code == 200
    assert new_label(diffgram_emulator, "two").status_code == 200
    until(lambda: not answers_again(diffgram_emulator), "the port to be closed")
    until(lambda: answers_again(diffgram_emulator), "the port to be open again")
    assert names(diffgram_emulator) == {"one", "two"}


def test_the_third_request(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new$", "status", status=500, skip=2)
    statuses = [new_label(diffgram_emulator, name).status_code for name in "abcd"]
    assert statuses == [200, 200, 500, 200]


def test_the_request_with_a_text_in_its_body(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", text='"b"', times=None)
    assert [new_label(diffgram_emulator, name).status_code for name in "abb"] == [200, 503, 503]


def test_some_requests_by_chance_and_the_same_ones_for_a_seed(diffgram_emulator: EmulatorProcess) -> None:
    tries = []
    for _ in range(2):
        diffgram_emulator.fault("/api/status", "status", times=None, probability=0.5, seed=7)
        tries.append([call(diffgram_emulator, "GET", "/api/status").status_code for _ in range(20)])
        diffgram_emulator.reset()
    assert tries[0] == tries[1]
    assert set(tries[0]) == {200, 503}


def test_a_path_is_matched_by_a_regular_expression(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("/label/(new|old)$", "status", method="POST")
    assert call(diffgram_emulator, "GET", NAMES).status_code == 200
    assert new_label(diffgram_emulator, "one").status_code == 503


def test_requests_are_counted(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("labels/view", "reset_before", skip=2)
    for _ in range(2):
        names(diffgram_emulator)
    with pytest.raises(requests.ConnectionError):
        names(diffgram_emulator)
    call(diffgram_emulator, "GET", "/api/v1/nothing")
    told = diffgram_emulator.requests()
    path = "/api/v1/project/{project}/labels/view/name_to_file_id"
    assert told["total"] == 4
    assert {(one["method"], one["path"], one["status"]): one["count"] for one in told["counts"]} == {
        ("GET", path, 200): 2,
        ("GET", path, None): 1,
        ("GET", "(none)", 500): 1,
    }
    latest = diffgram_emulator.requests(since=2)["latest"]
    assert [(one["number"], one["path"], one["status"]) for one in latest] == [
        (3, path, None),
        (4, "(none)", 500),
    ]
    assert latest[0]["time"] <= latest[1]["time"]
    diffgram_emulator.reset()
    assert diffgram_emulator.requests()["total"] == 0


def test_the_headers_of_an_answer(diffgram_emulator: EmulatorProcess) -> None:
    """server.md 1.1 (quirk 47)."""
    raw = raw_answer(diffgram_emulator, b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n")
    lines = raw.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert sum(line.startswith(b"date: ") for line in lines) == 2
    assert {b"connection: close", b"vary: cookie"} <= set(lines)
    assert any(line.startswith(b"strict-transport-security: ") for line in lines)
    assert raw.endswith(b"\r\n\r\ntrue\n")


def test_plain_http_is_sent_to_https(diffgram_emulator: EmulatorProcess) -> None:
    """server.md 1.4, E13 (quirk 42): for POST too, and followed it becomes a GET."""
    diffgram_emulator.tune(https_redirect=True)
    options: dict[str, Any] = {"json": {"name": "a<b"}, "params": {"x": "<1>"}, "allow_redirects": False}
    sent = call(diffgram_emulator, "POST", LABEL, **options)
    assert sent.status_code == 302
    assert sent.headers["Content-Type"].startswith("text/html")
    expected = sent.url.replace("http://", "https://")
    assert sent.headers["Location"] == expected
    assert "<1>" not in sent.text
    through = call(diffgram_emulator, "POST", LABEL, headers={"X-Forwarded-Proto": "https"}, **options)
    assert through.status_code == 200
    diffgram_emulator.reset()
    assert call(diffgram_emulator, "POST", LABEL, **options).status_code == 200


@pytest.mark.parametrize(
    "options", [{"cycle": -1}, {"rows_per_cycle": "2"}, {"workers": 0}, {"rate_limit": 1}, {"data": "/tmp"}]
)
def test_options_that_cannot_be(diffgram_emulator: EmulatorProcess, options: dict[str, Any]) -> None:
    url = diffgram_emulator.url + "/emulator/options"
    before = diffgram_emulator.control("state")["options"]
    assert requests.post(url, json={"cycle": 9, **options}, timeout=5).status_code == 400
    assert diffgram_emulator.control("state")["options"] == before


@pytest.mark.parametrize(
    "body",
    [
        {"match": "x", "kind": "fire"},
        {"kind": "status"},
        {"match": "x", "colour": 1},
        {"match": "(", "kind": "status"},
        {"match": "x", "kind": "status", "status": 0},
        {"match": "x", "kind": "status", "times": 0},
        {"match": "x", "kind": "status", "probability": 0},
        {"match": "x", "kind": "status", "skip": -1},
        {"match": "x", "kind": "status", "headers": {"X": "a\r\nb"}},
        {"match": "x", "kind": "latency", "seconds": -1},
        {"kind": "refuse"},
    ],
)
def test_unknown_faults_are_refused(diffgram_emulator: EmulatorProcess, body: dict[str, Any]) -> None:
    refused = requests.post(diffgram_emulator.url + "/emulator/faults", json=body, timeout=5)
    assert refused.status_code == 400


def test_controls_are_for_the_loopback_address_alone() -> None:
    assert answer(None, "GET", "/emulator/state", b"", "10.0.0.7").status == 403  # type: ignore[arg-type]
    assert answer(None, "GET", "/emulator/nothing", b"", "127.0.0.1").status == 404  # type: ignore[arg-type]


def test_a_reset_forgets_faults(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.fault("label/new", "status", times=5)
    diffgram_emulator.reset()
    assert new_label(diffgram_emulator, "one").status_code == 200


def test_a_paused_queue(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.pause_queue()
    before = diffgram_emulator.control("state")["waiting"]
    body = {"directory_id": 1, "type": "from_text_data", "text_data": "x", "media": {"type": "text"}}
    call(diffgram_emulator, "POST", "/api/walrus/v1/project/{p}/input/packet", json=body)
    assert diffgram_emulator.control("state")["waiting"] == before + 1
    assert [row["status"] for row in rows(diffgram_emulator)] == ["init"]
