"""Rate limits and their headers (server.md 1.5).

The budget is that of an address, and several processes count for themselves: no test here asks for an exact
number of admitted requests.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from .deployment import PACKET, UNKNOWN_ID, Deployment
from .media_server import picture
from .world import World

THREADS = 8
BURST = 400
"""More than 20 for each of 20 processes."""


@pytest.fixture(scope="module", autouse=True)
def limiter(deployment: Deployment) -> None:
    if not deployment.has_limiter:
        pytest.skip("this server counts no requests: it runs in development mode (server.md 1.5)")
    if "x-ratelimit-limit" not in deployment.post(PACKET).headers:
        pytest.skip("the ingest service of this server counts no requests: it runs in development mode")


def burst(deployment: Deployment, number: int, **options: Any) -> list[requests.Response]:
    """Send empty packets from several threads until one is refused for coming too fast."""
    throttled: list[bool] = []

    def send(_: int) -> requests.Response | None:
        if throttled:
            return None
        answer: requests.Response = deployment.post(PACKET, **options)
        throttled.extend([True] * (answer.status_code == 429))
        return answer

    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for answer in pool.map(send, range(number)) if answer is not None]


@pytest.fixture(scope="module")
def answers(deployment: Deployment) -> list[requests.Response]:
    """The answers to a burst of empty packets, some of them 429, that found no window used up before it."""
    for _ in range(5):
        time.sleep(1.1)
        found = burst(deployment, BURST)
        if found[0].status_code != 429:
            break
    if not any(answer.status_code == 429 for answer in found):
        pytest.skip(f"{BURST} packets from {THREADS} threads stayed under the limit: many or slow processes")
    return found


def test_q24_rejected_requests_use_up_quota(answers: list[requests.Response]) -> None:
    """Not one packet of the burst was a good one, and yet the limit was met."""
    assert {answer.status_code for answer in answers} == {400, 429}


def test_q24_429_says_so_and_when_to_come_back(answers: list[requests.Response]) -> None:
    throttled = [answer for answer in answers if answer.status_code == 429]
    for answer in throttled:
        assert answer.json() == {"error": "429 Too Many Requests: 20 per 1 second"}
        assert answer.headers["x-ratelimit-limit"] == "20"
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert answer.headers["retry-after"] in ("0", "1")


def test_packets_show_their_limit(answers: list[requests.Response]) -> None:
    refused = [answer for answer in answers if answer.status_code == 400]
    assert {answer.headers["x-ratelimit-limit"] for answer in refused} == {"20"}
    assert {int(answer.headers["x-ratelimit-remaining"]) for answer in refused} <= set(range(21))


def test_q24_credentials_share_one_budget(deployment: Deployment) -> None:
    """An Editor is refused because of what the admin sent."""
    editor = deployment.access("Editor")
    auth = (editor.client_id, editor.client_secret)
    for _ in range(5):
        if not any(answer.status_code == 429 for answer in burst(deployment, BURST)):
            pytest.skip(f"{BURST} packets from {THREADS} threads stayed under the limit")
        if any(deployment.post(PACKET, auth=auth).status_code == 429 for _ in range(10)):
            return
    raise AssertionError("the Editor was admitted each time")


def test_the_window_ends_one_second_before_its_reset(deployment: Deployment) -> None:
    """Every window of a burst is over 1 s after its last request, and their Resets are 2 s after the first.

    The answer after the pause opens a new window, so that its Reset tells the server's time; a slow computer
    or somebody else's packets can spoil a try, but not all of them.
    """
    seen = []
    for _ in range(8):
        throttled = [one for one in burst(deployment, BURST) if one.status_code == 429]
        if not throttled:
            pytest.skip(f"{BURST} packets from {THREADS} threads stayed under the limit")
        time.sleep(1.1)
        later = deployment.post(PACKET)
        old, new = (float(one.headers["x-ratelimit-reset"]) for one in (throttled[0], later))
        seen.append((later.status_code, new - old))
        if later.status_code == 400 and 1 <= new - old < 2:
            return
    raise AssertionError(f"not once admitted before the Reset of the 429: {seen}")


def test_401_and_403_use_no_packet_quota_and_show_no_limit(deployment: Deployment) -> None:
    refused = burst(deployment, 150, auth=("nobody", "wrong"))
    assert {answer.status_code for answer in refused} == {403}
    assert not [answer for answer in refused if "x-ratelimit-limit" in answer.headers]
    anonymous = deployment.post(PACKET, level=None, headers={"User-Agent": "curl/8"})
    assert (anonymous.status_code, "x-ratelimit-limit" in anonymous.headers) == (401, False)


def test_403_elsewhere_shows_the_default_limit(deployment: Deployment) -> None:
    answer = deployment.send("GET", "/api/v1/project/{p}/labels-schema", auth=("nobody", "wrong"))
    assert answer.status_code == 403
    assert answer.headers["x-ratelimit-limit"] == "10000"


def test_q25_retry_after_is_on_200_too(deployment: Deployment) -> None:
    answer = deployment.send("GET", "/api/v1/project/{p}/labels-schema")
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-limit"] == "10000"
    assert answer.headers["retry-after"].isdigit()
    assert 0 <= int(answer.headers["x-ratelimit-remaining"]) <= 10000
    assert float(answer.headers["x-ratelimit-reset"]) > 0


def test_limit_of_new_datasets(deployment: Deployment) -> None:
    answer = deployment.post("/api/v1/project/{p}/directory/new")
    assert answer.headers["x-ratelimit-limit"] == "200000"


def test_limit_of_updates(world: World) -> None:
    """None of these ids is known, and the call counts nevertheless."""
    answer = world.update_inputs("ARCHIVE", UNKNOWN_ID)
    assert answer.headers["x-ratelimit-limit"] == "300"
    assert int(answer.headers["x-ratelimit-remaining"]) < 300


def test_limit_of_uploads_in_chunks(world: World) -> None:
    content = picture()
    fields = {
        "dzuuid": f"{world.deployment.prefix}-limit",
        "dzchunkindex": "0",
        "dztotalchunkcount": "1",
        "dzchunkbyteoffset": "0",
        "dztotalfilesize": str(len(content)),
        "dzchunksize": str(len(content)),
        "directory_id": str(world.dataset),
        "input_batch_id": str(world.batch),
    }
    files = {"file": ("limit.png", content)}
    answer = world.send("POST", "/api/walrus/project/{p}/upload/large", data=fields, files=files)
    assert answer.status_code in (200, 429)
    assert answer.headers["x-ratelimit-limit"] == "4"
