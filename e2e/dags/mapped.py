"""Two hundred tasks that send at once, one that waits for what all of them sent, and a DAG that follows."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.assets.diffgram import create_asset
from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

START = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = create_asset(host=os.environ["E2E_HOST"], project=os.environ["E2E_PROJECT"], dataset="night")


@dag(
    schedule=None,
    start_date=START,
    catchup=False,
    max_active_tasks=32,
    default_args={"retries": 8, "retry_delay": timedelta(seconds=1)},
)
def e2e_mapped() -> None:
    @task
    def slices(folder: str) -> list[str]:
        return sorted(map(str, Path(folder).glob("*.jsonl")))

    send = DiffgramSendPacketOperator.partial(task_id="send", dataset="night", delivery="queue").expand(
        packets=slices("{{ dag_run.conf['folder'] }}")
    )
    sent: Any = send.output
    DiffgramInputSensor(
        task_id="wait", handle=sent, deferrable=True, poke_interval=5, timeout=1800, outlets=[NIGHT]
    )


@dag(schedule=[NIGHT], start_date=START, catchup=False)
def e2e_after() -> None:
    @task
    def told(triggering_asset_events: Any = None) -> dict[str, Any]:
        (event,) = triggering_asset_events[NIGHT]
        return dict(event.extra)

    told()


e2e_mapped()
e2e_after()
