"""Airflow's metrics of a push and of a wait, by the names in the guide."""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_diffgram.client import ServerUnavailableError
from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.ingest.send.outcomes.lines import Lines
from airflow_provider_diffgram.ingest.send.outcomes.tally import Tally
from airflow_provider_diffgram.ingest.watch.errors import InputsFailedError
from airflow_provider_diffgram.models import Handle, Receipt, SentBatch
from airflow_provider_diffgram.operators import metrics
from airflow_provider_diffgram.review.errors import ReviewTimeoutError
from airflow_provider_diffgram.review.progress import ReviewReceipt
from airflow_provider_diffgram.review.pull import Pulled

GUIDE = (Path(__file__).parents[3] / "docs" / "airflow.md").read_text()
TAGS = {"dag_id": "night", "task_id": "send"}
HANDLE = Handle(
    project="p",
    directory_id=1,
    batches=[SentBatch(id=7, inputs=2)],
    expected=9,
    skipped=1,
    done_at_send=5,
    not_sent=1,
    delivered={"upload": 4, "update": 1, "queue": 2},
    uploaded_bytes=1000,
)
RECEIPT = Receipt(project="p", expected=16, succeeded=5, failed=4, archived=3, missing=2, stuck=1, pending=1)
REVIEW = ReviewReceipt(
    project="p",
    job_ids=[4],
    expected=36,
    complete=8,
    in_review=7,
    requires_changes=6,
    deferred=5,
    open=4,
    archived=3,
    without_task=2,
    removed=1,
)
PULLED = Pulled(
    version="v",
    previous=None,
    is_new=True,
    path="p",
    manifest="m",
    files=9,
    instances=12,
    added=4,
    changed=3,
    kept=2,
    removed=1,
)


class Recorder:
    """Keeps what would go to StatsD or OpenTelemetry."""

    def __init__(self) -> None:
        self.counted: dict[str, int] = {}
        self.timed: dict[str, float] = {}

    def incr(self, name: str, count: int = 1, *, tags: dict[str, str]) -> None:
        assert tags == TAGS
        self.counted[name] = count

    def timing(self, name: str, milliseconds: float, *, tags: dict[str, str]) -> None:
        assert tags == TAGS
        self.timed[name] = milliseconds


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(metrics, "Stats", recorder)
    return recorder


def context() -> Any:
    return {"ti": SimpleNamespace(**TAGS)}


def test_a_push_is_counted(stats: Recorder):
    metrics.count_push(context(), HANDLE)
    assert stats.counted == {
        "diffgram.push.sent": 7,
        "diffgram.push.skipped": 1,
        "diffgram.push.failed": 1,
        "diffgram.push.bytes": 1000,
        "diffgram.push.delivered.upload": 4,
        "diffgram.push.delivered.update": 1,
        "diffgram.push.delivered.queue": 2,
    }


def test_a_wait_is_counted_and_timed(stats: Recorder):
    metrics.count_wait(context(), RECEIPT, time.time() - 120)
    assert stats.counted == {
        "diffgram.wait.succeeded": 5,
        "diffgram.wait.failed": 4,
        "diffgram.wait.archived": 3,
        "diffgram.wait.missing": 2,
        "diffgram.wait.stuck": 1,
        "diffgram.wait.pending": 1,
    }
    assert 120_000 <= stats.timed["diffgram.wait.seconds"] < 180_000


def test_where_a_review_stands_and_what_a_pull_brought_is_counted(stats: Recorder):
    metrics.count_review(context(), REVIEW, time.time() - 60)
    metrics.count_pull(context(), PULLED)
    assert stats.counted["diffgram.review.complete"] == 8
    assert stats.counted["diffgram.review.removed"] == 1
    assert 60_000 <= stats.timed["diffgram.review.seconds"] < 120_000
    assert {name: count for name, count in stats.counted.items() if ".pull." in name} == {
        "diffgram.pull.added": 4,
        "diffgram.pull.changed": 3,
        "diffgram.pull.kept": 2,
        "diffgram.pull.removed": 1,
        "diffgram.pull.annotations": 12,
    }


def test_a_pull_that_brought_nothing_new_counts_no_annotations_again(stats: Recorder):
    metrics.count_pull(context(), PULLED.model_copy(update={"is_new": False, "added": 0, "changed": 0}))
    assert "diffgram.pull.annotations" not in stats.counted


def test_a_wait_whose_begin_is_not_known_is_not_timed(stats: Recorder):
    metrics.count_wait(context(), RECEIPT, None)
    assert stats.timed == {}


def test_what_failed_is_counted_and_goes_on_to_fail(stats: Recorder):
    tally = Tally(5, Lines("report", None, str))
    for name, result in (("a", "sent"), ("b", "failed"), ("c", "unknown"), ("d", "skipped")):
        tally.note(name, result, "why", delivery="queue" if result == "sent" else None)
    tally.note_bytes(10)
    with pytest.raises(PushError), metrics.counting_failures(context()):
        raise tally.stopped(ServerUnavailableError("away"), 5)
    assert stats.counted == {
        "diffgram.push.sent": 1,
        "diffgram.push.failed": 1,
        "diffgram.push.unknown": 1,
        "diffgram.push.skipped": 1,
        "diffgram.push.delivered.queue": 1,
        "diffgram.push.bytes": 10,
    }
    with pytest.raises(InputsFailedError), metrics.counting_failures(context(), time.time() - 1):
        raise InputsFailedError("failed", RECEIPT)
    assert stats.counted["diffgram.wait.failed"] == 4
    assert stats.timed["diffgram.wait.seconds"] >= 1000
    with pytest.raises(ReviewTimeoutError), metrics.counting_failures(context()):
        raise ReviewTimeoutError("too late", REVIEW)
    assert stats.counted["diffgram.review.open"] == 4


def test_what_did_not_happen_is_not_counted(stats: Recorder):
    metrics.count_push(context(), Handle(project="p", directory_id=1))
    assert stats.counted == {}


def test_the_guide_names_all_of_them(stats: Recorder):
    metrics.count_push(context(), HANDLE)
    metrics.count_wait(context(), RECEIPT, time.time())
    metrics.count_review(context(), REVIEW, time.time())
    metrics.count_pull(context(), PULLED)
    error = PushError("stopped")
    error.counts = {"unknown": 2}
    with pytest.raises(PushError), metrics.counting_failures(context()):
        raise error
    table = GUIDE.partition("## Metrics")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`(diffgram\.[a-z_.]+)`", table) if ".compare." not in name}
    assert named == {*stats.counted, *stats.timed}
