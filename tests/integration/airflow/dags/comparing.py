"""DAGs of the tests: predictions held against what people made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AssetAlias, dag, task

from airflow_provider_diffgram.operators.compare import DiffgramCompareOperator
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator
from airflow_provider_diffgram.operators.retract import DiffgramRetractPredictionsOperator

COMMON: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"retries": 1, "retry_delay": timedelta(0)},
}
FOLDER = "{{ dag_run.conf['folder'] }}"


@task
def retrain() -> None:
    """Stand for what follows."""


@dag(schedule=None, **COMMON)
def compare_with_people() -> None:
    compare = DiffgramCompareOperator(
        task_id="compare",
        record=FOLDER + "/record.jsonl",
        job="{{ dag_run.conf.get('job', '') }}",
        limits={"min_acceptance": "{{ dag_run.conf.get('min_acceptance', '') }}"},
        on_missed="{{ dag_run.conf.get('on_missed', 'fail') }}",
        on_too_few="{{ dag_run.conf.get('on_too_few', 'skip') }}",
        metrics=FOLDER + "/metrics.json",
        report=FOLDER + "/report.jsonl",
        page=FOLDER + "/page.html",
        history=FOLDER + "/history.jsonl",
        run_name="{{ dag_run.conf.get('run', run_id) }}",
        outlets=[AssetAlias("compared")],
    )
    compare >> retrain()


@dag(schedule=None, **COMMON)
def pull_and_compare() -> None:
    pull: Any = DiffgramPullAnnotationsOperator(
        task_id="pull", path=FOLDER + "/set", job="{{ dag_run.conf['job'] }}"
    )
    DiffgramCompareOperator(
        task_id="compare",
        record=[FOLDER + "/record.jsonl"],
        review="{{ ti.xcom_pull('pull')['path'] }}",
        metrics=FOLDER + "/metrics.json",
    ).set_upstream(pull)


@dag(schedule=None, **COMMON)
def take_back() -> None:
    DiffgramRetractPredictionsOperator(
        task_id="retract",
        model_ref="detector",
        model_run_ref="{{ dag_run.conf['run'] }}",
        dataset="Default",
        dry_run="{{ dag_run.conf.get('dry_run', true) }}",
        reviewed="{{ dag_run.conf.get('reviewed', 'leave') }}",
        outlets=[AssetAlias("retracted")],
    )


for each in (compare_with_people, pull_and_compare, take_back):
    each()
