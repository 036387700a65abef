"""The trigger by itself: what it carries, what it says, what it survives."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.push import push
from airflow_provider_diffgram.triggers.diffgram import DiffgramInputTrigger


def trigger(handles: list[dict[str, Any]], **changes: Any) -> DiffgramInputTrigger:
    arguments = {"deadline": time.time() + 30, "poll_interval": 0.1, **changes}
    return DiffgramInputTrigger("diffgram_default", handles, **arguments)


def event_of(one: DiffgramInputTrigger) -> dict[str, Any]:
    async def first() -> dict[str, Any]:
        async for event in one.run():
            return event.payload
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(first())


@pytest.fixture
def handle(client) -> dict[str, Any]:
    packets = [{"media": {"text_data": "hello"}, "original_filename": f"{n}.txt"} for n in range(3)]
    return push(client, packets, dataset="Default").to_xcom()


def test_it_carries_primitives_only_and_no_secret(handle, diffgram_emulator):
    path, arguments = trigger([handle]).serialize()
    assert path.endswith("DiffgramInputTrigger")
    assert json.loads(json.dumps(arguments)) == arguments
    assert diffgram_emulator.client_secret not in json.dumps(arguments)
    assert DiffgramInputTrigger(**arguments).serialize() == (path, arguments)


def test_it_tells_when_all_is_in(connection, handle):
    event = event_of(trigger([handle]))
    assert event["status"] == "done"
    assert event["receipt"]["succeeded"] == 3


def test_it_is_right_when_started_after_all_is_done(connection, handle):
    """Started anew, as after a restart of the triggerer, it looks at the state, not for a change of it."""
    event_of(trigger([handle]))
    assert event_of(trigger([handle]))["receipt"]["succeeded"] == 3


def test_its_deadline_is_absolute(connection, handle, diffgram_emulator_session):
    missing = {**handle, "batches": [{**handle["batches"][0], "inputs": 4}], "expected": 4}
    event = event_of(trigger([missing], deadline=time.time() - 1))
    assert event["status"] == "timeout"
    assert event["receipt"]["missing"] + event["receipt"]["pending"] >= 1


def test_a_refusal_is_permanent(connection, handle):
    connection(password="wrong")
    event = event_of(trigger([handle]))
    assert (event["status"], event["permanent"]) == ("error", True)
    assert "credential" in event["message"]


def test_some_failures_in_a_row_are_tolerated_then_told(connection, handle):
    connection(host="http://127.0.0.1:9", extra={"retry_timeout": 0})
    event = event_of(trigger([handle], max_poll_failures=2))
    assert (event["status"], event["permanent"]) == ("error", False)
    assert "2 looks in a row" in event["message"]


def test_a_connection_without_a_secret_is_told(connection, handle):
    connection(password=None)
    event = event_of(trigger([handle]))
    assert (event["status"], event["permanent"]) == ("error", True)
    assert "Client secret" in event["message"]
