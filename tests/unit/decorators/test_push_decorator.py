"""``@task.diffgram_push`` is found by Airflow, and its task is the operator with another source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, dag, task

from airflow_provider_diffgram import get_provider_info
from airflow_provider_diffgram.decorators.diffgram import diffgram_push_task
from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator


def operator(**options: Any) -> Any:
    """Return the operator of a decorated generator in a DAG."""

    @dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
    def pushing() -> None:
        @task.diffgram_push(**options)
        def predictions(day: str) -> Iterator[dict[str, Any]]:
            """Run the model."""
            yield {"media": {"text_data": day}, "original_filename": f"{day}.txt"}

        predictions("monday")

    return pushing().get_task("predictions")


def test_the_metadata_name_the_decorator():
    assert get_provider_info()["task-decorators"] == [
        {
            "class-name": f"{diffgram_push_task.__module__}.{diffgram_push_task.__name__}",
            "name": "diffgram_push",
        }
    ]


def test_airflow_finds_it_by_its_name():
    assert task.diffgram_push is diffgram_push_task


def test_the_task_is_the_operator_and_its_options_are_templates():
    found = operator(dataset="night", if_exists="append", max_failed=0.1, report="/logs/{{ run_id }}.jsonl")
    assert isinstance(found, DiffgramSendPacketOperator)
    assert (found.dataset, found.if_exists, found.max_failed) == ("night", "append", 0.1)
    assert set(found.template_fields) >= {
        "op_args",
        "op_kwargs",
        "dataset",
        "if_exists",
        "max_failed",
        "report",
        "label_schema",
        "diffgram_conn_id",
    }
    assert "packets" not in found.template_fields
    assert found.operator_name == "@task.diffgram_push"
    assert "Run the model" in (found.doc_md or "")


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises((TypeError, AirflowException), match="colour"):  # the latter in Airflow 2
        operator(colour="blue")


def test_packets_cannot_be_given_beside_the_function():
    with pytest.raises(TypeError, match="packets"):
        operator(packets=[])
