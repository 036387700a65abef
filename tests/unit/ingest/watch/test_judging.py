"""What became of each input: what rows and time say, whatever the server's statuses claim (server.md 3)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.watch.ledger import Ledger, judge
from airflow_provider_diffgram.ingest.watch.verdicts import Verdict
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Handle, InputRow, InvalidValueError, Receipt, SentBatch
from tests.unit.ingest.watch.listed import Listed, box, collision, handle, read, row, rows_of

LOST = {"error": {"process_video": "no such file"}}


@pytest.mark.parametrize(
    "told, state",
    [
        (row(1, "processing"), "pending"),
        (row(1, "init", processing_deferred=True), "pending"),
        (row(1, "processing", archived=True), "archived"),
        (row(1, "success", archived=True), "archived"),
        (row(1, "base_object_created"), "succeeded"),
        (row(1, "success"), "succeeded"),
        (row(1, "success", instance_list=[box()]), None),
        (row(1, "success", media_type="video"), None),
        (row(1, "failed", media_type="video"), None),
        (row(1, "processing_frames_in_queue", media_type="video", update_log=LOST), "failed"),
        (row(1, "failed", status_text="404"), "failed"),
        (row(1, "failed", status_text="404", instance_list=[box()]), "failed"),
        (collision(1, 7), "skipped"),
        (collision(1, 7, instance_list=[box()]), None),
        (collision(1, 7, parent_file_id=3), "failed"),
        (collision(1, 7, parent_file_id=3, instance_list=[box()]), "failed"),
    ],
)
def test_what_a_row_says_by_itself(told: dict[str, Any], state: str | None):
    verdict = judge(InputRow.of(told))
    assert (verdict.state if verdict else None) == state


def test_a_success_counts_only_once_its_instances_are_there():
    listed = Listed(row(1, instance_list=[box()]))
    listed.counters = {10: None}
    watch = Watch([handle(1)])
    receipt = listed.run(watch.look())
    assert (receipt.pending, receipt.succeeded, receipt.complete, watch.settling) == (1, 0, False, True)
    listed.counters = {10: 1}
    receipt = listed.run(watch.look())
    assert (receipt.succeeded, receipt.file_ids) == (1, [10])
    assert not watch.settling


@pytest.mark.parametrize("count", [2, 150])
def test_a_success_that_flips_to_failed_is_never_told_as_success_quirk_3(count: int):
    listed = Listed(*rows_of(range(1, count + 1), "success", instance_list=[box()]))
    listed.counters = {each * 10: 1 for each in range(2, count + 1)}
    watch = Watch([handle(count)])
    receipt = listed.run(watch.look())
    if count > 100:  # a sample is listed first
        receipt = listed.run(watch.look())
    assert (receipt.succeeded, receipt.pending) == (count - 1, 1)
    listed.set(1, status="failed", status_text="Instance List Error: no")
    receipt = listed.run(watch.look())
    assert (receipt.succeeded, receipt.failed) == (count - 1, 1)
    assert receipt.failures[0].reason == "Instance List Error: no"


def test_a_success_without_its_instances_has_failed_after_5_s_and_a_tenth_for_each_3_2():
    listed = Listed(row(1, instance_list=[box(left) for left in range(30)]))
    watch = Watch([handle(1)])
    for now, failed in ((100.0, 0), (108.0, 0), (108.1, 1)):
        listed.now = now
        assert listed.run(watch.look()).failed == failed, now


def test_a_video_that_failed_stays_pending_for_a_while_and_one_that_hangs_does_not_quirks_52_62():
    listed = Listed(row(1, "failed", media_type="video"))
    watch = Watch([handle(1)])
    for now, failed in ((0.0, 0), (4.9, 0), (5.1, 1)):
        listed.now = now
        assert listed.run(watch.look()).failed == failed, now
    lost = Listed(row(1, "processing_frames_in_queue", media_type="video", update_log=LOST))
    receipt = lost.run(Watch([handle(1)]).look())
    assert (receipt.failed, receipt.complete) == (1, True)


def test_a_packet_that_was_sent_twice_has_the_better_of_two_verdicts():
    listed = Listed(row(1, original_filename="a"), collision(2, 10, original_filename="a"))
    assert listed.run(Watch([handle(1)]).look()).summary() == "1 expected: 1 succeeded"


def test_updates_and_children_of_one_name_are_inputs_of_their_own():
    child = {"parent_file_id": 9, "original_filename": "page.png"}
    listed = Listed(row(1, **child), row(2, "failed", status_text="404", **child))
    receipt = listed.run(Watch([handle(2, parent_file_id=9)]).look())
    assert receipt.summary() == "2 expected: 1 succeeded, 1 failed"


def test_the_parts_of_a_split_video_are_nobodys_packets_but_their_failures_are_told():
    clip = {"media_type": "video", "parent_input_id": 1}
    listed = Listed(row(1, media_type="video", video_was_split=True), row(2, **clip), row(3, **clip))
    watch = Watch([handle(1)])
    listed.run(watch.look())
    listed.now = 6.0
    assert listed.run(watch.look()).summary() == "1 expected: 1 succeeded"
    listed.rows[2].update(status="failed", description="no frames")
    watch = Watch([handle(1)])
    listed.run(watch.look())
    listed.now = 12.0
    assert listed.run(watch.look()).failed == 1


def test_parts_are_left_out_as_well_where_successes_are_proved_by_and_by():
    ledger = Ledger(1)
    ledger.enter_all([read(1), read(2, media_type="video", parent_input_id=1)], 0)
    ledger.enter_proved({2: Verdict.of("succeeded", ledger.unproven[0])})
    assert ledger.counts()["succeeded"] == 1


def test_what_was_proved_stays_so_until_the_input_changes():
    first = read(1, instance_list=[box()])
    ledger = Ledger(1)
    ledger.enter_all([first], 0)
    ledger.enter_proved({1: Verdict.of("succeeded", first)})
    ledger.enter_all([first], 1)
    assert ledger.unproven == []
    ledger.enter_all([read(1, instance_list=[box()], retry_count=1)], 2)
    assert [each.id for each in ledger.unproven] == [1]


def test_an_input_that_is_archived_is_archived_whether_it_was_seen_before_or_not():
    for seen_before in (True, False):
        listed = Listed(row(1, "processing"), row(2))
        watch = Watch([handle(2)])
        if seen_before:
            assert listed.run(watch.look()).pending == 1
        listed.set(1, archived=True)
        receipt = listed.run(watch.look())
        assert (receipt.summary(), receipt.complete) == ("2 expected: 1 succeeded, 1 archived", True)


def test_an_input_that_the_server_does_not_list_is_missing_after_half_a_minute():
    listed = Listed(row(1))
    watch = Watch([handle(3)])
    for now, counts in ((0.0, (2, 0)), (29.0, (2, 0)), (30.0, (0, 2))):
        listed.now = now
        receipt = listed.run(watch.look())
        assert (receipt.pending, receipt.missing) == counts, now
    assert (receipt.failures[0].name, receipt.failures[0].inputs) == ("batch 1", 2)
    assert receipt.complete


def test_time_without_sight_makes_none_missing():
    listed = Listed(row(1))
    watch = Watch([handle(2)])
    listed.run(watch.look())
    watch.lose_sight(100.0)
    for listed.now, missing in ((100.0, 0), (129.0, 0), (130.0, 1)):
        assert listed.run(watch.look()).missing == missing


def test_an_input_that_turns_up_late_is_not_missing_any_more():
    listed = Listed(row(1))
    watch = Watch([handle(2)])
    listed.run(watch.look())
    listed.rows.append(row(2))
    listed.now = 31.0
    assert listed.run(watch.look()).summary() == "2 expected: 2 succeeded"


def test_of_a_batch_whose_number_is_unknown_all_that_is_listed_is_waited_for():
    listed = Listed()
    watch = Watch([handle(None)])
    receipt = listed.run(watch.look())
    assert (receipt.expected, receipt.pending) == (1, 1)
    listed.rows = rows_of(range(1, 4), "success")
    assert listed.run(watch.look()).summary() == "3 expected: 3 succeeded"


def test_only_the_inputs_named_are_waited_for():
    listed = Listed(row(1), row(2, "processing"))
    sent = [SentBatch(id=1, inputs=1, only=[1])]
    named = Handle(project="p", directory_id=5, batches=sent, expected=1)
    assert listed.run(Watch([named]).look()).summary() == "1 expected: 1 succeeded"
    alone = Handle(project="p", directory_id=5, batches=[SentBatch(id=None, inputs=1, only=[1])], expected=1)
    assert listed.asked_by(Watch([alone]).look())[1] == {"view input": 1}


def test_of_many_failures_twenty_are_named_and_all_are_counted():
    receipt = Listed(*rows_of(range(1, 24), "failed", status_text="404")).run(Watch([handle(23)]).look())
    assert (receipt.failed, len(receipt.failures)) == (23, 20)
    assert (receipt.failures[0].name, receipt.failures[0].reason) == ("23.txt", "404")


def test_files_are_named_where_they_are_few():
    def receipt_of(count: int, **more: Any) -> Receipt:
        watch = Watch([handle(count).model_copy(update=more)])
        listed = Listed(*rows_of(range(1, count + 1), "success"))
        listed.run(watch.look())
        return listed.run(watch.look())

    (first, *others) = receipt_of(100).file_ids
    assert len(others) == 99
    found = receipt_of(100, file_ids=[first, 5000])
    assert (len(found.file_ids), found.file_ids[-1]) == (101, 5000)
    assert receipt_of(1, done_at_send=1001).file_ids == []
    assert receipt_of(1, file_ids=list(range(1, 1002))).file_ids == []


def test_what_was_in_or_refused_when_it_was_sent_is_counted_as_well():
    sent = handle(1).model_copy(update={"expected": 6, "skipped": 2, "done_at_send": 2, "not_sent": 1})
    receipt = Listed(row(1)).run(Watch([sent]).look())
    assert receipt.summary() == "6 expected: 3 succeeded, 2 skipped, 1 not sent"


def test_handles_of_two_projects_or_none_are_refused():
    for handles in ([], [Handle(project="a", directory_id=1), Handle(project="b", directory_id=1)]):
        with pytest.raises(InvalidValueError, match="exactly one project"):
            Watch(handles)
