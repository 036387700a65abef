"""Cases in which a push could lose a packet, double it or tell falsely what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Timer
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media

pytestmark = pytest.mark.usefixtures("queued")


def page(media: Media, parent: int, ordinal: int, name: str = "page.png", **more: Any) -> dict[str, Any]:
    return image(media, name, box(ordinal + 1), parent_file_id=parent, ordinal=ordinal, **more)


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_a_lost_answer_about_a_child_whose_name_another_has_quirk_18(
    diffgram: LiveDiffgram, media: Media, fault: str
):
    parent = diffgram.compound()
    diffgram.emulator.fault("input/packet", "latency")
    diffgram.emulator.fault("input/packet", fault)
    handle = diffgram.push([page(media, parent, n) for n in range(3)], concurrency=1)
    assert diffgram.done(handle).succeeded == 3
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1, 2]


class Pausing:
    """Packets whose sending is held up before one of them."""

    def __init__(self, packets: list[dict[str, Any]], number: int) -> None:
        self.packets, self.number = packets, number

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, packet in enumerate(self.packets):
            if number == self.number:
                time.sleep(0.4)
            yield packet


def test_children_of_one_name_in_two_chunks_are_told_apart_quirk_18(diffgram: LiveDiffgram, media: Media):
    limits = replace(LIMITS, chunk=2)
    diffgram.limits = limits
    parent = diffgram.compound()
    pages = [
        page(media, parent, 0, folder="wait/"),
        page(media, parent, 1, "other.png"),
        page(media, parent, 2),
    ]
    opening = Timer(1.5, media.gate.set)
    opening.start()
    handle = push(diffgram.client, Pausing(pages, 2), dataset=DATASET, limits=limits, delivery="queue")
    opening.join()
    receipt = diffgram.done(handle)
    assert receipt.succeeded + receipt.skipped == 3
    assert [child.ordinal for child in diffgram.children(parent)] == [0, 1, 2]


def test_children_that_wait_while_the_next_are_looked_for_are_not_sent_again(
    diffgram: LiveDiffgram, media: Media
):
    limits = replace(LIMITS, chunk=4)
    diffgram.limits = limits
    parent = diffgram.compound()
    pages = [page(media, parent, number, f"{number}.png") for number in range(8)]
    diffgram.pushed(pages)
    more = [each | {"instance_list": [*each["instance_list"], box(50)]} for each in pages]
    for _ in range(8):
        diffgram.emulator.fault("annotation/list", "latency", seconds=0.3)
    diffgram.done(diffgram.push(more, if_exists="append", concurrency=1))
    assert [child.ordinal for child in diffgram.children(parent)] == list(range(8))
    assert len(diffgram.inputs(parent)) == 8


@pytest.mark.parametrize("if_exists", ["append", "replace"])
def test_other_predictions_for_a_medium_on_its_way(diffgram: LiveDiffgram, media: Media, if_exists: str):
    diffgram.push([image(media, "a.png", box(1), folder="wait/")])
    opening = Timer(0.6, media.gate.set)
    opening.start()
    handle = diffgram.push([image(media, "a.png", box(5), folder="wait/")], if_exists=if_exists)
    opening.join()
    assert diffgram.done(handle).succeeded == 1
    assert diffgram.lefts(diffgram.file("a.png").id) == ([1, 5] if if_exists == "append" else [5])


class Shrinking:
    """Packets of which the second reading finds fewer than the first."""

    def __init__(self, packets: list[dict[str, Any]]) -> None:
        self.packets, self.turn = packets, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.turn += 1
        return iter(self.packets[: 3 - self.turn])


def test_packets_that_are_gone_when_they_are_to_be_sent(diffgram: LiveDiffgram, media: Media):
    packets = Shrinking([image(media, "a.png"), image(media, "b.png")])
    with pytest.raises(PushError, match="1 not sent"):
        push(diffgram.client, packets, dataset=DATASET, delivery="queue")


def test_a_refused_repair_is_one_packets_failure(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png"), image(media, "b.png")])
    refusal = {"log": {"error": {"x": "no"}, "info": {}}}
    diffgram.emulator.fault("annotation/update", "status", status=400, body=refusal)
    full = [image(media, "a.png", box(1)), image(media, "b.png", box(2))]
    handle = diffgram.push(full, max_failed=1, delivery="auto")
    assert handle.not_sent == 1
    assert diffgram.done(handle).succeeded == 1


def test_a_share_that_is_no_number_allows_no_failure(diffgram: LiveDiffgram, media: Media):
    with pytest.raises(InvalidValueError, match="max_failed must be 0 or more, not nan"):
        diffgram.push([image(media, "a.png")], max_failed=float("nan"))
