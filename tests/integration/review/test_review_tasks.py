"""Tasks for chosen files: all of them, each once, or who is missing."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.review.errors import JobStateError, TasksMissingError
from airflow_provider_diffgram.review.jobs import ensure_job
from airflow_provider_diffgram.review.tasks import TaskIndex, add_tasks, all_states


def added(desk, job_id, file_ids, **more):
    return desk.run(add_tasks(desk.client.project, job_id, file_ids, **more))


def test_chosen_files_become_tasks_each_once(desk):
    files = desk.files(4)
    job = desk.job(attach=False)
    first = added(desk, job.id, files[:3])
    assert (first.requested, first.created, first.existing) == (3, 3, 0)
    assert sorted(desk.tasks(job.id)) == files[:3]
    again = added(desk, job.id, [*files, files[0]])
    assert (again.requested, again.created, again.existing) == (4, 1, 3)
    assert sorted(desk.tasks(job.id)) == files


def test_nothing_is_asked_for_where_all_have_a_task(desk):
    files = desk.files(2)
    job = desk.job(attach=False)
    added(desk, job.id, files)
    before = desk.requests("/add-files")
    assert added(desk, job.id, files).created == 0
    assert desk.requests("/add-files") == before


def test_a_service_that_does_not_run_is_named_and_the_next_call_brings_the_tasks(desk):
    files = desk.files(2)
    job = desk.job(attach=False)
    desk.emulator.tune(eventhandlers=False)
    with pytest.raises(TasksMissingError) as missing:
        added(desk, job.id, files, patience=3.0)
    assert not missing.value.permanent
    words = str(missing.value)
    assert "2 of 2 tasks did not appear" in words
    assert "eventhandlers" in words
    assert f"file {files[0]}, file {files[1]}" in words
    assert desk.requests("/add-files") >= 2, "it was sent again"
    desk.emulator.tune(eventhandlers=True)
    assert added(desk, job.id, files).created == 2


def test_a_service_that_starts_meanwhile_gets_the_request_again(desk, monkeypatch):
    files = desk.files(2)
    job = desk.job(attach=False)
    desk.emulator.tune(eventhandlers=False)
    steps = add_tasks(desk.client.project, job.id, files, patience=2.0)
    sent = 0
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as done:
            result = done.value
            break
        if getattr(step, "path", "").endswith("/add-files"):
            sent += 1
            desk.emulator.tune(eventhandlers=sent > 1)
        answer = desk.client.send(step) if hasattr(step, "path") else desk.client.run(again(step))
    assert (sent, result.created) == (2, 2)


def again(step):
    return (yield step)


def test_a_file_that_is_not_there_is_named_and_the_others_have_their_task(desk):
    files = desk.files(2)
    job = desk.job(attach=False)
    with pytest.raises(InvalidValueError, match="no such file, or it was removed: file 999999") as gone:
        added(desk, job.id, [*files, 999_999], patience=2.0)
    assert "2 of 3 files have a task" in str(gone.value)
    assert sorted(desk.tasks(job.id)) == files


def test_a_draft_is_refused_before_anything_is_asked(desk):
    files = desk.files(1)
    draft = desk.run(ensure_job(desk.client.project, desk.plan(attach=False), launch=False))
    before = desk.requests("/add-files", status=None)
    with pytest.raises(JobStateError, match="launch it"):
        added(desk, draft.id, files)
    assert desk.requests("/add-files", status=None) == before


def test_an_index_reads_the_files_of_new_tasks_only(desk):
    files = desk.files(7)
    job = desk.job(attach=False)
    added(desk, job.id, files[:5])
    index = TaskIndex(desk.client.project, job.id, page=2)

    def looked() -> int:
        before = desk.requests("/task/list")
        desk.run(index.look())
        return desk.requests("/task/list") - before

    assert looked() == 1 + 3
    assert index.listed_files() == set(files[:5])
    assert looked() == 1, "nothing new, no file to learn"
    added(desk, job.id, files)
    assert looked() == 1 + 2, "pages of two from the sixth task on"
    assert index.listed_files() == set(files)


def test_an_index_loses_no_file_when_a_task_before_it_is_archived(desk):
    files = desk.files(6)
    job = desk.job(attach=False)
    added(desk, job.id, files[:4])
    index = TaskIndex(desk.client.project, job.id, page=2)
    desk.run(index.look())
    desk.person.archive(desk.tasks(job.id)[files[0]])
    added(desk, job.id, files[4:])
    desk.run(index.look())
    assert index.listed_files() == set(files[1:])
    assert set(index.files.values()) == set(files)


def test_tasks_of_the_index_have_their_status(desk):
    files = desk.files(2)
    job = desk.job(attach=False)
    added(desk, job.id, files)
    desk.person.complete(desk.tasks(job.id)[files[1]])
    index = TaskIndex(desk.client.project, job.id)
    desk.run(index.look())
    assert dict(index.tasks()) == {files[0]: "available", files[1]: "complete"}
    assert desk.client.send(routes.list_task_states(desk.client.project, job.id))[1].done


@pytest.mark.parametrize("limit", [2, 3, 5, 6, 100])
def test_all_states_are_listed_however_many_there_are(desk, limit):
    files = desk.files(5)
    job = desk.job(attach=False)
    added(desk, job.id, files)
    states = desk.run(all_states(desk.client.project, job.id, limit))
    assert [state.id for state in states] == sorted(desk.tasks(job.id).values())
