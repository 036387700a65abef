"""What travels over the socket: headers, credentials, bodies; and what the clients show of themselves."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, StoppedError, TlsError, routes
from airflow_provider_diffgram.client.aio import AsyncDiffgramClient, shared_client
from airflow_provider_diffgram.client.request import Request, Steps, Upload, ask, pause
from airflow_provider_diffgram.client.settings import USER_AGENT
from tests.unit.client.both_clients import BOTH, Sync
from tests.unit.client.counted_clock import CountedClock
from tests.unit.client.scripted_server import Answer, answering
from tests.unit.recorded import recording

ACCEPTED = Answer(body={"input_id": None, "log": {"error": {}, "info": {}, "success": True}})
RUNS = Answer(body={"model_run_list": [{"id": 1, "reference_id": "r"}]})
LABELS = Answer(body=recording("labels_list").answer)
READ = routes.list_model_runs("p")
PACKET = routes.send_packet("p", {"directory_id": 2}, "a.jpg")
UPLOADED = Answer(body=recording("from_local_with_instances").answer)


@pytest.mark.parametrize("transport", BOTH)
def test_every_request_carries_basic_auth_and_our_user_agent_1_2_and_quirk_26(transport: Any):
    with answering(RUNS) as server:
        transport(server.settings()).send(READ)
        (asked,) = server.asked
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"id:very-secret").decode()
    assert asked.headers["user-agent"] == USER_AGENT
    assert asked.body == b"{}"
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("transport", BOTH)
def test_a_credential_beyond_ascii_travels_as_utf8(transport: Any):
    with answering(RUNS) as server:
        transport(server.settings(client_secret="gehëim")).send(READ)
        (asked,) = server.asked
    assert asked.headers["authorization"] == "Basic " + base64.b64encode("id:gehëim".encode()).decode()


@pytest.mark.parametrize("transport", BOTH)
def test_a_netrc_does_not_replace_the_credential(
    transport: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(RUNS) as server:
        transport(server.settings()).send(READ)
        assert base64.b64decode(server.asked[0].headers["authorization"].split()[1]) == b"id:very-secret"


@pytest.mark.parametrize("transport", BOTH)
def test_a_query_and_a_quoted_project_arrive_as_written(transport: Any):
    with answering(LABELS) as server:
        transport(server.settings()).send(routes.list_labels("my project/ü", 7))
        assert server.asked[0].path == "/api/project/my%20project%2F%C3%BC/labels?schema_id=7"


@pytest.mark.parametrize("transport", BOTH)
def test_steps_are_run_to_their_end_and_errors_reach_them(transport: Any):
    def steps() -> Steps[list[Any]]:
        runs = yield from ask(READ)
        yield from pause(3)
        try:
            yield from ask(READ)
        except ValueError:
            raise
        except Exception as error:  # noqa: BLE001 - which one is the test's question
            return [runs[0].id, type(error).__name__]
        return []

    with answering(RUNS, Answer(status=403, body={"error": "Can't find project"})) as server:
        client = transport(server.settings())
        assert client.run(steps()) == [1, "CredentialError"]
        assert client.clock.slept == [3]


@pytest.mark.parametrize("transport", BOTH)
def test_https_to_a_server_without_tls_is_a_tls_error_that_is_not_tried_again(transport: Any):
    with answering(RUNS) as server:
        settings = server.settings(retry_timeout=0.3)
        client = transport(server.settings(retry_timeout=0.3))
        client.settings = type(settings)(
            settings.host.replace("http", "https"), "p", "id", "very-secret", retry_timeout=0.3
        )
        with pytest.raises(TlsError, match="http://"):
            client.send(READ)
        assert client.clock.slept == []


def test_the_triggerers_client_refuses_writes_before_they_leave():
    with answering(ACCEPTED) as server:

        async def send() -> None:
            client = AsyncDiffgramClient(server.settings())
            try:
                await client.send(PACKET)
            finally:
                await client.aclose()

        with pytest.raises(ValueError, match="does not belong in the triggerer"):
            asyncio.run(send())
        assert server.asked == []


def test_a_loop_has_one_client_for_equal_settings():
    async def pair() -> tuple[Any, Any, Any]:
        with answering(RUNS) as server:
            mine, again = shared_client(server.settings()), shared_client(server.settings())
            other = shared_client(server.settings(project="q"))
            for client in (mine, other):
                await client.aclose()
            return mine, again, other

    mine, again, other = asyncio.run(pair())
    assert mine is again
    assert mine is not other
    assert asyncio.run(pair())[0] is not mine


@pytest.mark.parametrize("kind", [DiffgramClient, AsyncDiffgramClient])
def test_clients_do_not_show_the_secret(kind: Any):
    with answering(RUNS) as server:
        shown = repr(kind(server.settings()))
    assert server.url in shown
    assert "very-secret" not in shown


def upload(content: bytes) -> tuple[Any, list[io.BytesIO]]:
    opened: list[io.BytesIO] = []

    def open_it() -> io.BytesIO:
        opened.append(io.BytesIO(content))
        return opened[-1]

    return routes.upload_local("p", Upload("a.png", len(content), open_it), {"directory_id": 2}), opened


def test_an_upload_announces_its_length_instead_of_chunks():
    request, opened = upload(b"0123456789" * 1000)
    with answering(UPLOADED) as server:
        assert Sync(server.settings()).send(request).input.succeeded
        (asked,) = server.asked
    assert "transfer-encoding" not in asked.headers
    assert int(asked.headers["content-length"]) == len(asked.body)
    assert b"0123456789" * 1000 in asked.body
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert opened[0].closed


def test_an_upload_that_is_sent_again_opens_its_file_again():
    request, opened = upload(b"abc")
    limited = Answer(status=429, body={"error": "429 Too Many Requests"})
    with answering(limited, UPLOADED) as server:
        Sync(server.settings()).send(request)
        assert len(server.asked) == 2
    assert len(opened) == 2
    assert all(each.closed for each in opened)


def used_up() -> dict[str, str]:
    """Return the headers of the one request that a window admits."""
    reset = str(time.time() + 2)
    return {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}


def test_packets_are_paced_by_the_servers_headers_1_5():
    clock = CountedClock(time.sleep)
    full = Answer(body=ACCEPTED.body, headers=used_up())
    with answering(full, ACCEPTED) as server, DiffgramClient(server.settings(), clock) as client:
        client.send(PACKET)
        client.send(Request("look", "POST", "/api/x", lambda body: body, json={}))
        assert clock.slept == []
        client.send(PACKET)
    assert 0.5 < sum(clock.slept) < 1.5


def test_each_limit_has_a_pace_of_its_own_1_5():
    chunk = routes.upload_large(
        "p", Upload("a.png", 3, lambda: io.BytesIO(b"abc")), directory_id=2, upload_id="u"
    )[0]
    clock = CountedClock(time.sleep)
    full = Answer(body=ACCEPTED.body, headers=used_up())
    with (
        answering(full, Answer(body={"success": True}), ACCEPTED) as server,
        DiffgramClient(server.settings(), clock) as client,
    ):
        client.send(PACKET)
        client.send(chunk)
        assert clock.slept == []
        client.send(PACKET)
    assert 0.5 < sum(clock.slept) < 1.5


def test_a_wait_ends_soon_after_it_is_asked_to_stop():
    stop = threading.Event()
    clock = CountedClock(lambda _: stop.set() if clock.monotonic() >= 3 else None)
    with answering(RUNS) as server:
        client = DiffgramClient(server.settings(), clock)
        stopping = client.interrupted_by(stop)
        stopping.run(ask(READ))
        with pytest.raises(StoppedError, match="asked to stop"):
            stopping.run(pause(3600))
        assert clock.monotonic() < 4
        client.run(ask(READ))
        assert len(server.asked) == 2


def test_a_wait_that_is_not_stopped_takes_its_time():
    clock = CountedClock()
    with answering(RUNS) as server:
        client = DiffgramClient(server.settings(), clock)
        assert client.interrupted_by(threading.Event()).run(pause(1.7)) == pytest.approx(1.7)
