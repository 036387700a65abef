"""The gate before synchronous requests: as many as the server takes, none once the push has failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from airflow_provider_diffgram.client import DiffgramError, OutcomeUnknownError, RefusedError, StoppedError
from airflow_provider_diffgram.ingest.send.pace.congestion import START
from airflow_provider_diffgram.ingest.send.pace.threads import Gate, Senders

PATIENCE = 10.0


class Steps:
    """A clock on which every request takes as long as it is told to."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self.seconds
        return self._now


def through(gate: Gate, times: int, error: DiffgramError | None = None) -> None:
    for _ in range(times):
        with suppress(DiffgramError), gate.turn():
            if error is not None:
                raise error


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def test_two_at_once_to_begin_with(pool: ThreadPoolExecutor):
    gate, inside, go = Gate(16), threading.Semaphore(0), threading.Event()
    most = 0
    lock, at_once = threading.Lock(), 0

    def job() -> None:
        nonlocal most, at_once
        with gate.turn():
            with lock:
                at_once += 1
                most = max(most, at_once)
            inside.release()
            assert go.wait(PATIENCE)
            with lock:
                at_once -= 1

    jobs = [pool.submit(job) for _ in range(6)]
    for _ in range(START):
        assert inside.acquire(timeout=PATIENCE)
    assert not inside.acquire(timeout=0.05)
    go.set()
    for each in jobs:
        each.result(PATIENCE)
    assert most == START


def test_more_at_once_where_answers_come_no_later(pool: ThreadPoolExecutor):
    gate = Gate(16, clock=lambda: 0.0)

    def job() -> None:
        with gate.turn():
            time.sleep(0.001)

    for each in [pool.submit(job) for _ in range(300)]:
        each.result(PATIENCE)
    assert gate.limit > START


@pytest.mark.parametrize(
    "error, limit",
    [
        (OutcomeUnknownError("silence"), 1),
        (DiffgramError("down", status=503), 1),
        (RefusedError("no such label", status=400), START),
        (DiffgramError("wait", status=429), START),
        (None, START),
    ],
)
def test_a_server_in_trouble_is_left_alone_one_that_refuses_is_not(error: DiffgramError | None, limit: int):
    gate = Gate(16)
    through(gate, 1, error)
    assert gate.limit == limit


def test_the_time_of_a_turn_is_what_counts():
    clock = Steps(0.05)
    gate = Gate(16, clock=clock)
    through(gate, 8)
    clock.seconds = 0.2
    through(gate, 8)
    assert gate.limit == 1


def test_the_second_begins_when_the_first_is_well_under_way(pool: ThreadPoolExecutor):
    clock = Steps(0.1)
    gate, inside, go = Gate(16, clock=clock), threading.Semaphore(0), threading.Event()
    through(gate, 8)  # each takes 0.1 s, which is normal from now on
    clock.seconds = 0.0

    def job() -> None:
        with gate.turn():
            inside.release()
            assert go.wait(PATIENCE)

    jobs = [pool.submit(job) for _ in range(START)]
    assert inside.acquire(timeout=PATIENCE)
    assert not inside.acquire(timeout=0.2)
    clock.seconds = 0.05  # a share of 0.1 s by two
    assert inside.acquire(timeout=PATIENCE)
    go.set()
    for each in jobs:
        each.result(PATIENCE)


def test_whoever_waits_when_another_fails_sends_nothing():
    turned, passed = threading.Event(), []
    with Senders(8) as senders:

        def fail() -> None:
            with senders.uploads.turn():
                assert turned.wait(PATIENCE)
                raise RefusedError("first")

        def late() -> None:
            with senders.uploads.turn():
                passed.append(1)

        for job in (fail, fail, late, late, late):
            senders.submit(job)
        threading.Timer(0.05, turned.set).start()
        with pytest.raises(RefusedError, match="first"):
            senders.drain()
        assert passed == []
        with pytest.raises(StoppedError), senders.uploads.turn():
            passed.append(2)
    assert passed == []


def test_what_waits_for_one_service_does_not_wait_for_the_other():
    with Senders(4) as senders, senders.uploads.turn(), senders.uploads.turn(), senders.updates.turn():
        done = True
    assert done
