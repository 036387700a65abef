"""Steps: the time that they are told, and waiting by looking again."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.client.request import Steps, now, pause, poll
from tests.unit.client.both_clients import BOTH
from tests.unit.client.played import settings


def found_at(seconds: float, looked: list[float]) -> Any:
    def look() -> Steps[str | None]:
        looked.append((yield from now()))
        return "found" if looked[-1] >= seconds else None

    return look


@pytest.mark.parametrize("transport", BOTH)
def test_a_pause_tells_the_time_after_it(transport: Any):
    def steps() -> Steps[list[float]]:
        return [(yield from now()), (yield from pause(2.5)), (yield from now())]

    client = transport(settings())
    assert client.run(steps()) == [0, 2.5, 2.5]
    assert client.clock.slept == [2.5]


@pytest.mark.parametrize("transport", BOTH)
@pytest.mark.parametrize(
    "there_at, found, at",
    [
        pytest.param(0, "found", [0], id="there already"),
        pytest.param(5, "found", [0, 3, 6], id="comes"),
        pytest.param(7.5, "found", [0, 3, 6, 8], id="comes during the last pause"),
        pytest.param(9, None, [0, 3, 6, 8], id="comes too late"),
    ],
)
def test_poll_looks_every_so_often_and_once_more_when_time_is_up(
    transport: Any, there_at: float, found: str | None, at: list[float]
):
    looked: list[float] = []
    assert transport(settings()).run(poll(found_at(there_at, looked), every=3, patience=8)) == found
    assert looked == at


@pytest.mark.parametrize("transport", BOTH)
def test_poll_without_patience_looks_once(transport: Any):
    looked: list[float] = []
    assert transport(settings()).run(poll(found_at(1, looked), every=3, patience=0)) is None
    assert looked == [0]
