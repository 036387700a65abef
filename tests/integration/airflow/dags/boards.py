"""Mapped tasks that write for each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_provider_diffgram.operators.turns import XComBoard, turns_of


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def boards() -> None:
    @task
    def written(number: int, ti: Any = None) -> dict[str, Any]:
        board = XComBoard(ti)
        before = board.read()
        board.write({"number": number})
        board.write({"number": number + 10})
        return {
            "own": number + 10,
            "before": sorted(each["number"] for each in before if each),
            "after": sorted(each["number"] for each in board.read()),
            "takes_turns": turns_of({"ti": ti}) is not None,
        }

    @task
    def alone(ti: Any = None) -> bool:
        return turns_of({"ti": ti}) is not None

    written.expand(number=[1, 2, 3])
    alone()


boards()
