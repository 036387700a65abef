"""Packets on servers that take them where the vendor's documentation says (wire contract 6, quirk 28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramClient,
    DiffgramError,
    NoReplyError,
    RefusedError,
    ServerUnavailableError,
    WrongAddressError,
    routes,
)
from tests.unit.client.both_clients import BOTH, Sync
from tests.unit.client.scripted_server import Answer, Scripted, answering

SERVED = "/api/walrus/v1/project/p/input/packet"
DOCUMENTED = "/api/v1/walrus/project/p/input/packet"
MISSING = Answer(status=405, body=b"Not found.")
GONE = Answer(status=404, body={"error": "404 Not Found"})
ACCEPTED = Answer(body={"input_id": 17, "log": {"error": {}, "info": {}, "success": True}})
MAY_WRITE = Answer(status=400, body={"log": {"error": {"directory": "no"}, "success": False}})
PACKET = routes.send_packet("p", {"directory_id": 2}, "a.jpg")
PROBE = routes.probe_write("p")


@contextmanager
def serving(**by_path: Answer) -> Iterator[Scripted]:
    """Serve each path with its own answer: ``served`` and ``documented``."""
    paths = {SERVED: by_path["served"], DOCUMENTED: by_path["documented"]}
    with answering(Answer()) as server:
        server.next_answer = lambda: paths[server.asked[-1].path]  # type: ignore[method-assign]
        yield server


def paths(server: Scripted) -> list[str]:
    return [asked.path for asked in server.asked]


def test_a_served_path_is_the_only_one_that_is_asked():
    with serving(served=ACCEPTED, documented=MISSING) as server, DiffgramClient(server.settings()) as client:
        for _ in range(3):
            client.send(PACKET)
        assert paths(server) == [SERVED] * 3


@pytest.mark.parametrize("missing", [MISSING, GONE], ids=["405", "404"])
def test_the_documented_path_is_found_once_and_remembered(missing: Answer):
    with serving(served=missing, documented=ACCEPTED) as server:
        with DiffgramClient(server.settings()) as client:
            assert [client.send(PACKET).input_id for _ in range(3)] == [17] * 3
        with DiffgramClient(server.settings()) as another:
            another.send(PACKET)
        assert paths(server) == [SERVED] + [DOCUMENTED] * 4


@pytest.mark.parametrize("transport", BOTH)
def test_the_probe_of_permission_finds_it_too(transport: Any):
    with serving(served=MISSING, documented=MAY_WRITE) as server:
        for _ in range(2):
            with pytest.raises(RefusedError) as caught:
                transport(server.settings()).send(PROBE)
            assert "directory" in caught.value.fields
        assert paths(server) == [SERVED, DOCUMENTED, DOCUMENTED]


@pytest.mark.parametrize(
    "answer, kind",
    [
        (Answer(status=503, body={"error": {"message": "m"}}), ServerUnavailableError),
        (Answer(kind="reset"), NoReplyError),
        (Answer(kind="malformed"), NoReplyError),
        (Answer(status=403, body={"error": "Failed API Permissions"}), CredentialError),
        (Answer(status=400, body={"error": "no"}), RefusedError),
        (Answer(status=302, headers={"Location": "https://x.test"}), WrongAddressError),
        (Answer(body=b"<html>", headers={"Content-Type": "text/html"}), WrongAddressError),
    ],
)
def test_nothing_but_404_and_405_leads_to_the_other_path(answer: Answer, kind: type[DiffgramError]):
    with serving(served=answer, documented=ACCEPTED) as server:
        with pytest.raises(kind):
            Sync(server.settings()).send(PACKET)
        assert paths(server) == [SERVED]


@pytest.mark.parametrize("transport", BOTH)
def test_a_server_with_neither_is_a_wrong_address(transport: Any):
    with serving(served=MISSING, documented=GONE) as server:
        with pytest.raises(WrongAddressError, match="packet_path") as caught:
            transport(server.settings()).send(PROBE)
        assert paths(server) == [SERVED, DOCUMENTED]
        assert caught.value.status == 405
        assert SERVED in str(caught.value)


def test_a_web_page_at_the_documented_path_is_not_remembered():
    page = Answer(body=b"<html>", headers={"Content-Type": "text/html"})
    with serving(served=MISSING, documented=page) as server:
        for _ in range(2):
            with pytest.raises(WrongAddressError):
                Sync(server.settings()).send(PACKET)
        assert paths(server) == [SERVED, DOCUMENTED] * 2


def test_a_server_that_was_replaced_is_found_again():
    with serving(served=MISSING, documented=ACCEPTED) as server:
        Sync(server.settings()).send(PACKET)
        answers = {SERVED: ACCEPTED, DOCUMENTED: MISSING}
        server.next_answer = lambda: answers[server.asked[-1].path]  # type: ignore[method-assign]
        for _ in range(2):
            Sync(server.settings()).send(PACKET)
        assert paths(server) == [SERVED, DOCUMENTED, DOCUMENTED, SERVED, SERVED]


@pytest.mark.parametrize("path, asked", [("served", SERVED), ("documented", DOCUMENTED)])
@pytest.mark.parametrize("transport", BOTH)
def test_a_path_that_was_chosen_is_the_only_one(transport: Any, path: str, asked: str):
    answers = {"served": MISSING, "documented": MISSING}
    with serving(**answers) as server:
        with pytest.raises(WrongAddressError, match=asked):
            transport(server.settings(packet_path=path)).send(PROBE)
        assert paths(server) == [asked]


def test_other_projects_of_a_server_are_found_for_themselves():
    with serving(served=MISSING, documented=ACCEPTED) as server:
        Sync(server.settings()).send(PACKET)
        Sync(server.settings(project="q")).send(PACKET)
        assert paths(server) == [SERVED, DOCUMENTED] * 2


def test_threads_find_it_together():
    with (
        serving(served=MISSING, documented=ACCEPTED) as server,
        DiffgramClient(server.settings()) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda _: client.send(PACKET).input_id, range(40)))
        assert answers == [17] * 40
        asked = Counter(paths(server))
        assert asked[DOCUMENTED] == 40
        assert 1 <= asked[SERVED] <= 8


def test_other_requests_have_one_path():
    with answering(GONE) as server:
        with pytest.raises(WrongAddressError):
            Sync(server.settings()).send(routes.list_model_runs("p"))
        assert len(server.asked) == 1
