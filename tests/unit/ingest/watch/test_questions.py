"""What a wait asks for: as little as possible, and enough to be right (server.md 2.12, 3.2)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.limits import LIMITS, Limits
from airflow_provider_diffgram.ingest.watch.batch import Phase, next_phase, next_question
from airflow_provider_diffgram.ingest.watch.movement import Movement
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Handle, SentBatch
from tests.unit.ingest.watch.listed import Listed, box, collision, handle, read, row, rows_of

MANY = LIMITS.sample + 20


def pending(count: int, *, moves: bool = True, rate: float = 0.0) -> Movement:
    rows = [read(each, "processing") for each in range(1, count + 1)]
    seen = Movement(left=count).after(rows, 0, whole=True)
    return Movement(seen.left, 0, seen.marks, moves, rate, 0)


@pytest.mark.parametrize(
    "phase, movement, more, question",
    [
        ("pending", pending(5), {}, "pending"),
        ("pending", pending(5), {"is_light": True}, "all"),
        ("pending", pending(100, rate=10), {"at": 6.9}, "pending"),
        ("pending", pending(100, rate=10), {"at": 7.1}, "all"),
        ("pending", pending(100), {"looks": 4}, "failed"),
        ("pending", pending(100), {"looks": 8}, "hanging"),
        ("pending", pending(99), {"looks": 4}, "pending"),
        ("pending", pending(99, moves=False), {"looks": 4}, "failed"),
        ("urgent", pending(100), {}, "all"),
        ("unaccounted", pending(0), {}, "all"),
        ("proving", pending(0), {}, "unproven"),
        ("proving", pending(0), {"is_light": True}, "all"),
        ("proving", pending(0), {"any_late": True}, "all"),
    ],
)
def test_the_next_question(phase: Phase, movement: Movement, more: dict[str, Any], question: str):
    given = {"looks": 1, "at": 0.0, "is_light": False, "any_late": False, **more}
    assert next_question(phase, movement, LIMITS, **given) == question


@pytest.mark.parametrize(
    "phase, counts, movement, unproven, following",
    [
        ("pending", {"succeeded": 2}, pending(0), False, "settled"),
        ("urgent", {"failed": 2}, pending(0), False, "settled"),
        ("pending", {"stuck": 1}, pending(1), False, "pending"),
        ("pending", {"pending": 1}, pending(1), True, "pending"),
        ("pending", {"pending": 1}, pending(0), True, "proving"),
        ("proving", {"pending": 1}, pending(0), False, "unaccounted"),
        ("urgent", {"pending": 1, "stuck": 1}, pending(1), False, "urgent"),
    ],
)
def test_where_a_batch_stands(
    phase: Phase, counts: dict[Any, int], movement: Movement, unproven: bool, following: str
):
    assert next_phase(phase, Counter(counts), movement, any_unproven=unproven) == following


def test_one_listing_a_look_whatever_the_number_of_inputs():
    listed = Listed(*rows_of(range(1, 901), "processing"))
    watch = Watch([handle(900)])
    asked: Counter[str] = Counter()
    for _ in range(8):
        receipt, now = listed.asked_by(watch.look())
        assert receipt.pending == 900
        asked.update(now)
    assert asked == {"list Processing": 7, "list Failed": 1}


def test_the_end_is_seen_and_proved_in_two_listings():
    listed = Listed(*rows_of(range(1, MANY + 1), "processing"))
    watch = Watch([handle(MANY)])
    listed.run(watch.look())
    listed.rows = rows_of(range(1, MANY + 1), "success")
    receipt, asked = listed.asked_by(watch.look())
    assert (receipt.complete, watch.soon, asked) == (False, True, {"list Processing": 1})
    receipt, asked = listed.asked_by(watch.look())
    assert (receipt.summary(), asked) == ("120 expected: 120 succeeded", {"list All": 1})
    assert listed.asked_by(watch.look()) == (receipt, {})


def test_an_end_that_was_foreseen_is_seen_and_proved_in_one_listing():
    listed = Listed(*rows_of(range(1, MANY + 1), "processing"))
    watch = Watch([handle(MANY)])
    listed.run(watch.look())
    listed.rows[60:] = rows_of(range(61, MANY + 1), "success")
    listed.now = 10.0
    assert not listed.run(watch.look()).complete
    listed.rows[:60] = rows_of(range(1, 61), "success")
    listed.now = 100.0
    receipt, asked = listed.asked_by(watch.look())
    assert (receipt.summary(), asked) == ("120 expected: 120 succeeded", {"list All": 1})


def test_while_one_batch_is_far_from_its_end_the_others_rest():
    first = rows_of(range(1, MANY + 1), "processing")
    listed = Listed(*first, *rows_of(range(1001, 1001 + MANY), "processing", batch_id=2))
    watch = Watch([handle(MANY, MANY)])
    for now, listings in ((0.0, 2), (1.0, 1), (4.0, 1), (5.5, 2)):
        listed.now = now
        receipt, asked = listed.asked_by(watch.look())
        assert (receipt.pending, sum(asked.values())) == (2 * MANY, listings), now


def test_only_what_has_an_open_question_is_asked_at_once():
    listed = Listed(
        *rows_of(range(1, MANY + 1), "processing"),
        *rows_of(range(1001, 1001 + MANY), "success", batch_id=2),
    )
    watch = Watch([handle(MANY, MANY)])
    listed.run(watch.look())
    assert watch.soon
    receipt, asked = listed.asked_by(watch.look())
    assert (receipt.succeeded, asked) == (MANY, {"list All": 1})


LOST = {"error": {"process_video": "no such file"}}


@pytest.mark.parametrize(
    "ended, looks",
    [
        (row(1, "failed", status_text="404"), 5),
        (row(1, "processing_frames_in_queue", media_type="video", update_log=LOST), 9),
    ],
    ids=["failed", "hanging"],
)
def test_a_failure_among_many_is_seen_while_the_others_wait(ended: dict[str, Any], looks: int):
    waiting = rows_of(range(2, MANY + 2), "init", processing_deferred=True)
    listed = Listed(ended, *waiting)
    watch = Watch([handle(MANY + 1)])
    receipts = [listed.run(watch.look()) for _ in range(looks)]
    assert [each.failed for each in receipts] == [0] * (looks - 1) + [1]
    assert receipts[-1].pending == MANY


def test_a_collision_among_many_is_no_reason_to_ask_for_all():
    waiting = rows_of(range(2, MANY + 2), "init", processing_deferred=True)
    listed = Listed(collision(1, 10), *waiting)
    watch = Watch([handle(MANY + 1)])
    for _ in range(9):
        listed.run(watch.look())
    assert "list All" not in listed.asked


def test_children_of_many_parents_are_asked_in_turn():
    sent = [SentBatch(id=1, inputs=1, parent_file_id=parent) for parent in range(1, 51)]
    watch = Watch([Handle(project="p", directory_id=5, batches=sent, expected=50)])
    listed = Listed(*(row(parent, "processing", parent_file_id=parent) for parent in range(1, 51)))
    for _ in range(2):
        assert listed.asked_by(watch.look())[1] == {"list All": LIMITS.batches_at_once}
    listed.rows = [row(parent, parent_file_id=parent) for parent in range(1, 51)]
    assert listed.run(watch.look()).succeeded == 50  # what is settled leaves room for others


def test_all_is_asked_for_where_stock_is_taken():
    sent = [SentBatch(id=1, inputs=1, parent_file_id=parent) for parent in range(1, 51)]
    watch = Watch([Handle(project="p", directory_id=5, batches=sent, expected=50)])
    listed = Listed(*(row(parent, "processing", parent_file_id=parent) for parent in range(1, 51)))
    assert listed.asked_by(watch.take_stock())[1] == {"list All": 50}


def test_settled_batches_are_not_asked_again():
    listed = Listed(row(1), row(2, "processing", batch_id=2))
    watch = Watch([handle(1, 1)])
    assert listed.asked_by(watch.look())[1] == {"list All": 2}
    receipt, asked = listed.asked_by(watch.look())
    assert (receipt.succeeded, receipt.pending, asked) == (1, 1, {"list All": 1})


def test_a_short_list_with_much_in_it_is_not_asked_for_as_a_whole():
    boxes = [box(left) for left in range(LIMITS.light_instances + 1)]
    listed = Listed(row(1, "processing", instance_list=boxes), row(2, "processing"))
    watch = Watch([handle(2)])
    asked = [listed.asked_by(watch.look())[1] for _ in range(2)]
    assert asked == [{"list All": 1}, {"list Processing": 1}]


def test_packets_that_were_sent_again_push_none_off_the_list_quirk_13():
    sent = [row(number, original_filename=name) for number, name in enumerate("abcd", 1)]
    again = [collision(number, 10, original_filename=name) for number, name in enumerate("abc", 5)]
    watch = Watch([handle(4)], limits=Limits(page=5))
    assert Listed(*sent, *again).run(watch.look()).summary() == "4 expected: 4 succeeded"


def test_counters_are_read_once_for_all_files():
    listed = Listed(*rows_of(range(1, 4), "success", instance_list=[box()]), row(4))
    listed.counters = {10: 1, 20: 1, 30: 1, 40: None}
    receipt, asked = listed.asked_by(Watch([handle(4)]).take_stock())
    assert (receipt.succeeded, asked) == (4, {"list All": 1, "list files": 1})
