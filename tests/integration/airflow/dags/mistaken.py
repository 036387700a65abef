"""DAGs with arguments that cannot be, each wrong in its own way."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator
from airflow_provider_diffgram.operators.setup import (
    DiffgramApplySchemaOperator,
    DiffgramCreateDatasetOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

START = datetime(2026, 1, 1, tzinfo=UTC)
PACKET = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}
NOWHERE = "diffgram_nowhere"
NOTHING = "{{ ti.xcom_pull(task_ids='nothing') }}"

with DAG("mistaken", schedule=None, start_date=START, catchup=False):
    DiffgramSendPacketOperator(
        task_id="durations",
        packets=PACKET,
        dataset="Default",
        wait_for_completion=True,
        wait_timeout="an hour",
        poke_interval="soon",
        retries=2,
    )
    DiffgramSendPacketOperator(
        task_id="many", packets=PACKET, dataset="Default", concurrency="many", retries=2
    )
    DiffgramSendPacketOperator(
        task_id="rendered", packets="{{ ti.xcom_pull(task_ids='nothing') }}", dataset="Default", retries=2
    )
    DiffgramSendPacketOperator(
        task_id="sends_nowhere", packets=PACKET, dataset="Default", diffgram_conn_id=NOWHERE, retries=2
    )
    DiffgramInputSensor(
        task_id="waits_nowhere", batch_ids=[1], deferrable=True, diffgram_conn_id=NOWHERE, retries=2
    )
    DiffgramCreateDatasetOperator(task_id="nameless", name=NOTHING, retries=2)
    DiffgramSendPacketOperator(
        task_id="sends_to_nothing",
        packets=PACKET,
        dataset=NOTHING,
        create_dataset=True,
        retries=2,
    )
    DiffgramApplySchemaOperator(task_id="plans", schema={"labels": ["x"]}, dry_run="{{ false }}", retries=2)
    DiffgramSendPacketOperator(
        task_id="flags", packets=PACKET, dataset="Default", wait_for_completion="false", retries=2
    )
    DiffgramUploadChildrenOperator(
        task_id="repairs", parent_file_id=1, children=[], dataset="Default", repair="no", retries=2
    )
    DiffgramInputSensor(task_id="defers", batch_ids=[1], deferrable="no", retries=2)
    DiffgramPullAnnotationsOperator(
        task_id="skips", path="/nowhere", dataset="Default", skip_unchanged="no", retries=2
    )
    DiffgramPullAnnotationsOperator(
        task_id="pulls_nowhere", path="/nowhere", dataset="Default", diffgram_conn_id=NOWHERE, retries=2
    )
    DiffgramPullAnnotationsOperator(
        task_id="pulls_into_a_file", path=f"{__file__}/pulled", dataset="Default", only="all", retries=2
    )
