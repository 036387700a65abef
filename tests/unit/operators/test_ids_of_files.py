"""Ids of files that operators are given: a list, one, or the text of a rendered template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_diffgram.hooks.diffgram import DiffgramHook
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator
from airflow_provider_diffgram.operators.retract import DiffgramRetractPredictionsOperator


def pulled(given: Any) -> Any:
    operator = DiffgramPullAnnotationsOperator(task_id="pull", path="set", file_ids=given)
    return operator._source(DiffgramHook())["file_ids"]


def retracted(given: Any) -> Any:
    operator = DiffgramRetractPredictionsOperator(
        task_id="retract", model_ref="m", model_run_ref="r", file_ids=given
    )
    return operator._given_files()


@pytest.mark.parametrize("read", [pulled, retracted])
@pytest.mark.parametrize("given", [[3, 5], ["3", "5"], "[3, 5]", '["3", "5", 3]', (3, 5)])
def test_lists_and_their_text_are_read_alike(read: Callable[[Any], Any], given: Any):
    assert read(given) == [3, 5]


@pytest.mark.parametrize("read", [pulled, retracted])
@pytest.mark.parametrize("given", [[0], ["x"], "x", [True], [1.5], {"file_ids": [3]}])
def test_what_is_no_id_is_refused(read: Callable[[Any], Any], given: Any):
    with pytest.raises(InvalidValueError, match="file_ids"):
        read(given)
