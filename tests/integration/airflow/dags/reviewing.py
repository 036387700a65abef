"""DAGs of the tests: jobs, tasks for chosen files, and the wait for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import dag

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.operators.review import DiffgramAddTasksOperator, DiffgramCreateJobOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor
from airflow_provider_diffgram.sensors.review import DiffgramReviewSensor

COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 1, "retry_delay": timedelta(0)},
}


@dag(schedule=None, **COMMON)
def job_for_a_dataset() -> None:
    DiffgramCreateJobOperator(
        task_id="job",
        name="{{ dag_run.conf['name'] }}",
        datasets="{{ dag_run.conf.get('dataset', 'Default') }}",
        members="{{ dag_run.conf.get('members', 'all') }}",
        review_share="{{ dag_run.conf.get('review_share', 0) }}",
        tags=["night"],
    )


@dag(schedule=None, **COMMON)
def job_for_what_is_there() -> None:
    DiffgramCreateJobOperator(task_id="job", name="once", datasets=["Default"], sync=False)


@dag(schedule=None, **COMMON)
def push_and_review() -> None:
    """Push, make a job without datasets, add the pushed files, and wait for people."""
    send: Any = DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ dag_run.conf['packets'] | tojson }}",
        dataset="Default",
        record="{{ dag_run.conf['record'] }}",
    )
    arrived: Any = DiffgramInputSensor(task_id="arrived", handle=send.output, poke_interval=0.2)
    job: Any = DiffgramCreateJobOperator(task_id="job", name="night")
    add: Any = DiffgramAddTasksOperator(task_id="add", job=job.output, files=send.output, patience=20)
    reviewed: Any = DiffgramReviewSensor(
        task_id="reviewed",
        job=job.output["job_id"],
        files=add.output,
        min_done="{{ dag_run.conf.get('min_done', none) }}",
        poke_interval=0.2,
        timeout=30,
        deferrable=True,
    )
    arrived >> add >> reviewed


@dag(schedule=None, **COMMON)
def add_the_least_sure() -> None:
    DiffgramAddTasksOperator(
        task_id="add",
        job="{{ dag_run.conf['job'] }}",
        files="{{ dag_run.conf['record'] }}",
        select={
            "amount": "{{ dag_run.conf['amount'] }}",
            "by": "{{ dag_run.conf.get('by', 'score') }}",
            "random_share": 0,
            "seed": "{{ ds }}",
        },
        report="{{ dag_run.conf['report'] }}",
        patience=20,
    )


@dag(schedule=None, **COMMON)
def wait_for_review() -> None:
    for name, deferrable in (("here", False), ("deferred", True)):
        DiffgramReviewSensor(
            task_id=name,
            job="{{ dag_run.conf['job'] }}",
            files="{{ dag_run.conf.get('files', '') }}",
            poke_interval=0.2,
            timeout=5,
            task_timeout=1,
            deferrable=deferrable,
        )


@dag(schedule=None, **COMMON)
def add_all() -> None:
    DiffgramAddTasksOperator(
        task_id="add", job="{{ dag_run.conf['job'] }}", files="{{ dag_run.conf['files'] }}", patience=1
    )


for each in (
    job_for_a_dataset,
    job_for_what_is_there,
    push_and_review,
    add_the_least_sure,
    wait_for_review,
    add_all,
):
    each()
