"""Waiting for people: what counts, how it ends, what it costs."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.client import CredentialError, DiffgramClient, routes
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.review.errors import (
    JobStateError,
    ReviewImpossibleError,
    ReviewLostError,
    ReviewTimeoutError,
)
from airflow_provider_diffgram.review.jobs import ensure_job
from airflow_provider_diffgram.review.progress import ReviewRules
from airflow_provider_diffgram.review.tasks import add_tasks
from airflow_provider_diffgram.review.wait import ReviewTarget, ReviewWait, wait_for_review
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import settings


@pytest.fixture
def under_review(desk):
    """Four files with a task each in a job without datasets: files, tasks by file, job."""
    files = desk.files(4)
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, files))
    return files, desk.tasks(job.id), job.id


def looked(desk, **target):
    rules = target.pop("rules", ReviewRules())
    waiting = ReviewWait(desk.client.project, ReviewTarget(**target), rules)
    return desk.run(waiting.look())


def waited(desk, **more):
    return wait_for_review(desk.client, **{"timeout": 10.0, "poll_interval": 0.5, **more})


def test_each_file_is_counted_where_it_stands(desk, under_review):
    files, tasks, job = under_review
    desk.person.complete(tasks[files[0]])
    desk.person.defer(tasks[files[1]])
    desk.person.archive(tasks[files[2]])
    standing = looked(desk, job_id=job, file_ids=tuple(files))
    receipt = standing.receipt
    assert standing.status == "pending"
    assert (receipt.expected, receipt.complete, receipt.deferred, receipt.archived, receipt.open) == (
        4,
        1,
        1,
        1,
        1,
    )
    assert receipt.file_ids == [files[0]]
    assert receipt.job_ids == [job]


def test_a_review_that_waits_for_its_reviewer_is_not_done(desk):
    files = desk.files(1)
    job = desk.job(attach=False, review_share=1.0)
    desk.run(add_tasks(desk.client.project, job.id, files))
    task = desk.tasks(job.id)[files[0]]
    desk.person.complete(task)
    assert looked(desk, job_id=job.id).receipt.in_review == 1
    desk.person.request_change(task, "the left one")
    assert looked(desk, job_id=job.id).receipt.requires_changes == 1
    desk.person.complete(task)
    desk.person.approve(task)
    assert looked(desk, job_id=job.id).status == "done"


def test_a_task_that_is_opened_again_is_open_though_its_job_stays_complete(desk, under_review):
    files, tasks, job = under_review
    for file_id in files:
        desk.person.complete(tasks[file_id])
    assert looked(desk, job_id=job).status == "done"
    desk.person.reopen(tasks[files[0]])
    (found,) = desk.client.send(routes.list_jobs(desk.client.project, job_ids=[job])).jobs
    assert found.status == "complete"
    assert looked(desk, job_id=job).receipt.open == 1


def test_it_is_right_when_it_begins_after_all_is_done(desk, under_review):
    files, tasks, job = under_review
    for file_id in files:
        desk.person.complete(tasks[file_id])
    assert waited(desk, job_id=job).complete == 4
    assert waited(desk, file_ids=files).complete == 4
    assert waited(desk, job_id=job, file_ids=files[:2]).expected == 2


def test_files_are_followed_in_whatever_jobs_they_have_tasks(desk, under_review):
    files, tasks, job = under_review
    other = desk.job("second", attach=False)
    desk.run(add_tasks(desk.client.project, other.id, files[:2]))
    for file_id in files:
        desk.person.complete(tasks[file_id])
    receipt = looked(desk, file_ids=tuple(files)).receipt
    assert (receipt.complete, receipt.open, receipt.job_ids) == (2, 2, sorted([job, other.id]))
    assert looked(desk, job_id=job, file_ids=tuple(files)).status == "done"


@pytest.mark.parametrize("min_done", [2, 0.5])
def test_a_number_or_a_share_is_enough(desk, under_review, min_done):
    files, tasks, job = under_review
    desk.person.complete(tasks[files[0]])
    rules = ReviewRules(min_done=min_done)
    assert looked(desk, job_id=job, rules=rules).status == "pending"
    desk.person.complete(tasks[files[1]])
    assert waited(desk, job_id=job, rules=rules).complete == 2


def test_a_task_that_is_archived_and_a_file_that_is_removed_are_not_waited_for(desk, under_review):
    files, tasks, job = under_review
    target = ReviewTarget(job, tuple(files))
    waiting = ReviewWait(desk.client.project, target, ReviewRules())
    desk.run(waiting.look())
    desk.person.complete(tasks[files[0]])
    desk.person.complete(tasks[files[1]])
    desk.person.archive(tasks[files[2]])
    remove(desk, files[3])
    receipt = desk.run(waiting.look()).receipt
    assert (receipt.complete, receipt.archived, receipt.removed) == (2, 1, 1)
    # Whoever begins to look only now finds the same.
    assert looked(desk, job_id=job, file_ids=tuple(files)).receipt.counts() == receipt.counts()


def remove(desk, file_id: int) -> None:
    """Remove a file as an archived input does: with its tasks."""
    named = {"project": desk.client.project, "file_id": file_id}
    desk.emulator.control("files", {**named, "state": "removed"})
    desk.emulator.control("tasks", {**named, "status": "archived"})


def test_a_file_that_was_removed_is_not_waited_for_though_its_task_is_listed(desk, under_review):
    files, tasks, job = under_review
    for file_id in files[:3]:
        desk.person.complete(tasks[file_id])
    named = {"project": desk.client.project, "file_id": files[3]}
    desk.emulator.control("files", {**named, "state": "removed"})
    assert desk.tasks(job).keys() == set(files)
    receipt = waited(desk, job_id=job)
    assert (receipt.complete, receipt.removed) == (3, 1)


def test_nothing_left_to_review_is_no_success(desk, under_review):
    files, tasks, job = under_review
    for file_id in files:
        desk.person.archive(tasks[file_id])
    with pytest.raises(
        ReviewImpossibleError, match="min_done needs 1 file to be reviewed, but only 0 can be"
    ):
        waited(desk, job_id=job, file_ids=files)


def test_more_than_there_are_is_refused_at_once(desk, under_review):
    files, _, job = under_review
    with pytest.raises(ReviewImpossibleError, match="5 files to be reviewed, but only 4 can be"):
        waited(desk, job_id=job, file_ids=files, rules=ReviewRules(min_done=5))


def test_files_without_a_task_are_named_after_a_while(desk, under_review):
    files, tasks, job = under_review
    late = desk.files(1)[-1]
    for file_id in files:
        desk.person.complete(tasks[file_id])
    rules = ReviewRules(task_timeout=2.0)
    with pytest.raises(ReviewImpossibleError, match=f"File ids: {late}") as missing:
        waited(desk, job_id=job, file_ids=[*files, late], rules=rules, timeout=60.0)
    assert missing.value.receipt.without_task == 1
    assert "DiffgramAddTasksOperator" in str(missing.value)
    enough = ReviewRules(min_done=0.8, task_timeout=2.0)
    assert waited(desk, job_id=job, file_ids=[*files, late], rules=enough).without_task == 1


def test_a_task_that_comes_late_is_waited_for(desk, under_review):
    _, _, job = under_review
    late = desk.files(1)[-1]
    waiting = ReviewWait(desk.client.project, ReviewTarget(job, (late,)), ReviewRules())
    assert desk.run(waiting.look()).receipt.without_task == 1
    desk.run(add_tasks(desk.client.project, job, [late]))
    assert desk.run(waiting.look()).receipt.open == 1
    desk.person.complete(desk.tasks(job)[late])
    assert desk.run(waiting.look()).status == "done"


def test_a_job_without_tasks_ends_with_what_to_do(desk):
    job = desk.job(attach=False)
    with pytest.raises(JobStateError, match="has had no tasks for 2 s") as empty:
        waited(desk, job_id=job.id, rules=ReviewRules(task_timeout=2.0), timeout=60.0)
    assert "attach a dataset" in str(empty.value)


def test_a_draft_and_an_unknown_job_end_with_what_to_do(desk):
    draft = desk.run(ensure_job(desk.client.project, desk.plan(), launch=False))
    with pytest.raises(JobStateError, match="launch it"):
        waited(desk, job_id=draft.id)
    with pytest.raises(JobStateError, match="archived, or does not exist"):
        waited(desk, job_id=999_999)


def test_a_timeout_tells_where_everything_stands(desk, under_review):
    files, tasks, job = under_review
    desk.person.complete(tasks[files[0]])
    with pytest.raises(ReviewTimeoutError) as late:
        waited(desk, job_id=job, timeout=1.0)
    assert "1 of 4 reviewed (3 open)" in str(late.value)
    assert f"file {files[1]}: open" in str(late.value)
    assert late.value.receipt.open == 3


def test_looks_that_fail_are_tolerated_for_a_while(desk, under_review, monkeypatch):
    files, tasks, job = under_review
    for file_id in files:
        desk.person.complete(tasks[file_id])
    impatient = DiffgramClient(settings(desk.emulator, retry_timeout=0.0), FastTime())
    desk.emulator.fault("/task/list$", "status", status=503, times=3)
    assert wait_for_review(impatient, job_id=job, poll_interval=0.5).complete == 4
    desk.emulator.fault("/task/list$", "status", status=503, times=None)
    with pytest.raises(ReviewLostError, match="10 polls in a row failed") as lost:
        wait_for_review(impatient, job_id=job, poll_interval=0.5)
    assert not lost.value.permanent


def test_a_wrong_credential_ends_the_wait_at_once(desk, under_review):
    _, _, job = under_review
    stranger = DiffgramClient(settings(desk.emulator, client_secret="wrong"), FastTime())
    with pytest.raises(CredentialError):
        wait_for_review(stranger, job_id=job)


def test_progress_is_told_after_each_look(desk, under_review):
    files, tasks, job = under_review
    lines: list[str] = []
    for file_id in files[:2]:
        desk.person.complete(tasks[file_id])
    with pytest.raises(ReviewTimeoutError):
        waited(desk, job_id=job, timeout=1.0, progress=lambda told: lines.append(told.summary()))
    assert lines[0].startswith("2 of 4 reviewed, 2 open")


def test_a_routine_look_is_one_light_request(desk, under_review):
    files, tasks, job = under_review
    waiting = ReviewWait(desk.client.project, ReviewTarget(job, tuple(files)), ReviewRules())
    desk.run(waiting.look())
    desk.person.complete(tasks[files[0]])
    before = desk.emulator.requests()["total"]
    assert desk.run(waiting.look()).receipt.complete == 1
    assert desk.emulator.requests()["total"] - before == 1


def test_a_wait_for_nothing_is_refused():
    with pytest.raises(InvalidValueError, match="name a job, or files"):
        ReviewTarget()
    with pytest.raises(InvalidValueError, match="nothing to wait for"):
        ReviewTarget(1, ())


def test_ids_travel_as_ranges():
    target = ReviewTarget(5, (7, 3, 4, 5, 9, 4))
    assert target.file_ranges == [[3, 5], [7, 7], [9, 9]]
    assert ReviewTarget.of_ranges(5, target.file_ranges) == ReviewTarget(5, (3, 4, 5, 7, 9))
    assert ReviewTarget.of_ranges(5, ReviewTarget(5).file_ranges) == ReviewTarget(5)
