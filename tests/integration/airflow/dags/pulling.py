"""DAGs of the tests: annotations come back into files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import Asset, dag, task

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}
FOLDER = "{{ dag_run.conf['folder'] }}"
PULLED = Asset("file://localhost/pulled/night")


@dag(schedule=None, **COMMON)
def send_and_pull() -> None:
    send = DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ dag_run.conf['packets'] | tojson }}",
        dataset="Default",
        record=FOLDER + "/record.jsonl",
    )
    wait = DiffgramInputSensor(
        task_id="wait", handle=send.output, poke_interval=0.2, timeout=timedelta(seconds=60)
    )
    of_push = DiffgramPullAnnotationsOperator(
        task_id="of_push", path=FOLDER + "/push", handle=send.output, only="all"
    )
    of_dataset = DiffgramPullAnnotationsOperator(
        task_id="of_dataset",
        path=FOLDER + "/dataset",
        dataset="{{ dag_run.conf.get('dataset', 'Default') }}",
        only="{{ dag_run.conf.get('only', 'all') }}",
        format="{{ dag_run.conf.get('format', 'coco') }}",
        skip_unchanged=True,
        outlets=[PULLED],
    )

    @task
    def train(pulled: Any) -> Any:
        return pulled["path"]

    wait >> [of_push, of_dataset]
    train(of_dataset.output)


@dag(schedule=None, **COMMON)
def pull_mapped() -> None:
    DiffgramPullAnnotationsOperator.partial(task_id="pull", dataset="Default", only="all").expand_kwargs(
        [{"path": FOLDER + "/coco", "format": "coco"}, {"path": FOLDER + "/voc", "format": "voc"}]
    )


@dag(schedule=None, render_template_as_native_obj=True, **COMMON)
def pull_natively() -> None:
    DiffgramPullAnnotationsOperator(
        task_id="pull",
        path=FOLDER + "/{{ 20261127 }}",
        file_ids="{{ dag_run.conf['file_ids'] }}",
        only="all",
        format="yolo",
        split="{{ dag_run.conf['split'] }}",
    )


@dag(schedule=None, **COMMON)
def pull_reviewed() -> None:
    DiffgramPullAnnotationsOperator(
        task_id="pull", path=FOLDER + "/reviewed", dataset="Default", skip_unchanged=True
    )


send_and_pull()
pull_mapped()
pull_natively()
pull_reviewed()
