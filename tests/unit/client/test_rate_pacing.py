"""Packets keep under the server's limit by its own headers (wire contract 1.5). No clock is waited for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.client.pacing import WINDOW, Pacer, seconds_until_window

steady = settings(deadline=None, max_examples=60)

NOW = 1795293556.0


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def headers(remaining: int, reset: float) -> dict[str, str]:
    return {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": str(reset), "retry-after": "1"}


@pytest.mark.parametrize(
    "reset, seconds",
    [
        (NOW + 2, 1.0),
        (NOW + 1.25, 0.25),
        (NOW + 1, 0.0),
        (NOW + 0.5, WINDOW),
        (NOW - 3600, WINDOW),
        (NOW + 3600, WINDOW),
    ],
)
def test_the_window_ends_a_second_before_reset_unless_the_clocks_disagree(reset: float, seconds: float):
    assert seconds_until_window({"x-ratelimit-reset": str(reset)}, lambda: NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "given_", [{}, {"x-ratelimit-reset": ""}, {"x-ratelimit-reset": "soon"}, {"x-ratelimit-reset": "nan"}]
)
def test_without_a_usable_header_a_whole_window(given_: dict[str, str]):
    assert seconds_until_window(given_, lambda: NOW) == WINDOW


@steady
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_never_longer_than_a_window(reset: float):
    assert 0 <= seconds_until_window({"x-ratelimit-reset": str(reset)}, lambda: NOW) <= WINDOW


def test_a_packet_goes_at_once_while_the_window_has_room_quirk_25():
    clock = Clock()
    pacer = Pacer(clock)
    assert pacer.delay() == 0
    pacer.observe(headers(1, NOW + 2), lambda: NOW)
    assert pacer.delay() == 0


def test_the_next_packet_waits_for_the_end_of_a_full_window():
    clock = Clock()
    pacer = Pacer(clock)
    pacer.observe(headers(0, NOW + 1.75), lambda: NOW)
    assert pacer.delay() == pytest.approx(0.75)
    clock.time += 0.5
    assert pacer.delay() == pytest.approx(0.25)
    clock.time += 1
    assert pacer.delay() == 0


def test_a_development_server_without_headers_is_not_paced():
    pacer = Pacer(Clock())
    pacer.observe({})
    assert pacer.delay() == 0


def test_a_hundred_packets_meet_no_429():
    """A server that counts 20 a second, in windows that begin at the first hit."""
    clock = Clock()
    pacer = Pacer(clock)
    start = clock.time
    window_end, used, worst = 0.0, 0, 0
    for _ in range(100):
        clock.time += pacer.delay()
        if clock.time >= window_end:
            window_end, used = clock.time + 1, 0
        used += 1
        worst = max(worst, used)
        pacer.observe(headers(20 - used, window_end + 1), clock)
        clock.time += 0.001
    assert worst == 20
    assert clock.time - start < 4.2
