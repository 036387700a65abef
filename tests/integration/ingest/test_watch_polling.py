"""What a wait asks for: as little as possible, and enough to be right (server.md 2.12, 3.2)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.limits import LIMITS, Limits
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Handle, Receipt, SentBatch
from tests.integration.ingest.fast_time import FastTime, until
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, instance, looking, raw
from tests.integration.ingest.served_media import Media

LIST = "view/list"


def texts(count: int, *boxes: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    return [
        {"media": {"text_data": "a"}, "original_filename": f"{prefix}{n}.txt", "instance_list": list(boxes)}
        for n in range(count)
    ]


@contextmanager
def asked(diffgram: LiveDiffgram) -> Iterator[Counter[str]]:
    """Count the requests by the end of their path."""
    paths: Counter[str] = Counter()
    before = diffgram.emulator.requests()["total"]
    yield paths
    for one in diffgram.emulator.requests(before)["latest"]:
        paths["/".join(one["path"].rsplit("/", 2)[1:])] += 1


def look(diffgram: LiveDiffgram, watch: Watch) -> Receipt:
    return diffgram.client.run(watch.look())


@pytest.fixture
def many(diffgram: LiveDiffgram) -> Handle:
    """More inputs than a look lists as a whole, all waiting."""
    diffgram.emulator.pause_queue()
    return diffgram.push(texts(LIMITS.sample + 20))


def test_one_listing_a_look_whatever_the_number_of_inputs(diffgram: LiveDiffgram, many: Handle):
    watch = Watch([many], FastTime.monotonic)
    with asked(diffgram) as paths:
        for _ in range(8):
            assert look(diffgram, watch).pending == LIMITS.sample + 20
    assert paths == {LIST: 8}


def test_the_end_is_seen_and_proved_in_two_listings(diffgram: LiveDiffgram, many: Handle):
    watch = Watch([many], FastTime.monotonic)
    look(diffgram, watch)
    diffgram.emulator.pause_queue(False)
    diffgram.done(many)
    with asked(diffgram) as paths:
        assert not look(diffgram, watch).complete
        assert watch.soon
        assert look(diffgram, watch).summary() == "120 expected: 120 succeeded"
        assert look(diffgram, watch).complete
    assert paths == {LIST: 2}


def test_an_end_that_was_foreseen_is_seen_and_proved_in_one_listing(diffgram: LiveDiffgram, many: Handle):
    now = 0.0
    watch = Watch([many], lambda: now)
    look(diffgram, watch)
    diffgram.emulator.tune(cycle=0.05, rows_per_cycle=10)
    diffgram.emulator.pause_queue(False)
    deadline = time.monotonic() + 12
    while not 0 < (left := sum(not row.succeeded for row in diffgram.inputs())) < LIMITS.sample:
        until(f"{left} are pending", deadline)
    diffgram.emulator.pause_queue()
    now = 10.0
    assert not look(diffgram, watch).complete
    diffgram.emulator.pause_queue(False)
    diffgram.done(many)
    now = 10_000.0
    with asked(diffgram) as paths:
        assert look(diffgram, watch).summary() == "120 expected: 120 succeeded"
    assert paths == {LIST: 1}


def test_while_one_batch_is_far_from_its_end_the_others_rest(diffgram: LiveDiffgram, many: Handle):
    now = 0.0
    more = diffgram.push(texts(LIMITS.sample + 20, prefix="more-"))
    watch = Watch([many, more], lambda: now)
    for now, listings in ((0.0, 2), (1.0, 1), (4.0, 1), (5.5, 2)):
        with asked(diffgram) as paths:
            assert look(diffgram, watch).pending == 2 * (LIMITS.sample + 20)
        assert paths == {LIST: listings}, now


def test_only_what_has_an_open_question_is_asked_at_once(diffgram: LiveDiffgram):
    ended = diffgram.push(texts(LIMITS.sample + 20))
    diffgram.done(ended)
    diffgram.emulator.pause_queue()
    waiting = diffgram.push(texts(LIMITS.sample + 20, prefix="waiting-"))
    watch = Watch([waiting, ended], FastTime.monotonic)
    look(diffgram, watch)
    assert watch.soon
    with asked(diffgram) as paths:
        assert look(diffgram, watch).succeeded == LIMITS.sample + 20
    assert paths == {LIST: 1}


def test_a_failure_among_many_is_seen_while_the_others_wait(diffgram: LiveDiffgram, media: Media):
    gone = {"media": {"url": media.url("gone/a.png"), "type": "image"}, "original_filename": "gone.png"}
    failed = diffgram.done(raw(diffgram, media, gone))
    assert failed.failed == 1
    (row,) = [each for each in diffgram.inputs() if each.failed]
    diffgram.emulator.pause_queue()
    sent = diffgram.push(texts(LIMITS.sample + 20))
    batch = SentBatch(id=row.batch_id, inputs=LIMITS.sample + 21)
    for packet in range(LIMITS.sample + 20):
        text = {"type": "from_text_data", "text_data": "a", "media": {"type": "text"}}
        place = {"directory_id": diffgram.directory_id, "batch_id": row.batch_id}
        name = {"original_filename": f"other-{packet}.txt"}
        diffgram.ask(routes.send_packet, {**text, **place, **name}, "raw")
    watch = Watch(
        [sent.model_copy(update={"batches": [batch], "expected": LIMITS.sample + 21})], FastTime.monotonic
    )
    receipts = [look(diffgram, watch) for _ in range(5)]
    assert [each.failed for each in receipts] == [0, 0, 0, 0, 1]
    assert receipts[-1].failures[0].name == "gone.png"
    assert receipts[-1].pending == LIMITS.sample + 20


def test_children_of_many_parents_are_asked_in_turn(diffgram: LiveDiffgram):
    diffgram.emulator.pause_queue()
    batch = diffgram.ask(routes.create_batch).id
    sent = [SentBatch(id=batch, inputs=1, parent_file_id=parent) for parent in range(1, 51)]
    handle = Handle(
        project=diffgram.client.project, directory_id=diffgram.directory_id, batches=sent, expected=50
    )
    watch = Watch([handle], FastTime.monotonic)
    with asked(diffgram) as paths:
        look(diffgram, watch)
    assert paths[LIST] <= 2 * 20  # each also among the archived ones, since the server lists none
    with asked(diffgram) as paths:
        diffgram.client.run(watch.take_stock())
    assert paths[LIST] == 2 * 50


def test_settled_batches_are_not_asked_again(diffgram: LiveDiffgram, media: Media):
    done = diffgram.push([image(media, "done.png", box())])
    diffgram.done(done)
    diffgram.emulator.pause_queue()
    waiting = diffgram.push([image(media, "waiting.png", box())])
    watch = Watch([done, waiting], FastTime.monotonic)
    look(diffgram, watch)
    with asked(diffgram) as paths:
        assert look(diffgram, watch).succeeded == 1
    assert paths == {LIST: 1}


def test_packets_that_were_sent_again_push_none_off_the_list_quirk_13(
    diffgram: LiveDiffgram,
):
    batch = diffgram.ask(routes.create_batch).id
    for name in ("a", "b", "c", "d", "a", "b", "c"):
        text = {"type": "from_text_data", "text_data": "a", "media": {"type": "text"}}
        place = {"directory_id": diffgram.directory_id, "batch_id": batch, "original_filename": f"{name}.txt"}
        diffgram.ask(routes.send_packet, {**text, **place}, "raw")
        diffgram.done(
            Handle(
                project=diffgram.client.project,
                directory_id=diffgram.directory_id,
                batches=[SentBatch(id=batch, inputs=None)],
            )
        )
    sent = SentBatch(id=batch, inputs=4)
    handle = Handle(
        project=diffgram.client.project, directory_id=diffgram.directory_id, batches=[sent], expected=4
    )
    receipt = looking(
        diffgram, Watch([handle], FastTime.monotonic, limits=Limits(page=5)), lambda each: each.complete
    )
    assert receipt.summary() == "4 expected: 4 succeeded"


def test_counters_are_read_once_for_all_files_and_nothing_else(diffgram: LiveDiffgram, media: Media):
    handle = raw(diffgram, media, *[{"instance_list": [instance(diffgram)]}] * 3, {})
    looking(diffgram, Watch([handle], FastTime.monotonic), lambda each: each.complete)
    with asked(diffgram) as paths:
        diffgram.client.run(Watch([handle], FastTime.monotonic).take_stock())
    assert paths == {LIST: 1, "file/list": 1}
