"""Airflow as a child process: its environment, its log, and the results of its DAG runs."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .server import Server

ROOT = Path(__file__).parent.parent


class RunFailed(Exception):
    """A DAG run, or Airflow itself, failed; the log tells why."""


@dataclass(frozen=True)
class Run:
    """A finished DAG run.

    :param seconds: how long it took.
    :param tasks: task id -> state.
    :param results: task id -> what the task returned.
    """

    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: dict[str, str]
    results: dict[str, Any]


def environment(home: Path, server: Server) -> dict[str, str]:
    """Return the environment of an Airflow in ``home``: the only place that holds the connection."""
    connection = {
        "conn_type": "diffgram",
        "host": server.url,
        "schema": server.project,
        "login": server.client_id,
        "password": server.client_secret,
    }
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "DIFFGRAM_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),  # 3.2 runs no task without one
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_CONN_DIFFGRAM_DEFAULT": json.dumps(connection),
        "PYTHONPATH": str(ROOT),
    }


def run_dags(
    jobs: list[dict[str, Any]],
    build: Path,
    server: Server,
    on_ready: Callable[[float], None],
    on_run: Callable[[Run], None],
) -> list[Run]:
    """Run DAGs in an Airflow in ``build/airflow``; its output is appended to ``build/airflow.log``.

    :param jobs: ``{"dag_id": ..., "conf": {...}}`` each, in order, as of :mod:`.run_dags`; a failed run ends
        the series.
    :param on_ready: called with the seconds that Airflow needed to start.
    :param on_run: called after each run.
    :raises RunFailed: if a run fails or Airflow ends early.
    """
    home, log = build / "airflow", build / "airflow.log"
    home.mkdir(parents=True, exist_ok=True)
    jobs_path = home / "jobs.json"
    jobs_path.write_text(json.dumps(jobs))
    runs: list[Run] = []
    with log.open("ab") as output, _events(jobs_path, output, environment(home, server)) as events:
        for event in events:
            if event["step"] == "ready":
                on_ready(event["seconds"])
                continue
            runs.append(Run(**{field.name: event[field.name] for field in fields(Run)}))
            on_run(runs[-1])
    for run in runs:
        if run.state != "success":
            tasks = ", ".join(name for name, state in run.tasks.items() if state == "failed")
            raise RunFailed(f"DAG {run.dag_id} failed in {tasks or 'no task'}; see {log}")
    if len(runs) < len(jobs):
        raise RunFailed(f"Airflow ended early; see {log}")
    return runs


@contextmanager
def _events(jobs: Path, output: Any, env: Mapping[str, str]) -> Iterator[Iterator[dict[str, Any]]]:
    """Start the child, yield what it reports until it is done, and leave no process behind."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as pipe:
        child = subprocess.Popen(
            [sys.executable, "-m", "demo.run_dags", str(jobs), str(writer)],
            cwd=jobs.parent,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
            start_new_session=True,
        )
        os.close(writer)
        try:
            yield map(json.loads, pipe)
            child.wait()
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it started: its session is a process group of its own."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        os.killpg(child.pid, sent)
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
