"""The DAGs that chaos strikes while they make a job and tasks in it, and while they wait for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.operators.review import DiffgramAddTasksOperator, DiffgramCreateJobOperator
from airflow_provider_diffgram.sensors.review import DiffgramReviewSensor

COMMON: dict[str, Any] = {
    "max_active_runs": 99,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 6, "retry_delay": timedelta(0)},
}
CONNECTION = "{{ dag_run.conf['connection'] }}"

with DAG("chaos_review", schedule=None, **COMMON):
    job: Any = DiffgramCreateJobOperator(
        task_id="job",
        name="{{ dag_run.conf['job'] }}",
        datasets="{{ dag_run.conf.get('dataset', '') }}",
        diffgram_conn_id=CONNECTION,
    )
    DiffgramAddTasksOperator(
        task_id="add",
        job=job.output["job_id"],
        files="{{ dag_run.conf['files'] | tojson }}",
        diffgram_conn_id=CONNECTION,
    )

WAITING: dict[str, Any] = {
    "task_id": "wait",
    "job": "{{ dag_run.conf['job_id'] }}",
    "files": "{{ dag_run.conf['files'] | tojson }}",
    "diffgram_conn_id": CONNECTION,
    "poke_interval": 1,
    "timeout": 240,
}

with DAG("chaos_review_wait", schedule=None, **COMMON):
    DiffgramReviewSensor(deferrable=True, **WAITING)

with DAG("chaos_review_poke", schedule=None, **COMMON):
    DiffgramReviewSensor(deferrable=False, **WAITING)
