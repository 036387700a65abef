"""Comparisons in DAG runs of a real Airflow: how they end, and what they leave and tell."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset, find_schema
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.watch.wait import wait
from airflow_provider_diffgram.review.jobs import JobPlan, ensure_job
from diffgram_emulator.people import Person

FILES = 12


def packet(path: Path) -> dict[str, Any]:
    boxes = [
        {"type": "box", "label": "cat", "x_min": 1, "y_min": 3, "x_max": 20, "y_max": 30, "score": 0.9},
        {"type": "box", "label": "dog", "x_min": 30, "y_min": 3, "x_max": 60, "y_max": 40, "score": 0.4},
    ]
    run = {"machine_made": True, "model_ref": "detector", "model_run_ref": "bad"}
    predicted = [each | run for each in boxes]
    return {"media": {"path": str(path)}, "original_filename": path.name, "instance_list": predicted}


@pytest.fixture
def job(client, diffgram_emulator, tmp_path) -> int:
    """A job in which a person has deleted every dog, and completed all tasks but one."""
    packets = []
    for number in range(FILES):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (64, 48), "navy").save(path)
        packets.append(packet(path))
    wait(client, [push(client, packets, dataset="Default", record=str(tmp_path / "record.jsonl"))])
    dataset = find_dataset(client, "Default")
    plan = JobPlan("night", find_schema(client, None).id, {dataset.id: "Default"})
    job_id = client.run(ensure_job(client.project, plan)).id
    tasks: list[Any] = []
    while len(tasks) < FILES:
        time.sleep(0.1)
        tasks = client.send(routes.list_job_tasks(client.project, job_id)).task_list
    person = Person.of(diffgram_emulator)
    for task in tasks[1:]:
        page = person.open(task.file.id)
        page.delete(next(n for n, row in enumerate(page.rows) if row["x_min"] == 30))
        person.save(page, task.id)
        person.complete(task.id)
    return job_id


@pytest.fixture
def latest_event() -> Any:
    """Returns the extra of the newest event of an asset."""

    def read() -> dict[str, Any]:
        from airflow.utils.session import create_session
        from sqlalchemy import select

        try:
            from airflow.models.asset import AssetEvent
        except ImportError:  # Airflow 2
            from airflow.models.dataset import DatasetEvent as AssetEvent
        with create_session() as session:
            event = session.scalars(select(AssetEvent).order_by(AssetEvent.id.desc())).first()
            return dict(event.extra)

    return read


def figures(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return told


def test_a_comparison_tells_what_people_did(run_dag, job, tmp_path):
    ran = run_dag("compare_with_people", folder=str(tmp_path), job=job)
    assert ran.state == "success", ran.states
    told = ran.results["compare"]
    judged = 2 * (FILES - 1)
    assert told["predictions"] == 2 * FILES
    assert (told["judged"], told["kept"], told["deleted"]) == (judged, FILES - 1, FILES - 1)
    assert told["not_reviewed"] == 2
    assert told["acceptance"] == 0.5
    assert figures(tmp_path)["all"]["outcomes"]["deleted"] == FILES - 1
    assert figures(tmp_path)["labels"]["cat"]["acceptance"]["number"] == FILES - 1
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/jpeg") == FILES - 1
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 2 * FILES


@pytest.mark.parametrize(
    "ending, state, after",
    [
        ("fail", "failed", "upstream_failed"),
        ("skip", "skipped", "skipped"),
        ("warn", "success", "success"),
    ],
)
def test_a_missed_limit_ends_the_task_as_asked_with_its_page_written(
    run_dag, job, tmp_path, caplog, capfd, ending: str, state: str, after: str
):
    ran = run_dag("compare_with_people", folder=str(tmp_path), job=job, min_acceptance=0.9, on_missed=ending)
    assert ran.states["compare"] == {state}
    assert ran.states["retrain"] == {after}
    said = caplog.text + "".join(capfd.readouterr())
    assert "below the limit of 0.9" in said
    assert ran.tries["compare"] == 1, "what people did is the same at the next attempt"
    assert figures(tmp_path)["limits"]["missed"]
    assert "below the limit of 0.9" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("ending, state", [("skip", "skipped"), ("fail", "failed")])
def test_nothing_reviewed_is_never_a_success(run_dag, client, tmp_path, ending: str, state: str):
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 48), "navy").save(path)
    wait(client, [push(client, [packet(path)], dataset="Default", record=str(tmp_path / "record.jsonl"))])
    ran = run_dag("compare_with_people", folder=str(tmp_path), min_acceptance=0.5, on_too_few=ending)
    assert ran.states["compare"] == {state}
    assert figures(tmp_path)["all"]["acceptance"]["share"] is None


def test_wrong_parameters_are_told_together(run_dag, client, tmp_path, caplog, capfd):
    ran = run_dag(
        "compare_with_people", folder=str(tmp_path), min_acceptance="much", on_missed="cry", on_too_few="x"
    )
    assert ran.states["compare"] == {"failed"}
    said = caplog.text + "".join(capfd.readouterr())
    assert "min_acceptance must be a number" in said
    assert "on_missed must be one of 'fail', 'skip', 'warn', not 'cry'" in said
    assert "on_too_few must be one of" in said


def test_a_pulled_set_gives_the_same_figures(run_dag, job, tmp_path):
    live = run_dag("compare_with_people", folder=str(tmp_path), job=job).results["compare"]
    ran = run_dag("pull_and_compare", folder=str(tmp_path), job=job)
    assert ran.state == "success", ran.states
    assert ran.results["compare"] == live
    assert figures(tmp_path)["all"]["outcomes"]["deleted"] == FILES - 1


def test_the_event_carries_the_figures(run_dag, job, tmp_path, latest_event):
    run_dag("compare_with_people", folder=str(tmp_path), job=job)
    extra = latest_event()
    assert extra["acceptance"] == 0.5
    assert extra["judged"] == 2 * (FILES - 1)


def test_a_bad_run_is_taken_back_where_nobody_reviewed(run_dag, client, job, latest_event):
    def boxes() -> int:
        page = client.send(routes.list_files(client.project, find_dataset(client, "Default").id))
        files = [client.send(routes.list_annotations(client.project, file.id)) for file in page.file_list]
        return sum(len(file.instance_list) for file in files)

    dry = run_dag("take_back", run="bad").results["retract"]
    assert (dry["predictions"], dry["retracted"]) == (FILES + 1, 2)
    assert dry["reviewed"] + dry["at_work"] == FILES - 1
    assert boxes() == FILES + 1
    done = run_dag("take_back", run="bad", dry_run=False).results["retract"]
    assert done["retracted"] == 2
    assert boxes() == FILES - 1
    assert latest_event()["retracted"] == 2


def test_a_run_that_nobody_knows_fails_for_good(run_dag, client, job, caplog, capfd):
    ran = run_dag("take_back", run="worse")
    assert ran.states["retract"] == {"failed"}
    assert ran.tries["retract"] == 1
    assert "no run is called 'worse'" in caplog.text + "".join(capfd.readouterr())
