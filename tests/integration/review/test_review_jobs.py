"""A job is made exactly once, whatever happens on the way, and people can work in it."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_diffgram.client import OutcomeUnknownError, RefusedError, routes
from airflow_provider_diffgram.models import InvalidValueError, Job
from airflow_provider_diffgram.review.errors import JobStateError
from airflow_provider_diffgram.review.jobs import JobPlan, ensure_job, jobs_named, require_launched


def jobs(desk) -> list[Job]:
    return desk.client.send(routes.list_jobs(desk.client.project)).jobs


def test_a_job_is_launched_and_its_files_become_tasks(desk):
    files = desk.files(3)
    made = desk.job(tags=["night shift"])
    assert (made.created, made.launched) == (True, True)
    (job,) = jobs(desk)
    assert (job.id, job.name, job.status) == (made.id, "night", "active")
    assert job.tags == [desk.plan().tag, "night shift"]
    desk.client.clock.sleep(4)
    assert sorted(desk.tasks(made.id)) == files


def test_the_same_call_again_finds_the_job(desk):
    first = desk.job()
    again = desk.job()
    assert (again.id, again.created, again.launched) == (first.id, False, True)
    assert len(jobs(desk)) == 1


def test_names_are_compared_exactly(desk):
    made = [desk.job(name).id for name in ("night", "Night", "night 2", "a night", "50% of_it", "50x of-it")]
    assert len(set(made)) == len(made) == len(jobs(desk))
    assert [desk.job(name).created for name in ("night", "Night", "50% of_it")] == [False] * 3


def test_a_name_with_a_backslash_is_found_again(desk):
    assert desk.job("a\\b").id == desk.job("a\\b").id
    assert len(jobs(desk)) == 1


def test_it_is_found_among_many(desk):
    wanted = desk.job("night").id
    for n in range(55):
        request = routes.create_job(desk.client.project, f"night {n}", schema_id=desk.schema_id)
        desk.client.send(request)
    assert desk.job("night").id == wanted


def test_a_job_that_a_person_made_is_left_alone(desk, caplog):
    request = routes.create_job(desk.client.project, "night", schema_id=desk.schema_id, tags=["mine"])
    theirs = desk.client.send(request).id
    made = desk.job()
    assert made.created
    assert made.id != theirs
    assert f"job {theirs} has the name 'night' too" in caplog.text


def test_a_job_of_ours_with_other_datasets_is_refused(desk):
    first = desk.job()
    with pytest.raises(InvalidValueError, match=f"job {first.id} has this name"):
        desk.job(attach=False)
    assert len(jobs(desk)) == 1


def test_a_draft_is_left_one_if_so_wished_and_launched_later(desk):
    draft = desk.run(ensure_job(desk.client.project, desk.plan(), launch=False))
    assert (draft.created, draft.launched) == (True, False)
    with pytest.raises(JobStateError, match="is a draft"):
        desk.run(require_launched(desk.client.project, draft.id))
    launched = desk.job()
    assert (launched.id, launched.created, launched.launched) == (draft.id, False, True)


@pytest.mark.parametrize("kind", ["reset_after", "malformed", "truncate"])
def test_a_creation_whose_answer_is_lost_is_looked_for(desk, kind):
    desk.emulator.fault("/job/new$", kind, processed=True) if kind == "malformed" else desk.emulator.fault(
        "/job/new$", kind
    )
    made = desk.job()
    assert [job.id for job in jobs(desk)] == [made.id]


def test_a_creation_that_did_not_arrive_is_sent_again(desk):
    desk.emulator.fault("/job/new$", "status", status=503)
    made = desk.job()
    assert [job.id for job in jobs(desk)] == [made.id]
    assert desk.emulator.requests()["total"] > 0


def test_a_server_that_stays_down_is_told(desk):
    desk.emulator.fault("/job/new$", "status", status=503, times=None)
    with pytest.raises(OutcomeUnknownError):
        desk.job()
    desk.emulator.control("faults", method="DELETE")
    assert desk.job().created
    assert len(jobs(desk)) == 1


def test_a_launch_whose_answer_is_lost_does_no_harm(desk):
    desk.emulator.fault("/job/launch$", "reset_after")
    made = desk.job()
    assert made.launched
    assert [job.status for job in jobs(desk)] == ["active"]


def test_a_launch_that_is_refused_is_told(desk):
    desk.emulator.fault("/job/launch$", "status", status=400)
    with pytest.raises(RefusedError):
        desk.job()
    assert desk.job().launched


def test_whoever_stops_at_any_step_leaves_one_job(desk):
    """The steps are stopped after each of their requests in turn, and begun anew."""
    steps_taken = 0
    for stop_after in range(1, 20):
        steps = ensure_job(desk.client.project, desk.plan())
        answer = None
        taken = 0
        try:
            for _ in range(stop_after):
                step = steps.send(answer)
                answer = desk.client.send(step) if hasattr(step, "path") else 0.0
                taken += 1
        except StopIteration:
            break
        finally:
            steps.close()
        steps_taken = max(steps_taken, taken)
    assert steps_taken >= 3
    assert [job.status for job in jobs(desk)] == ["active"]


def test_two_who_make_it_at_the_same_moment_go_on_with_one(desk):
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(desk.job().id)) for _ in range(4)]
    desk.emulator.fault("/job/new$", "latency", seconds=0.3, times=4)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert [job.id for job in jobs(desk) if job.status == "active"] == [found[0]]


def test_a_job_that_is_archived_or_not_there_is_told_with_what_to_do(desk):
    with pytest.raises(JobStateError, match="is archived, or does not exist"):
        desk.run(require_launched(desk.client.project, 999_999))


def test_all_that_is_wrong_with_a_plan_is_told_at_once(desk):
    with pytest.raises(InvalidValueError) as wrong:
        JobPlan(" night", 1, members=[], reviewers="some", review_share=50, tags=["airflow:x", ""])
    assert len(wrong.value.problems) == 6


def test_reviews_reach_the_server(desk):
    (file_id,) = desk.files(1)
    made = desk.job(review_share=1.0)
    desk.client.clock.sleep(4)
    task_id = desk.tasks(made.id)[file_id]
    desk.person.complete(task_id)
    listed = desk.client.send(routes.list_task_states(desk.client.project, made.id))
    assert [state.status for state in listed] == ["in_review"]


def test_jobs_of_a_name_tell_status_and_tags(desk):
    desk.job()
    (job,) = desk.run(jobs_named(desk.client.project, "night"))
    assert (job.status, job.tags) == ("active", [desk.plan().tag])
