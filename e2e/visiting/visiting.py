"""What a person looks at in a browser: a wait that takes its time, and two tasks that refuse packets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import dag

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramSendPacketOperator,
    DiffgramValidatePacketsOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "params": {"packets": "", "page": ""},
}
DATASET = "photos"


@dag(schedule=None, **COMMON)
def e2e_queued() -> None:
    send: Any = DiffgramSendPacketOperator(
        task_id="send", packets="{{ params.packets }}", dataset=DATASET, delivery="queue"
    )
    DiffgramInputSensor(task_id="wait", handle=send.output, deferrable=True, poke_interval=5)


@dag(schedule=None, **COMMON)
def e2e_refused() -> None:
    DiffgramValidatePacketsOperator(
        task_id="check", packets="{{ params.packets }}", dataset=DATASET, page="{{ params.page }}"
    )
    DiffgramSendPacketOperator(task_id="send", packets="{{ params.packets }}", dataset=DATASET)


e2e_queued()
e2e_refused()
