"""Whatever is sent, the emulator answers in one of the documented shapes and lives on (server.md 1.4).

What nobody foresaw ends in the emulator's log, where these tests look for it after every request.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diffgram_emulator.process import EmulatorProcess
from helpers import call, default_dataset, label, own_image, rows, send, upload
from strategies import BOX, Sent, instances, sent, ways
from world import until

SETTINGS = settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)


class Server:
    """The emulator under attack, and what it wrote into its log."""

    def __init__(self, emulator: EmulatorProcess) -> None:
        self.emulator = emulator
        self.log = emulator.data_dir / "emulator.log"
        self._address = emulator.url.removeprefix("http://")
        pair = f"{emulator.client_id}:{emulator.client_secret}".encode()
        self._auth = "Basic " + base64.b64encode(pair).decode()
        self._read = 0
        self._sent = 0
        self._picture = own_image(emulator).encode()

    def ask(self, request: Sent) -> tuple[int, str, bytes]:
        """Send a request and return status, content type and body of the answer.

        Every name is made new, and the URL one of a picture, so that more than duplicates is found.
        """
        self._sent += 1
        body = request.body.replace(b"@url@", self._picture).replace(b"@name@", str(self._sent).encode())
        connection = http.client.HTTPConnection(self._address, timeout=20)
        try:
            headers = {"Authorization": self._auth, **request.headers}
            connection.request(request.endpoint.method, request.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read()
        finally:
            connection.close()

    def unforeseen(self) -> str:
        """Return what was logged since the last call, if anything nobody foresaw is in it."""
        with self.log.open() as log:
            log.seek(self._read)
            text = log.read()
            self._read = log.tell()
        return text if "unexpected at" in text or "Traceback" in text else ""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    with EmulatorProcess.start(folder, rate_limit=False, media_timeout=2.0) as emulator:
        label(emulator, "cat")
        upload(emulator, "a.png", directory_id=1, instance_list=[BOX])
        call(emulator, "POST", "/api/v1/project/{p}/attribute/group/new", json={})
        call(emulator, "POST", "/api/v1/project/{p}/input-batch/new", json={})
        yield Server(emulator)


def is_documented(status: int, kind: str, body: bytes) -> bool:
    """Tell whether an answer has one of the shapes of server.md 1.4."""
    if kind.startswith("text/html") or not body.endswith(b"\n"):
        return (status, body) in ((405, b"Not found."), (400, b"Dataset not found")) or status == 400
    value = json.loads(body)
    if status == 200:
        return True
    if status == 503:
        return set(value["error"]) == {"message", "port", "service"}
    if status == 400:
        log = value.get("log", value) if isinstance(value, dict) else {}
        return (
            isinstance(value, str)
            or ("error" in log and {"info", "success"} <= set(log))
            or set(value) == {"message", "success"}
            or list(value) == ["error"]
        )
    return (
        status in (401, 403, 404, 405, 413, 500)
        and list(value) == ["error"]
        and isinstance(value["error"], str)
    )


@SETTINGS
@given(sent())
def test_every_answer_has_a_documented_shape(server: Server, request_: Sent) -> None:
    status, kind, body = server.ask(request_)
    unforeseen = server.unforeseen()
    assert not unforeseen, unforeseen
    assert is_documented(status, kind, body), (status, kind, body[:500])


@settings(SETTINGS, max_examples=250)
@given(
    st.lists(instances(), min_size=1, max_size=2),
    st.sampled_from(["/from_local", "/v1/project/{project}/input/packet", "/new-compound"]),
)
def test_every_instance_is_stored_or_refused(
    server: Server, instance_list: list[dict[str, Any]], way: str
) -> None:
    """Those of packets are looked at later, by threads that may die of them (quirk 49), but not otherwise."""
    status, kind, answer = server.ask(ways(instance_list, way))
    unforeseen = server.unforeseen()
    assert not unforeseen, unforeseen
    assert status in (200, 503) or b"instance_list_compound" in answer, answer
    assert is_documented(status, kind, answer), (status, kind, answer[:500])


def test_it_is_alive_and_ingests_afterwards(server: Server) -> None:
    """The queue holds what was sent before; with dead threads replaced a good packet gets in."""
    emulator = server.emulator
    emulator.reset()
    assert call(emulator, "GET", "/api/status").json() is True
    fresh = emulator.with_project("afterwards")
    cat = label(fresh, "cat")
    send(fresh, "good.png", own_image(fresh), instance_list=[{**BOX, "label_file_id": cat}])

    def arrived() -> bool:
        emulator.reset()
        return rows(fresh)[0]["status"] == "success"

    until(arrived, "the good packet")
    assert default_dataset(fresh) > 0
    assert not server.unforeseen()
