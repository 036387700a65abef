"""Templates rendered to native objects: a name is a name, whatever it looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset

DAY = "20261126"
PACKET = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}
TAG = {"type": "tag", "label": "cat", "score": 0.5}


def files(client: DiffgramClient, dataset: str) -> list[str | None]:
    """Return the names of the files of a dataset."""
    listed = client.send(routes.list_files(client.project, find_dataset(client, dataset).id)).file_list
    return sorted((file.original_filename for file in listed), key=str)


def make(client: DiffgramClient, name: str) -> int:
    return client.send(routes.create_dataset(client.project, name)).id


@pytest.fixture
def night(client: DiffgramClient) -> str:
    """A dataset is named as the id of another one, which is named night; return that text."""
    text = str(make(client, "night"))
    make(client, text)
    return text


def test_a_dataset_named_like_a_day_is_found(run_dag, client, tmp_path):
    make(client, DAY)
    report = tmp_path / DAY
    packets = [{**PACKET, "instance_list": [TAG]}]
    ran = run_dag("native_dataset", packets=packets, dataset=DAY, day=DAY, report=str(report))
    assert ran.state == "success", ran.states
    assert (files(client, DAY), ran.results["wait"]["succeeded"]) == (["a.txt"], 1)
    assert report.exists()


def test_a_dataset_named_like_the_id_of_another_gets_what_is_its_own(run_dag, client, night):
    ran = run_dag("native_dataset", packets=[PACKET], dataset=night, day=DAY)
    assert ran.state == "success", ran.states
    assert (files(client, night), files(client, "night")) == (["a.txt"], [])


def test_a_number_that_a_template_gives_and_that_is_an_id_and_a_name_is_refused(
    run_dag, client, night, caplog, capfd
):
    ran = run_dag("native_dataset", packets=[PACKET], dataset=int(night), day=DAY)
    assert ran.states == {"send": {"failed"}, "wait": {"upstream_failed"}}
    said = caplog.text + "".join(capfd.readouterr())
    assert f"{night} is the id of 'night' and the name of another" in said
    assert (files(client, night), files(client, "night")) == ([], [])


def test_a_number_that_a_template_gives_and_that_only_a_name_fits_is_that_name(run_dag, client):
    make(client, DAY)
    ran = run_dag("native_dataset", packets=[PACKET], dataset=int(DAY), day=DAY)
    assert (ran.state, files(client, DAY)) == ("success", ["a.txt"])


def test_what_is_none_is_none_and_what_is_an_id_is_an_id(run_dag, client, connection, diffgram_emulator):
    connection(extra={"retry_timeout": 2, "dataset": "night"})
    night = make(client, "night")
    assert run_dag("native_dataset", packets=[PACKET], dataset=None, day=DAY).state == "success"
    assert files(client, "night") == ["a.txt"]
    other = {**PACKET, "original_filename": "b.txt"}
    assert run_dag("native_dataset", packets=[other], dataset=night, day=DAY).state == "success"
    assert files(client, "night") == ["a.txt", "b.txt"]


def test_what_looks_like_a_number_is_a_text_where_a_text_is_meant(run_dag, client):
    ran = run_dag("native_literals", day=DAY, instances=[TAG])
    assert ran.state == "success", ran.states
    rows = client.send(routes.list_inputs(client.project))
    assert {row.original_filename for row in rows} == {f"{DAY}.txt", "20261127"}
    assert sorted(len(row.instance_list) for row in rows) == [0, 1]


def test_mapped_tasks_too(run_dag, client, night):
    make(client, DAY)
    other = make(client, "other")
    conf = {"packets": [PACKET], "datasets": [night, other], "dataset": DAY, "day": DAY}
    ran = run_dag("native_mapped", **conf)
    assert ran.state == "success", ran.states
    assert (files(client, night), files(client, "other")) == (["a.txt"], ["a.txt"]), "a text, and a number"
    assert (files(client, DAY), files(client, "night")) == ([DAY], [])


def test_a_number_of_another_task_that_is_an_id_and_a_name_is_refused(run_dag, client, night):
    make(client, DAY)
    conf = {"packets": [PACKET], "datasets": [int(night)], "dataset": DAY, "day": DAY}
    ran = run_dag("native_mapped", **conf)
    assert ran.states == {"datasets": {"success"}, "from_a_task": {"failed"}, "by_template": {"success"}}
    assert (files(client, night), files(client, "night")) == ([], [])


def test_a_compound_file_and_its_children_named_like_a_day(run_dag, client, night):
    ran = run_dag("native_compound", day=DAY, page="17", dataset=night)
    assert ran.state == "success", ran.states
    created = ran.results["create"]
    assert created["name"] == DAY
    (child,) = client.send(routes.list_children(client.project, created["file_id"]))
    assert child.original_filename == "17"
    assert files(client, "night") == []


def test_a_decorated_task_too(run_dag, client, night):
    ran = run_dag("native_decorated", dataset=night)
    assert ran.state == "success", ran.states
    assert (files(client, night), files(client, "night")) == (["0.txt", "1.txt"], [])


def test_the_datasets_of_a_job_are_names_too(run_dag, client, night):
    day, named = make(client, DAY), find_dataset(client, night).id
    ran = run_dag("native_job", dataset=night, day=DAY, datasets=[DAY])
    assert ran.state == "success", ran.states
    listed = client.send(replace(routes.list_jobs(client.project), read=lambda answer: answer))
    attached = {
        job["name"]: {
            each["directory_id"] for each in job["attached_directories_dict"]["attached_directories_list"]
        }
        for job in listed["Job_list"]
    }
    assert attached == {DAY: {named, day}, "listed": {day}}
