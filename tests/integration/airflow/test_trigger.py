"""The trigger by itself: what it carries, what it says, what it survives."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from airflow_provider_diffgram.client import DiffgramClient, Settings, routes
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.triggers.diffgram import DiffgramInputTrigger
from tests.integration.airflow.triggered import event_of


def trigger(handles: list[dict[str, Any]], **changes: Any) -> DiffgramInputTrigger:
    arguments = {"deadline": time.time() + 30, "poll_interval": 0.1, **changes}
    return DiffgramInputTrigger("diffgram_default", handles, **arguments)


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
    assert "2 polls in a row" in event["message"]


def test_a_connection_without_a_secret_is_told(connection, handle):
    connection(password=None)
    event = event_of(trigger([handle]))
    assert (event["status"], event["permanent"]) == ("error", True)
    assert "Client secret" in event["message"]


def test_failed_looks_in_a_row_are_forgotten_after_one_that_succeeds(connection, handle, diffgram_emulator):
    connection(extra={"retry_timeout": 0})
    diffgram_emulator.fault("view/list", "status", status=503, times=2)
    assert event_of(trigger([handle], max_poll_failures=3))["status"] == "done"


def test_a_server_that_is_started_again_is_waited_for(monkeypatch, diffgram_emulator_process):
    emulator = diffgram_emulator_process
    uri = f"{emulator.connection_uri()}?{urlencode({'__extra__': json.dumps({'retry_timeout': 0})})}"
    monkeypatch.setenv("AIRFLOW_CONN_DIFFGRAM_DEFAULT", uri)
    settings = Settings(emulator.url, emulator.project, emulator.client_id, emulator.client_secret)
    with DiffgramClient(settings) as client:
        emulator.pause_queue()
        packets = [{"media": {"text_data": "hello"}, "original_filename": "a.txt"}]
        sent = push(client, packets, dataset="Default").to_xcom()

    async def restarted() -> dict[str, Any]:
        waiting = asyncio.create_task(anext(trigger([sent], max_poll_failures=100).run()))
        await asyncio.to_thread(emulator.restart, kill=True)
        return (await waiting).payload

    assert asyncio.run(restarted())["receipt"]["succeeded"] == 1


@pytest.mark.parametrize("if_killed", ["leave", "archive"])
def test_what_is_pending_is_archived_when_the_task_is_killed_if_so_wished(
    connection, client, diffgram_emulator, if_killed
):
    diffgram_emulator.pause_queue()
    packets = [{"media": {"text_data": "hello"}, "original_filename": "a.txt"}]
    sent = push(client, packets, dataset="Default").to_xcom()
    asyncio.run(trigger([sent], rules={"if_killed": if_killed}).on_kill())
    rows = client.send(routes.list_inputs(client.project, show_archived=True))
    assert [row.archived for row in rows] == [if_killed == "archive"]


def test_what_is_stuck_is_told_for_the_worker_to_retry_with_what_it_needs_to_go_on(
    connection, client, diffgram_emulator
):
    diffgram_emulator.row_fault("a.jpg", "stuck")
    packets = [
        {"media": {"url": f"{diffgram_emulator.url}/a.jpg", "type": "image"}, "original_filename": "a.jpg"}
    ]
    sent = push(client, packets, dataset="Default", delivery="queue").to_xcom()
    rules = {"on_stuck": "retry", "stall_timeout": 0.5}
    one = trigger([sent], rules=rules)
    event = event_of(one)
    (row,) = client.send(routes.list_inputs(client.project))
    assert (event["status"], event["input_ids"]) == ("stuck", [row.id])
    assert (event["handles"], event["deadline"]) == ([sent], one.deadline)
    again = trigger([sent], rules={**rules, "max_retries": 0})
    assert event_of(again)["status"] == "done"


def test_a_failure_that_is_allowed_does_not_end_the_wait(connection, client, diffgram_emulator):
    url = f"{diffgram_emulator.url}/api/walrus/nothing-here.jpg"
    gone = {"media": {"url": url, "type": "image"}, "original_filename": "gone.jpg"}
    there = {"media": {"text_data": "hello"}, "original_filename": "a.txt"}
    sent = push(client, [gone, there], dataset="Default").to_xcom()
    receipt = event_of(trigger([sent], rules={"max_failed": 1}))["receipt"]
    assert (receipt["failed"], receipt["succeeded"]) == (1, 1)
