"""Whether the server has left inputs behind, and what may be done then (server.md 3.2, 2.14; quirk 50)."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.limits import LIMITS, Limits
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.stall import judge_stuck
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import File, Receipt
from tests.unit.ingest.watch.listed import Listed, box, handle, read, row, rows_of

BY_URL = {"source": "from_url", "media_type": "image"}
QUEUED = {"status": "init", "processing_deferred": True}


def watching(listed: Listed, limits: Limits = LIMITS, timeout: float | None = 60.0) -> Watch:
    return Watch(
        [handle(sum(each["batch_id"] == 1 for each in listed.rows))], Rules(stall_timeout=timeout), limits
    )


def looks(listed: Listed, watch: Watch, *moments: float) -> Receipt:
    for listed.now in moments:
        receipt = listed.run(watch.look())
    return receipt


def test_an_input_that_a_worker_left_is_stuck_after_the_time_given():
    listed = Listed(row(1, "processing", **BY_URL))
    watch = watching(listed)
    assert looks(listed, watch, 0, 30, 59).summary() == "1 expected: 1 pending"
    receipt = looks(listed, watch, 60)
    assert (receipt.summary(), receipt.complete) == ("1 expected: 1 stuck", True)
    assert receipt.failures[0].reason == "stuck: processing, nothing has moved for 60 s"


def test_where_no_time_is_given_nothing_is_ever_stuck():
    listed = Listed(row(1, "processing"))
    assert looks(listed, watching(listed, timeout=None), 0, 1e6).stuck == 0


def test_one_that_moves_is_not_stuck():
    listed = Listed(row(1, "processing", percent_complete=1))
    watch = watching(listed)
    looks(listed, watch, 0, 50)
    listed.set(1, percent_complete=2)
    assert looks(listed, watch, 59, 100, 118).stuck == 0
    assert looks(listed, watch, 120).stuck == 1


def test_one_that_is_left_is_stuck_even_while_others_move_3_2():
    listed = Listed(row(1, "processing"), row(2, "processing"))
    watch = watching(listed)
    looks(listed, watch, 0, 50)
    listed.set(2, status="success")
    assert looks(listed, watch, 61).stuck == 1


def test_one_that_waits_in_the_queue_is_not_stuck_while_others_move_quirk_50():
    listed = Listed(row(1, **QUEUED), row(2, **QUEUED), row(3, **QUEUED))
    watch = watching(listed)
    looks(listed, watch, 0, 20, 40)
    listed.set(2, status="success")
    looks(listed, watch, 50)
    assert looks(listed, watch, 61, 100).stuck == 0
    assert looks(listed, watch, 111).stuck == 2


def test_others_of_the_project_count_as_movement_too():
    listed = Listed(row(1, **QUEUED), row(7, "processing", batch_id=9, percent_complete=1))
    watch = watching(listed)
    looks(listed, watch, 0, 20)
    listed.set(7, percent_complete=2)
    assert looks(listed, watch, 40, 61, 99).stuck == 0
    assert looks(listed, watch, 101).stuck == 1


def test_others_are_asked_for_only_after_a_quarter_of_the_time_without_movement():
    listed = Listed(row(1, **QUEUED))
    watch = watching(listed)
    looks(listed, watch, 0, 14)
    assert "list Processing" not in listed.asked
    looks(listed, watch, 15)
    assert listed.asked["list Processing"] == 1


def test_time_without_sight_does_not_count():
    listed = Listed(row(1, "processing"))
    watch = watching(listed)
    looks(listed, watch, 0)
    watch.lose_sight(61.0)
    assert looks(listed, watch, 61, 120).stuck == 0
    assert looks(listed, watch, 121).stuck == 1


def test_so_many_times_may_be_retried():
    listed = Listed(row(1, "processing", retry_count=1, **BY_URL))
    watch = watching(listed)
    assert "retried 1 time" in looks(listed, watch, 0, 61).failures[0].reason
    assert (watch.to_retry(1), watch.to_retry(2)) == ([], [1])


def test_what_was_retried_among_many_is_not_retried_at_once_again():
    listed = Listed(row(1, "processing", **BY_URL), row(2, "processing", **BY_URL))
    watch = watching(listed, Limits(sample=1))
    looks(listed, watch, 0, 10, 61)
    assert sorted(watch.to_retry(2)) == [1, 2]
    for each in (1, 2):
        listed.set(each, retry_count=1)
    assert looks(listed, watch, 62).stuck == 0
    assert watch.to_retry(2) == []


@pytest.mark.parametrize(
    "more, retries",
    [
        ({"source": "from_url"}, 0),
        ({"source": "from_blob_path"}, 0),
        ({"source": "from_text_data"}, None),
        ({"source": "from_resumable"}, None),
        ({"source": "from_url", "mode": "update"}, None),
    ],
)
def test_new_media_that_the_server_fetches_itself_may_be_retried(more: dict[str, Any], retries: int | None):
    assert judge_stuck(read(1, "processing", **more), "why").retries == retries


def stuck_update(mode: str, stored: list[dict[str, Any]] | None) -> tuple[str, int]:
    update = read(1, "processing", mode=mode, instance_list=[box(1)])
    file = None if stored is None else File.model_validate({"id": 70, "instance_list": stored})
    verdict = judge_stuck(update, "why", file)
    return verdict.state, len(verdict.missing)


@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_an_update_that_is_stuck_is_judged_by_what_its_file_holds(mode: str):
    assert stuck_update(mode, [box(1)]) == ("succeeded", 0)
    assert stuck_update(mode, [box(9)]) == ("stuck", 1)
    assert stuck_update(mode, None) == ("stuck", 0)


def test_a_replacement_is_stuck_while_what_it_replaces_is_there():
    assert stuck_update("update_with_existing", [box(1), box(9)]) == ("stuck", 0)
    assert stuck_update("update", [box(1), box(9)]) == ("succeeded", 0)


def test_the_file_of_an_update_that_is_stuck_is_read():
    listed = Listed(
        row(1, "processing", mode="update", original_filename=None, instance_list=[box(1)], file_id=70)
    )
    listed.stored = {70: [box(1)]}
    assert looks(listed, watching(listed), 0, 61).summary() == "1 expected: 1 succeeded"


def test_what_is_archived_when_a_wait_is_killed_is_new_and_pending():
    listed = Listed(
        row(1), row(2, "processing"), row(3, "processing", mode="update"), *rows_of([4], "failed")
    )
    rows = listed.run(watching(listed).list_to_archive())
    assert [each.id for each in rows] == [2]
