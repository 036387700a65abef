"""DAGs of the tests: outlets, and a DAG that waits for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import Asset, AssetAlias, dag, task

from airflow_provider_diffgram.assets.diffgram import create_asset
from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor
from airflow_provider_diffgram.task_groups.diffgram import push_prediction_chunks

COMMON: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "catchup": False}
# test_announcements.py has a proxy that leads from this address to the emulator.
HOST = "diffgram.test"
ASSET = create_asset(host=HOST, project="a-project", dataset="Default")
OTHER = create_asset(host=HOST, project="a-project", dataset="another dataset")


def _send(task_id: str = "send", **more: Any) -> DiffgramSendPacketOperator:
    return DiffgramSendPacketOperator(
        task_id=task_id, packets="{{ dag_run.conf[ti.task_id] | tojson }}", dataset="Default", **more
    )


@dag(schedule=None, **COMMON)
def announce_and_wait() -> None:
    send = _send(outlets=[AssetAlias("diffgram"), Asset("s3://bucket/else")])
    DiffgramInputSensor(
        task_id="wait",
        handle=send.output,
        poke_interval=0.2,
        timeout=timedelta(seconds=60),
        outlets=[ASSET, OTHER],
    )


@dag(schedule=None, **COMMON)
def announce_once_it_is_in() -> None:
    more: dict[str, Any] = {"wait_for_completion": True, "poke_interval": 0.2, "wait_timeout": 60}
    here = _send(outlets=[ASSET], **more)
    deferred = _send("deferred", outlets=[AssetAlias("deferred")], deferrable=True, **more)
    here >> deferred


@dag(schedule=None, **COMMON)
def announce_batches() -> None:
    wait = DiffgramInputSensor(
        task_id="wait",
        batch_ids="{{ ti.xcom_pull(task_ids='send')['batches'] | map(attribute='id') | list | tojson }}",
        poke_interval=0.2,
        timeout=timedelta(seconds=60),
        outlets=[OTHER],
    )
    _send() >> wait


@dag(schedule=None, **COMMON)
def announce_compound() -> None:
    create = DiffgramCreateCompoundFileOperator(task_id="create", name="scan", dataset="Default")
    DiffgramUploadChildrenOperator(
        task_id="upload",
        parent_file_id=create.output,
        children="{{ dag_run.conf['children'] | tojson }}",
        dataset="Default",
    )


@dag(schedule=None, **COMMON)
def announce_in_vain() -> None:
    DiffgramInputSensor(
        task_id="wait",
        handle=_send().output,
        deferrable=True,
        poke_interval=0.2,
        timeout=timedelta(seconds=1),
    )


@dag(schedule=None, **COMMON)
def announce_chunks() -> None:
    @task
    def chunks(**context: Any) -> list[str]:
        return context["dag_run"].conf["chunks"]

    push_prediction_chunks(
        chunks(),
        dataset="Default",
        timeout=timedelta(seconds=60),
        outlets=[ASSET],
        waiting={"poke_interval": 0.2},
    )


@dag(schedule=None, **COMMON)
def announce_failure() -> None:
    _send()


@dag(schedule=[ASSET], **COMMON)
def after_the_dataset() -> None:
    @task
    def use(**context: Any) -> list[Any]:
        return [event.extra for event in context["triggering_asset_events"][ASSET]]

    use()


announce_and_wait()
announce_once_it_is_in()
announce_batches()
announce_compound()
announce_in_vain()
announce_chunks()
announce_failure()
after_the_dataset()
