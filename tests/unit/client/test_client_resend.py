"""What may befall a request on its way, over a socket and in both transports."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramClient,
    HostUnreachableError,
    NoReplyError,
    ServerUnavailableError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.request import ask_together
from tests.unit.client.both_clients import BOTH, Sync
from tests.unit.client.scripted_server import Answer, answering

ACCEPTED = Answer(body={"input_id": 17, "log": {"error": {}, "info": {}, "success": True}})
RUNS = Answer(body={"model_run_list": [{"id": 1, "reference_id": "r"}]})
READ = routes.list_model_runs("p")
PACKET = routes.send_packet("p", {"directory_id": 2}, "a.jpg")

BROKEN = [
    pytest.param(Answer(kind="reset"), id="reset"),
    pytest.param(Answer(kind="truncate", body={"input_id": None}), id="cut off"),
    pytest.param(Answer(kind="malformed"), id="malformed status line"),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_a_write_whose_answer_is_lost_is_never_sent_again(answer: Answer):
    with answering(answer, ACCEPTED) as server:
        with pytest.raises(NoReplyError, match="may have executed"):
            Sync(server.settings()).send(PACKET)
        assert len(server.asked) == 1


@pytest.mark.parametrize("answer", BROKEN)
@pytest.mark.parametrize("transport", BOTH)
def test_a_read_whose_answer_is_lost_is_sent_again(transport: Any, answer: Answer):
    with answering(answer, answer, RUNS) as server:
        client = transport(server.settings(retry_timeout=60))
        assert [run.id for run in client.send(READ)] == [1]
        assert len(server.asked) == 3
        assert len(client.clock.slept) == 2


@pytest.mark.parametrize("transport", BOTH)
def test_a_503_on_a_read_is_repeated_until_patience_ends(transport: Any):
    with answering(Answer(status=503)) as server:
        client = transport(server.settings(retry_timeout=20))
        with pytest.raises(ServerUnavailableError):
            client.send(READ)
        assert len(server.asked) == len(client.clock.slept) + 1 > 3
        assert sum(client.clock.slept) <= 20


@pytest.mark.parametrize("transport", BOTH)
def test_nobody_at_the_address_is_told_and_tried_again_for_a_while(transport: Any):
    with answering(RUNS) as server:
        settings = server.settings(retry_timeout=5)
    client = transport(settings)
    with pytest.raises(HostUnreachableError, match=r"Check the host"):
        client.send(READ)
    assert client.clock.slept


@pytest.mark.parametrize("transport", BOTH)
def test_a_server_that_never_answers_ends_in_no_reply(transport: Any):
    with answering(Answer(kind="hang")) as server, pytest.raises(NoReplyError):
        transport(server.settings(read_timeout=0.2, retry_timeout=0)).send(READ)


def test_a_write_that_times_out_is_not_sent_again():
    with answering(Answer(kind="hang"), ACCEPTED) as server:
        with pytest.raises(NoReplyError, match="may have executed"):
            Sync(server.settings(read_timeout=0.2, retry_timeout=60)).send(PACKET)
        assert len(server.asked) == 1


@pytest.mark.parametrize("transport", BOTH)
def test_a_redirect_is_not_followed_quirk_42(transport: Any):
    with (
        answering(RUNS) as other,
        answering(Answer(status=302, headers={"Location": other.url + "/x"})) as server,
    ):
        with pytest.raises(WrongAddressError, match=other.url):
            transport(server.settings()).send(READ)
        assert other.asked == []


def test_threads_find_the_documented_path_together():
    answers = {PACKET.path: Answer(status=405, body=b"Not found."), PACKET.documented_path: ACCEPTED}
    with (
        answering(Answer()) as server,
        DiffgramClient(server.settings()) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        server.next_answer = lambda: answers[server.asked[-1].path]  # type: ignore[method-assign]
        replies = list(pool.map(lambda _: client.send(PACKET).input_id, range(40)))
        assert replies == [17] * 40
        asked = Counter(each.path for each in server.asked)
        assert asked[PACKET.documented_path] == 40
        assert 1 <= asked[PACKET.path] <= 8


@pytest.mark.parametrize("kind", BOTH)
def test_requests_that_need_not_wait_for_each_other_are_all_asked_and_answered(kind):
    with answering(*[RUNS] * 20) as server:
        client = kind(server.settings())
        answers = client.run(ask_together(routes.list_model_runs("p", [number]) for number in range(20)))
    assert [[run.reference_id for run in each] for each in answers] == [["r"]] * 20
    assert sorted(json.loads(asked.body)["id_list"][0] for asked in server.asked) == list(range(20))


@pytest.mark.parametrize("kind", BOTH)
def test_a_refusal_of_one_of_several_is_raised(kind):
    with answering(RUNS, Answer(status=403, body={"error": "no"})) as server:
        client = kind(server.settings())
        with pytest.raises(CredentialError):
            client.run(ask_together([READ, READ]))
