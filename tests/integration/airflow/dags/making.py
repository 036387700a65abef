"""DAGs that make datasets and labels."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.operators.setup import (
    DiffgramApplySchemaOperator,
    DiffgramCreateDatasetOperator,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
PACKET = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}

with DAG("make_and_push", schedule=None, start_date=START, catchup=False, render_template_as_native_obj=True):
    make = DiffgramCreateDatasetOperator(task_id="make", name="{{ dag_run.conf['dataset'] }}")
    schema = DiffgramApplySchemaOperator(task_id="schema", schema="{{ dag_run.conf['schema'] }}")
    push = DiffgramSendPacketOperator(task_id="push", packets=PACKET, dataset=make.output["dataset_id"])
    schema >> push

with DAG("push_and_make", schedule=None, start_date=START, catchup=False):
    DiffgramSendPacketOperator(
        task_id="push",
        packets=PACKET,
        dataset="{{ dag_run.conf['dataset'] }}",
        create_dataset=True,
        max_failed="{{ dag_run.conf.get('max_failed', 0) }}",
    )

with DAG("plan_schema", schedule=None, start_date=START, catchup=False):
    DiffgramApplySchemaOperator(task_id="schema", schema="{{ dag_run.conf['schema'] }}", dry_run=True)
