"""People review, and a DAG is run by it: by a real triggerer, which is killed in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from airflow_provider_diffgram.ingest.check.lookup import find_schema
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.watch.wait import wait
from airflow_provider_diffgram.review.jobs import JobPlan, ensure_job
from airflow_provider_diffgram.review.tasks import add_tasks
from chaos.airflow import COMPONENTS, ROOT, Airflow, DagRun, until
from diffgram_emulator.people import Person
from diffgram_emulator.process import EmulatorProcess

from .standalone import of_environment

CONNECTION = "diffgram_default"
DAG, SELDOM = "e2e_retrain", "e2e_retrain_seldom"
DATASET = "night"
FILES = 8

_RUN_SECONDS = 300.0
_LOOKS = 6
_POLL = 2.0
"""Seconds between two looks, as in the DAGs."""


@dataclass
class Desk:
    """A job of tasks, and somebody who completes them in order."""

    person: Person
    tasks: list[int]

    def complete(self, amount: int) -> None:
        """Complete some more tasks."""
        for _ in range(amount):
            self.person.complete(self.tasks.pop(0))


def run(folder: Path, python: Path, secret_key: str) -> Iterator[tuple[dict[str, Any], Sequence[str]]]:
    """Yield each step, ``{"name", "ok", "reason"}``, and what must be found nowhere.

    :param python: of the environment that has the wheel.
    """
    folder.mkdir(parents=True)
    with EmulatorProcess.start(folder.parent / "diffgram-reviewed", rate_limit=False) as emulator:
        emulator = emulator.with_project(emulator.project, ("cat",), (DATASET,))
        hidden = (emulator.client_secret, f"{emulator.client_id}:{emulator.client_secret}")
        desk = _desk(emulator)
        settings = {
            **of_environment(python, secret_key),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "e2e" / "retraining"),
            "E2E_DIFFGRAM": emulator.url,
            "E2E_PROJECT": emulator.project,
            "E2E_OUTPUT": str(folder / "training"),
        }
        with Airflow(folder / "airflow", 4, python, COMPONENTS, (DAG, SELDOM), settings) as airflow:
            airflow.connect(
                CONNECTION,
                host=emulator.url,
                schema=emulator.project,
                login=emulator.client_id,
                password=emulator.client_secret,
            )
            for name, step in (
                ("two files are reviewed, and the DAG is run by it", _two),
                ("two watchers of one job ask once", _shared),
                ("the triggerer is killed, and what was told is not told again", _killed),
            ):
                problem = step(airflow, desk, emulator)
                yield {"name": name, "ok": not problem, "reason": problem}, hidden


def _desk(emulator: EmulatorProcess) -> Desk:
    address = Settings(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
    with DiffgramClient(address) as client:
        packets = [{"media": {"text_data": "hello"}, "original_filename": f"{n}.txt"} for n in range(FILES)]
        wait(client, [push(client, packets, dataset=DATASET)], poll_interval=0.2)
        job = client.run(ensure_job(client.project, JobPlan("night", find_schema(client, None).id)))
        dataset = next(each for each in client.send(routes.list_datasets(client.project, DATASET)))
        files = client.send(routes.list_files(client.project, dataset.id)).file_list
        client.run(add_tasks(client.project, job.id, [file.id for file in files]))
        tasks = client.send(routes.list_job_tasks(client.project, job.id)).task_list
    return Desk(Person.of(emulator), [task.id for task in tasks])


def _two(airflow: Airflow, desk: Desk, emulator: EmulatorProcess) -> str:
    desk.complete(2)
    (ended,) = _runs(airflow, DAG, 1)
    if ended.ended(_RUN_SECONDS) != "success":
        return f"the run ended as {ended.info()['state']}"
    payloads = [each["files"] for each in ended.result("told")]
    pulled = ended.result("pull")
    if payloads != [2] or pulled["files"] != 2:
        return f"it was told {payloads} files, and pulled {pulled['files']}"
    run_type = ended.info()["run_type"]
    return "" if run_type == "asset_triggered" else f"the run is of type {run_type}"


def _shared(airflow: Airflow, desk: Desk, emulator: EmulatorProcess) -> str:
    """Count the looks of both watchers: each is one request for all states."""

    def looks() -> int:
        counts = emulator.requests()["counts"]
        return sum(each["count"] for each in counts if each["path"].endswith("/task/list"))

    first = emulator.requests()["total"]
    before = looks()
    until(lambda: looks() >= before + _LOOKS, "the watchers look", 60, 0.05)
    latest = emulator.requests(first)["latest"]
    at = [each["time"] for each in latest if each["path"].endswith("/task/list")]
    close = sum(later - sooner < _POLL / 2 for sooner, later in pairwise(at))
    return f"{close} of {len(at)} looks came right after another" if close else ""


def _killed(airflow: Airflow, desk: Desk, emulator: EmulatorProcess) -> str:
    with airflow.without_triggerer():
        desk.complete(1)  # three in all: the one who waits for three is told, the other is not
    seldom = _runs(airflow, SELDOM, 1)[0]
    if seldom.ended(_RUN_SECONDS) != "success" or [each["files"] for each in seldom.result("told")] != [3]:
        return f"the DAG that waits for three was told {seldom.result('told')}"
    if len(_all_runs(airflow, DAG)) != 1:
        return "the DAG that was told of two files was run again for one more"
    desk.complete(1)
    ended = _runs(airflow, DAG, 2)[-1]
    state = ended.ended(_RUN_SECONDS)
    payloads = [each["files"] for each in ended.result("told")]
    if state != "success" or payloads != [2]:
        return f"after the restart a run ended as {state}, and was told {payloads} files"
    pulled = ended.result("pull")
    if pulled["files"] != 4 or pulled["kept"] != 2:
        return f"the second pull has {pulled['files']} files, of which {pulled['kept']} were kept"
    return ""


def _runs(airflow: Airflow, dag_id: str, amount: int) -> list[DagRun]:
    """Wait for so many runs of a DAG, and return them, oldest first."""

    def enough() -> list[DagRun] | None:
        found = _all_runs(airflow, dag_id)
        return found if len(found) >= amount else None

    found: list[DagRun] = until(enough, f"{dag_id} has {amount} runs", _RUN_SECONDS, 0.5)
    return found


def _all_runs(airflow: Airflow, dag_id: str) -> list[DagRun]:
    listed = airflow.call("GET", f"dags/{dag_id}/dagRuns?order_by=run_after")["dag_runs"]
    return [DagRun(airflow, dag_id, each["dag_run_id"]) for each in listed]
