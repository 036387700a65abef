"""When a wait ends, and when it looks again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_diffgram.client.looking import Pace
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.targets import (
    Target,
    handle_of_batches,
    handle_of_children,
    handles_of,
)
from airflow_provider_diffgram.models import InvalidValueError, Receipt


def receipt(**counts: int) -> Receipt:
    return Receipt(project="p", expected=10, **counts)


@pytest.mark.parametrize(
    "rules, counts, to_retry, step",
    [
        (Rules(), {"pending": 1}, [], "wait"),
        (Rules(), {"succeeded": 10}, [], "end"),
        (Rules(), {"pending": 9, "failed": 1}, [], "end"),
        (Rules(), {"pending": 9, "missing": 1}, [], "end"),
        (Rules(), {"pending": 9, "stuck": 1}, [7], "end"),
        (Rules(max_failed=1), {"pending": 9, "failed": 1}, [], "wait"),
        (Rules(max_failed=1), {"pending": 8, "failed": 2}, [], "end"),
        (Rules(max_failed=0.2), {"pending": 8, "failed": 2}, [], "wait"),
        (Rules(max_failed=0.2), {"pending": 7, "failed": 3}, [], "end"),
        (Rules(on_stuck="retry"), {"pending": 9, "stuck": 1}, [7], "retry"),
        (Rules(on_stuck="retry"), {"pending": 8, "stuck": 2}, [7], "end"),
        (Rules(on_stuck="retry"), {"pending": 8, "stuck": 1, "failed": 1}, [7], "end"),
        (Rules(on_stuck="retry", max_failed=1), {"pending": 8, "stuck": 1, "failed": 1}, [7], "retry"),
    ],
)
def test_the_next_step(rules: Rules, counts: dict[str, int], to_retry: list[int], step: str):
    assert rules.next_step(receipt(**counts), to_retry) == step


def test_all_that_is_wrong_is_told_at_once():
    wrong: dict[str, Any] = {
        "verify": "hope",
        "on_stuck": "panic",
        "max_failed": -1,
        "stall_timeout": 0,
        "max_retries": float("nan"),
        "if_killed": "explode",
    }
    with pytest.raises(InvalidValueError) as caught:
        Rules(**wrong)
    assert len(caught.value.problems) == 6


def test_numbers_may_be_rendered_texts_and_times_timedeltas():
    rules = Rules.of(max_failed=" 0.5 ", stall_timeout=timedelta(minutes=2), on_stuck="retry")
    assert rules == Rules(max_failed=0.5, stall_timeout=120.0, on_stuck="retry")
    assert Rules.of(max_failed=3, stall_timeout=None).stall_timeout is None


@pytest.mark.parametrize("wrong", ["many", "", "nan", "-1", None, True, [1]])
def test_what_is_not_a_number_is_refused_with_what_else_is_wrong(wrong: Any):
    with pytest.raises(InvalidValueError, match="max_failed must be a number of inputs") as caught:
        Rules.of(max_failed=wrong, stall_timeout="soon", verify="hope")
    assert len(caught.value.problems) == 3


def test_looks_come_soon_at_first_then_ever_less_often_and_never_too_late():
    pace = Pace(10.0)
    pauses = [pace.pause(soon=False, settling=False) for _ in range(9)]
    assert 0.75 <= pauses[0] <= 1.0
    assert pauses[3] > pauses[0]
    assert all(7.5 <= each <= 10.0 for each in pauses[-2:])
    assert pace.pause(soon=True, settling=True) < 0.1
    assert 0.75 <= pace.pause(soon=False, settling=True) <= 1.0


@pytest.mark.parametrize(
    "given, expected_count, words",
    [
        ({}, None, "not none"),
        ({"handle": {}, "batch_ids": [1]}, None, "not handle, batch_ids"),
        ({"parent_file_id": 1}, None, "go together"),
        ({"input_ids": [1]}, 3, "go together"),
    ],
)
def test_exactly_one_kind_of_target(given: dict[str, Any], expected_count: Any, words: str):
    with pytest.raises(InvalidValueError, match=words):
        Target(**given, expected_count=expected_count).check()


def test_targets_may_be_rendered_texts():
    assert [batch.id for batch in handle_of_batches("p", "[4, 5, 4]").batches] == [4, 5]
    (sent,) = handle_of_children("p", "6", "3").batches
    assert (sent.parent_file_id, sent.inputs) == (6, 3)


@pytest.mark.parametrize("value", ["four", [True], [0], [1.5], [], [None], {"a": 1}])
def test_what_is_no_id_is_refused(value: Any):
    with pytest.raises(InvalidValueError):
        handle_of_batches("p", value)


def test_no_handle_is_refused():
    with pytest.raises(InvalidValueError, match="none given"):
        handles_of([])
