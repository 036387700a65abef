"""Several jobs at once: bounded, ended by the first error, none left behind."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_diffgram.ingest.send.pace.threads import Senders

PATIENCE = 10.0
"""Seconds after which something that must happen has not."""


class Job:
    """Runs until it is let go."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()
        self.ended = False

    def __call__(self) -> None:
        self.begun.set()
        assert self.released.wait(PATIENCE)
        self.ended = True


def test_all_jobs_are_done_when_drained():
    done: set[int] = set()
    with Senders(4) as senders:
        for number in range(100):
            senders.submit(lambda number=number: done.add(number))
        senders.drain()
        assert done == set(range(100))


def test_as_many_run_at_once_as_asked_for_and_no_more():
    jobs = [Job() for _ in range(6)]
    with Senders(3) as senders:
        for job in jobs:
            senders.submit(job)
        for job in jobs[:3]:
            assert job.begun.wait(PATIENCE)
        assert not any(job.begun.is_set() for job in jobs[3:])
        for job in jobs:
            job.released.set()
        senders.drain()
    assert all(job.ended for job in jobs)


def test_drain_waits_for_what_is_under_way():
    job, drained = Job(), threading.Event()
    with Senders(2) as senders:
        senders.submit(job)

        def drain() -> None:
            senders.drain()
            assert job.ended
            drained.set()

        waiting = threading.Thread(target=drain)
        waiting.start()
        assert job.begun.wait(PATIENCE)
        assert not drained.is_set()
        job.released.set()
        waiting.join(PATIENCE)
        assert drained.is_set()


def test_submit_waits_while_there_are_enough_so_that_memory_stays_bounded():
    jobs, submitted = [Job() for _ in range(5)], threading.Semaphore(0)

    with Senders(2) as senders:

        def submit() -> None:
            for job in jobs:
                senders.submit(job)
                submitted.release()

        submitting = threading.Thread(target=submit)
        submitting.start()
        for _ in range(4):
            assert submitted.acquire(timeout=PATIENCE)
        assert not submitted.acquire(blocking=False)
        jobs[0].released.set()
        assert submitted.acquire(timeout=PATIENCE)
        for job in jobs:
            job.released.set()
        submitting.join(PATIENCE)


@pytest.mark.parametrize("how", ["drain", "submit"])
def test_the_first_error_stops_what_has_not_begun_and_is_raised_once_the_rest_has_ended(how: str):
    first, late = Job(), Job()
    late.released.set()

    def fail() -> None:
        assert first.begun.wait(PATIENCE)
        raise OSError("first")

    def run(senders: Senders) -> None:
        senders.submit(first)
        senders.submit(fail)
        senders.submit(late)
        while how == "submit":
            senders.submit(late)
        senders.drain()

    threading.Timer(0.1, first.released.set).start()
    with Senders(2) as senders:
        with pytest.raises(OSError, match="first"):
            run(senders)
        assert first.ended, "what was under way came to its end before the error was raised"
    assert not late.begun.is_set()


def test_nothing_runs_after_the_end():
    running, queued = Job(), [Job(), Job()]
    with Senders(1) as senders:
        senders.submit(running)
        senders.submit(queued[0])
        assert running.begun.wait(PATIENCE)
        threading.Timer(0.05, running.released.set).start()
        senders.finish()
        assert running.ended
    with pytest.raises(RuntimeError):
        senders.submit(queued[1])
    assert not any(job.begun.is_set() for job in queued)


def test_an_error_in_the_block_waits_for_what_is_under_way_and_begins_nothing_more():
    running, queued = Job(), Job()

    def run() -> None:
        with Senders(1) as senders:
            senders.submit(running)
            senders.submit(queued)
            assert running.begun.wait(PATIENCE)
            threading.Timer(0.05, running.released.set).start()
            raise KeyError("block")

    with pytest.raises(KeyError, match="block"):
        run()
    assert running.ended
    assert not queued.begun.is_set()
