"""What Airflow's public REST API tells about a run, kept to be searched for secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chaos.airflow import Airflow, DagRun

_PAGE = 100


def keep_answers(airflow: Airflow, folder: Path, run: DagRun) -> None:
    """Write one file for each answer."""
    folder.mkdir(parents=True)
    for number, path in enumerate(_paths(airflow, run)):
        answer = airflow.call("GET", path)
        (folder / f"{number:04}.json").write_text(json.dumps({"path": path, "answer": answer}, indent=1))


def _paths(airflow: Airflow, run: DagRun) -> Iterator[str]:
    of_run = f"dags/{run.dag_id}/dagRuns/{quote(run.run_id, '')}"
    yield from ("connections", "variables", "providers", "importErrors", f"dags/{run.dag_id}/details", of_run)
    yield from _pages(airflow, "eventLogs", "total_entries")
    yield from _pages(airflow, f"{of_run}/taskInstances", "total_entries")
    for task in _tasks(airflow, of_run):
        of_task = f"{of_run}/taskInstances/{task['task_id']}"
        index = task["map_index"]
        entries = f"{of_task}/xcomEntries?map_index={index}"
        yield entries
        for entry in airflow.call("GET", entries)["xcom_entries"]:
            yield f"{of_task}/xcomEntries/{entry['key']}?map_index={index}"
        if task["try_number"]:
            yield f"{of_task}/logs/{task['try_number']}?full_content=true&map_index={index}"


def _tasks(airflow: Airflow, of_run: str) -> Iterator[dict[str, Any]]:
    for path in _pages(airflow, f"{of_run}/taskInstances", "total_entries"):
        found = airflow.call("GET", path)["task_instances"]
        # Of many alike, the first ten stand for all: the metadata database has the rest.
        yield from (task for task in found if task["map_index"] < 10)


def _pages(airflow: Airflow, path: str, total: str) -> Iterator[str]:
    amount = airflow.call("GET", f"{path}?limit=1")[total]
    yield from (f"{path}?limit={_PAGE}&offset={offset}" for offset in range(0, amount, _PAGE))
