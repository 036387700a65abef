"""How far pending inputs are, and when their end is due."""

from __future__ import annotations

from typing import Any

from airflow_provider_diffgram.ingest.watch.movement import Movement
from tests.unit.ingest.watch.listed import read

START = Movement(left=1000, moved_at=0)


def seen(*looks: tuple[float, int], start: Movement = START) -> Movement:
    """Look: (moment, how many are pending)."""
    for now, pending in looks:
        start = start.after([read(each, "processing") for each in range(1, pending + 1)], now, whole=True)
    return start


def test_no_end_is_due_before_the_queue_was_seen_to_become_shorter():
    for looks in ([], [(0, 1000)], [(0, 1000), (10, 1000)]):
        assert not seen(*looks).is_end_due(1e9)


def test_an_end_is_due_once_most_of_what_was_left_should_be_done():
    movement = seen((0, 1000), (10, 500))
    assert not movement.is_end_due(16.9)
    assert movement.is_end_due(17)


def test_the_last_two_looks_count():
    movement = seen((0, 1000), (10, 500), (20, 499))
    assert not movement.is_end_due(3500)
    assert movement.is_end_due(3520)


def test_a_queue_that_grew_again_has_no_end_in_sight():
    assert not seen((0, 1000), (10, 10), (11, 20)).is_end_due(1e9)


def test_no_end_is_due_where_nothing_is_left():
    assert not seen((0, 1000), (10, 0)).is_end_due(20)


def test_a_sample_tells_what_is_left_by_the_share_of_it_that_went():
    sample = [read(each, "processing") for each in range(901, 1001)]
    movement = START.after(sample, 0, whole=False)
    assert movement.left == 1000
    older = [read(each, "processing") for each in range(851, 951)]  # the fifty newest went; fifty older came
    movement = movement.after(older, 10, whole=False)
    assert movement.left == 500
    assert movement.is_end_due(17)


def changed(**change: Any) -> Movement:
    first = START.after([read(1, "processing", percent_complete=5)], 1, whole=True)
    return first.after([read(1, **{"status": "processing", "percent_complete": 5, **change})], 7, whole=True)


def test_an_input_moves_when_status_percentage_time_or_retries_change():
    assert not changed().moves
    assert changed().moved_at == 0
    assert changed().marks[1].since == 1
    for change in (
        {"status": "downloaded"},
        {"percent_complete": 6},
        {"time_updated": "later"},
        {"retry_count": 1},
    ):
        assert changed(**change).moves
        assert changed(**change).moved_at == 7
        assert changed(**change).marks[1].since == 7


def test_one_that_goes_moved_and_one_that_comes_did_not():
    movement = seen((1, 2))
    assert seen((5, 1), start=movement).moved_at == 5
    assert seen((5, 3), start=movement).moved_at == 0


def test_that_older_ones_leave_a_sample_says_nothing():
    movement = START.after([read(each, "processing") for each in (1, 2)], 1, whole=False)
    movement = movement.after([read(each, "processing") for each in (2, 3)], 5, whole=False)
    assert not movement.moves


def test_one_in_a_queue_is_not_taken_up():
    def taken_up(status: str, **more: Any) -> bool:
        return START.after([read(1, status, **more)], 0, whole=True).marks[1].taken_up

    assert taken_up("processing")
    assert not taken_up("processing", processing_deferred=True)
    for status in ("init", "local_processing_queue", "retrying"):
        assert not taken_up(status)


def test_what_was_out_of_sight_counts_as_moved():
    movement = seen((1, 2)).measured_from(50)
    assert movement.moved_at == 50
    assert {mark.since for mark in movement.marks.values()} == {50}
