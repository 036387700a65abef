"""The DAGs that chaos strikes; everything that differs from case to case is in the run's configuration."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 6, "retry_delay": timedelta(0)},
}
CONNECTION = "{{ dag_run.conf['connection'] }}"
DELIVERY = (
    "{% set each = dag_run.conf.get('delivery', 'queue') %}"
    "{{ each if each is string else each[[ti.try_number, each | length] | min - 1] }}"
)
"""One for all attempts, or one for each, of which the last is for all others too."""
SENDING: dict[str, Any] = {
    "task_id": "send",
    "dataset": "{{ dag_run.conf['dataset'] }}",
    "diffgram_conn_id": CONNECTION,
    "report": "{{ dag_run.conf['report'] }}",
    "max_failed": "{{ dag_run.conf['max_failed'] }}",
    "delivery": DELIVERY,
}
IF_EXISTS = "{{ dag_run.conf['if_exists'] }}"
PACKETS = "{{ dag_run.conf['packets'] }}"


def _wait_for(handle: Any) -> None:
    DiffgramInputSensor(
        task_id="wait",
        handle=handle,
        max_failed="{{ dag_run.conf.get('may_fail', 0) }}",
        diffgram_conn_id=CONNECTION,
        deferrable=False,
        poke_interval=0.5,
        timeout=120,
    )


def _push() -> None:
    send = DiffgramSendPacketOperator(packets=PACKETS, if_exists=IF_EXISTS, **SENDING)
    _wait_for(send.output)


for name, runs in {"push": 99, "serialised_append": 1, "serialised_replace": 1}.items():
    dag(dag_id=f"chaos_{name}", schedule=None, max_active_runs=runs, **COMMON)(_push)()


@dag(schedule=None, max_active_runs=99, **COMMON)
def chaos_generate() -> None:
    @task.diffgram_push(if_exists=IF_EXISTS, **SENDING)
    def predictions(path: str, **context: Any) -> Iterator[dict[str, Any]]:
        conf = context["dag_run"].conf
        with open(path) as lines:  # noqa: PTH123
            for number, line in enumerate(lines):
                if number == conf.get("breaks_after") and context["ti"].try_number == 1:
                    _break_off(conf.get("thinks_until"))
                yield json.loads(line)

    _wait_for(predictions(PACKETS))


def _break_off(thinks_until: str | None) -> None:
    """Raise, or think until a file is there."""
    if thinks_until is None:
        raise RuntimeError("the model broke")
    while not Path(thinks_until).exists():
        time.sleep(0.1)


@dag(schedule=None, max_active_runs=99, **COMMON)
def chaos_children() -> None:
    send = DiffgramUploadChildrenOperator(
        parent_file_id="{{ dag_run.conf['parent'] }}", children=PACKETS, **SENDING
    )
    _wait_for(send.output)


chaos_generate()
chaos_children()
