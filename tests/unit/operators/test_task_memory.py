"""Batch ids in a task's state store, which is for small values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.operators.memory import TaskMemory, memory_of


class Store:
    """Keeps JSON, as Airflow's does."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.values[key]) if key in self.values else None

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)


def test_a_task_that_never_ran_remembers_nothing():
    assert TaskMemory(Store()).batch_ids() == []


@given(st.lists(st.integers(1, 10_000), max_size=50))
def test_what_is_remembered_comes_back_sorted_and_once(batch_ids: list[int]):
    store = Store()
    TaskMemory(store).remember(batch_ids)
    assert TaskMemory(store).batch_ids() == sorted(set(batch_ids))


def test_the_batches_of_a_million_packets_are_a_small_value():
    store = Store()
    TaskMemory(store).remember([*range(1000, 2000)])
    assert store.values == {"diffgram_batches": "[[1000, 1999]]"}
    TaskMemory(store).remember([7, *range(1000, 2000), 2001])
    assert store.values == {"diffgram_batches": "[[7, 7], [1000, 1999], [2001, 2001]]"}


def test_where_airflow_has_no_store_there_is_no_memory():
    assert memory_of({}) is None
    assert memory_of({"task_state_store": None}) is None
    assert isinstance(memory_of({"task_state_store": Store()}), TaskMemory)
