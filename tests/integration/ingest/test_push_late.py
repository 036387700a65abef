"""What arrives after it was looked for, and packets that can be read once only."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import Receipt
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.raw_packets import image, rows_until
from tests.integration.ingest.served_media import Media

pytestmark = pytest.mark.usefixtures("queued")


def late(diffgram: LiveDiffgram, packet: dict[str, Any]) -> Receipt:
    """Push one packet to a server that stores it long after the client gave up waiting and looking."""
    diffgram.emulator.fault("input/packet", "latency", seconds=1.5)
    client = DiffgramClient(settings(diffgram.emulator, read_timeout=0.3), FastTime())
    handle = push(client, [packet], dataset=DATASET, delivery="queue")
    parent = packet.get("parent_file_id")
    passed = time.monotonic() + 2
    while len(diffgram.inputs(parent)) < 2 and time.monotonic() < passed:
        time.sleep(0.05)
    return diffgram.done(handle)


def test_a_packet_that_arrives_after_it_was_sent_again_is_one_file_and_counts_once(
    diffgram: LiveDiffgram, media: Media
):
    receipt = late(diffgram, image(media, "a.png", box()))
    assert diffgram.names() == ["a.png"]
    counts = (receipt.succeeded, receipt.skipped, receipt.failed, receipt.archived)
    assert sum(counts) == receipt.expected == 1


def test_a_child_that_arrives_after_it_was_sent_again_is_one_child_quirk_18(
    diffgram: LiveDiffgram, media: Media
):
    parent = diffgram.compound()
    child = image(media, "a.png", box(), parent_file_id=parent, ordinal=0)
    receipt = late(diffgram, child)
    counts = (receipt.succeeded, receipt.skipped, receipt.failed, receipt.archived)
    assert sum(counts) == receipt.expected == 1
    assert [each.ordinal for each in diffgram.children(parent)] == [0]


def test_a_child_that_is_ingested_while_we_look_is_not_sent_again(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound()
    child = image(media, "a.png", box(), folder="wait/", parent_file_id=parent, ordinal=0)
    diffgram.push([child])
    diffgram.emulator.fault("view/list", "latency", seconds=1.5)
    opening = Timer(0.6, media.gate.set)
    opening.start()
    receipt = diffgram.pushed([child])
    opening.join()
    assert diffgram.state()["faults"] == 0
    assert [each.ordinal for each in diffgram.children(parent)] == [0]
    assert receipt.succeeded + receipt.skipped == 1


def test_instances_that_are_merely_late_are_not_sent_again_3_2(tmp_path: Path, media: Media):
    with EmulatorProcess.start(tmp_path / "late", rate_limit=False, settle_seconds=0.6) as emulator:
        diffgram = LiveDiffgram.of(emulator, delivery="queue")
        packet = image(media, "a.png", box(1), box(3))
        diffgram.push([packet])
        rows_until(diffgram, lambda rows: rows[0].succeeded)
        assert diffgram.file("a.png").count_instances_changed is None
        assert diffgram.pushed([packet]).summary() == "1 expected: 1 skipped"
        assert diffgram.lefts(diffgram.file("a.png").id) == [1, 3]
        assert len(diffgram.inputs()) == 1


def test_an_iterator_that_can_be_read_once_is_not_lost_in_silence(diffgram: LiveDiffgram, media: Media):
    packets = (image(media, f"{number}.png") for number in range(3))
    try:
        push(diffgram.client, packets, dataset=DATASET)
    except (TypeError, ValueError):
        assert diffgram.inputs() == []
    else:
        assert len(diffgram.inputs()) == 3


@pytest.mark.parametrize("kind", ["new", "update"])
def test_a_packet_that_the_server_refuses_fails_alone(diffgram: LiveDiffgram, media: Media, kind: str):
    packets = [image(media, f"{number}.png", box(number + 1)) for number in range(3)]
    if kind == "update":
        diffgram.pushed(packets)
        ids = [diffgram.file(f"{number}.png").id for number in range(3)]
        packets = [{"file_id": file_id, "mode": "update", "instance_list": [box(7)]} for file_id in ids]
    changes = sum(len(diffgram.lefts(file.id)) for file in diffgram.files())
    body = {"log": {"error": {"media": "no such thing"}, "info": {}, "success": False}}
    diffgram.emulator.fault("input/packet|annotation/update", "status", status=400, body=body)
    with pytest.raises(PushError, match="3 packets: 2 sent, 1 failed, 0 skipped") as caught:
        diffgram.push(packets, delivery="auto" if kind == "update" else "queue")
    assert "media: no such thing" in str(caught.value)
    assert caught.value.permanent
    held = sum(len(diffgram.lefts(file.id)) for file in diffgram.files())
    assert (held if kind == "update" else len(diffgram.inputs())) == changes + 2


def test_labels_are_those_of_the_schema_that_was_asked_for(diffgram: LiveDiffgram, media: Media):
    schema = diffgram.post("labels-schema/new", {"name": "other"})["id"]
    bird = diffgram.ask(routes.create_label, "bird", schema).id
    packet = image(media, "a.png", box(label="bird"))
    with pytest.raises(
        ValueError, match=r"missing from schema 'Default Schema': 'bird'. The schema has: 'cat', 'dog'"
    ):
        diffgram.push([packet])
    for label_schema in ("other", schema, str(schema)):
        handle = diffgram.push([packet], label_schema=label_schema)
        assert diffgram.done(handle).failed == 0
    assert [each["label_file_id"] for each in diffgram.instances(diffgram.file("a.png").id)] == [bird]


def test_nothing_to_push_is_no_error_and_complete(diffgram: LiveDiffgram):
    handle = diffgram.push([])
    assert (handle.expected, handle.batches) == (0, [])
    assert diffgram.done(handle).summary() == "0 expected: nothing sent"
