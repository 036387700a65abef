"""What it costs to follow a review is counted, not assumed."""

from __future__ import annotations

from benchmarks.review_wait import measure


def test_a_routine_look_is_one_light_request_however_many_tasks_there_are():
    lines: list[str] = []
    rows = {each.name: each for each in measure(lines.append, tasks=1200)}
    assert lines[0].endswith("learnt 1200 files by 4 requests"), "the job, all states, two pages"
    assert rows["review.wait.requests_per_look"].ours == 1
    assert 100 < rows["review.wait.bytes_per_task"].ours <= 200
    assert all(each.ok for each in rows.values())
