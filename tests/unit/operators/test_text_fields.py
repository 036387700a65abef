"""What is meant as a text is rendered as one in every DAG: names of digits stay names."""

from __future__ import annotations

import importlib
import inspect
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_diffgram import get_provider_info
from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.operators.rendering import TEXTS, RenderingOperator
from airflow_provider_diffgram.operators.review import DiffgramCreateJobOperator

INFO = get_provider_info()
MODULES = [name for kind in ("operators", "sensors") for name in INFO[kind][0]["python-modules"]]
CLASSES = sorted(
    {
        each
        for name in MODULES
        for each in vars(importlib.import_module(name)).values()
        if inspect.isclass(each)
        and issubclass(each, RenderingOperator)
        and each.__module__.startswith("airflow_provider_diffgram.")
    },
    key=lambda each: each.__name__,
)


def annotation_of(operator: type[Any], field: str) -> str:
    """Return how the constructor, or that of a base, annotates a field; nothing of one under another name."""
    for each in operator.__mro__:
        parameters = inspect.signature(vars(each).get("__init__", object)).parameters
        if field in parameters:
            return str(parameters[field].annotation)
    assert field == "only_counts", f"{operator.__name__} takes no {field}"  # dry_run is Airflow's own word
    return ""


@pytest.mark.parametrize("operator", CLASSES, ids=lambda each: each.__name__)
def test_every_template_field_that_is_a_text_or_a_name_is_rendered_as_a_text(operator: type[Any]):
    for field in operator.template_fields:
        kinds = {kind.strip() for kind in annotation_of(operator, field).split("|")}
        is_name_or_id = kinds == {"str", "int", "None"} and field in ("dataset", "label_schema")
        if kinds <= {"str", "None"} or is_name_or_id:
            assert field in TEXTS, f"{operator.__name__}.{field}"


def test_no_field_is_listed_that_nobody_has():
    assert {field for each in CLASSES for field in each.template_fields} >= TEXTS


def rendered(*, native: bool = True, **fields: Any) -> DiffgramSendPacketOperator:
    """Return an operator whose templates are rendered with params of a text and of a number."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with DAG("rendered", schedule=None, start_date=day, render_template_as_native_obj=native) as dag:
        operator = DiffgramSendPacketOperator(
            task_id="send", **{"packets": [], "model_ref": "m", "model_run_ref": "r", **fields}
        )
    operator.render_template_fields({"params": {"text": "9", "number": 9}}, dag.get_template_env())
    return operator


@pytest.mark.parametrize(
    "template, given",
    [
        ("{{ params.text }}", "9"),
        ("{{ params.number }}", 9),
        ("{{ params.number | string }}", "9"),
        ("night-{{ params.number }}", "night-9"),
        ("{{ params.number }} ", "9 "),
        ("{{ params.number }}{{ params.number }}", "99"),
        ("{{ params.number == 9 }}", "True"),
        ("9", "9"),
        ("{{ None }}", None),
    ],
)
def test_what_is_a_name_or_an_id_is_a_number_only_if_the_template_gives_one(template: str, given: Any):
    operator = rendered(dataset=template, label_schema=template, model_run_ref=template)
    assert (operator.dataset, operator.label_schema) == (given, given)
    assert operator.model_run_ref == (None if given is None else str(given)), "a name, never an id"


def test_so_it_is_within_packets():
    blob = {"bucket_name": "{{ params.number }}", "connection_id": "{{ params.number }}"}
    groups = {"stars": "{{ params.number }}", "kinds": ["{{ params.text }}", "{{ params.number }}"]}
    operator = rendered(packets=[{"media": blob, "instance_list": [{"attribute_groups": groups}]}])
    (packet,) = operator.packets
    assert packet["media"] == {"bucket_name": "9", "connection_id": 9}
    assert packet["instance_list"] == [{"attribute_groups": {"stars": 9, "kinds": ["9", 9]}}]


def test_so_it_is_in_a_list_of_names():
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with DAG("listed", schedule=None, start_date=day, render_template_as_native_obj=True) as dag:
        operator = DiffgramCreateJobOperator(
            task_id="job",
            name="{{ params.number }}",
            datasets=["{{ params.number }}", "{{ params.text }}"],
            tags=["{{ params.number }}"],
        )
    operator.render_template_fields({"params": {"text": "9", "number": 9}}, dag.get_template_env())
    assert (operator.datasets, operator.tags, operator.name) == ([9, "9"], ["9"], "9")


def test_in_other_dags_what_a_template_gives_is_a_text():
    assert rendered(native=False, dataset="{{ params.number }}").dataset == "9"
