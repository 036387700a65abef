"""Jobs, tasks and the wait for people in DAG runs of a real Airflow."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset, find_schema
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.watch.wait import wait
from airflow_provider_diffgram.review.jobs import JobPlan, ensure_job
from airflow_provider_diffgram.review.tasks import add_tasks
from diffgram_emulator.people import Person
from tests.integration.airflow.reviewers import reviewing


def text(name: str, *scores: float) -> dict[str, Any]:
    tags = [{"type": "tag", "label": "cat", "score": score} for score in scores]
    return {"media": {"text_data": "hello"}, "original_filename": name, "instance_list": tags}


def told(caplog: Any, capfd: Any) -> str:
    return caplog.text + "".join(capfd.readouterr())


@pytest.fixture
def files(client) -> list[int]:
    """Three files in the default dataset."""
    handle = push(client, [text(f"{n}.txt") for n in range(3)], dataset="Default")
    wait(client, [handle], poll_interval=0.2)
    listed = client.send(routes.list_files(client.project, find_dataset(client, "Default").id))
    return sorted(file.id for file in listed.file_list)


@pytest.fixture
def job(client) -> int:
    """A launched job without datasets."""
    plan = JobPlan("by hand", find_schema(client, None).id)
    return client.run(ensure_job(client.project, plan)).id


def tasks_of(client, job_id: int) -> dict[int, int]:
    listed = client.send(routes.list_job_tasks(client.project, job_id)).task_list
    return {task.file.id: task.id for task in listed if task.file}


def test_a_job_is_made_once_and_found_by_the_next_run(run_dag, client, files, diffgram_emulator):
    first = run_dag("job_for_a_dataset", name="night", members="[1, 2]", review_share=0.25)
    assert first.state == "success", first.states
    made = first.results["job"]
    assert (made["created"], made["launched"], made["name"]) == (True, True, "night")
    assert made["url"] == f"{diffgram_emulator.url}/job/{made['job_id']}"
    again = run_dag("job_for_a_dataset", name="night", members="[1, 2]", review_share=0.25)
    assert again.results["job"] == made | {"created": False}
    (job,) = client.send(routes.list_jobs(client.project)).jobs
    assert job.status == "active"
    assert "night" in job.tags
    deadline = time.monotonic() + 10
    while sorted(tasks_of(client, job.id)) != files:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_job_for_what_is_there_takes_no_later_file(run_dag, client, files):
    ran = run_dag("job_for_what_is_there")
    assert ran.state == "success", ran.states
    push(client, [text("later.txt")], dataset="Default")
    assert sorted(tasks_of(client, ran.results["job"]["job_id"])) == files
    again = run_dag("job_for_what_is_there")
    assert not again.results["job"]["created"]


@pytest.mark.parametrize(
    "conf,problem",
    [
        ({"name": " night"}, "without spaces around it"),
        ({"name": "night", "dataset": "nowhere"}, "not in project"),
        ({"name": "night", "review_share": 25}, "review_share must be a share"),
        ({"name": "night", "review_share": "some"}, "review_share must be a number"),
        ({"name": "night", "members": "everybody"}, "members must be 'all' or ids"),
    ],
)
def test_a_wrong_job_is_refused_without_a_retry(run_dag, client, conf, problem, caplog, capfd):
    ran = run_dag("job_for_a_dataset", **conf)
    assert (ran.states, ran.tries) == ({"job": {"failed"}}, {"job": 1})
    assert problem in told(caplog, capfd)
    assert client.send(routes.list_jobs(client.project)).jobs == []


def test_what_was_pushed_is_reviewed_and_waited_for(run_dag, client, diffgram_emulator, tmp_path):
    packets = [text("a.txt", 0.9), text("b.txt", 0.2)]
    with reviewing(client, diffgram_emulator):
        ran = run_dag("push_and_review", packets=packets, record=str(tmp_path / "record.jsonl"))
    assert ran.state == "success", ran.states
    added = ran.results["add"]
    assert (added["requested"], added["created"], len(added["file_ids"])) == (2, 2, 2)
    receipt = ran.results["reviewed"]
    assert (receipt["expected"], receipt["complete"]) == (2, 2)
    assert receipt["job_ids"] == [ran.results["job"]["job_id"]]


def test_the_least_sure_are_chosen_from_the_record(run_dag, client, job, tmp_path):
    record, report = tmp_path / "record.jsonl", tmp_path / "chosen.jsonl"
    packets = [text(f"{n}.txt", n / 10) for n in range(1, 8)]
    wait(client, [push(client, packets, dataset="Default", record=str(record))], poll_interval=0.2)
    ran = run_dag("add_the_least_sure", job=job, record=str(record), amount=3, report=str(report))
    assert ran.state == "success", ran.states
    names = {
        file.id: file.original_filename
        for file in client.send(
            routes.list_files(client.project, find_dataset(client, "Default").id)
        ).file_list
    }
    assert sorted(names[each] for each in tasks_of(client, job)) == ["1.txt", "2.txt", "3.txt"]
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["value"] for line in lines] == [0.1, 0.2, 0.3]
    assert {line["why"] for line in lines} == {"score"}
    # The report names the files for the sensor.
    person_done = run_dag("wait_for_review", job=job, files=str(report))
    assert person_done.states == {"here": {"failed"}, "deferred": {"failed"}}


def test_a_service_that_does_not_run_is_named_and_the_task_is_tried_again(
    run_dag, client, files, job, diffgram_emulator, tmp_path, caplog, capfd, monkeypatch
):
    from airflow_provider_diffgram.review import tasks

    monkeypatch.setattr(tasks, "_SENDS", 1)
    diffgram_emulator.tune(eventhandlers=False)
    record = tmp_path / "ids.jsonl"
    record.write_text("".join(json.dumps({"file_id": each}) + "\n" for each in files))
    ran = run_dag("add_all", job=job, files=str(record))
    assert ran.states == {"add": {"failed"}}
    assert ran.tries["add"] == 2
    assert "Its service eventhandlers makes them" in told(caplog, capfd)


def test_a_review_that_is_done_already_is_done_here_and_in_the_triggerer(
    run_dag, client, files, job, diffgram_emulator
):
    client.run(add_tasks(client.project, job, files))
    person = Person.of(diffgram_emulator)
    for task in tasks_of(client, job).values():
        person.complete(task)
    ran = run_dag("wait_for_review", job=job)
    assert ran.state == "success", ran.states
    assert {each["complete"] for each in ran.results.values()} == {3}


def test_a_review_that_ends_too_late_fails_with_where_it_stands(run_dag, client, files, job, caplog, capfd):
    client.run(add_tasks(client.project, job, files))
    ran = run_dag("wait_for_review", job=job)
    assert ran.states == {"here": {"failed"}, "deferred": {"failed"}}
    words = told(caplog, capfd)
    assert "not reviewed in time: 0 of 3 reviewed (3 open)" in words
    assert "0 of 3 reviewed, 3 open" in words


@pytest.mark.parametrize(
    "conf,problem",
    [
        ({"job": "night"}, "job must be the id of a job"),
        ({"job": 999999}, "is archived, or does not exist"),
        ({"job": 999999, "files": "/nowhere/report.jsonl"}, "no such file"),
        ({"job": 999999, "files": '[1, "x y"]'}, "no such file"),
        ({"job": 999999, "files": "[true]"}, "must be ids of files"),
    ],
)
def test_a_wrong_wait_fails_without_a_retry(run_dag, client, conf, problem, caplog, capfd):
    ran = run_dag("wait_for_review", **conf)
    assert ran.states == {"here": {"failed"}, "deferred": {"failed"}}
    assert set(ran.tries.values()) == {1}
    assert problem in told(caplog, capfd)


def test_polls_that_fail_are_passed_over_here_and_in_the_triggerer(
    run_dag, client, files, job, diffgram_emulator
):
    client.run(add_tasks(client.project, job, files))
    person = Person.of(diffgram_emulator)
    for task in tasks_of(client, job).values():
        person.complete(task)
    down = {"status": 500, "body": {"error": "down"}, "times": 6, "by": "program"}
    diffgram_emulator.fault("/task/list$", "status", skip=1, **down)
    ran = run_dag("wait_for_review", job=job, files=json.dumps(files))
    assert not diffgram_emulator.control("state")["faults"]
    assert ran.state == "success", ran.states
    assert ran.tries["here"] == 1
    assert ran.results["here"]["complete"] == len(files)
