"""Rate limits (server.md 1.5)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import requests

from diffgram_emulator import routes
from diffgram_emulator.call import ENDPOINTS
from diffgram_emulator.limits import DEFAULT, PACKET, TASK, Limit, Limiter
from diffgram_emulator.process import EmulatorProcess

routes.load()

PACKETS = "/api/walrus/v1/project/{p}/input/packet"


class Hours:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "path, limit",
    [
        ("/api/walrus/v1/project/{project}/input/packet", "20 per 1 second"),
        ("/api/walrus/project/{project}/upload/large", "4 per 1 second"),
        ("/api/walrus/v1/project/{project}/input/update", "300 per 1 day"),
        ("/api/v1/project/{project}/directory/new", "200000 per 1 day"),
        ("/api/v1/project/{project}/attribute/group/new", "10 per 1 day"),
        ("/api/walrus/project/{project}/export/to_file", "1000 per 1 minute"),
        ("/api/v1/job/{job}/builder/info", "300 per 1 day"),
        ("/api/v1/project/{project}/job/dir/attach", "20 per 1 day"),
        ("/api/v1/task", "1 per 1 second"),
        ("/api/v1/project/{project}/labels-schema/new", "10000 per 1 second"),
    ],
)
def test_the_limit_of_an_endpoint(path: str, limit: str) -> None:
    assert {one.limit.text for one in ENDPOINTS if one.path == path} == {limit}


@pytest.mark.parametrize(
    "limit, spans",
    [
        (DEFAULT, {1: 10_000, 3600: 900_000, 86400: 6_000_000}),
        (TASK, {1: 1, 60: 50, 86400: 500}),
    ],
)
def test_limits_that_hold_together(limit: Limit, spans: dict[int, int]) -> None:
    assert {one.seconds: one.amount for one in (limit, *limit.also)} == spans


def test_a_longer_limit_is_told_of_once_it_is_exceeded() -> None:
    clock = Hours()
    limiter = Limiter(clock=clock)
    for number in range(51):
        clock.now += 1.0
        window, within = limiter.hit("task", "a", TASK)
        assert window is not None
        assert within == (number < 50)
        assert window.limit.text == ("1 per 1 second" if within else "50 per 1 minute")


def test_a_request_beyond_the_short_limit_does_not_use_up_the_long_one() -> None:
    clock = Hours()
    limiter = Limiter(clock=clock)
    for _ in range(60):
        limiter.hit("task", "a", TASK)
    clock.now += 1.0
    assert limiter.hit("task", "a", TASK)[1]


def test_in_the_last_moment_of_a_window_one_may_retry_at_once() -> None:
    """10.1: 73 of 520 refusals said so."""
    clock = Hours()
    limiter = Limiter(clock=clock)
    told = []
    for _ in range(100):
        window, _ = limiter.hit("packet", "a", PACKET)
        told.append(limiter.headers(window)["Retry-After"])
        clock.now += 0.01
    assert (told[0], told[-1]) == ("1", "0")
    assert 10 <= told.count("0") <= 18
    assert set(told) == {"0", "1"}


def test_each_process_counts_for_itself() -> None:
    """Quirk 24: what is let through lies between the limit and as many times the limit as processes."""
    limiter = Limiter(clock=Hours(), processes=3)
    hits = [limiter.hit("packet", "a", PACKET) for _ in range(400)]
    assert sum(within for _, within in hits) == 60
    remaining = [int(limiter.headers(window)["X-RateLimit-Remaining"]) for window, _ in hits]
    assert set(remaining) == {0}
    assert len({id(window) for window, _ in hits}) == 3


def burst(emulator: EmulatorProcess, amount: int) -> list[requests.Response]:
    auth = (emulator.client_id, emulator.client_secret)
    url = emulator.url + PACKETS.replace("{p}", emulator.project)
    with requests.Session() as session:
        return [session.post(url, json={}, auth=auth, timeout=5) for _ in range(amount)]


def test_more_is_let_through_by_more_processes(tmp_path: Path) -> None:
    """Quirk 24: the headers describe the window of the process that happened to answer."""
    with EmulatorProcess.start(tmp_path, limiter_processes=4) as emulator:
        answers = burst(emulator, 21)
        assert {one.status_code for one in answers} == {400}
        remaining = [int(one.headers["X-RateLimit-Remaining"]) for one in answers]
        assert remaining != sorted(remaining, reverse=True)


def test_the_limiter_is_switched_off_and_on(diffgram_emulator: EmulatorProcess) -> None:
    """server.md 1.5: a development start has no limiter and no such headers."""
    diffgram_emulator.tune(rate_limit=False)
    answers = burst(diffgram_emulator, 25)
    assert {one.status_code for one in answers} == {400}
    assert not any("Retry-After" in one.headers for one in answers)
    diffgram_emulator.reset()
    (answer,) = burst(diffgram_emulator, 1)
    assert answer.headers["X-RateLimit-Limit"] == "20"


def test_refused_credentials_use_up_nothing_of_an_own_limit(diffgram_emulator: EmulatorProcess) -> None:
    """server.md 1.2: authentication comes before the limiter where the limit is the endpoint's own."""
    url = diffgram_emulator.url + PACKETS.replace("{p}", diffgram_emulator.project)
    viewer = diffgram_emulator.credentials["Viewer"]
    for auth in ((viewer.client_id, viewer.client_secret), (diffgram_emulator.client_id, "wrong")):
        refused = requests.post(url, json={}, auth=auth, timeout=5)
        assert refused.status_code == 403
        assert "X-RateLimit-Limit" not in refused.headers
    (answer,) = burst(diffgram_emulator, 1)
    assert answer.headers["X-RateLimit-Remaining"] == "19"


def test_refused_credentials_are_counted_elsewhere(diffgram_emulator: EmulatorProcess) -> None:
    url = f"{diffgram_emulator.url}/api/v1/project/{diffgram_emulator.project}/labels-schema"
    refused = requests.get(url, auth=(diffgram_emulator.client_id, "wrong"), timeout=5)
    assert refused.status_code == 403
    assert refused.headers["X-RateLimit-Limit"] == "10000"


def test_a_tuned_number_of_processes(diffgram_emulator: EmulatorProcess) -> None:
    diffgram_emulator.tune(limiter_processes=2)
    statuses = Counter(one.status_code for one in burst(diffgram_emulator, 21))
    assert statuses[400] == 21
