"""Packets keep under the server's limit by its own headers (server.md 1.5). No clock is waited for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.client.pacing import WINDOW, Pacer, Turn, seconds_until_window
from tests.unit.client.limited_server import Simulation

steady = settings(max_examples=60)

NOW = 1795293556.0


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


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


SECONDS = 30


@pytest.mark.parametrize("latency", [0.001, 0.01, 0.06, 0.25])
@pytest.mark.parametrize("wall_is_ahead", [0.0, 5000.0])
def test_one_client_uses_every_window_up_and_is_hardly_ever_refused(latency: float, wall_is_ahead: float):
    simulation = Simulation(latency=latency, wall_is_ahead=wall_is_ahead)
    simulation.run(SECONDS)
    assert simulation.accepted >= 19.5 * SECONDS
    assert simulation.refused <= 0.02 * simulation.accepted


@pytest.mark.parametrize("latency", [0.01, 0.06, 0.25])
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("wall_is_ahead", [0.0, -5000.0])
def test_four_clients_share_fairly_and_waste_little(latency: float, seed: int, wall_is_ahead: float):
    simulation = Simulation(clients=4, latency=latency, seed=seed, wall_is_ahead=wall_is_ahead)
    simulation.run(SECONDS)
    assert simulation.accepted >= 19 * SECONDS
    assert simulation.refused <= 0.3 * simulation.accepted
    assert min(client.accepted for client in simulation.senders) >= 0.5 * simulation.accepted / 4


@pytest.mark.parametrize("clients", [1, 4])
def test_several_server_processes_starve_nobody(clients: int):
    simulation = Simulation(clients=clients, processes=3)
    simulation.run(2 * SECONDS)
    assert simulation.accepted >= 18 * 2 * SECONDS
    assert simulation.refused <= 0.3 * simulation.accepted
    assert min(client.accepted for client in simulation.senders) >= 0.4 * simulation.accepted / clients


def test_a_newcomer_gets_a_share_of_the_windows_of_another():
    simulation = Simulation(clients=2)
    simulation.run(SECONDS)
    assert min(client.accepted for client in simulation.senders) >= 0.3 * simulation.accepted


def test_a_ceiling_is_kept():
    simulation = Simulation(ceiling=5)
    simulation.run(SECONDS)
    assert 4.8 * SECONDS <= simulation.accepted <= 5 * SECONDS + 1
    assert simulation.refused == 0


def test_without_a_limit_only_the_first_request_goes_alone():
    pacer = Pacer(clock=Clock())
    first = pacer.take()
    assert isinstance(first, Turn)
    assert isinstance(pacer.take(), float)
    pacer.give_back(first, {"content-type": "application/json"})
    assert all(isinstance(pacer.take(), Turn) for _ in range(100))


def test_a_first_request_without_an_answer_leaves_the_next_to_find_out():
    pacer = Pacer(clock=Clock())
    first = pacer.take()
    assert isinstance(first, Turn)
    pacer.give_back(first, {})
    assert isinstance(pacer.take(), Turn)


@pytest.mark.parametrize(
    "told, seconds", [(None, 1), ("0", 1), ("1", 1), ("7", 7), ("3600", 60), ("soon", 1), ("nan", 1)]
)
def test_a_refusal_of_a_proxy_is_waited_out(told: str | None, seconds: float):
    clock = Clock()
    pacer = Pacer(clock=clock)
    first = pacer.take()
    assert isinstance(first, Turn)
    pacer.give_back(first, {"retry-after": told} if told else {"server": "nginx"}, refused=True)
    wait = pacer.take()
    assert wait == pytest.approx(seconds)
    clock.time += seconds
    assert isinstance(pacer.take(), Turn)


@steady
@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        st.sampled_from(["", "soon", "nan", "inf", "-1", "0", "20", "1e400", "1795293558.5"]),
    ),
    st.booleans(),
)
def test_strange_headers_stop_nobody_for_long(strange: dict[str, str], refused: bool):
    clock = Clock()
    pacer = Pacer(clock=clock, wall=lambda: NOW)
    turn = pacer.take()
    assert isinstance(turn, Turn)
    pacer.give_back(turn, strange, refused)
    for _ in range(200):
        turn = pacer.take()
        if isinstance(turn, Turn):
            return
        assert 0 < turn < 3600
        clock.time += turn
    pytest.fail("nothing goes any more")


@pytest.mark.parametrize("before_the_end", [0.001, 0.02, 0.4])
def test_who_is_refused_at_the_end_of_a_window_tries_the_next_one_once_1_5(before_the_end: float):
    clock = Clock()
    clock.time -= before_the_end
    pacer = Pacer(clock=clock, wall=clock)
    refusals = 0
    while clock.time < 110.0:
        turn = pacer.take()
        if isinstance(turn, float):
            assert turn > 0
            clock.time += turn
            continue
        end = math.floor(clock.time) + 1  # others use each window up at once
        clock.time += 0.02
        refusals += 1
        headers = {
            "x-ratelimit-limit": "20",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(end + 1),
            "retry-after": str(max(0, int(end + 1 - clock.time))),
        }
        pacer.give_back(turn, headers, refused=True)
    assert 10 <= refusals <= 20
