"""What a sensor that polls in a worker does after polls that failed."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.client import HostUnreachableError
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.wait import Waiting
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor
from tests.unit.ingest.watch.listed import Listed, handle, row

CONNECTION = "diffgram://http://id:secret-value@127.0.0.1:1/project"


def away() -> Any:
    raise HostUnreachableError("away")


@pytest.fixture
def sensor(monkeypatch: pytest.MonkeyPatch) -> DiffgramInputSensor:
    monkeypatch.setenv("AIRFLOW_CONN_DIFFGRAM_DEFAULT", CONNECTION)
    return DiffgramInputSensor(task_id="wait", handle=handle(1).to_xcom())


def test_time_in_which_polls_failed_leaves_nothing_stuck(sensor: DiffgramInputSensor):
    clock = sensor._client().clock
    listed = Listed(row(1, "processing"))
    listed.now = clock.monotonic() - 90
    sensor._waiting = Waiting([handle(1)], Rules(stall_timeout=60.0))
    assert listed.run(sensor._waiting.poke(15)).status == "pending"
    assert not sensor._surviving(away).is_done
    listed.now = clock.monotonic() + 1
    assert listed.run(sensor._waiting.poke(15)).status == "pending"


def test_the_tenth_failure_in_a_row_is_raised(sensor: DiffgramInputSensor):
    assert not any(sensor._surviving(away).is_done for _ in range(9))
    with pytest.raises(HostUnreachableError):
        sensor._surviving(away)


def test_rescheduled_the_first_failure_is_raised(sensor: DiffgramInputSensor):
    sensor.mode = "reschedule"
    with pytest.raises(HostUnreachableError):
        sensor._surviving(away)
