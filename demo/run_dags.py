"""Runs DAGs in a real Airflow, one after the other, here: ``python -m demo.run_dags JOBS EVENTS``.

JOBS is the path of a JSON list of ``{"dag_id": ..., "conf": {...}}``. One JSON object per finished step goes
to the file descriptor EVENTS; all that Airflow has to say goes to stdout and stderr. Settings and the
connection come from the environment.

``DAG.test`` is used because no scheduler, api-server and triggerer have to come up and go down: the task
instances, XComs and deferrals are real and in the metadata database, and the trigger of a deferred task runs
in this process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Emit = Callable[[dict[str, Any]], object]


def run_all(jobs: list[dict[str, Any]], emit: Emit) -> bool:
    """Run the jobs until one fails; return whether none did."""
    started = time.monotonic()
    dags = _load_dags()
    emit({"step": "ready", "seconds": time.monotonic() - started})
    return all(_run(dags[job["dag_id"]], job["conf"], emit) for job in jobs)


def _load_dags() -> Any:
    from airflow.utils import db

    db.upgradedb()
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before Airflow 3.1
        from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if bag.import_errors:
        raise SystemExit("\n".join(f"{path}: {error}" for path, error in bag.import_errors.items()))
    return bag.dags


def _run(dag: Any, conf: dict[str, Any], emit: Emit) -> bool:
    started = time.monotonic()
    run = dag.test(run_conf=conf)
    instances = {each.task_id: each for each in run.get_task_instances()}
    emit(
        {
            "step": "dag",
            "dag_id": dag.dag_id,
            "run_id": run.run_id,
            "state": str(run.state),
            "seconds": time.monotonic() - started,
            "tasks": {name: str(each.state) for name, each in instances.items()},
            "results": {name: each.xcom_pull(task_ids=name) for name, each in instances.items()},
        }
    )
    return str(run.state) == "success"


def main(jobs_path: str, events: str) -> int:
    """Read the jobs, run them, report on the file descriptor ``events``; return the exit code."""
    with os.fdopen(int(events), "w", buffering=1) as pipe:
        jobs = json.loads(Path(jobs_path).read_text())
        # What the instances of a mapped task returned comes as a lazy sequence.
        succeeded = run_all(jobs, lambda event: pipe.write(json.dumps(event, default=list) + "\n"))
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
