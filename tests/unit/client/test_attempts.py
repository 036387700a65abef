"""What is sent again, where, when, and what never (design: what an answer means)."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    CredentialError,
    DiffgramError,
    HostUnreachableError,
    NoReplyError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    StoppedError,
    TlsError,
    UnexpectedReplyError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.attempts import (
    RATE_LIMIT_PATIENCE,
    Exchange,
    Reply,
    attempts,
    pause_after,
)
from airflow_provider_diffgram.client.pacing import Pacer
from airflow_provider_diffgram.client.request import Pause, Request
from tests.unit.client.played import play, reply, settings

READ = routes.list_model_runs("p")
PACKET = routes.send_packet("p", {"directory_id": 2}, "a.jpg")
RUNS = reply(body={"model_run_list": [{"id": 1, "reference_id": "r"}]})
ACCEPTED = reply(body={"input_id": 17, "log": {"error": {}, "info": {}, "success": True}})

UNKNOWN = [
    pytest.param(NoReplyError("cut off"), NoReplyError, id="no reply"),
    pytest.param(reply(500, {"error": "x"}), ServerFaultError, id="500"),
    pytest.param(reply(502, b"bad gateway"), ServerUnavailableError, id="502"),
    pytest.param(reply(504, b"timeout"), ServerUnavailableError, id="504"),
    pytest.param(reply(503, {"error": {"message": "m"}}), ServerUnavailableError, id="503"),
    pytest.param(reply(200, b'{"input'), ServerFaultError, id="half JSON"),
]
REFUSED = [
    pytest.param(reply(status, {"error": "no"}), kind, id=str(status))
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
def test_a_write_of_unknown_outcome_is_never_sent_again(answer: Any, kind: type[DiffgramError]):
    played = play(PACKET, answer, ACCEPTED)
    assert type(played.error) is kind
    assert isinstance(played.error, OutcomeUnknownError)
    assert len(played.paths) == 1


@pytest.mark.parametrize("answer, kind", UNKNOWN)
def test_a_read_is_repeated_whatever_happened_to_it(answer: Any, kind: type[DiffgramError]):
    played = play(READ, answer, answer, RUNS)
    assert [run.id for run in played.value] == [1]
    assert len(played.paths) == 3
    assert len(played.pauses) == 2


@pytest.mark.parametrize("request_", [READ, PACKET], ids=["read", "write"])
@pytest.mark.parametrize("answer, kind", REFUSED)
def test_what_is_refused_is_never_sent_again(
    request_: Request[Any], answer: Reply, kind: type[DiffgramError]
):
    played = play(request_, answer, RUNS, packet_path="served")
    assert isinstance(played.error, kind)
    assert (len(played.paths), played.pauses) == (1, [])


@pytest.mark.parametrize("request_", [READ, PACKET], ids=["read", "write"])
def test_what_never_left_is_sent_again_until_patience_ends(request_: Request[Any]):
    played = play(request_, HostUnreachableError("nobody"), retry_timeout=30)
    assert isinstance(played.error, HostUnreachableError)
    assert len(played.paths) == len(played.pauses) + 1 > 3
    assert sum(played.pauses) <= 30


def test_a_500_on_a_read_is_tried_three_times_quirk_39():
    played = play(READ, reply(500, {"error": "no project_id"}))
    assert isinstance(played.error, ServerFaultError)
    assert len(played.paths) == 3


@pytest.mark.parametrize("words, times", [("'NoneType' object has no attribute 'root_id'", 1), ("x", 3)])
def test_a_500_that_means_that_there_is_nothing_of_that_id_is_not_asked_for_again(words: str, times: int):
    played = play(routes.view_history("p", 7), reply(500, {"error": words}))
    assert isinstance(played.error, ServerFaultError)
    assert len(played.paths) == times


def test_an_answer_in_an_unknown_form_is_not_asked_for_again():
    played = play(READ, reply(body={"a": 1}))
    assert isinstance(played.error, UnexpectedReplyError)
    assert len(played.paths) == 1


def limited(reset_in: float) -> Reply:
    """Return a refusal whose window ends one second before ``reset_in`` (server.md 1.5)."""
    reset = str(time.time() + reset_in)
    return reply(
        429, {"error": "429"}, x_ratelimit_limit="20", x_ratelimit_remaining="0", x_ratelimit_reset=reset
    )


def test_a_429_is_sent_again_after_the_window_and_beyond_the_patience_with_silence_1_5():
    played = play(READ, limited(1.8), limited(1.9), RUNS, retry_timeout=0)
    assert len(played.paths) == 3
    assert all(0.4 < seconds <= 1.5 for seconds in played.pauses)


def test_a_429_that_says_0_seconds_is_sent_again_1_5():
    at_the_end_of_the_window = replace(limited(1.0), headers={**limited(1.0).headers, "retry-after": "0"})
    played = play(READ, at_the_end_of_the_window, at_the_end_of_the_window, RUNS, retry_timeout=0)
    assert (len(played.paths), len(played.pauses)) == (3, 2)
    assert all(0 < seconds <= 1.5 for seconds in played.pauses)


def test_a_proxy_that_says_0_seconds_is_asked_ever_more_seldom():
    played = play(READ, reply(429, b"slow down", retry_after="0"), retry_timeout=0)
    assert isinstance(played.error, RateLimitedError)
    assert RATE_LIMIT_PATIENCE - 4 < sum(played.pauses) <= RATE_LIMIT_PATIENCE
    assert len(played.paths) < 2 * RATE_LIMIT_PATIENCE


def test_patience_with_429_ends_too():
    played = play(READ, limited(1.9), retry_timeout=0)
    assert isinstance(played.error, RateLimitedError)
    assert RATE_LIMIT_PATIENCE - 4 < sum(played.pauses) <= RATE_LIMIT_PATIENCE


def test_a_limit_of_an_hour_is_told_at_once_1_5():
    played = play(READ, reply(429, {"error": "429 Too Many Requests: 300 per 1 day"}))
    assert isinstance(played.error, RateLimitedError)
    assert played.pauses == []


def test_a_429_of_a_paced_request_waits_for_its_turn_alone_1_5():
    now = 100.0
    pacer = Pacer(clock=lambda: now, wall=lambda: now)
    end = str(now + 0.3 + 1)
    full = reply(
        429, {"error": "429"}, x_ratelimit_limit="20", x_ratelimit_remaining="0", x_ratelimit_reset=end
    )
    steps = attempts(PACKET, settings(retry_timeout=0), [], pacer)
    assert steps.send(None) == Pause(0.0)
    assert steps.send(now) == Exchange(PACKET.path)
    reading = steps.send(full)
    with pytest.raises(RateLimitedError) as caught:
        reading.read()
    assert steps.throw(caught.value) == Pause(0.0), "what is the time?"
    assert steps.send(now) == Pause(0.0), "the next attempt begins at once"
    while isinstance(turn := steps.send(now), Pause):
        now += turn.seconds
    assert turn == Exchange(PACKET.path)
    assert 100.3 <= now < 100.4


def test_a_turn_is_given_back_when_the_transport_breaks_off():
    pacer = Pacer(clock=lambda: 0.0, wall=lambda: 0.0)
    for _ in range(3):
        steps = attempts(PACKET, settings(), [], pacer)
        steps.send(None)
        assert isinstance(steps.send(0.0), Exchange)
        with pytest.raises(OSError, match="disk"):
            steps.throw(OSError("disk"))


@pytest.mark.parametrize("failures", [1, 2, 5, 2000])
def test_delays_are_random_and_grow_up_to_ten_seconds(failures: int):
    random.seed(1)
    delays = [pause_after(HostUnreachableError(""), READ, failures, 0, 60) for _ in range(400)]
    most = min(10.0, 0.2 * 2 ** min(failures - 1, 10))
    assert all(0 <= seconds <= most for seconds in delays)
    assert min(delays) < 0.1 * most
    assert max(delays) > 0.9 * most


def test_a_proxys_own_delay_is_the_least():
    error = ServerUnavailableError("down")
    error.retry_after = 7.0
    assert pause_after(error, READ, 1, 0, 60) == 7.0
    assert pause_after(error, READ, 1, 54, 60) is None, "that is beyond the patience"


@pytest.mark.parametrize("error", [StoppedError("stop"), TlsError("tls"), UnexpectedReplyError("form")])
def test_some_errors_end_a_read_too(error: DiffgramError):
    assert pause_after(error, READ, 1, 0, 60) is None


SERVED, DOCUMENTED = PACKET.path, PACKET.documented_path
PROBE = routes.probe_write("p")
MISSING = reply(405, b"Not found.")
GONE = reply(404, {"error": "404 Not Found"})
MAY_WRITE = reply(400, {"log": {"error": {"directory": "no"}, "success": False}})
PAGE = reply(body=b"<html>", content_type="text/html")


@pytest.fixture
def host(request: pytest.FixtureRequest) -> str:
    """A server that no other test has met: where it takes packets is remembered by its address."""
    return f"https://{abs(hash(request.node.nodeid))}.test"


def serving(served: Reply, documented: Reply) -> dict[str, Reply]:
    return {SERVED: served, DOCUMENTED: documented}


def test_a_served_path_is_the_only_one_that_is_asked(host: str):
    for _ in range(3):
        assert play(PACKET, serving(ACCEPTED, MISSING), host=host).paths == [SERVED]


@pytest.mark.parametrize("missing", [MISSING, GONE], ids=["405", "404"])
def test_the_documented_path_is_found_once_and_remembered(host: str, missing: Reply):
    played = [play(PACKET, serving(missing, ACCEPTED), host=host) for _ in range(3)]
    assert [each.value.input_id for each in played] == [17] * 3
    assert [each.paths for each in played] == [[SERVED, DOCUMENTED], [DOCUMENTED], [DOCUMENTED]]


def test_the_probe_of_permission_finds_it_too(host: str):
    played = [play(PROBE, serving(MISSING, MAY_WRITE), host=host) for _ in range(2)]
    assert all("directory" in each.error.fields for each in played)
    assert [each.paths for each in played] == [[SERVED, DOCUMENTED], [DOCUMENTED]]


@pytest.mark.parametrize(
    "answer",
    [
        reply(503, {"error": {"message": "m"}}),
        NoReplyError("reset"),
        reply(403, {"error": "Failed API Permissions"}),
        reply(400, {"error": "no"}),
        reply(302, location="https://x.test"),
        PAGE,
    ],
    ids=["503", "no reply", "403", "400", "302", "page"],
)
def test_nothing_but_404_and_405_leads_to_the_other_path(host: str, answer: Any):
    played = play(PACKET, answer, ACCEPTED, host=host)
    assert played.error is not None
    assert played.paths == [SERVED]


def test_a_server_with_neither_is_a_wrong_address(host: str):
    played = play(PROBE, serving(MISSING, GONE), host=host)
    assert isinstance(played.error, WrongAddressError)
    assert played.paths == [SERVED, DOCUMENTED]
    assert played.error.status == 405
    assert SERVED in str(played.error)
    assert "packet_path" in str(played.error)


def test_a_web_page_at_the_documented_path_is_not_remembered(host: str):
    for _ in range(2):
        played = play(PACKET, serving(MISSING, PAGE), host=host)
        assert isinstance(played.error, WrongAddressError)
        assert played.paths == [SERVED, DOCUMENTED]


def test_a_server_that_was_replaced_is_found_again(host: str):
    play(PACKET, serving(MISSING, ACCEPTED), host=host)
    played = [play(PACKET, serving(ACCEPTED, MISSING), host=host) for _ in range(2)]
    assert [each.paths for each in played] == [[DOCUMENTED, SERVED], [SERVED]]


@pytest.mark.parametrize("path, asked", [("served", SERVED), ("documented", DOCUMENTED)])
def test_a_path_that_was_chosen_is_the_only_one(host: str, path: str, asked: str):
    played = play(PROBE, serving(MISSING, MISSING), host=host, packet_path=path)
    assert isinstance(played.error, WrongAddressError)
    assert asked in str(played.error)
    assert played.paths == [asked]


def test_other_projects_of_a_server_are_found_for_themselves(host: str):
    for project in ("p", "q"):
        played = play(PACKET, serving(MISSING, ACCEPTED), host=host, project=project)
        assert played.paths == [SERVED, DOCUMENTED]


def test_other_requests_have_one_path(host: str):
    played = play(replace(READ), GONE, host=host)
    assert isinstance(played.error, WrongAddressError)
    assert len(played.paths) == 1
