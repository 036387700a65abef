"""Runs DAGs in a real Airflow, one after the other, here: ``python -m demo.run_dags JOBS EVENTS``.

JOBS is the path of a JSON list of ``{"dag_id": ..., "conf": {...}}``, and where a run goes on with what one
before it returned, ``"take": {"name in conf": [dag_id, task_id]}``. One JSON object per finished step goes to
the file descriptor EVENTS; all that Airflow has to say goes to stdout and stderr. Settings and the connection
come from the environment.

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
    results: dict[str, Any] = {}

    def succeeds(job: dict[str, Any]) -> bool:
        taken = {name: results[dag_id][task_id] for name, (dag_id, task_id) in job.get("take", {}).items()}
        succeeded, results[job["dag_id"]] = _run(dags[job["dag_id"]], job["conf"] | taken, emit)
        return succeeded

    return all(map(succeeds, jobs))


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


def _run(dag: Any, conf: dict[str, Any], emit: Emit) -> tuple[bool, dict[str, Any]]:
    """Run a DAG; return whether it succeeded, and what its tasks returned."""
    started = time.monotonic()
    run = dag.test(run_conf=conf)
    instances = {each.task_id: each for each in run.get_task_instances()}
    results = {name: each.xcom_pull(task_ids=name) for name, each in instances.items()}
    emit(
        {
            "step": "dag",
            "dag_id": dag.dag_id,
            "run_id": run.run_id,
            "state": str(run.state),
            "seconds": time.monotonic() - started,
            "tasks": {name: str(each.state) for name, each in instances.items()},
            "results": results,
        }
    )
    return str(run.state) == "success", results


def main(jobs_path: str, events: str) -> int:
    """Read the jobs, run them, report on the file descriptor ``events``; return the exit code."""
    with os.fdopen(int(events), "w", buffering=1) as pipe:
        jobs = json.loads(Path(jobs_path).read_text())
        # What the instances of a mapped task returned comes as a lazy sequence.
        succeeded = run_all(jobs, lambda event: pipe.write(json.dumps(event, default=list) + "\n"))
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
