"""A feed hands over what is yielded in bounded portions, and lets nothing wait for a slow generator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_diffgram.ingest.send.pace.feed import Feed

LONG = 3600.0


def test_full_portions_and_a_rest():
    feed: Feed[int] = Feed(3, LONG)
    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(list, feed)
        assert feed.fill(range(7)) is None
        portions = taken.result()
    assert [each for portion in portions for each in portion] == [0, 1, 2, 3, 4, 5, 6]
    assert [len(portion) for portion in portions] == [3, 3, 1]


def test_nothing_yielded_is_no_portion():
    feed: Feed[int] = Feed(3, LONG)
    assert feed.fill(iter(())) is None
    assert list(feed) == []


def test_what_was_yielded_goes_out_while_the_generator_is_at_the_next():
    feed: Feed[str] = Feed(1000, 0.01)
    arrived = threading.Event()

    def slow() -> Iterator[str]:
        yield "first"
        assert arrived.wait(60), "the portion did not come while the generator was thinking"
        yield "second"

    def take() -> list[list[str]]:
        portions = []
        for portion in feed:
            portions.append(portion)
            arrived.set()
        return portions

    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(take)
        assert feed.fill(slow()) is None
        assert taken.result() == [["first"], ["second"]]


def test_a_fast_generator_is_held_back():
    feed: Feed[int] = Feed(10, LONG)
    yielded = 0
    ahead = []

    def fast() -> Iterator[int]:
        nonlocal yielded
        for number in range(100):
            yielded += 1
            yield number

    def take() -> int:
        taken = 0
        for portion in feed:
            taken += len(portion)
            ahead.append(yielded - taken)
        return taken

    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(take)
        feed.fill(fast())
        assert taken.result() == 100
    assert max(ahead) <= 10 + 1, "no more wait than a full portion, and the one at hand"


def test_what_came_before_an_error_is_given_out():
    feed: Feed[int] = Feed(1000, LONG)
    error = OSError("the model broke")

    def broken() -> Iterator[int]:
        yield from range(5)
        raise error

    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(list, feed)
        assert feed.fill(broken()) is error
        assert taken.result() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("closed_at", [0, 3, 10])
def test_a_generator_that_nobody_wants_any_more_of_is_left(closed_at: int):
    feed: Feed[int] = Feed(10, LONG)

    def endless() -> Iterator[int]:
        number = 0
        while True:
            if number == closed_at:
                threading.Thread(target=feed.close).start()
            yield number
            number += 1

    assert feed.fill(endless()) is None
    assert list(feed) == []


def test_what_is_no_error_ends_it_at_once():
    feed: Feed[int] = Feed(10, LONG)

    def timed_out() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed.fill(timed_out())
