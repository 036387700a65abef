"""Rate limits to the last request, which needs a server that nobody else talks to (server.md 1.5)."""

from __future__ import annotations

import time

import pytest
import requests

from world import World, until

PACKET = "/api/walrus/v1/project/{p}/input/packet"


@pytest.fixture
def quiet(world: World) -> World:
    """A world whose packet window has not begun."""
    world.emulator.reset()
    return world


def exhausted(world: World) -> requests.Response:
    """Send packets until one is refused, and return it."""
    answers: list[requests.Response] = []

    def refused() -> bool:
        answers.append(world.post(PACKET))
        return answers[-1].status_code == 429

    until(refused, "a 429")
    return answers[-1]


def test_q24_rejected_requests_use_up_quota(quiet: World) -> None:
    remaining = [int(quiet.post(PACKET).headers["x-ratelimit-remaining"]) for _ in range(3)]
    assert remaining == [19, 18, 17]


def test_q24_the_21st_of_a_window_is_429(quiet: World) -> None:
    began = time.monotonic()
    statuses = [quiet.post(PACKET).status_code for _ in range(21)]
    assert time.monotonic() - began < 1, "too slow a computer to judge"
    assert statuses == [400] * 20 + [429]


def test_q24_credentials_share_one_budget(quiet: World) -> None:
    other = World(quiet.emulator.with_project(f"{quiet.project}-b"), quiet.media)
    first = int(quiet.post(PACKET).headers["x-ratelimit-remaining"])
    second = int(other.post(PACKET, level="Editor").headers["x-ratelimit-remaining"])
    assert second == first - 1


def test_401_and_403_use_no_packet_quota_and_show_no_limit(quiet: World) -> None:
    before = int(quiet.post(PACKET).headers["x-ratelimit-remaining"])
    refused = quiet.post(PACKET, level="Viewer")
    assert refused.status_code == 403
    assert "x-ratelimit-limit" not in refused.headers
    assert int(quiet.post(PACKET).headers["x-ratelimit-remaining"]) == before - 1


def test_reset_is_one_second_late(quiet: World) -> None:
    """The window ends at Reset - 1 s: a request is taken again well before Reset."""
    answer = exhausted(quiet)
    reset = float(answer.headers["x-ratelimit-reset"])
    assert 0.9 < reset - time.time() < 2.1
    assert answer.json() == {"error": "429 Too Many Requests: 20 per 1 second"}
    assert answer.headers["x-ratelimit-remaining"] == "0"
    until(lambda: quiet.post(PACKET).status_code == 400, "the next window")
    assert abs(time.time() - (reset - 1)) < 0.4


@pytest.mark.parametrize(
    "path, limit",
    [
        ("/api/v1/project/{p}/attribute/group/new", "10"),
        ("/api/v1/project/{p}/no-such-path", "10000"),
    ],
)
def test_limits_of_endpoints(world: World, path: str, limit: str) -> None:
    assert world.post(path).headers["x-ratelimit-limit"] == limit


def test_a_development_start_has_no_limits(world: World) -> None:
    from diffgram_emulator.process import EmulatorProcess

    with EmulatorProcess.start(rate_limit=False) as emulator:
        free = World(emulator, world.media)
        answers = [free.post(PACKET) for _ in range(25)]
    assert {answer.status_code for answer in answers} == {400}
    assert "retry-after" not in answers[0].headers
