"""What proves that predictions are stored: a count, each instance, or the status alone (server.md 2.6)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.limits import Limits
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Receipt
from tests.unit.ingest.watch.listed import Listed, box, collision, handle, row, rows_of

COUNTS, INSTANCES, STATUS = (Rules(verify=each) for each in ("counts", "instances", "status"))
EACH = pytest.mark.parametrize("rules", [COUNTS, INSTANCES, STATUS], ids=lambda rules: rules.verify)
UPDATE = {"original_filename": None, "mode": "update", "file_id": 70, "media_type": "image"}
REPLACEMENT = UPDATE | {"mode": "update_with_existing"}


def ended(listed: Listed, rules: Rules = COUNTS, limits: Limits | None = None) -> tuple[Watch, Receipt]:
    """Look for the first time, and again once all had the time that they may take."""
    watch = Watch([handle(len(listed.rows))], rules, limits or Limits())
    receipt = listed.run(watch.look())
    listed.now += 10.0
    return watch, receipt if receipt.complete else listed.run(watch.take_stock())


def missing(watch: Watch) -> list[tuple[str, ...]]:
    return [each.missing for each in watch.verdicts()]


@EACH
def test_what_is_in_is_in_however_it_is_proved(rules: Rules):
    listed = Listed(row(1, instance_list=[box(1), box(3)]), row(2))
    listed.counters, listed.stored = {10: 2, 20: None}, {10: [box(1), box(3)]}
    assert ended(listed, rules)[1].summary() == "2 expected: 2 succeeded"


@pytest.mark.parametrize("rules, failed", [(COUNTS, 1), (INSTANCES, 1), (STATUS, 0)])
def test_a_success_with_nothing_stored_names_each_prediction_unless_only_the_status_counts_quirk_4(
    rules: Rules, failed: int
):
    listed = Listed(row(1, instance_list=[box(1), box(3)]))
    listed.counters = {10: None}
    watch, receipt = ended(listed, rules)
    assert receipt.failed == failed
    assert [len(each) for each in missing(watch)] == [2 * failed]


@EACH
def test_a_flip_is_a_failure_however_it_is_proved_quirk_3(rules: Rules):
    listed = Listed(row(1, instance_list=[box(1)]))
    watch = Watch([handle(1)], rules)
    assert listed.run(watch.look()).pending == 1
    listed.set(1, status="failed", status_text="Instance List Error: no")
    assert listed.run(watch.look()).failures[0].reason == "Instance List Error: no"


def test_equal_instances_count_once_5_3():
    listed = Listed(row(1, instance_list=[box(1, score=0.1), box(1, score=0.2), box(3)]))
    listed.counters = {10: 2}
    assert ended(listed)[1].succeeded == 1


def test_a_file_that_lacks_some_is_asked_which():
    listed = Listed(row(1, instance_list=[box(1), box(3)]))
    listed.counters, listed.stored = {10: 1}, {10: [box(1)]}
    watch, receipt = ended(listed)
    assert "holds 1 of 2 instances" in receipt.failures[0].reason
    assert "x_min 3" in missing(watch)[0][0]


def test_of_many_files_that_lack_some_only_so_many_are_asked_which():
    listed = Listed(*rows_of(range(1, 6), "success", instance_list=[box(1), box(3)]))
    listed.counters = {each * 10: 1 for each in range(1, 6)}
    watch, receipt = ended(listed, limits=Limits(files_compared=2, files_held=1))
    assert receipt.failed == 5
    assert sorted(map(len, missing(watch))) == [0, 0, 0, 2, 2]
    assert listed.asked["read annotations"] == 2


def test_a_duplicate_of_a_file_with_predictions_is_skipped_3_4():
    listed = Listed(collision(1, 70, instance_list=[box()]))
    listed.counters = {70: 1}
    assert ended(listed)[1].skipped == 1


def test_a_duplicate_of_a_file_without_predictions_is_a_failure_quirk_5():
    listed = Listed(collision(1, 70, instance_list=[box()]))
    listed.counters = {70: None}
    receipt = ended(listed)[1]
    assert (receipt.skipped, receipt.failed) == (0, 1)
    assert "without predictions" in receipt.failures[0].reason


@pytest.mark.parametrize("removed, outcome", [(True, "1 archived"), (False, "1 succeeded")])
def test_a_file_that_is_not_in_its_dataset_any_more_is_looked_at_by_itself(removed: bool, outcome: str):
    listed = Listed(row(1, instance_list=[box(1)]))
    listed.counters, listed.removed = {10: 1}, {10: removed}
    assert ended(listed)[1].summary() == f"1 expected: {outcome}"


def test_children_are_proved_by_the_list_of_their_parent():
    listed = Listed(row(1, instance_list=[box(1)], parent_file_id=9))
    listed.counters = {10: 1}
    receipt, asked = listed.asked_by(Watch([handle(1, parent_file_id=9)]).look())
    assert (receipt.succeeded, asked) == (1, {"list All": 1, "list children": 1})


def test_an_update_counts_once_its_own_references_are_there():
    listed = Listed(row(1, instance_list=[box(5)], **UPDATE))
    watch = Watch([handle(1)])
    listed.stored = {70: [box(1)]}
    assert listed.run(watch.look()).pending == 1
    listed.stored[70].append(box(5))
    assert listed.run(watch.look()).succeeded == 1


def test_an_update_names_the_prediction_that_its_file_lacks():
    listed = Listed(row(1, instance_list=[box(5)], **UPDATE))
    listed.stored = {70: [box(1)]}
    watch, receipt = ended(listed)
    assert receipt.failed == 1
    ((lacking,),) = missing(watch)
    assert "x_min 5" in lacking
    assert "creation_ref_id r5" in lacking
    assert lacking in receipt.failures[0].reason


def test_a_replacement_counts_only_after_its_time_since_what_it_replaces_looks_alike_3_2():
    listed = Listed(row(1, instance_list=[box(5)], **REPLACEMENT))
    listed.stored = {70: [box(5)]}
    watch = Watch([handle(1)])
    assert listed.run(watch.look()).pending == 1
    listed.now = 6.0
    assert listed.run(watch.look()).succeeded == 1


def test_a_replacement_tells_what_the_server_kept_from_before_2_7():
    listed = Listed(row(1, instance_list=[box(3), box(5)], **REPLACEMENT))
    listed.stored = {70: [box(3, creation_ref_id="older"), box(5)]}
    receipt = ended(listed)[1]
    assert receipt.summary() == "1 expected: 1 succeeded, 1 prediction kept as stored"


VIDEO = {"media_type": "video", "file_id": 10, "directory": {"id": 5}}


def test_a_videos_frames_are_compared_one_by_one_quirk_54():
    frames: dict[str, list[Any]] = {"0": [box(1)], "2": [box(3)], "9000": [box(7)]}
    listed = Listed(row(1, frame_packet_map=frames, **VIDEO))
    listed.stored = {(10, 0): [box(1)], (10, 2): [box(3)]}
    watch, receipt = ended(listed)
    assert receipt.failed == 1
    ((lacking,),) = missing(watch)
    assert lacking.startswith("frame 9000: box")
    listed.stored[10, 9000] = [box(7)]
    assert ended(listed)[1].succeeded == 1


def test_a_video_with_an_error_in_its_log_has_failed_quirk_52():
    listed = Listed(row(1, update_log={"error": {"Frame 3": "no label"}}, **VIDEO))
    assert ended(listed)[1].failed == 1
    assert ended(Listed(row(1, **VIDEO)), STATUS)[1].succeeded == 1
