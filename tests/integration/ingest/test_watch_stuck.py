"""Inputs that the server has left, and what may be done about them (server.md 3.2, 2.14; quirk 50)."""

from __future__ import annotations

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.limits import Limits
from airflow_provider_diffgram.ingest.watch.archive import archive_pending
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Handle, Receipt
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, instance, looking, raw, rows_until
from tests.integration.ingest.served_media import Media

RULES = Rules(stall_timeout=60.0)


class Clock:
    """Passes when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def looks(diffgram: LiveDiffgram, watch: Watch, clock: Clock, *moments: float) -> Receipt:
    for moment in moments:
        clock.now = moment
        receipt = diffgram.client.run(watch.look())
    return receipt


def stuck(diffgram: LiveDiffgram, media: Media, name: str = "a.png") -> Handle:
    diffgram.emulator.row_fault(name, "stuck")
    handle = diffgram.push([image(media, name, box())])
    rows_until(diffgram, lambda rows: any(row.status == "processing" for row in rows))
    return handle


def test_an_input_that_a_worker_left_is_stuck_after_the_time_given(
    diffgram: LiveDiffgram, media: Media, clock: Clock
):
    watch = Watch([stuck(diffgram, media)], clock, RULES)
    assert looks(diffgram, watch, clock, 0, 30, 59).summary() == "1 expected: 1 pending"
    receipt = looks(diffgram, watch, clock, 61)
    assert (receipt.summary(), receipt.complete) == ("1 expected: 1 stuck", True)
    assert "nothing has moved for 60 s" in receipt.failures[0].reason


def test_one_that_is_left_is_stuck_even_while_others_move_3_2(
    diffgram: LiveDiffgram, media: Media, clock: Clock
):
    watch = Watch([stuck(diffgram, media)], clock, RULES)
    looks(diffgram, watch, clock, 0, 50)
    diffgram.pushed([image(media, "other.png")])
    assert looks(diffgram, watch, clock, 61).stuck == 1


def test_one_that_waits_in_the_queue_is_not_stuck_while_others_move_quirk_50(
    diffgram: LiveDiffgram, media: Media, clock: Clock
):
    diffgram.emulator.pause_queue()
    waiting = diffgram.push([image(media, "a.png")])
    others = diffgram.push([image(media, "b.png"), image(media, "c.png", folder="wait/")])
    watch = Watch([waiting, others], clock, RULES)
    looks(diffgram, watch, clock, 0, 20, 40)
    diffgram.archive(*[row for row in diffgram.inputs() if row.original_filename == "b.png"])
    looks(diffgram, watch, clock, 50)
    assert looks(diffgram, watch, clock, 61, 100).stuck == 0
    assert looks(diffgram, watch, clock, 111).stuck == 2


def test_others_of_the_project_count_as_movement_too(diffgram: LiveDiffgram, media: Media, clock: Clock):
    diffgram.emulator.pause_queue()
    watch = Watch([diffgram.push([image(media, "a.png")])], clock, RULES)
    looks(diffgram, watch, clock, 0, 20)
    diffgram.emulator.row_fault("b.png", "stuck")
    diffgram.emulator.pause_queue(False)
    diffgram.emulator.row_fault("a.png", "stuck")
    diffgram.push([image(media, "b.png")])
    rows_until(diffgram, lambda rows: any(row.status == "processing" for row in rows))
    diffgram.emulator.pause_queue()
    assert looks(diffgram, watch, clock, 40, 61).stuck == 0


def test_time_without_sight_does_not_count(diffgram: LiveDiffgram, media: Media, clock: Clock):
    watch = Watch([stuck(diffgram, media)], clock, RULES)
    looks(diffgram, watch, clock, 0)
    clock.now = 61.0
    watch.lose_sight()
    assert looks(diffgram, watch, clock, 61, 120).stuck == 0
    assert looks(diffgram, watch, clock, 122).stuck == 1


def test_new_media_by_url_may_be_retried_so_many_times_and_then_come_in(
    diffgram: LiveDiffgram, media: Media, clock: Clock
):
    handle = stuck(diffgram, media)
    watch = Watch([handle], clock, RULES)
    looks(diffgram, watch, clock, 0, 61)
    assert watch.to_retry(0) == []
    (input_id,) = watch.to_retry(1)
    diffgram.ask(routes.update_inputs, [input_id], "RETRY")
    assert diffgram.done(handle).summary() == "1 expected: 1 succeeded"
    assert len(diffgram.instances(diffgram.file("a.png").id)) == 1


def test_what_was_retried_among_many_is_not_retried_at_once_again(
    diffgram: LiveDiffgram, media: Media, clock: Clock
):
    diffgram.emulator.row_fault("a.png", "stuck", times=2)
    handle = diffgram.push([image(media, "a.png", box()), image(media, "b.png", folder="wait/")])
    rows_until(diffgram, lambda rows: all(row.status == "processing" for row in rows))
    watch = Watch([handle], clock, RULES, Limits(sample=1))
    looks(diffgram, watch, clock, 0, 10, 61)
    (first, second) = watch.to_retry(2)
    diffgram.ask(routes.update_inputs, [first, second], "RETRY")
    rows_until(diffgram, lambda rows: all(row.status == "processing" for row in rows))
    assert looks(diffgram, watch, clock, 62).stuck == 0
    assert watch.to_retry(2) == []


def test_text_is_not_retried(diffgram: LiveDiffgram, clock: Clock):
    diffgram.emulator.row_fault("a.txt", "stuck")
    handle = diffgram.push([{"media": {"text_data": "a"}, "original_filename": "a.txt"}])
    rows_until(diffgram, lambda rows: rows[0].status == "processing")
    watch = Watch([handle], clock, RULES)
    assert looks(diffgram, watch, clock, 0, 61).stuck == 1
    assert watch.to_retry(9) == []


@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_an_update_that_is_stuck_is_judged_by_what_its_file_holds(
    diffgram: LiveDiffgram, media: Media, clock: Clock, mode: str
):
    diffgram.pushed([image(media, "a.png", box(1))])
    (stored,) = diffgram.instances(diffgram.file("a.png").id)
    update = {"file_id": stored["file_id"], "mode": mode, "original_filename": None, "media": {}}
    diffgram.emulator.pause_queue()
    there = instance(diffgram, 1, creation_ref_id=stored["creation_ref_id"])
    watch = Watch([raw(diffgram, media, update | {"instance_list": [there]})], clock, RULES)
    assert looks(diffgram, watch, clock, 0, 61).summary() == "1 expected: 1 succeeded"
    lacking = raw(diffgram, media, update | {"instance_list": [instance(diffgram, 9, creation_ref_id="x")]})
    clock.now = 0.0
    watch = Watch([lacking], clock, RULES)
    assert looks(diffgram, watch, clock, 0, 61).stuck == 1
    ((missing,),) = [each.missing for each in watch.verdicts()]
    assert "x_min 9" in missing
    assert watch.to_retry(9) == []


def test_what_is_archived_when_a_wait_is_killed_is_new_and_pending(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "there.png", box(1))])
    done = diffgram.push([image(media, "done.png")])
    diffgram.done(done)
    diffgram.emulator.pause_queue()
    file_id = diffgram.file("there.png").id
    update = {"file_id": file_id, "mode": "update", "original_filename": None, "media": {}}
    updating = raw(diffgram, media, update | {"instance_list": [instance(diffgram, 9)]})
    waiting = diffgram.push([image(media, "waiting.png")])
    assert len(archive_pending(diffgram.client, Watch([done, updating, waiting]))) == 1
    diffgram.emulator.pause_queue(False)
    receipt = looking(diffgram, Watch([done, updating, waiting]), lambda each: each.complete)
    assert receipt.summary() == "3 expected: 2 succeeded, 1 archived"
    assert diffgram.names() == ["there.png", "done.png"]
