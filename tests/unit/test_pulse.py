"""What is said of something that takes long."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.pulse import Pulse, duration


def test_a_wait_of_five_minutes_says_five_to_fifteen_lines():
    pulse = Pulse("in Diffgram")
    lines = [line for second in range(0, 301, 2) if (line := pulse.beat(second, second, 300))]
    assert 5 <= len(lines) <= 15
    assert lines[0] == "0 of 300 in Diffgram"
    assert lines[1] == "30 of 300 in Diffgram · 1.0/s · about 4 min left"
    assert lines[-1] == "300 of 300 in Diffgram"


def test_failures_are_counted_apart_and_slow_things_by_the_minute():
    pulse = Pulse("reviewed")
    pulse.beat(0, 0, 1200)
    assert pulse.beat(600, 6, 1200, failed=2) == (
        "4 of 1,200 reviewed, 2 failed · 36.0/h · about 33.2 h left"
    )


def test_what_stands_still_is_said():
    pulse = Pulse("in Diffgram")
    pulse.beat(0, 0, 10)
    pulse.beat(30, 5, 10)
    assert pulse.beat(61, 5, 10) == "5 of 10 in Diffgram · 4.9/min · about 61 s left"
    assert pulse.beat(150, 5, 10) == (
        "5 of 10 in Diffgram · 2.0/min · about 2 min left · nothing new for 2 min"
    )


def test_a_rate_counts_from_the_first_look():
    pulse = Pulse("in Diffgram")
    assert pulse.beat(0, 900, 1000) == "900 of 1,000 in Diffgram"
    assert pulse.beat(30, 930, 1000) == "930 of 1,000 in Diffgram · 1.0/s · about 70 s left"


def test_nobody_knows_how_many():
    pulse = Pulse("pulled")
    pulse.beat(0, 0, None)
    assert pulse.beat(30, 300, None) == "300 pulled · 10.0/s"


def test_a_wait_of_days_is_no_wall_of_lines():
    pulse = Pulse("reviewed")
    days = 3 * 24 * 3600
    lines = [line for second in range(0, days, 60) if (line := pulse.beat(second, second // 3600, 100))]
    assert 4 * 24 * 2 <= len(lines) <= 4 * 24 * 3 + 60


def test_what_else_is_known_stands_beside_the_count_and_at_the_end():
    pulse = Pulse("sent")
    pulse.begin(0)
    assert pulse.beat(29, 5, 10) is None
    assert pulse.beat(30, 6, 10, failed=1, among="2 of them there already", more="3.0 MiB") == (
        "5 of 10 sent, 2 of them there already, 1 failed · 12.0/min · about 20 s left · 3.0 MiB"
    )
    assert pulse.words(40, 6, 10, is_over=True) == "6 of 10 sent · 9.0/min"
    assert pulse.words(40, 6, 10, per_second=0.001) == "6 of 10 sent · 3.6/h · about 67 min left"
    assert pulse.words(40, 6, 10, per_second=1e-300) == "6 of 10 sent · 0.0/h"


@pytest.mark.parametrize(
    "seconds, words", [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h"), (216_000, "2.5 days")]
)
def test_durations(seconds: float, words: str):
    assert duration(seconds) == words
