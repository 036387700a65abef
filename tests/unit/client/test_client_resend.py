"""What is sent again and what never, over a socket (design: what an answer means)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramClient,
    DiffgramError,
    HostUnreachableError,
    NoReplyError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    WrongAddressError,
    resend,
    routes,
)
from airflow_provider_diffgram.client.request import Request, ask_together
from tests.unit.client.both_clients import BOTH, Sync
from tests.unit.client.scripted_server import Answer, answering

ACCEPTED = Answer(body={"input_id": None, "log": {"error": {}, "info": {}, "success": True}})
RUNS = Answer(body={"model_run_list": [{"id": 1, "reference_id": "r"}]})
READ = routes.list_model_runs("p")
PACKET = routes.send_packet("p", {"directory_id": 2}, "a.jpg")

UNKNOWN = [
    pytest.param(Answer(kind="reset"), NoReplyError, id="reset"),
    pytest.param(Answer(kind="truncate", body={"input_id": None}), NoReplyError, id="cut off"),
    pytest.param(Answer(kind="malformed"), NoReplyError, id="malformed status line"),
    pytest.param(Answer(status=500, body={"error": "x"}), ServerFaultError, id="500"),
    pytest.param(Answer(status=502, body=b"bad gateway"), ServerFaultError, id="502"),
    pytest.param(Answer(status=504, body=b"timeout"), ServerFaultError, id="504"),
    pytest.param(Answer(status=503, body={"error": {"message": "m"}}), ServerUnavailableError, id="503"),
    pytest.param(Answer(body=b'{"input'), OutcomeUnknownError, id="half JSON"),
]
REFUSED = [
    pytest.param(Answer(status=status, body={"error": "no"}), kind, id=str(status))
    for status, kind in (
        (400, RefusedError),
        (401, CredentialError),
        (403, CredentialError),
        (404, WrongAddressError),
        (405, WrongAddressError),
        (413, RefusedError),
        (302, WrongAddressError),
        (200, RefusedError),
    )
]


@pytest.mark.parametrize("answer, kind", UNKNOWN)
def test_a_write_of_unknown_outcome_is_never_sent_again(answer: Answer, kind: type[DiffgramError]):
    with answering(answer, ACCEPTED) as server:
        client = Sync(server.settings())
        with pytest.raises(kind) as caught:
            client.send(PACKET)
        assert isinstance(caught.value, OutcomeUnknownError)
        assert len(server.asked) == 1


@pytest.mark.parametrize("answer, kind", UNKNOWN)
@pytest.mark.parametrize("transport", BOTH)
def test_a_read_is_repeated_whatever_happened_to_it(
    transport: Any, answer: Answer, kind: type[DiffgramError]
):
    with answering(answer, answer, RUNS) as server:
        client = transport(server.settings(retry_timeout=60))
        assert [run.id for run in client.send(READ)] == [1]
        assert len(server.asked) == 3
        assert len(client.slept) == 2


@pytest.mark.parametrize("answer, kind", REFUSED)
@pytest.mark.parametrize("transport", BOTH)
def test_what_is_refused_is_never_sent_again(transport: Any, answer: Answer, kind: type[DiffgramError]):
    with answering(answer, RUNS) as server:
        client = transport(server.settings(retry_timeout=60))
        with pytest.raises(kind):
            client.send(READ)
        assert len(server.asked) == 1
        assert client.slept == []


@pytest.mark.parametrize("transport", BOTH)
def test_a_500_on_a_read_is_tried_three_times_quirk_39(transport: Any):
    with answering(Answer(status=500, body={"error": "no project_id"})) as server:
        with pytest.raises(ServerFaultError):
            transport(server.settings(retry_timeout=60)).send(READ)
        assert len(server.asked) == 3


@pytest.mark.parametrize("transport", BOTH)
def test_a_503_on_a_read_is_repeated_until_patience_ends(transport: Any):
    with answering(Answer(status=503)) as server:
        client = transport(server.settings(retry_timeout=1))
        started = time.monotonic()
        with pytest.raises(ServerUnavailableError):
            client.send(READ)
        assert time.monotonic() - started < 30
        assert len(server.asked) >= 2
        assert all(0 <= seconds <= 10 for seconds in client.slept)


def limited(reset_in: float) -> Answer:
    headers = {
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(time.time() + reset_in),
        "Retry-After": "1",
    }
    return Answer(status=429, body={"error": "429 Too Many Requests"}, headers=headers)


def test_a_429_of_a_read_is_sent_again_after_the_window_1_5():
    with answering(limited(1.8), limited(1.9), RUNS) as server:
        client = Sync(server.settings(retry_timeout=0))
        client.send(READ)
        assert len(server.asked) == 3
        waited = [seconds for seconds in client.slept if seconds > 0]
        assert len(waited) == 2
        assert all(0.4 < seconds <= 1.5 for seconds in waited)


def test_a_429_of_a_packet_is_sent_again_when_its_turn_comes_1_5():
    with answering(limited(1.2), limited(1.5), ACCEPTED) as server:
        with DiffgramClient(server.settings(retry_timeout=0)) as client:
            client.send(PACKET)
        assert len(server.asked) == 3


def test_patience_with_429_is_longer_than_with_silence_and_still_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resend, "RATE_LIMIT_PATIENCE", 0.8)
    with answering(limited(1.5)) as server:
        client = Sync(server.settings(retry_timeout=0))
        with pytest.raises(RateLimitedError):
            client.send(READ)
        assert len(server.asked) >= 1
    assert resend.RATE_LIMIT_PATIENCE < 600


@pytest.mark.parametrize("transport", BOTH)
def test_nobody_at_the_address_is_told_and_tried_again_for_a_while(transport: Any):
    with answering(RUNS) as server:
        settings = server.settings(retry_timeout=0.5)
    client = transport(settings)
    with pytest.raises(HostUnreachableError, match=r"Check host"):
        client.send(READ)
    assert client.slept


def test_a_write_that_never_left_is_sent_again():
    with answering(ACCEPTED) as server:
        settings = server.settings(retry_timeout=0.5)
    client = Sync(settings)
    with pytest.raises(HostUnreachableError):
        client.send(PACKET)
    assert client.slept


@pytest.mark.parametrize("transport", BOTH)
def test_a_server_that_never_answers_ends_in_no_reply(transport: Any):
    with answering(Answer(kind="hang")) as server:
        client = transport(server.settings(read_timeout=0.2, retry_timeout=0.1))
        with pytest.raises(NoReplyError):
            client.send(READ)


def test_a_write_that_times_out_is_not_sent_again():
    with answering(Answer(kind="hang"), ACCEPTED) as server:
        with pytest.raises(NoReplyError, match="may have been executed"):
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


def test_a_failed_attempt_does_not_hide_behind_a_retry_error():
    def broken(body: Any) -> Any:
        raise KeyError("missing")

    with answering(Answer(body={"a": 1})) as server, DiffgramClient(server.settings()) as client:
        request = Request("read", "GET", "/api/x", broken)
        with pytest.raises(DiffgramError, match="unknown form"):
            client.send(request)
        assert len(server.asked) == 1


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
