"""What is said of a server that does not answer, however many requests meet it."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_diffgram.client import CredentialError, RateLimitedError
from airflow_provider_diffgram.client.errors import no_reply_error, unreachable_error
from airflow_provider_diffgram.client.outage import Outage

HOST = "http://diffgram"
DOWN = unreachable_error("list files", HOST, "refused")


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return list(caplog.messages)


def test_an_outage_of_five_minutes_that_sixteen_requests_meet_is_some_lines(caplog):
    caplog.set_level(logging.INFO)
    outage = Outage(HOST)
    for second in range(300):
        for _ in range(16):
            outage.note(DOWN, float(second), 600)
    outage.end(300.0)
    told = messages(caplog)
    assert told[0] == (
        "list files: cannot connect to http://diffgram: refused. Each request is sent again for 10 min."
    )
    assert told[1] == "no answer from http://diffgram for 32 s; 513 requests met it"
    assert told[-1] == "http://diffgram answers again, after 5 min"
    assert len(told) == 11


def test_what_is_over_at_once_is_not_said(caplog):
    caplog.set_level(logging.INFO)
    outage = Outage(HOST)
    outage.note(no_reply_error("list files", HOST, "reset"), 0.0, 60)
    assert outage.is_on
    outage.end(0.3)
    assert not outage.is_on
    assert messages(caplog) == []


def test_the_next_outage_is_said_anew(caplog):
    caplog.set_level(logging.INFO)
    outage = Outage(HOST)
    for began in (0.0, 1000.0):
        outage.note(DOWN, began, 60)
        outage.note(DOWN, began + 3, 60)
        outage.end(began + 4)
    assert len(messages(caplog)) == 4


@pytest.mark.parametrize("error", [RateLimitedError("slow down"), CredentialError("no")])
def test_a_refusal_is_no_outage(error, caplog):
    outage = Outage(HOST)
    outage.note(error, 0.0, 60)
    outage.note(error, 50.0, 60)
    assert not outage.is_on
    assert messages(caplog) == []
