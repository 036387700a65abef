"""DAGs of the tests: operators that wait themselves, sensors with explicit targets, rules of a wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}
SOON: dict[str, Any] = {"poke_interval": 0.2}
LIMIT = timedelta(seconds=60)


def send(**more: Any) -> DiffgramSendPacketOperator:
    return DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ dag_run.conf['packets'] | tojson }}",
        dataset="Default",
        **{"delivery": "{{ dag_run.conf.get('delivery', 'auto') }}", **more},
    )


@dag(schedule=None, **COMMON)
def send_that_waits_deferred() -> None:
    send(wait_for_completion=True, deferrable=True, wait_timeout=LIMIT, **SOON)


@dag(schedule=None, **COMMON)
def send_that_waits_here() -> None:
    send(
        wait_for_completion=True,
        deferrable=False,
        wait_timeout=LIMIT,
        wait_report="{{ dag_run.conf.get('report', '/dev/null') }}",
        max_failed="{{ dag_run.conf.get('max_failed', 0) }}",
        **SOON,
    )


@dag(schedule=None, **COMMON, default_args={"retries": 1, "retry_delay": timedelta(seconds=0)})
def send_that_waits_by_wrong_rules() -> None:
    send(
        if_exists="hope",
        delivery="by post",
        concurrency=0,
        unknown_labels="guess",
        wait_for_completion=True,
        verify="hope",
        on_stuck="panic",
        if_killed="explode",
        stall_timeout=0,
        max_failed="many",
        wait_report="/nowhere/report.jsonl",
    )


@dag(schedule=None, **COMMON)
def push_that_waits() -> None:
    @task.diffgram_push(dataset="Default", wait_for_completion=True, deferrable=True, **SOON)
    def predictions(**context: Any) -> Iterator[dict[str, Any]]:
        yield from context["dag_run"].conf["packets"]

    predictions()


@dag(schedule=None, **COMMON)
def wait_for_targets() -> None:
    DiffgramInputSensor(
        task_id="batches", batch_ids="{{ dag_run.conf['batch_ids'] }}", deferrable=True, timeout=LIMIT, **SOON
    )
    DiffgramInputSensor(
        task_id="inputs", input_ids="{{ dag_run.conf['input_ids'] }}", deferrable=True, timeout=LIMIT, **SOON
    )
    DiffgramInputSensor(
        task_id="children",
        parent_file_id="{{ dag_run.conf['parent_file_id'] }}",
        expected_count="{{ dag_run.conf['expected_count'] }}",
        timeout=LIMIT,
        **SOON,
    )


@dag(schedule=None, **COMMON, default_args={"retries": 1, "retry_delay": timedelta(seconds=0)})
def wait_for_wrong_targets() -> None:
    DiffgramInputSensor(task_id="two", handle={}, batch_ids=[1], verify="hope", report="/nowhere/r.jsonl")
    DiffgramInputSensor(task_id="half", parent_file_id=1)
    DiffgramInputSensor(task_id="unknown", input_ids=[99999])


@dag(schedule=None, **COMMON)
def wait_by_rules() -> None:
    DiffgramInputSensor(
        task_id="wait",
        handle=send().output,
        max_failed="{{ dag_run.conf['max_failed'] }}",
        report="{{ dag_run.conf['report'] }}",
        verify="instances",
        deferrable=True,
        timeout=LIMIT,
        **SOON,
    )


@dag(schedule=None, **COMMON)
def wait_and_retry_deferred() -> None:
    DiffgramInputSensor(
        task_id="wait",
        handle=send().output,
        on_stuck="retry",
        stall_timeout=5,
        deferrable=True,
        timeout=LIMIT,
        **SOON,
    )


@dag(schedule=None, **COMMON)
def wait_and_retry_poking() -> None:
    DiffgramInputSensor(
        task_id="wait", handle=send().output, on_stuck="retry", stall_timeout=5, timeout=LIMIT, **SOON
    )


@dag(schedule=None, **COMMON)
def wait_until_stuck() -> None:
    DiffgramInputSensor(
        task_id="wait", handle=send().output, stall_timeout=1, deferrable=True, timeout=LIMIT, **SOON
    )


@dag(schedule=None, **COMMON)
def wait_rescheduled() -> None:
    DiffgramInputSensor(task_id="wait", handle=send().output, mode="reschedule", timeout=LIMIT, **SOON)


@dag(schedule=None, **COMMON, default_args={"retries": 1, "retry_delay": timedelta(seconds=0)})
def wait_for_too_short() -> None:
    DiffgramInputSensor(
        task_id="wait",
        handle=send().output,
        report="{{ dag_run.conf.get('report', '/dev/null') }}",
        deferrable=True,
        timeout=2,
        **SOON,
    )


send_that_waits_deferred()
send_that_waits_here()
send_that_waits_by_wrong_rules()
push_that_waits()
wait_for_targets()
wait_for_wrong_targets()
wait_by_rules()
wait_and_retry_deferred()
wait_and_retry_poking()
wait_until_stuck()
wait_rescheduled()
wait_for_too_short()
