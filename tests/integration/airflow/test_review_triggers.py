"""The triggers that watch reviews: what they carry, what they say, what they survive."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.lookup import find_dataset, find_schema
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.watch.wait import wait
from airflow_provider_diffgram.review.jobs import JobPlan, ensure_job
from airflow_provider_diffgram.review.tasks import add_tasks
from airflow_provider_diffgram.triggers.review import DiffgramReviewTrigger
from airflow_provider_diffgram.triggers.review_events import DiffgramReviewEventTrigger, Look, _found
from diffgram_emulator.people import Person
from tests.integration.airflow.triggered import event_of

SOON = 0.1


class Reviewed:
    """A job of six files, and somebody who completes them."""

    def __init__(self, client: Any, emulator: Any) -> None:
        packets = [{"media": {"text_data": "hello"}, "original_filename": f"{n}.txt"} for n in range(6)]
        wait(client, [push(client, packets, dataset="Default")], poll_interval=0.2)
        listed = client.send(routes.list_files(client.project, find_dataset(client, "Default").id)).file_list
        self.files = sorted(file.id for file in listed)
        plan = JobPlan("by hand", find_schema(client, None).id)
        self.job = client.run(ensure_job(client.project, plan)).id
        client.run(add_tasks(client.project, self.job, self.files))
        tasks = client.send(routes.list_job_tasks(client.project, self.job)).task_list
        self.tasks = [task.id for task in sorted(tasks, key=lambda each: each.id)]
        self.person = Person.of(emulator)

    def complete(self, *numbers: int) -> None:
        for number in numbers:
            self.person.complete(self.tasks[number])


@pytest.fixture
def reviewed(client, connection, diffgram_emulator) -> Reviewed:
    return Reviewed(client, diffgram_emulator)


def trigger(job: int | None, files: Any = None, **changes: Any) -> DiffgramReviewTrigger:
    arguments = {"deadline": time.time() + 20, "poll_interval": SOON, **changes}
    return DiffgramReviewTrigger("diffgram_default", job, files, **arguments)


@pytest.mark.parametrize(
    "one",
    [
        trigger(5, [[3, 9], [11, 11]], deadline=5.0, min_done=0.5),
        DiffgramReviewEventTrigger(job="night", min_files=5, max_wait=60.0),
    ],
    ids=["wait", "events"],
)
def test_a_trigger_carries_primitives_only_and_is_remade_from_them(one):
    path, arguments = one.serialize()
    module, _, name = path.rpartition(".")
    assert (module, name) == (type(one).__module__, type(one).__name__)
    assert json.loads(json.dumps(arguments)) == arguments
    assert type(one)(**arguments).serialize() == (path, arguments)


def test_the_wait_tells_when_enough_is_reviewed(reviewed):
    reviewed.complete(0, 1, 2)
    event = event_of(trigger(reviewed.job, min_done=3))
    assert (event["status"], event["receipt"]["complete"]) == ("done", 3)
    ranges = [[reviewed.files[0], reviewed.files[2]]]
    assert event_of(trigger(reviewed.job, ranges))["receipt"]["expected"] == 3
    assert event_of(trigger(None, ranges))["receipt"]["complete"] == 3


def test_the_deadline_of_the_wait_is_absolute(reviewed):
    event = event_of(trigger(reviewed.job, deadline=time.time() - 1))
    assert (event["status"], event["receipt"]["open"]) == ("timeout", 6)


def test_what_cannot_be_mended_by_waiting_is_permanent(reviewed, connection):
    event = event_of(trigger(999_999))
    assert (event["status"], event["permanent"]) == ("error", True)
    event = event_of(trigger(reviewed.job, [[reviewed.files[0], reviewed.files[0]]], min_done=2))
    assert (event["status"], event["permanent"]) == ("error", True)
    connection(password="wrong")
    assert event_of(trigger(reviewed.job))["permanent"]
    connection(password=None)
    assert "Client secret" in event_of(trigger(reviewed.job))["message"]


def test_a_server_that_is_away_is_not_permanent(connection):
    connection(host="http://127.0.0.1:9", extra={"retry_timeout": 0})
    event = event_of(trigger(5, max_poll_failures=2))
    assert (event["status"], event["permanent"]) == ("error", False)


class Store:
    """Keeps values as Airflow's store of an asset does: as JSON."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def aget(self, key: str, default: Any = None) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else default

    async def aset(self, key: str, value: Any) -> None:
        self.kept[key] = json.dumps(value)


