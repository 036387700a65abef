"""A DAG that is run when people have reviewed two more files, and one that waits for three."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.assets.review import review_asset
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}


def reviews(min_files: int) -> Any:
    return review_asset(
        host=os.environ["E2E_DIFFGRAM"],
        project=os.environ["E2E_PROJECT"],
        job="night",
        min_files=min_files,
        max_wait=None,
        poll_interval=2.0,
    )


def told(triggering_asset_events: Any = None) -> list[Any]:
    """Return the payloads of the events that started the run."""
    return [event.extra["payload"] for events in triggering_asset_events.values() for event in events]


@dag(schedule=reviews(2), max_active_runs=1, **COMMON)
def e2e_retrain() -> None:
    pull: Any = DiffgramPullAnnotationsOperator(
        task_id="pull", path=os.environ["E2E_OUTPUT"], dataset="night"
    )
    pull >> task(told)()


@dag(schedule=reviews(3), max_active_runs=1, **COMMON)
def e2e_retrain_seldom() -> None:
    task(told)()


e2e_retrain()
e2e_retrain_seldom()
