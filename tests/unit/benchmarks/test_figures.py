"""Figures of accepted packets."""

from __future__ import annotations

import pytest

from benchmarks.figures import Accepted, lost, rate_from_first_to_last, rate_in_window, smallest_share

NOW = 1795293556.0


def steady(sender: str, rate: float, seconds: float) -> list[Accepted]:
    return [
        Accepted(f"{sender}-{number:07}.jpg", NOW + number / rate) for number in range(int(rate * seconds))
    ]


def test_the_window_begins_with_the_first_packet_and_ends_30_s_later():
    assert rate_in_window(steady("a", 20, 40)) == 20
    assert rate_in_window(steady("a", 20, 40)[::-1]) == 20


def test_who_stops_early_is_measured_over_the_whole_window():
    assert rate_in_window(steady("a", 20, 1)) == pytest.approx(20 / 30)
    assert rate_in_window([]) == 0


def test_the_rate_from_first_to_last_counts_the_gaps():
    assert rate_from_first_to_last(steady("a", 250, 8)) == pytest.approx(250)
    assert rate_from_first_to_last(steady("a", 250, 8)[:1]) == 0
    assert rate_from_first_to_last([]) == 0


def test_the_smallest_share_is_of_a_fair_one_within_the_window():
    accepted = [*steady("a", 8, 30), *steady("b", 4, 30), *steady("c", 4, 30), *steady("d", 4, 60)]
    assert smallest_share(accepted, ["a", "b", "c", "d"]) == pytest.approx(4 / 5)
    assert smallest_share(accepted, ["a", "b", "c", "d", "e"]) == 0
    assert smallest_share([], ["a", "b"]) == 0


def test_lost_is_what_was_reported_and_is_not_there():
    accepted = steady("a", 1, 3)
    names = [one.name for one in accepted]
    assert lost(names[:2], accepted) == 0
    assert lost([*names, "a-0000003.jpg", "a-0000003.jpg"], accepted) == 1
