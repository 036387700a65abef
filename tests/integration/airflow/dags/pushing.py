"""DAGs of the tests: generators as tasks, reports, failures allowed, retries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, dag, task

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}


def predictions_of(picture: str, day: str) -> Iterator[dict[str, Any]]:
    """Yield what a model finds on the pictures of a day."""
    for number in range(2):
        box = {"type": "box", "label": "cat", "x_min": number, "y_min": 3, "x_max": 20, "y_max": 30}
        yield {
            "media": {"path": picture},
            "original_filename": f"{day}-{number}.png",
            "instance_list": [box],
        }


@dag(schedule=None, **COMMON)
def push_generated() -> None:
    @task
    def today(**context: Any) -> str:
        return str(context["dag_run"].conf["day"])

    @task.diffgram_push(
        dataset="{{ dag_run.conf['dataset'] }}", report="{{ dag_run.conf['folder'] }}/{{ run_id }}.jsonl"
    )
    def predictions(day: str, **context: Any) -> Iterator[dict[str, Any]]:
        yield from predictions_of(context["dag_run"].conf["picture"], day)

    DiffgramInputSensor(
        task_id="wait", handle=predictions(today()), poke_interval=0.2, timeout=timedelta(seconds=60)
    )


@dag(schedule=None, **COMMON)
def push_returned() -> None:
    @task.diffgram_push(dataset="{{ dag_run.conf['dataset'] }}")
    def predictions(**context: Any) -> list[dict[str, Any]]:
        conf = context["dag_run"].conf
        Path(conf["ran"]).touch()
        return list(predictions_of(conf["picture"], "monday"))

    predictions()


@dag(schedule=None, **COMMON)
def push_generated_by_day() -> None:
    @task
    def days(**context: Any) -> list[str]:
        return list(context["dag_run"].conf["days"])

    @task.diffgram_push(dataset="Default")
    def predictions(day: str, picture: str) -> Iterator[dict[str, Any]]:
        yield from predictions_of(picture, day)

    pushed = predictions.partial(picture="{{ dag_run.conf['picture'] }}").expand(day=days())
    DiffgramInputSensor(task_id="wait", handle=pushed, poke_interval=0.2, timeout=timedelta(seconds=60))


@dag(schedule=None, **COMMON, default_args={"retries": 2, "retry_delay": timedelta(seconds=0)})
def push_what_raises() -> None:
    @task.diffgram_push(dataset="Default")
    def predictions(**context: Any) -> Iterator[dict[str, Any]]:
        conf = context["dag_run"].conf
        yield from predictions_of(conf["picture"], "monday")
        if context["ti"].try_number == 1:
            errors = {"skip": AirflowSkipException, "fail": AirflowFailException}
            raise errors.get(conf.get("raises"), RuntimeError)("the model broke")

    predictions()


@dag(schedule=None, **COMMON)
def push_some_may_fail() -> None:
    DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ dag_run.conf['packets'] | tojson }}",
        dataset="Default",
        max_failed="{{ dag_run.conf['max_failed'] }}",
        report="{{ dag_run.conf['folder'] }}/{{ run_id }}.jsonl",
        if_exists="{{ dag_run.conf.get('if_exists', 'skip') }}",
    )


@dag(schedule=None, **COMMON, default_args={"retries": 1, "retry_delay": timedelta(seconds=0)})
def push_retried() -> None:
    DiffgramSendPacketOperator(
        task_id="send", packets="{{ dag_run.conf['packets'] | tojson }}", dataset="Default", concurrency=1
    )


push_returned()
push_generated()
push_generated_by_day()
push_what_raises()
push_some_may_fail()
push_retried()
