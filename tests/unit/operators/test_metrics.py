"""Airflow's metrics of a push and of a wait, by the names in the guide."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_diffgram.models import Handle, Receipt, SentBatch
from airflow_provider_diffgram.operators import metrics

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
RECEIPT = Receipt(project="p", expected=15, succeeded=5, failed=4, archived=3, missing=2, stuck=1)


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
    began = datetime.now(UTC) - timedelta(minutes=2)
    return {"ti": SimpleNamespace(**TAGS, start_date=began)}


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
    metrics.count_wait(context(), RECEIPT)
    assert stats.counted == {
        "diffgram.wait.succeeded": 5,
        "diffgram.wait.failed": 4,
        "diffgram.wait.archived": 3,
        "diffgram.wait.missing": 2,
        "diffgram.wait.stuck": 1,
    }
    assert 120_000 <= stats.timed["diffgram.wait.seconds"] < 180_000


def test_what_did_not_happen_is_not_counted(stats: Recorder):
    metrics.count_push(context(), Handle(project="p", directory_id=1))
    assert stats.counted == {}


def test_the_guide_names_all_of_them(stats: Recorder):
    metrics.count_push(context(), HANDLE)
    metrics.count_wait(context(), RECEIPT)
    table = GUIDE.partition("## Metrics")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`(diffgram\.[a-z_.]+)`", table) if ".compare." not in name}
    assert named == {*stats.counted, *stats.timed}