class BrokenStore(Store):
    async def aget(self, key: str, default: Any = None) -> Any:
        raise ValueError("two assets share this trigger")

    async def aset(self, key: str, value: Any) -> None:
        raise ValueError("two assets share this trigger")


def watcher(job: int | str, store: Store | None = None, **changes: Any) -> DiffgramReviewEventTrigger:
    one = DiffgramReviewEventTrigger(job=job, poll_interval=SOON, **changes)
    one.asset_state_store = store  # as the triggerer does from Airflow 3.3 on
    return one


def watched(one: DiffgramReviewEventTrigger, *steps: Callable[[], Any], seconds: float = 1.0) -> list[Any]:
    """Return the events that a watcher sends, each step done after the events of the one before."""

    async def watch() -> list[Any]:
        events: list[Any] = []

        async def note() -> None:
            async for event in one.run():
                events.append(event.payload)

        task = asyncio.create_task(note())
        await asyncio.sleep(seconds)
        for step in steps:
            await asyncio.to_thread(step)
            await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return events

    return asyncio.run(watch())


def test_an_event_comes_when_so_many_more_are_reviewed(reviewed):
    one = watcher(reviewed.job, Store(), min_files=2)
    events = watched(
        one,
        lambda: reviewed.complete(0),
        lambda: reviewed.complete(1),
        lambda: reviewed.complete(2),
        lambda: reviewed.complete(3, 4),
    )
    first, second = events
    assert (first["files"], first["complete"]) == (2, 2)
    assert second["files"] in (2, 3), "a look may come between the last two"
    assert second["complete"] == 2 + second["files"]
    assert {event["job_id"] for event in events} == {reviewed.job}
    assert events[0]["since"] is None
    assert events[1]["since"] == events[0]["until"]


def test_fewer_are_enough_after_the_longest_wait_but_none_is_not(reviewed):
    one = watcher(reviewed.job, Store(), min_files=100, max_wait=0.5)
    assert watched(one) == []
    (event,) = watched(one, lambda: reviewed.complete(0))
    assert event["files"] == 1


def test_after_a_restart_an_event_tells_what_the_last_one_did_not(reviewed):
    store = Store()
    reviewed.complete(0, 1)
    assert [event["files"] for event in watched(watcher(reviewed.job, store))] == [2]
    assert watched(watcher(reviewed.job, store)) == [], "nothing new"
    reviewed.complete(2)
    assert [event["files"] for event in watched(watcher(reviewed.job, store))] == [1]


@pytest.mark.parametrize("store", [None, BrokenStore()], ids=["none", "broken"])
def test_without_a_store_a_restart_tells_all_and_loses_none(reviewed, store):
    reviewed.complete(0, 1)
    assert [event["files"] for event in watched(watcher(reviewed.job, store))] == [2]
    reviewed.complete(2)
    assert [event["files"] for event in watched(watcher(reviewed.job, store))] == [3]


def test_a_crash_right_after_an_event_repeats_it(reviewed):
    """Airflow stores an event a moment after the trigger sent it: until then it is not taken for told."""
    store = Store()
    reviewed.complete(0)

    async def crash_after_the_first() -> Any:
        async with aclosing(watcher(reviewed.job, store).run()) as events:
            async for event in events:
                return event.payload
        raise AssertionError

    first = asyncio.run(crash_after_the_first())
    assert watched(watcher(reviewed.job, store)) == [first]


