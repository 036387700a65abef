"""When a batch should be done."""

from __future__ import annotations

from airflow_provider_diffgram.ingest.watch.forecast import Forecast


def test_nothing_is_due_before_it_was_seen_to_become_less():
    forecast = Forecast(1000)
    assert not forecast.is_due(1e9)
    forecast.note(1000, 0)
    assert not forecast.is_due(1e9)
    forecast.note(1000, 10)
    assert not forecast.is_due(1e9)


def test_an_end_is_due_once_most_of_what_was_left_should_be_done():
    forecast = Forecast(1000)
    forecast.note(1000, 0)
    forecast.note(500, 10)
    assert not forecast.is_due(16.9)
    assert forecast.is_due(17)


def test_the_last_two_looks_count():
    forecast = Forecast(1000)
    for left, now in ((1000, 0), (500, 10), (499, 20)):
        forecast.note(left, now)
    assert not forecast.is_due(3500)
    assert forecast.is_due(3520)


def test_what_grew_again_is_not_due():
    forecast = Forecast(1000)
    for left, now in ((1000, 0), (10, 10), (20, 11)):
        forecast.note(left, now)
    assert not forecast.is_due(1e9)


def test_nothing_is_due_where_nothing_is_left():
    forecast = Forecast(1000)
    forecast.note(1000, 0)
    forecast.note(0, 10)
    assert not forecast.is_due(20)
