"""The DAGs that chaos strikes while they make a compound file and send its children."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {
    "max_active_runs": 99,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 6, "retry_delay": timedelta(0)},
}
TARGET: dict[str, Any] = {
    "dataset": "{{ dag_run.conf['dataset'] }}",
    "diffgram_conn_id": "{{ dag_run.conf['connection'] }}",
}
DELIVERY = "{{ dag_run.conf.get('delivery', 'queue') }}"


def _compound(concurrency: int) -> None:
    create: Any = DiffgramCreateCompoundFileOperator(
        task_id="create", name="{{ dag_run.conf['parent'] }}", **TARGET
    )
    send: Any = DiffgramUploadChildrenOperator(
        task_id="send",
        parent_file_id=create.output["file_id"],
        children="{{ dag_run.conf['packets'] }}",
        report="{{ dag_run.conf['report'] }}",
        max_failed="{{ dag_run.conf['max_failed'] }}",
        delivery=DELIVERY,
        concurrency=concurrency,
        **TARGET,
    )
    DiffgramInputSensor(
        task_id="wait",
        handle=send.output,
        diffgram_conn_id=TARGET["diffgram_conn_id"],
        deferrable=False,
        poke_interval=0.5,
        timeout=120,
    )


with DAG("chaos_compound", schedule=None, **COMMON):
    _compound(16)

with DAG("chaos_compound_singly", schedule=None, **COMMON):
    _compound(1)

with DAG("chaos_mapped", schedule=None, **COMMON):

    @task
    def uploads(dag_run: Any = None) -> list[dict[str, Any]]:
        return list(dag_run.conf["uploads"])

    mapped: Any = DiffgramUploadChildrenOperator.partial(task_id="send", delivery=DELIVERY, **TARGET)
    DiffgramInputSensor(
        task_id="wait",
        handle=mapped.expand_kwargs(uploads()).output,
        diffgram_conn_id=TARGET["diffgram_conn_id"],
        deferrable=False,
        poke_interval=0.5,
        timeout=120,
    )
