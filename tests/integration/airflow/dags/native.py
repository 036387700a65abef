"""DAGs of the tests: templates that are rendered to native objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramSendPacketOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.operators.review import DiffgramCreateJobOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

NATIVE: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "render_template_as_native_obj": True,
}
TEXT = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}


@dag(schedule=None, **NATIVE)
def native_dataset() -> None:
    send = DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ dag_run.conf['packets'] }}",
        dataset="{{ dag_run.conf['dataset'] }}",
        label_schema="{{ dag_run.conf.get('schema') }}",
        max_failed="{{ 0.5 }}",
        report="{{ dag_run.conf.get('report') }}",
        model_run_ref="{{ dag_run.conf['day'] }}",
    )
    DiffgramInputSensor(
        task_id="wait", handle="{{ ti.xcom_pull('send') }}", deferrable=True, poke_interval=0.2
    ).set_upstream(send)


@dag(schedule=None, **NATIVE)
def native_literals() -> None:
    DiffgramSendPacketOperator(
        task_id="send",
        packets=[
            {
                "media": {"text_data": "12345"},
                "original_filename": "{{ dag_run.conf['day'] }}.txt",
                "instance_list": "{{ dag_run.conf['instances'] }}",
            },
            {"media": {"text_data": "{{ dag_run.conf['day'] }}"}, "original_filename": "20261127"},
        ],
        dataset="Default",
    )


@dag(schedule=None, **NATIVE)
def native_mapped() -> None:
    @task
    def datasets(**context: Any) -> list[str | int]:
        return list(context["dag_run"].conf["datasets"])

    template = "{{ dag_run.conf['packets'] }}"
    DiffgramSendPacketOperator.partial(task_id="from_a_task", packets=template).expand(dataset=datasets())
    DiffgramSendPacketOperator.partial(task_id="by_template", dataset="{{ dag_run.conf['dataset'] }}").expand(
        packets=[[{**TEXT, "original_filename": "{{ dag_run.conf['day'] }}"}]]
    )


@dag(schedule=None, **NATIVE)
def native_compound() -> None:
    create = DiffgramCreateCompoundFileOperator(
        task_id="create", name="{{ dag_run.conf['day'] }}", dataset="{{ dag_run.conf['dataset'] }}"
    )
    DiffgramUploadChildrenOperator(
        task_id="upload",
        parent_file_id=create.output["file_id"],  # type: ignore[index]
        children=[{**TEXT, "original_filename": "{{ dag_run.conf['page'] }}", "ordinal": "{{ 0 }}"}],
        dataset="{{ dag_run.conf['dataset'] }}",
    )


@dag(schedule=None, **NATIVE)
def native_decorated() -> None:
    @task.diffgram_push(dataset="{{ dag_run.conf['dataset'] }}")
    def predictions(count: Any) -> Iterator[dict[str, Any]]:
        for number in range(count):  # the function's own arguments are rendered as the DAG says
            yield {**TEXT, "original_filename": f"{number}.txt"}

    predictions("{{ 2 }}")


@dag(schedule=None, **NATIVE)
def native_job() -> None:
    DiffgramCreateJobOperator(
        task_id="job",
        name="{{ dag_run.conf['day'] }}",
        datasets=["{{ dag_run.conf['dataset'] }}", "{{ dag_run.conf['day'] }}"],
    )
    DiffgramCreateJobOperator(
        task_id="of_a_list", name="listed", datasets="{{ dag_run.conf['datasets'] }}", tags=["20261126"]
    )


native_dataset()
native_literals()
native_mapped()
native_compound()
native_decorated()
native_job()
