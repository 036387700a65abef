"""How many requests go at once: counted answers of imagined servers in, a number out."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from airflow_provider_diffgram.ingest.send.pace.congestion import START, Answer, Congestion

Server = Callable[[int, int], Answer]
"""Number of the request and how many are under way -> how it ended."""


def cores(amount: int, seconds: float = 0.05) -> Server:
    """Return a server that does so many requests at once, and lets the others wait for their share."""
    return lambda number, at_once: Answer(seconds * max(1.0, at_once / amount), at_once)


def limits(
    server: Server, *, most: int = 16, answers: int = 1500, began: Congestion | None = None
) -> list[int]:
    """Return the limit after each answer, with as many under way as it allows."""
    congestion, found = began or Congestion.of(most), []
    for number in range(answers):
        congestion = congestion.after(server(number, congestion.limit))
        found.append(congestion.limit)
    return found


def mean(values: list[int]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("most, start", [(1, 1), (2, 2), (3, 2), (32, 2)])
def test_it_begins_with_two_or_what_is_allowed(most: int, start: int):
    assert Congestion.of(most).limit == start


@pytest.mark.parametrize("most", [1, 2, 5, 16, 32])
def test_a_server_that_gets_no_slower_gets_all_that_is_allowed(most: int):
    found = limits(cores(64), most=most, answers=3000)
    assert max(found) == most
    assert mean(found[-400:]) > 0.9 * most or most <= START


@pytest.mark.parametrize("amount, least, at_most", [(1, 2, 2.3), (2, 2, 2.3), (4, 4, 5.6), (8, 7, 10)])
def test_it_settles_about_where_the_server_gets_slower(amount: int, least: float, at_most: float):
    found = limits(cores(amount), most=32, answers=4000)
    assert least <= mean(found[-2000:]) <= at_most
    assert max(found) <= max(2 * 1.2 * amount, 2 * START)


def steps(found: list[int]) -> list[int]:
    return [after for before, after in pairwise([START, *found]) if after != before]


def test_it_grows_by_one_as_long_as_no_round_is_slower():
    assert steps(limits(cores(64), most=16, answers=700))[:14] == list(range(3, 17))


def test_it_goes_back_by_one_when_one_is():
    assert steps(limits(cores(1), most=32, answers=500)) == [3, 2, 3, 2]


def test_each_try_that_is_too_much_makes_the_next_one_rarer():
    found = limits(cores(1), answers=9000)
    tries = [number for number, (before, after) in enumerate(pairwise(found)) if after > before]
    waits = [after - before for before, after in pairwise(tries)]
    assert waits == sorted(waits)
    assert waits[0] < 250
    assert 700 < waits[-1] < 800
    assert found.count(3) < 0.03 * len(found)


def test_once_it_gets_further_than_before_it_tries_again_soon():
    stronger = cores(64)
    weak = cores(1)
    found = limits(
        lambda number, at_once: (weak if number < 3000 else stronger)(number, at_once), answers=5000
    )
    assert found[2999] <= 3
    assert found[-1] == 16


def test_of_twenty_answers_of_a_server_that_does_two_at_once_less_than_one_meets_a_try():
    for answers in (150, 500, 1000, 5000):
        found = limits(cores(2), answers=answers)
        assert sum(limit > START for limit in found) < answers / 20


def test_a_push_that_does_not_use_what_it_may_does_not_get_more():
    congestion = Congestion.of(16)
    for _ in range(500):
        congestion = congestion.after(Answer(0.05, 1))
    assert congestion.limit == START


@pytest.mark.parametrize("status_or_silence", [Answer(0.01, 8, failed=True), Answer(60.0, 8, failed=True)])
def test_a_server_in_trouble_gets_half(status_or_silence: Answer):
    congestion = Congestion(16, 8, normal=0.05)
    assert congestion.after(status_or_silence).limit == 4


def test_those_that_failed_together_count_once():
    congestion = Congestion(16, 8, normal=0.05)
    for _ in range(8):
        congestion = congestion.after(Answer(0.05, 8, failed=True))
    assert congestion.limit == 4
    assert congestion.after(Answer(0.05, 4, failed=True)).limit == 2


def test_it_never_stops_altogether_and_comes_back():
    congestion = Congestion.of(16)
    for _ in range(100):
        congestion = congestion.after(Answer(0.05, congestion.limit, failed=True))
        assert congestion.limit >= 1
    assert limits(cores(64), answers=2000, began=congestion)[-1] == 16


def test_a_time_that_doubles_halves_the_limit():
    congestion = Congestion(32, 8, normal=0.05)
    found = limits(lambda number, at_once: Answer(0.11, at_once), answers=16, began=congestion)
    assert found == [8] * 15 + [4]


def test_one_slow_answer_in_a_round_is_not_taken_for_a_slow_server():
    def server(number: int, at_once: int) -> Answer:
        return Answer(5.0 if number % 8 == 0 else 0.05, at_once)

    assert mean(limits(server)[-400:]) > 14


@pytest.mark.parametrize("factor", [3.0, 10.0])
def test_media_that_take_longer_from_now_on_are_no_reason_to_stay_slow(factor: float):
    slower = cores(64, 0.05 * factor)
    found = limits(
        lambda number, at_once: (cores(64) if number < 1000 else slower)(number, at_once), answers=5000
    )
    assert found[999] == 16
    assert min(found[1000:1100]) < 16
    assert mean(found[-400:]) > 14


def test_a_server_that_gets_weaker_gets_less():
    weaker = cores(2)
    found = limits(
        lambda number, at_once: (cores(64) if number < 1000 else weaker)(number, at_once), answers=4000
    )
    assert found[999] == 16
    assert mean(found[-800:]) < 3.5


@pytest.mark.parametrize("seed", range(40))
def test_the_limit_stays_within_bounds_whatever_is_answered(seed: int):
    chance = random.Random(seed)
    most = chance.randint(1, 32)
    congestion = Congestion.of(most)
    for _ in range(2000):
        seconds = chance.choice([0.0, 0.01, 0.1, 5.0]) * chance.random()
        at_once = chance.randint(1, congestion.limit)
        congestion = congestion.after(Answer(seconds, at_once, failed=chance.random() < 0.02))
        assert 1 <= congestion.limit <= most
        assert len(congestion.round) < max(8, 2 * most)


@pytest.mark.parametrize("seed", range(10))
def test_noise_does_not_hide_where_the_server_gets_slower(seed: int):
    chance = random.Random(seed)

    def server(number: int, at_once: int) -> Answer:
        return Answer(0.05 * max(1.0, at_once / 8) * chance.lognormvariate(0, 0.3), at_once)

    assert 4 <= mean(limits(server, most=32, answers=6000)[-3000:]) <= 12


def test_nothing_is_spread_before_it_is_known_how_long_an_answer_takes():
    assert Congestion.of(16).gap == 0.0


@pytest.mark.parametrize("amount, seconds", [(2, 0.1), (8, 0.1), (2, 3.0)])
def test_requests_begin_closer_to_each_other_than_they_end(amount: int, seconds: float):
    congestion = Congestion.of(16)
    for number in range(2000):
        congestion = congestion.after(cores(amount, seconds)(number, congestion.limit))
        if congestion.normal is not None:
            ends_every = cores(amount, seconds)(0, congestion.limit).seconds / congestion.limit
            assert 0.4 * ends_every < congestion.gap < ends_every


def far(server: Server, way: float) -> Server:
    """Return a server at the end of a long way, where only what is not on the way is at once."""

    def answer(number: int, at_once: int) -> Answer:
        alone = server(number, 1).seconds
        there = max(1, round(at_once * alone / (alone + way)))
        return Answer(way + server(number, there).seconds, at_once, way=way)

    return answer


def test_a_long_way_is_filled_at_once():
    found = limits(far(cores(2, 0.01), 0.06), answers=60)
    assert steps(found) == [4, 8, 14]


def test_a_way_that_is_a_small_part_of_the_time_changes_nothing():
    assert set(limits(far(cores(2, 0.1), 0.02), answers=150)) == {START}


def test_a_long_way_is_filled_no_further_than_is_allowed():
    assert max(limits(far(cores(64, 0.01), 0.5), most=5, answers=600)) == 5


def test_after_trouble_even_a_long_way_is_filled_only_after_a_rest():
    near = far(cores(64, 0.01), 0.06)
    before = Congestion.of(16)
    for number in range(60):
        before = before.after(near(number, before.limit))
    assert before.limit == 14
    before = before.after(Answer(0.07, 14, failed=True, way=0.06))
    assert before.limit == 7
    found = limits(near, answers=1200, began=before)
    assert max(found[:300]) == 7
    assert 13 in found


def test_an_answer_that_took_no_longer_than_the_way_says_that_the_server_is_idle():
    found = limits(lambda _, at_once: Answer(0.05, at_once, way=0.05), answers=80)
    assert steps(found) == [4, 8, 16]
