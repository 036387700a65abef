"""DAGs of the tests: what users write with the operators and the sensor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}


def _send_and_wait(**sensor: Any) -> None:
    send = DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ dag_run.conf['packets'] | tojson }}",
        dataset="{{ dag_run.conf['dataset'] }}",
    )
    DiffgramInputSensor(
        task_id="wait", handle=send.output, poke_interval=0.2, timeout=timedelta(seconds=60), **sensor
    )


@dag(schedule=None, **COMMON)
def send_and_wait_deferred() -> None:
    _send_and_wait(deferrable=True)


@dag(schedule=None, **COMMON)
def send_and_wait_poking() -> None:
    _send_and_wait(deferrable=False)


@dag(schedule=None, **COMMON)
def send_and_wait_softly() -> None:
    _send_and_wait(deferrable=True, soft_fail=True)


@dag(schedule=None, **COMMON)
def send_and_wait_softly_poking() -> None:
    _send_and_wait(deferrable=False, soft_fail=True)


@dag(schedule=None, **COMMON, default_args={"retries": 2, "retry_delay": timedelta(seconds=0)})
def send_from_file_with_retries() -> None:
    DiffgramSendPacketOperator(task_id="send", packets="{{ dag_run.conf['path'] }}", dataset="Default")


@dag(schedule=None, **COMMON)
def send_mapped() -> None:
    @task
    def chunks(**context: Any) -> list[Any]:
        return list(context["dag_run"].conf["chunks"])

    send = DiffgramSendPacketOperator.partial(task_id="send", dataset="Default").expand(packets=chunks())
    DiffgramInputSensor(
        task_id="wait", handle=send.output, poke_interval=0.2, timeout=timedelta(seconds=60), deferrable=True
    )


@dag(schedule=None, **COMMON)
def compound_mapped() -> None:
    @task
    def names(**context: Any) -> list[str]:
        return list(context["dag_run"].conf["names"])

    create = DiffgramCreateCompoundFileOperator.partial(task_id="create", dataset="Default").expand(
        name=names()
    )
    upload = DiffgramUploadChildrenOperator.partial(
        task_id="upload", dataset="Default", children="{{ dag_run.conf['children'] | tojson }}"
    ).expand(parent_file_id=create.output)
    DiffgramInputSensor.partial(
        task_id="wait", poke_interval=0.2, timeout=timedelta(seconds=60), deferrable=True
    ).expand(handle=upload.output)


@dag(schedule=None, **COMMON)
def compound_from_folder() -> None:
    create = DiffgramCreateCompoundFileOperator(task_id="create", name="folder", dataset="Default")
    DiffgramUploadChildrenOperator(
        task_id="upload",
        dataset="Default",
        parent_file_id=create.output["file_id"],
        children={"folder": "{{ dag_run.conf['folder'] }}", "glob": "*.png"},
        repair=True,
    )


send_and_wait_deferred()
send_and_wait_poking()
send_and_wait_softly()
send_and_wait_softly_poking()
send_from_file_with_retries()
send_mapped()
compound_mapped()
compound_from_folder()
