"""DAGs of the tests: predictions that are checked before they are sent, and that get their run by default."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramSendPacketOperator,
    DiffgramValidatePacketsOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}
PACKETS = "{{ dag_run.conf['packets'] | tojson }}"
FOLDER = "{{ dag_run.conf['folder'] }}"


@dag(schedule=None, **COMMON)
def check_and_send() -> None:
    check = DiffgramValidatePacketsOperator(
        task_id="check",
        packets=PACKETS,
        dataset="Default",
        max_invalid="{{ dag_run.conf.get('max_invalid', '') }}",
        min_instances="{{ dag_run.conf.get('min_instances', '') }}",
        report=FOLDER + "/report.jsonl",
        page=FOLDER + "/page.html",
        valid_packets=FOLDER + "/valid.jsonl",
    )
    send = DiffgramSendPacketOperator(task_id="send", packets=FOLDER + "/valid.jsonl", dataset="Default")
    check >> send
    DiffgramInputSensor(task_id="wait", handle=send.output, poke_interval=0.2, timeout=timedelta(seconds=60))


@dag(schedule=None, **COMMON)
def send_with_origins() -> None:
    DiffgramSendPacketOperator(task_id="by_default", packets=PACKETS, dataset="Default", if_exists="append")
    DiffgramSendPacketOperator(task_id="named", packets=PACKETS, dataset="named", model_ref="detector")
    DiffgramSendPacketOperator(task_id="without", packets=PACKETS, dataset="without", model_ref=None)

    @task.diffgram_push(dataset="generated")
    def generated(**context: Any) -> Iterator[dict[str, Any]]:
        yield from context["dag_run"].conf["packets"]

    generated()


@dag(schedule=None, **COMMON)
def send_mapped_predictions() -> None:
    @task
    def sets(**context: Any) -> list[Any]:
        return list(context["dag_run"].conf["sets"])

    DiffgramSendPacketOperator.partial(task_id="send", dataset="Default").expand(packets=sets())


check_and_send()
send_with_origins()
send_mapped_predictions()
