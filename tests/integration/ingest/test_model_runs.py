"""A new model run is introduced by one packet; what the server loses on the way is repaired (quirk 48)."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.client.clock import Clock
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.compound import create_compound_file, upload_children
from airflow_provider_diffgram.ingest.send.decisions.decide import DeliverBy
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.ingest.send.queue.turns import Turns
from airflow_provider_diffgram.models import CompoundFile, Handle
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import FastTime, until
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media

pytestmark = pytest.mark.usefixtures("queued")

RUNS = 200


@pytest.fixture
def racing(tmp_path: Path) -> Iterator[LiveDiffgram]:
    """A server on which two workers that meet a new run at the same moment collide."""
    options = {"rate_limit": False, "model_race_seconds": 0.03, "rows_per_cycle": 8}
    with EmulatorProcess.start(tmp_path / "racing", **options) as emulator:
        yield LiveDiffgram.of(emulator, delivery="queue")


class Stopping(DiffgramClient):
    """Is asked to stop as soon as it waits."""

    def __init__(self, diffgram: LiveDiffgram, stop: threading.Event) -> None:
        super().__init__(diffgram.client.settings, _StoppingClock(stop))


class _StoppingClock(Clock):
    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def sleep(self, seconds: float) -> None:
        self._stop.set()


def refs(run: int) -> dict[str, str]:
    return {"model_ref": "model", "model_run_ref": f"run-{run}"}


def test_200_first_uses_cost_nothing(racing: LiveDiffgram, media: Media):
    threads = racing.state()["ingest_threads"]
    packets = [
        image(media, f"{run}-{number}.png", box(**refs(run))) for run in range(RUNS) for number in range(2)
    ]
    receipt = racing.pushed(packets)
    assert receipt.summary() == f"{2 * RUNS} expected: {2 * RUNS} succeeded"
    assert racing.state()["ingest_threads"] == threads
    assert len(racing.ask(routes.list_model_runs)) == RUNS


def test_a_run_that_the_packets_get_by_default_is_introduced_by_one_of_them(
    racing: LiveDiffgram, media: Media
):
    threads = racing.state()["ingest_threads"]
    for run in range(20):
        packets = [image(media, f"{run}-{number}.png", box(score=0.5)) for number in range(8)]
        assert racing.pushed(packets, origin=("model", f"run-{run}")).succeeded == 8
    assert racing.state()["ingest_threads"] == threads
    assert len(racing.ask(routes.list_model_runs)) == 20


def test_a_push_waits_for_a_run_that_somebody_else_introduces(diffgram: LiveDiffgram, media: Media):
    instance = {**box(), "label_file_id": diffgram.labels["cat"], **refs(0)}
    body = {
        "directory_id": diffgram.directory_id,
        "media": {"url": media.url("wait/a.png"), "type": "image"},
        "original_filename": "theirs.png",
        "instance_list": [instance],
    }
    diffgram.ask(routes.send_packet, body, "theirs")
    with ThreadPoolExecutor(1) as pool:
        ours = pool.submit(
            diffgram.pushed, [image(media, f"{number}.png", box(**refs(0))) for number in (1, 2)]
        )
        for _ in range(15):
            assert [row.original_filename for row in diffgram.inputs()] == ["theirs.png"]
            time.sleep(0.1)
        media.gate.set()
        assert ours.result(30).succeeded == 2
    assert len(diffgram.ask(routes.list_model_runs)) == 1


def test_a_sender_that_does_not_wait_loses_inputs_and_threads(racing: LiveDiffgram, media: Media):
    threads = racing.state()["ingest_threads"]
    batch_id = racing.ask(routes.create_batch).id
    picture = {"url": media.url("a.png"), "type": "image"}

    def send(number: int) -> None:
        instance = {**box(), "label_file_id": racing.labels["cat"], **refs(number // 8)}
        body = {"directory_id": racing.directory_id, "batch_id": batch_id, "media": picture}
        named = {"original_filename": f"{number}.png", "instance_list": [instance]}
        racing.ask(routes.send_packet, body | named, "x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(64)))
    deadline = time.monotonic() + 15
    while racing.state()["ingest_threads"] == threads:
        until(racing.state(), deadline)
    while not any(row.status == "downloaded" for row in racing.inputs()):
        until(racing.inputs(), deadline)


@pytest.mark.parametrize("times", [1, 2])
def test_an_introduction_that_the_server_lost_is_archived_and_sent_again(
    racing: LiveDiffgram, media: Media, times: int
):
    limits = replace(LIMITS, stuck_after=4.0)
    racing.limits = limits
    racing.emulator.row_fault("0.png", "stuck", times=times)
    packets = [image(media, f"{number}.png", box(**refs(0))) for number in range(3)]
    receipt = racing.pushed(packets)
    assert receipt.summary() == "3 expected: 3 succeeded"
    assert sorted(racing.names()) == ["0.png", "1.png", "2.png"]
    archived = racing.ask(routes.list_inputs, show_archived=True)
    assert sum(bool(row.archived) for row in archived) == times


def test_an_introduction_that_gets_stuck_again_and_again_is_named_and_nothing_else_is_sent(
    racing: LiveDiffgram, media: Media
):
    limits = replace(LIMITS, stuck_after=1.0)
    racing.limits = limits
    racing.emulator.row_fault("0.png", "stuck", times=10)
    packets = [image(media, f"{number}.png", box(**refs(0))) for number in range(3)]
    with pytest.raises(
        PushError, match=r"0\.png was to introduce model 'model' run 'run-0'.*is still"
    ) as told:
        racing.push(packets)
    assert not told.value.permanent
    assert {row.original_filename for row in racing.inputs()} == {"0.png"}


def test_a_stuck_update_that_introduces_is_retried_and_its_file_stays(racing: LiveDiffgram, media: Media):
    racing.pushed([image(media, "a.png")])
    file = racing.file("a.png")
    limits = replace(LIMITS, stuck_after=4.0)
    racing.limits = limits
    racing.emulator.row_fault("", "stuck", times=1)
    update = {"file_id": file.id, "mode": "update", "instance_list": [box(3, **refs(0))]}
    assert racing.pushed([update]).succeeded == 1
    assert racing.file("a.png").id == file.id
    assert racing.lefts(file.id) == [3]


def test_who_waits_for_an_introduction_can_be_stopped(racing: LiveDiffgram, media: Media, tmp_path: Path):
    packets = [image(media, f"{number}.png", box(**refs(0))) for number in range(3)]
    racing.emulator.row_fault("0.png", "stuck", times=1)
    stop, report = threading.Event(), tmp_path / "report.jsonl"
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(PushError, match="asked to stop\n3 packets: 1 sent, 0 failed, 0 skipped, 2 not"):
        racing.push(packets, stop=stop, report=str(report))
    assert [json.loads(line)["name"] for line in report.read_text().splitlines()] == ["0.png"]
    assert {row.original_filename for row in racing.inputs()} == {"0.png"}


def test_an_introduction_that_an_earlier_attempt_left_stuck_is_repaired(racing: LiveDiffgram, media: Media):
    packets = [image(media, f"{number}.png", box(**refs(0))) for number in range(3)]
    racing.emulator.row_fault("0.png", "stuck", times=1)
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(PushError, match="asked to stop"):
        racing.push(packets, stop=stop)
    limits = replace(LIMITS, stuck_after=4.0)
    racing.limits = limits
    assert racing.pushed(packets).succeeded == 3
    archived = racing.ask(routes.list_inputs, show_archived=True)
    assert sum(bool(row.archived) for row in archived) == 1
    assert sorted(racing.names()) == ["0.png", "1.png", "2.png"]


def test_a_lost_answer_that_is_not_looked_for_any_more_is_unknown(
    racing: LiveDiffgram, media: Media, tmp_path: Path
):
    stop, report = threading.Event(), tmp_path / "report.jsonl"
    racing.emulator.fault("input/packet", "reset_before", times=1)
    stopping = Stopping(racing, stop)
    with pytest.raises(PushError, match="1 unknown"):
        push(
            stopping,
            [image(media, "a.png")],
            dataset=DATASET,
            stop=stop,
            report=str(report),
            delivery="queue",
        )
    (line,) = map(json.loads, report.read_text().splitlines())
    assert (line["name"], line["outcome"]) == ("a.png", "unknown")
    assert racing.pushed([image(media, "a.png")]).expected == 1
    assert racing.names() == ["a.png"]


class SharedBoard:
    """What tasks of one map write for each other, as XComs do between processes."""

    def __init__(self) -> None:
        self.tickets: dict[int, dict[str, Any]] = {}

    def of(self, index: int) -> Turns:
        board = self

        class Own:
            def write(self, ticket: dict[str, Any]) -> None:
                board.tickets[index] = json.loads(json.dumps(ticket))

            def read(self) -> list[Any]:
                return list(board.tickets.values())

        return Turns(Own(), index)


class Watched(FastTime):
    """Writes down how long a push waits, but for the turn of a request."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:  # type: ignore[override]
        self.slept += [seconds] * (seconds > 0.1)
        super().sleep(seconds)