def test_a_job_that_is_made_later_and_a_server_that_was_away_are_found(
    reviewed, client, diffgram_emulator, connection
):
    connection(extra={"retry_timeout": 0})

    def make() -> None:
        plan = JobPlan("a later one", find_schema(client, None).id)
        made = client.run(ensure_job(client.project, plan))
        client.run(add_tasks(client.project, made.id, reviewed.files[:1]))
        tasks = client.send(routes.list_job_tasks(client.project, made.id)).task_list
        reviewed.person.complete(tasks[0].id)

    diffgram_emulator.fault("/task/list$", "status", status=503, times=2)
    events = watched(watcher("a later one"), make, lambda: None)
    assert [event["files"] for event in events] == [1]


def test_watchers_of_one_job_share_each_look(reviewed, client, diffgram_emulator):
    few, many = watcher(reviewed.job, Store(), min_files=1), watcher(reviewed.job, Store(), min_files=3)
    assert few.shared_stream_key() == many.shared_stream_key()
    assert few.shared_stream_key() != watcher(reviewed.job + 1).shared_stream_key()
    reviewed.complete(0, 1, 2)

    async def looks(amount: int) -> list[Look]:
        found: list[Look] = []
        async with aclosing(type(few).open_shared_stream(few.serialize()[1])) as stream:
            async for look in stream:
                found.append(look)
                if len(found) == amount:
                    return found
        raise AssertionError

    async def filtered(one: DiffgramReviewEventTrigger, seen: list[Look]) -> list[Any]:
        async def stream() -> AsyncIterator[Look]:
            for look in seen:
                yield look

        return [event.payload["files"] async for event in one.filter_shared_stream(stream())]

    before = diffgram_emulator.requests()["total"]
    seen = asyncio.run(looks(3))
    assert diffgram_emulator.requests()["total"] - before <= 3 + 1, (
        "one request a look, and one to find the job"
    )
    assert asyncio.run(filtered(few, seen)) == [3]
    assert asyncio.run(filtered(many, seen)) == [3]


def test_a_job_is_told_by_its_name_before_its_id_and_by_a_number_as_its_id(reviewed, client):
    other = client.run(
        ensure_job(client.project, JobPlan(str(reviewed.job), find_schema(client, None).id))
    ).id
    found = [client.run(_found(client.project, job)) for job in (str(reviewed.job), reviewed.job, str(other))]
    assert found == [other, reviewed.job, other]


def test_the_triggerer_of_airflow_looks_once_for_all_watchers_of_a_job(reviewed, diffgram_emulator):
    streams = pytest.importorskip(
        "airflow.triggers.shared_stream", reason="Airflow before 3.3 shares no looks"
    )
    watchers = [watcher(reviewed.job, Store(), min_files=each) for each in (1, 2, 4)]
    reviewed.complete(0, 1, 2)

    async def watch() -> list[list[int]]:
        manager = streams.SharedStreamManager()
        told: list[list[int]] = [[] for _ in watchers]

        async def run(number: int, one: DiffgramReviewEventTrigger) -> None:
            key = one.shared_stream_key()
            looks = manager.subscribe(trigger_id=number, trigger=one, key=key)
            try:
                async for event in one.filter_shared_stream(looks):
                    told[number].append(event.payload["files"])
            finally:
                await manager.unsubscribe(number, key)

        tasks = [asyncio.create_task(run(number, one)) for number, one in enumerate(watchers)]
        await _until(lambda: told[:2] == [[3], [3]])
        await asyncio.to_thread(reviewed.complete, 3)
        await _until(lambda: told == [[3, 1], [3], [4]])
        before, began = diffgram_emulator.requests()["total"], time.monotonic()
        await asyncio.sleep(20 * SOON)
        looks = diffgram_emulator.requests()["total"] - before
        most = (time.monotonic() - began) / (0.9 * SOON) + 2
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await manager.stop_all()
        assert looks <= most, "three watchers that look by themselves would ask three times as often"
        return told

    assert asyncio.run(watch()) == [[3, 1], [3], [4]]


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
