"""What is pushed while a person looks on: texts by the queue, pictures that are refused, some to review."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from chaos.airflow import Airflow, ChaosError, until
from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess

QUEUED, REFUSED, REVIEWED = "e2e_queued", "e2e_refused", "diffgram_review"
RUN = "by_program"
TEXTS = 400
TO_REVIEW, JOB = "to-review", "review"

_START_SECONDS = 300.0


def start(airflow: Airflow, folder: Path, photos: Path) -> None:
    """Start a run of each DAG.

    :param folder: for their files.
    :param photos: folder of pictures.
    """
    folder.mkdir()
    texts = [{"media": {"text_data": f"text {n}"}, "original_filename": f"{n}.txt"} for n in range(TEXTS)]
    paths = sorted(photos.glob("*.png"))[:4]
    refused = [
        _photo(path, "fase" if each else "face", x_max=(90, 9000)[each == 2])
        for each, path in enumerate(paths)
    ]
    reviewed = [_photo(path, "face") for path in paths[:3]]
    _start(airflow, QUEUED, packets=_written(texts, folder / "texts.jsonl"))
    _start(
        airflow,
        REFUSED,
        packets=_written(refused, folder / "refused.jsonl"),
        page=str(folder / "gate.html"),
    )
    _start(
        airflow,
        REVIEWED,
        packets=_written(reviewed, folder / "reviewed.jsonl"),
        dataset=TO_REVIEW,
        job=JOB,
        record=str(folder / "record.jsonl"),
        output=str(folder / "pulled"),
        comparison=str(folder / "compared"),
    )


def review(emulator: EmulatorProcess) -> None:
    """Complete all tasks of the job, as a person who changes nothing."""
    address = Settings(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
    with DiffgramClient(address) as client:
        (job,) = [each for each in client.send(routes.list_jobs(emulator.project)).jobs if each.name == JOB]
        tasks = client.send(routes.list_job_tasks(emulator.project, job.id)).task_list
    person = Person.of(emulator)
    for task in tasks:
        person.complete(task.id)


def _start(airflow: Airflow, dag_id: str, **conf: str) -> None:
    """Start a run, unless an attempt that got no answer has started it."""
    body = {"logical_date": None, "dag_run_id": RUN, "conf": conf}

    def is_started() -> bool:
        try:
            airflow.call("POST", f"dags/{dag_id}/dagRuns", body)
        except ChaosError as error:
            return " 409 " in str(error)
        return True

    until(is_started, f"{dag_id} is started", _START_SECONDS, 1.0)


def _written(packets: Iterable[Mapping[str, Any]], path: Path) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in packets))
    return str(path)


def _photo(path: Path, label: str, x_max: int = 90) -> dict[str, Any]:
    box = {"type": "box", "label": label, "score": 0.8, "x_min": 30, "y_min": 20, "x_max": x_max, "y_max": 80}
    return {"media": {"path": str(path)}, "original_filename": path.name, "instance_list": [box]}
