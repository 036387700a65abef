"""The DAG whose pull chaos strikes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator

COMMON: dict[str, Any] = {
    "max_active_runs": 99,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 30, "retry_delay": timedelta(0)},
}

with DAG("chaos_pull", schedule=None, **COMMON):
    DiffgramPullAnnotationsOperator(
        task_id="pull",
        path="{{ dag_run.conf['path'] }}",
        dataset="{{ dag_run.conf['dataset'] }}",
        diffgram_conn_id="{{ dag_run.conf['connection'] }}",
        only="all",
        format="{{ dag_run.conf.get('format', 'coco') }}",
    )
