"""DAGs of the tests: the groups of tasks, as users put them between tasks of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.task_groups.diffgram import (
    push_compound_file,
    push_prediction_chunks,
    push_predictions,
)

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}
SOON: dict[str, Any] = {"timeout": timedelta(seconds=60), "waiting": {"poke_interval": 0.2}}


@task
def given(name: str, **context: Any) -> Any:
    return context["dag_run"].conf[name]


@task
def succeeded(receipt: dict[str, Any]) -> int:
    return int(receipt["succeeded"])


@dag(schedule=None, **COMMON)
def grouped_push() -> None:
    pushed = push_predictions(given("packets"), dataset="Default", **SOON)
    succeeded(pushed.receipt)


@dag(schedule=None, **COMMON)
def grouped_chunks() -> None:
    sending = {"concurrency": 2, "if_exists": "{{ dag_run.conf.get('if_exists', 'skip') }}"}
    pushed = push_prediction_chunks(given("chunks"), dataset="Default", sending=sending, **SOON)
    pushed.group >> succeeded(pushed.receipt)


@dag(schedule=None, **COMMON)
def grouped_compound() -> None:
    pushed = push_compound_file(
        "{{ dag_run.conf['name'] }}", given("children"), dataset="Default", group_id="scan", **SOON
    )
    succeeded(pushed.receipt)


grouped_push()
grouped_chunks()
grouped_compound()
