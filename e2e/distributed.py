"""Two Celery workers behind one rate limit, one of which dies half way."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import packets as making
from chaos.airflow import COMPONENTS, ROOT, Airflow, ChaosError, DagRun, until
from chaos.judge import Row, Told, Truth, judge
from chaos.pictures import Pictures
from chaos.reader import Diffgram, read
from chaos.stage import LABELS
from diffgram_emulator.process import EmulatorProcess

from .answers import keep_answers
from .services import Postgres, Redis
from .standalone import of_environment

CONNECTION = "diffgram_default"
DAG, DAG_AFTER = "e2e_mapped", "e2e_after"
DATASET = "night"
TASKS = 200
PACKETS_PER_TASK = 10

_WORKER = ("celery", "worker", "--concurrency", "4", "--skip-serve-logs")
_RUN_SECONDS = 2400.0
_AFTER_SECONDS = 300.0


@dataclass(frozen=True)
class Outcome:
    """How a distributed run ended.

    :param row: the judge's figures.
    :param state: of the DAG run.
    :param killed: tasks that the worker was at when it was killed.
    :param refused: packets that the server refused for their number.
    :param after: what is wrong with the run of the DAG that is scheduled on the dataset; empty if nothing is.
    :param secrets: what must be nowhere.
    """

    row: Row
    state: str
    killed: int
    refused: int
    after: str
    secrets: Sequence[str]

    @property
    def problem(self) -> str:
        """What is wrong, empty if nothing is."""
        wrong = {name: value for name, value in self.row.figures.items() if value}
        if self.state != "success":
            return f"the run ended as {self.state}; {wrong}"
        if not self.killed:
            return "the worker that was killed was at no task"
        return f"{wrong}" if wrong else ""


def run(folder: Path, python: Path, secret_key: str) -> Outcome:
    """Send, kill, wait and judge; everything it leaves is in ``folder``.

    :raises CannotRunError: if PostgreSQL or Redis cannot be had.
    """
    folder.mkdir(parents=True)
    log = folder / "services.log"
    with (
        Pictures() as pictures,
        EmulatorProcess.start(folder.parent / "diffgram-distributed") as emulator,
        Postgres(log) as postgres,
        Redis(log) as redis,
    ):
        emulator = emulator.with_project(emulator.project, LABELS, (DATASET,))
        packets = making.make("url", TASKS * PACKETS_PER_TASK, pictures.url, folder)
        slices = folder / "slices"
        slices.mkdir()
        for number in range(TASKS):
            part = packets[number * PACKETS_PER_TASK : (number + 1) * PACKETS_PER_TASK]
            making.write(part, slices / f"{number:03}.jsonl")
        settings = {
            **_settings(python, secret_key, postgres, redis),
            "E2E_HOST": emulator.url,
            "E2E_PROJECT": emulator.project,
        }
        components = {
            **{name: COMPONENTS[name] for name in ("api-server", "scheduler", "dag-processor")},
            "triggerer": ("triggerer", "--skip-serve-logs"),
            "worker-one": (*_WORKER, "--celery-hostname", "one@%h"),
            "worker-two": (*_WORKER, "--celery-hostname", "two@%h"),
        }
        with Airflow(folder / "airflow", 24, python, components, {DAG, DAG_AFTER}, settings) as airflow:
            airflow.connect(
                CONNECTION,
                host=emulator.url,
                schema=emulator.project,
                login=emulator.client_id,
                password=emulator.client_secret,
            )
            dag_run = airflow.trigger(DAG, {"folder": str(slices)})
            half = len(packets) // 2
            until(lambda: _accepted(emulator) >= half, f"{half} packets were accepted", _RUN_SECONDS, 0.2)
            killed = _kill_worker(airflow, dag_run)
            state = dag_run.ended(_RUN_SECONDS)
            keep_answers(airflow, folder / "answers", dag_run)
            receipt = dag_run.result("wait")
            after = _problem_after(airflow, receipt) if state == "success" else "nothing to run after"
        postgres.dump(folder / "metadata.sql")
        refused = _counted(emulator, 429)
        emulator.tune(rate_limit=False)  # the reader asks for every file
        diffgram = Diffgram(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
        expected = making.after("url", packets, {})
        told = Told(list(expected), state, receipt=receipt)
        row = judge("distributed", Truth(expected), read(diffgram, DATASET), [told])
        pair = f"{emulator.client_id}:{emulator.client_secret}"
        return Outcome(row, state, killed, refused, after, (emulator.client_secret, pair))


def _settings(python: Path, secret_key: str, postgres: Postgres, redis: Redis) -> dict[str, str]:
    return {
        **of_environment(python, secret_key),
        "AIRFLOW__CELERY__BROKER_URL": redis.url,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{postgres.address}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "e2e" / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{postgres.address}",
        # What a dead worker had taken from the queue is given to another after this.
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "90",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    }


def _problem_after(airflow: Airflow, receipt: dict[str, Any]) -> str:
    """Return what is wrong with the run that the asset's event started: it has to know the counts."""
    path = f"dags/{DAG_AFTER}/dagRuns?limit=10"
    try:
        found = until(lambda: airflow.call("GET", path)["dag_runs"], f"a run of {DAG_AFTER}", _AFTER_SECONDS)
        after = DagRun(airflow, DAG_AFTER, found[0]["dag_run_id"])
        state, told = after.ended(_AFTER_SECONDS), after.result("told") or {}
    except ChaosError as error:
        return str(error)
    kinds = [run["run_type"] for run in found]
    wrong = {name: told.get(name) for name in ("expected", "succeeded") if told.get(name) != receipt[name]}
    is_right = (kinds, state, wrong) == (["asset_triggered"], "success", {})
    return "" if is_right else f"runs {kinds}, the first ended as {state} and was told {wrong}"


def _counted(emulator: EmulatorProcess, status: int) -> int:
    counts = emulator.requests()["counts"]
    return sum(
        each["count"]
        for each in counts
        if each["status"] == status and each["path"].endswith("/input/packet")
    )


def _accepted(emulator: EmulatorProcess) -> int:
    return _counted(emulator, 200)


def _kill_worker(airflow: Airflow, dag_run: DagRun) -> int:
    """Let a worker die with everything it has started, while it is at something; return at how many tasks."""
    leader = airflow.processes.pop("worker-one")  # that it has ended is no failure

    def at_work() -> tuple[set[int], set[int]] | None:
        path = f"dags/{dag_run.dag_id}/dagRuns/{dag_run.run_id}/taskInstances?state=running&limit=100"
        tasks = {
            task["pid"] for task in airflow.call("GET", path)["task_instances"] if task["task_id"] == "send"
        }
        family = descendants(leader.pid)
        return (family, tasks & family) if tasks & family else None

    family, tasks = until(at_work, "the worker is at a task", 300, 0.2)
    for pid in (leader.pid, *family):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    leader.wait()
    return len(tasks)


def descendants(pid: int) -> set[int]:
    """Return the processes that a process has started, and those that they have."""
    parents = {int(path.name): parent for path in Path("/proc").glob("[0-9]*") if (parent := _parent(path))}
    return _below({pid}, parents)


def _below(roots: set[int], parents: Mapping[int, int]) -> set[int]:
    children = {pid for pid, parent in parents.items() if parent in roots}
    return children | _below(children, parents) if children else set()


def _parent(path: Path) -> int | None:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):  # it has ended since
        return None