def mapped_uploads(
    server: LiveDiffgram, media: Media, uploads: int, run: int, delivery: DeliverBy = "queue"
) -> list[Watched]:
    """Upload children to as many compound files at once, each as a task of a map; return their waits."""
    board = SharedBoard()
    parents = [
        create_compound_file(server.client, CompoundFile(name=f"{run}-{index}"), dataset=DATASET).file_id
        for index in range(uploads)
    ]
    clocks = [Watched() for _ in parents]

    def upload(index: int) -> Handle:
        children = [
            {
                "media": {"url": media.url("a.png")},
                "original_filename": f"{run}-{index}-{page}.png",
                "ordinal": page,
                "instance_list": [box(**refs(run))],
            }
            for page in range(3)
        ]
        with DiffgramClient(server.client.settings, clocks[index]) as client:
            return upload_children(
                client, parents[index], children, dataset=DATASET, delivery=delivery, turns=board.of(index)
            )

    with ThreadPoolExecutor(uploads) as pool:
        handles = list(pool.map(upload, range(uploads)))
    assert server.done(*handles).succeeded == 3 * uploads
    return clocks


def test_mapped_uploads_that_begin_at_once_introduce_a_run_once_and_lose_nothing(
    racing: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    threads = racing.state()["ingest_threads"]
    for run in range(3):
        caplog.clear()
        mapped_uploads(racing, media, 10, run)
        assert len([each for each in caplog.messages if " introduces model " in each]) == 1
        assert any("waiting for mapped task" in each for each in caplog.messages)
    assert racing.state()["ingest_threads"] == threads
    assert len(racing.ask(routes.list_model_runs)) == 3


def test_mapped_tasks_that_upload_introduce_a_run_without_turns_and_lose_nothing(
    racing: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    threads = racing.state()["ingest_threads"]
    for run in range(3):
        mapped_uploads(racing, media, 10, run, "auto")
    assert not any("waiting for mapped task" in each for each in caplog.messages)
    assert racing.state()["ingest_threads"] == threads
    assert len(racing.ask(routes.list_model_runs)) == 3


def test_mapped_uploads_of_a_run_that_is_known_do_not_wait(racing: LiveDiffgram, media: Media):
    assert racing.pushed([image(media, "first.png", box(**refs(0)))]).succeeded == 1
    assert [clock.slept for clock in mapped_uploads(racing, media, 10, 0)] == [[]] * 10


def test_a_run_that_children_of_another_compound_brought_is_known(racing: LiveDiffgram, media: Media):
    mapped_uploads(racing, media, 1, 0)
    parent = create_compound_file(racing.client, CompoundFile(name="later"), dataset=DATASET).file_id
    clock = Watched()
    child = {"media": {"url": media.url("a.png")}, "ordinal": 0, "instance_list": [box(**refs(0))]}
    with DiffgramClient(racing.client.settings, clock) as client:
        turns = SharedBoard().of(0)
        handle = upload_children(client, parent, [child], dataset=DATASET, delivery="queue", turns=turns)
    assert racing.done(handle).succeeded == 1
    assert clock.slept == []
