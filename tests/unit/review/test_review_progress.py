"""From the states of tasks to a receipt, and when a review is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_provider_diffgram.models import InvalidValueError, TaskState
from airflow_provider_diffgram.review.progress import (
    Progress,
    ReviewReceipt,
    ReviewRules,
    completion_times,
    epoch_of,
    receipt_of,
    speed_of,
    stand_of,
    stands_of,
)


@pytest.mark.parametrize(
    "status,stand",
    [
        ("available", "open"),
        ("created", "open"),
        ("in_progress", "open"),
        ("review_requested", "open"),
        ("something new", "open"),
        (None, "open"),
        ("in_review", "in_review"),
        ("requires_changes", "requires_changes"),
        ("deferred", "deferred"),
        ("complete", "complete"),
    ],
)
def test_only_complete_is_done(status, stand):
    assert stand_of(status) == stand


@pytest.mark.parametrize(
    "statuses,stand",
    [
        (["complete", "in_review"], "in_review"),
        (["complete", "complete"], "complete"),
        (["deferred", "requires_changes"], "requires_changes"),
        (["requires_changes", "available"], "open"),
        (["in_review", "deferred"], "deferred"),
    ],
)
def test_a_file_with_several_tasks_is_as_far_as_the_least_finished(statuses, stand):
    assert stands_of([(7, status) for status in statuses]) == {7: stand}
    assert stands_of([(7, status) for status in reversed(statuses)]) == {7: stand}


def receipt(**counts: int) -> ReviewReceipt:
    expected = sum(counts.values())
    return ReviewReceipt(project="p", job_ids=[1], expected=expected, **counts)


def test_a_receipt_counts_each_file_once_and_names_the_unfinished():
    stands = {1: "complete", 2: "in_review", 3: "archived", 4: "without_task", 5: "complete"}
    told = receipt_of("p", [9], stands)
    assert (told.expected, told.complete, told.in_review, told.archived, told.without_task) == (5, 2, 1, 1, 1)
    assert sum(told.counts().values()) == 2 * told.expected
    assert told.file_ids == [1, 5]
    assert told.waiting == ["file 2: in review", "file 3: archived", "file 4: without a task"]
    assert told.summary() == "2 of 5 reviewed (1 in review, 1 archived, 1 without a task)"


def test_a_receipt_of_many_files_names_few():
    told = receipt_of("p", [9], {n: "open" if n % 2 else "complete" for n in range(1000)})
    assert (told.open, len(told.waiting), told.file_ids) == (500, 20, [])


@pytest.mark.parametrize(
    "min_done,counts,over",
    [
        (None, {"complete": 3}, True),
        (None, {"complete": 3, "open": 1}, False),
        (None, {"complete": 3, "in_review": 1}, False),
        (None, {"complete": 3, "without_task": 1}, False),
        (None, {"complete": 3, "archived": 4, "removed": 1}, True),
        (None, {"archived": 4}, False),
        (None, {}, False),
        (0.95, {"complete": 95, "open": 5}, True),
        (0.95, {"complete": 94, "open": 6}, False),
        (0.5, {"complete": 1, "open": 1, "archived": 8}, True),
        (0.1, {"open": 5}, False),
        (0.7, {"complete": 7, "open": 3}, True),
        (1, {"complete": 1, "open": 99}, True),
        (500, {"complete": 499, "open": 1}, False),
        (500, {"complete": 501, "open": 9}, True),
    ],
)
def test_when_a_review_is_over(min_done, counts, over):
    assert ReviewRules(min_done=min_done).is_over(receipt(**counts)) is over


@pytest.mark.parametrize(
    "min_done,counts,hopeless",
    [
        (None, {"open": 1, "archived": 9}, False),
        (None, {"archived": 9, "removed": 1}, True),
        (5, {"open": 4, "archived": 1}, True),
        (5, {"open": 4, "complete": 1, "archived": 1}, False),
        (0.5, {"open": 1, "archived": 99}, False),
        (None, {}, False),
    ],
)
def test_when_it_can_never_be_over(min_done, counts, hopeless):
    assert ReviewRules(min_done=min_done).is_hopeless(receipt(**counts)) is hopeless


def test_wrong_rules_are_told_all_at_once():
    with pytest.raises(InvalidValueError) as wrong:
        ReviewRules(min_done=-1, task_timeout=0)
    assert len(wrong.value.problems) == 2
    for min_done in (0, 1.5, True, float("nan"), "many"):
        with pytest.raises(InvalidValueError, match="min_done"):
            ReviewRules(min_done=min_done)


@pytest.mark.parametrize(
    "text",
    ["Thu, 26 Nov 2026 19:41:53 GMT", "2026-11-26 19:41:53.036815", "2026-11-26T19:41:53.036815"],
)
def test_times_of_all_forms_are_read(text):
    assert epoch_of(text) == int(datetime(2026, 11, 26, 19, 41, 53, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("text", [None, "", "None", "yesterday", "Thu, 26 Nov 2026", "xx GMT"])
def test_no_time_is_none(text):
    assert epoch_of(text) is None


@pytest.mark.parametrize(
    "completed,speed",
    [
        ([], None),
        ([9900], None),
        ([5000, 6000], None),
        ([9000, 10_000], 1 / 1000),
        ([9000, 9100, 9200], 2 / 1000),
        ([10_000, 10_000], None),
        ([6399, 9000, 9500], 1 / 1000),
        ([9900, 10_100], 1 / 200),
    ],
)
def test_speed_is_that_of_the_last_hour(completed, speed):
    assert speed_of(completed, 10_000.0) == (speed if speed is None else pytest.approx(speed))


def test_progress_says_how_many_how_fast_and_until_when():
    noon = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
    line = Progress(receipt(complete=42, open=55, in_review=3), 100, 29 / 3600, noon).summary()
    assert line == ("42 of 100 reviewed, 3 in review, 55 open · 29.0/h · about 2.0 h left")
    assert Progress(receipt(complete=1, open=1), 2, None, noon).summary() == "1 of 2 reviewed, 1 open"
    assert Progress(receipt(complete=2), 2, 1.0, noon).summary() == "2 of 2 reviewed"
    few = Progress(receipt(complete=42, open=58), 50, 1 / 60, noon).summary()
    assert few == "42 of 50 reviewed, 58 open · 1.0/min · about 8 min left · 100 could be"


def test_completions_are_those_of_complete_tasks():
    states = [
        TaskState(id=1, status="complete", time_completed="Thu, 01 Jan 1970 00:00:10 GMT"),
        TaskState(id=2, status="in_review", time_completed="Thu, 01 Jan 1970 00:00:20 GMT"),
        TaskState(id=3, status="complete", time_completed="Thu, 01 Jan 1970 00:00:30 GMT"),
    ]
    assert completion_times(states) == [10, 30]
    assert completion_times(states, {3}) == [30]
