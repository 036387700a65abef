"""The DAGs whose waits chaos strikes: they wait in the triggerer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {
    "max_active_runs": 99,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 2, "retry_delay": timedelta(0)},
}
SECONDS = 240
CONNECTION = "{{ dag_run.conf['connection'] }}"
SENDING: dict[str, Any] = {
    "task_id": "send",
    "packets": "{{ dag_run.conf['packets'] }}",
    "dataset": "{{ dag_run.conf['dataset'] }}",
    "diffgram_conn_id": CONNECTION,
    "report": "{{ dag_run.conf['report'] }}",
    "delivery": "{{ dag_run.conf.get('delivery', 'queue') }}",
}
WAITING: dict[str, Any] = {
    "deferrable": True,
    "poke_interval": 1,
    "stall_timeout": 8,
    "on_stuck": "{{ dag_run.conf.get('on_stuck', 'fail') }}",
}


def wait_for(handle: Any) -> None:
    """Wait in the triggerer."""
    DiffgramInputSensor(
        task_id="wait",
        handle=handle,
        max_failed="{{ dag_run.conf.get('may_fail', 0) }}",
        diffgram_conn_id=CONNECTION,
        timeout=SECONDS,
        **WAITING,
    )


with DAG("chaos_wait", schedule=None, **COMMON):
    wait_for(DiffgramSendPacketOperator(**SENDING).output)

with DAG("chaos_wait_handle", schedule=None, **COMMON):
    wait_for("{{ dag_run.conf['handle'] | tojson }}")

with DAG("chaos_wait_itself", schedule=None, **COMMON):
    DiffgramSendPacketOperator(wait_for_completion=True, wait_timeout=SECONDS, **SENDING, **WAITING)
