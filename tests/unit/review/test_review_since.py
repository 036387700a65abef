"""How many files were reviewed since somebody was last told."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.models import TaskState
from airflow_provider_diffgram.review.since import OVERLAP, Cursor, is_due, moment_of, news_since

START = 1_800_000_000


def done(task_id: int, moment: int) -> TaskState:
    return TaskState(id=task_id, status="complete", time_completed=formatdate(START + moment, usegmt=True))


def open_(task_id: int) -> TaskState:
    return TaskState(id=task_id, status="in_progress", time_completed=formatdate(START, usegmt=True))


def test_everything_is_new_to_whoever_was_told_nothing():
    news = news_since(Cursor(START), [done(1, 0), done(2, 50), open_(3)], START + 60.0)
    assert (news.files, news.complete, news.cursor.until) == (2, 2, START + 50)


def test_what_was_told_is_not_news_and_what_comes_is():
    states = [done(1, 0), done(2, 50)]
    told = news_since(Cursor(START), states, START + 60.0).cursor
    assert news_since(told, states, START + 90.0).files == 0
    assert news_since(told, [*states, done(3, 80)], START + 90.0).files == 1


def test_a_task_that_becomes_visible_late_is_news():
    told = news_since(Cursor(START), [done(2, 50)], START + 60.0).cursor
    assert news_since(told, [done(1, 20), done(2, 50)], START + 61.0).files == 1
    assert news_since(told, [done(1, 50), done(2, 50)], START + 61.0).files == 1, "of the same second"


def test_a_task_that_is_opened_and_completed_again_is_news():
    told = news_since(Cursor(START), [done(1, 0), done(2, 50)], START + 60.0).cursor
    assert news_since(told, [open_(1), done(2, 50)], START + 61.0).files == 0
    assert news_since(told, [done(1, 70), done(2, 50)], START + 80.0).files == 1


def test_a_cursor_is_small_and_survives_json():
    states = [done(n, n * 10) for n in range(1, 10_001)]
    told = news_since(Cursor(START), states, START + 100_001.0).cursor
    text = json.dumps(told.to_json())
    assert len(text) < 4096
    assert Cursor.from_json(json.loads(text)) == told
    assert len(told.recent) == OVERLAP // 10


@pytest.mark.parametrize("stored", [None, 5, "x", {}, {"at": 1}, {"at": "x", "until": 1, "recent": {}}])
def test_a_cursor_that_cannot_be_read_begins_anew(stored):
    assert Cursor.from_json(stored) is None


@pytest.mark.parametrize(
    "completed,waited,due",
    [(3, 0, True), (4, 0, True), (2, 0, False), (2, 99, False), (2, 100, True), (0, 1000, False)],
)
def test_it_is_time_to_tell_enough_files_or_some_after_long_enough(completed, waited, due):
    cursor = Cursor(START)
    news = news_since(cursor, [done(n, 0) for n in range(completed)], START + waited)
    assert is_due(news, cursor, START + waited, min_files=3, max_wait=100) is due


def test_without_a_longest_wait_only_the_number_counts():
    news = news_since(Cursor(START), [done(1, 0)], START + 1e9)
    assert not is_due(news, Cursor(START), START + 1e9, min_files=2, max_wait=None)


def test_moments_are_told_in_iso_form():
    assert moment_of(0) is None
    assert moment_of(1_800_000_000) == "2027-01-15T08:00:00+00:00"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, OVERLAP - 2)), min_size=1, max_size=40),
    st.integers(1, 10),
)
def test_each_completion_is_told_exactly_once_however_late_it_shows(completions, min_files):
    """Whatever is visible late by less than the overlap: the events add up to all completions."""
    cursor, told = Cursor(START), 0
    tasks = [(n, done_at, done_at + late) for n, (done_at, late) in enumerate(completions)]
    for moment in range(0, 6000, 37):
        states = [done(n, done_at) for n, done_at, visible in tasks if visible <= moment]
        news = news_since(cursor, states, START + moment)
        if is_due(news, cursor, START + moment, min_files=min_files, max_wait=None):
            told, cursor = told + news.files, news.cursor
    assert told + news_since(cursor, [done(n, at) for n, at, _ in tasks], START + 6000.0).files == len(tasks)
