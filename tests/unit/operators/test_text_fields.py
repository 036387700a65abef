"""What is meant as a text is rendered as one in every DAG: names of digits stay names."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from airflow_provider_diffgram import get_provider_info
from airflow_provider_diffgram.operators.rendering import TEXTS, RenderingOperator

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
