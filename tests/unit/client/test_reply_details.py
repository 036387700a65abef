"""Limits, half answers, strange successes, and what of an answer is never shown (server.md 1.4, 1.5)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from airflow_provider_diffgram.client import (
    NotProcessedError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerUnavailableError,
    UnexpectedReplyError,
    WrongAddressError,
    routes,
)
from airflow_provider_diffgram.client.replies import value_of
from tests.unit.client.judged import HTML, JSON, LABELS, PACKET, SIGNED, VIEW, P, meaning, recorded
from tests.unit.recorded import recording


def test_429_waits_for_the_window_which_ends_a_second_before_reset_1_5():
    headers = JSON | {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(time.time() + 1.6),
        "retry-after": "1",
    }
    error = meaning(429, {"error": "429 Too Many Requests: 20 per 1 second"}, headers=headers)
    assert isinstance(error, RateLimitedError)
    assert isinstance(error, NotProcessedError)
    assert 0.4 < error.retry_after <= 0.6


def test_429_of_a_proxy_without_a_window_waits_as_long_as_it_says_quirk_24():
    error = meaning(429, b"slow down", headers={"retry-after": "7"})
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == pytest.approx(7)


def test_503_of_a_proxy_waits_as_long_as_it_says_but_not_by_the_limiters_headers_quirk_25():
    limiter = {"x-ratelimit-reset": str(time.time() + 1.6), "retry-after": "1"}
    for headers, told in (({"retry-after": "7"}, 7.0), ({}, 0.0), (limiter, 0.0)):
        error = meaning(503, b"down for maintenance", headers=headers)
        assert isinstance(error, ServerUnavailableError)
        assert error.retry_after == told


def test_429_without_any_header_waits_a_window():
    error = recorded("packet_rate_limited_429")
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 1.0


@pytest.mark.parametrize("status", [200, 201])
def test_a_web_page_of_a_proxy_is_a_wrong_address(status: int):
    for headers in (HTML, {}):
        error = meaning(status, b"\n <!DOCTYPE html><title>Log in</title>", LABELS, headers)
        assert type(error) is WrongAddressError
        assert "proxy" in str(error)


@pytest.mark.parametrize("body", [b'{"input_id": nu', b"", b"upstream hiccup"])
def test_an_answer_cut_off_leaves_the_outcome_unknown(body: bytes):
    error = meaning(200, body)
    assert isinstance(error, OutcomeUnknownError)


@pytest.mark.parametrize(
    "body", [{"files": []}, [], None, "done", {"file": None}, {"file": {"id": "x"}}, {"file": SIGNED}]
)
def test_success_in_an_unknown_form_is_told_apart(body: Any):
    error = meaning(200, body, VIEW)
    assert type(error) is UnexpectedReplyError
    assert "X-Amz" not in str(error)
    assert "0123456789" not in str(error)


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, {"log": {"success": False, "error": {}}}])
def test_a_packet_counts_as_accepted_only_by_an_answer_to_a_packet_quirk_21(body: Any):
    assert isinstance(meaning(200, body), UnexpectedReplyError | OutcomeUnknownError)


def test_both_answers_to_a_packet_count_section_6():
    observed = {"input_id": None, "log": {"error": {}, "info": {}, "success": True}}
    assert value_of(PACKET, 200, JSON, json.dumps(observed).encode()).input_id is None
    documented = {"input_id": 17, "log": {"error": {}, "info": {}, "success": True}}
    assert value_of(PACKET, 200, JSON, json.dumps(documented).encode()).input_id == 17


def test_log_success_false_is_no_failure_of_a_compound_quirk_21():
    pair = recording("compound_new")
    assert pair.answer["log"]["success"] is False
    assert value_of(routes.create_compound(P, 2, "c", "compound", []), 200, pair.headers, pair.body).id == 6


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_long_answers_are_cut_and_signed_urls_hidden(status: int):
    body = {"log": {"error": {"instance_list_compound": f"{SIGNED} " + "Traceback " * 500}}}
    error = meaning(status, body)
    assert len(str(error)) < 1000
    assert "0123456789" not in str(error)


@pytest.mark.parametrize("body", [SIGNED, {"error": f"at {SIGNED}"}, {"message": SIGNED}])
def test_signed_urls_are_hidden_in_every_shape(body: Any):
    error = meaning(400, body)
    assert "0123456789" not in f"{error} {error.server_text} {error.fields}"
    assert "http://storage.test/a.jpg" in str(error)
