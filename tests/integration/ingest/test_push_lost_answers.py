"""Whatever happens to an answer, a packet arrives exactly once (quirks 1, 6, 7; design: exactly once)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.ingest.send.push import PushError, push
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.served_media import Media, png

pytestmark = pytest.mark.usefixtures("queued")

FAULTS = [
    pytest.param({"kind": "reset_after"}, id="reset after it was stored"),
    pytest.param({"kind": "reset_before"}, id="reset before it was stored"),
    pytest.param({"kind": "truncate"}, id="half an answer"),
    pytest.param({"kind": "status", "status": 503}, id="503"),
    pytest.param({"kind": "status", "status": 502}, id="502"),
    pytest.param({"kind": "status", "status": 500, "body": {"error": ""}}, id="empty 500"),
    pytest.param({"kind": "reset_after", "times": 3}, id="reset after, three times"),
    pytest.param({"kind": "status", "status": 503, "times": 3}, id="503 three times"),
]


def image(media: Media, number: int, **more: Any) -> dict[str, Any]:
    name = f"{number}.png"
    return {
        "media": {"url": media.url(name)},
        "original_filename": name,
        "instance_list": [box(number + 1)],
        **more,
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_packets_arrive_once(diffgram: LiveDiffgram, media: Media, fault: dict[str, Any]):
    diffgram.emulator.fault("input/packet", **fault)
    receipt = diffgram.pushed([image(media, number) for number in range(3)])
    assert diffgram.state()["faults"] == 0
    assert receipt.summary() == "3 expected: 3 succeeded"
    assert sorted(map(str, diffgram.names())) == ["0.png", "1.png", "2.png"]
    assert len(diffgram.inputs()) == 3


@pytest.mark.parametrize("fault", FAULTS[:6])
def test_children_arrive_once(diffgram: LiveDiffgram, media: Media, fault: dict[str, Any]):
    parent = diffgram.compound()
    diffgram.emulator.fault("input/packet", **fault)
    packets = [image(media, number, parent_file_id=parent, ordinal=number) for number in range(2)]
    assert diffgram.pushed(packets).summary() == "2 expected: 2 succeeded"
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1]
    assert len(diffgram.inputs(parent)) == 2


@pytest.mark.parametrize("fault", FAULTS[:6])
def test_updates_are_stored_once_quirk_31(diffgram: LiveDiffgram, media: Media, fault: dict[str, Any]):
    diffgram.pushed([image(media, 0)])
    (file,) = diffgram.files()
    diffgram.emulator.fault("input/packet", **fault)
    packet = {"file_id": file.id, "mode": "update", "instance_list": [box(5), box(8)]}
    assert diffgram.pushed([packet]).summary() == "1 expected: 1 succeeded"
    assert diffgram.lefts(file.id) == [1, 5, 8]


@pytest.mark.parametrize("fault", FAULTS[:6])
def test_uploads_arrive_once(diffgram: LiveDiffgram, tmp_path: Path, fault: dict[str, Any]):
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png())
    diffgram.emulator.fault("input/from_local", **fault)
    packets = [
        {
            "media": {"path": tmp_path / f"{n}.png"},
            "original_filename": f"{n}.png",
            "instance_list": [box(n + 1)],
        }
        for n in range(2)
    ]
    receipt = diffgram.pushed(packets)
    assert diffgram.state()["faults"] == 0
    assert receipt.succeeded + receipt.skipped == 2
    assert sorted(map(str, diffgram.names())) == ["0.png", "1.png"]
    assert [diffgram.lefts(diffgram.file(f"{n}.png").id) for n in range(2)] == [[1], [2]]


@pytest.mark.parametrize("fault", FAULTS[:3])
def test_uploaded_children_arrive_once_although_the_server_compares_no_names_quirk_18(
    diffgram: LiveDiffgram, tmp_path: Path, fault: dict[str, Any]
):
    (tmp_path / "a.png").write_bytes(png())
    parent = diffgram.compound()
    diffgram.emulator.fault("input/from_local", **fault)
    child = {
        "media": {"path": tmp_path / "a.png"},
        "parent_file_id": parent,
        "ordinal": 0,
        "instance_list": [box()],
    }
    receipt = diffgram.pushed([child])
    assert receipt.succeeded + receipt.skipped == 1
    (only,) = diffgram.children(parent)
    assert diffgram.lefts(only.id) == [1]


def test_reads_that_fail_on_the_way_are_repeated(diffgram: LiveDiffgram, media: Media):
    for path in ("directory/list", "labels-schema", "file/list", "input-batch/new", "view/list"):
        diffgram.emulator.fault(path, "reset_after")
        diffgram.emulator.fault(path, "status", status=503)
    assert diffgram.pushed([image(media, 0)]).succeeded == 1
    assert len(diffgram.inputs()) == 1


def test_a_server_that_stays_down_ends_the_push_with_what_arrived_and_a_retry_sends_the_rest(
    diffgram: LiveDiffgram, media: Media
):
    packets = [image(media, number) for number in range(5)]
    diffgram.pushed(packets[:1])
    diffgram.emulator.fault("input/packet", "latency", times=2)
    diffgram.emulator.fault("input/packet", "status", status=503, times=10_000)
    impatient = DiffgramClient(settings(diffgram.emulator, retry_timeout=0.1), FastTime())
    with pytest.raises(PushError, match=r"stopped: send packet 3\.png") as caught:
        push(impatient, packets, dataset=DATASET, concurrency=1, delivery="queue")
    assert "5 packets: 2 sent, 0 failed, 1 unknown, 1 skipped, 1 not sent" in str(caught.value)
    assert not caught.value.permanent
    diffgram.emulator.control("faults", method="DELETE")
    receipt = diffgram.pushed(packets)
    assert receipt.succeeded + receipt.skipped == 5
    assert len(diffgram.inputs()) == 5
    assert [diffgram.lefts(diffgram.file(f"{n}.png").id) for n in range(5)] == [[n + 1] for n in range(5)]


class RestartingAt:
    """Packets that end the server, and start it again, when they are sent and not when they are checked."""

    def __init__(self, emulator: EmulatorProcess, packets: list[dict[str, Any]], number: int) -> None:
        self.emulator, self.packets, self.number, self.turn = emulator, packets, number, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.turn += 1
        for number, packet in enumerate(self.packets):
            if (self.turn, number) == (2, self.number):
                self.emulator.restart(kill=True)
            yield packet


def test_a_server_killed_and_restarted_while_packets_are_sent_loses_none(media: Media, tmp_path: Path):
    with EmulatorProcess.start(tmp_path / "restarted", rate_limit=False) as emulator:
        diffgram = LiveDiffgram.of(emulator, delivery="queue")
        packets = RestartingAt(emulator, [image(media, number) for number in range(6)], 3)
        handle = push(diffgram.client, packets, dataset=DATASET, delivery="queue")
        assert packets.turn == 2
        assert sum(batch.inputs for batch in handle.batches) == 6
        assert len(diffgram.inputs()) == 6


def test_429_is_obeyed_and_nothing_is_sent_twice_1_5(diffgram_emulator: EmulatorProcess, media: Media):
    diffgram = LiveDiffgram.of(diffgram_emulator, delivery="queue")
    diffgram.client = DiffgramClient(settings(diffgram_emulator))
    diffgram.emulator.fault("input/packet", "status", status=429, times=2)
    started = time.monotonic()
    handle = diffgram.push([image(media, number) for number in range(45)])
    took = time.monotonic() - started
    assert took > 2, "45 packets at 20 a second begin a third window"
    assert took < 15
    assert [batch.inputs for batch in handle.batches] == [45]
    assert len(diffgram.inputs()) == 45
