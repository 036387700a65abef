"""What tasks of DAG runs send to Airflow's metrics."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.operators import metrics


class Recorder:
    """Stands where StatsD would listen."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()
        self.seconds: dict[str, float] = {}

    def incr(self, name: str, count: int = 1, *, tags: dict[str, str]) -> None:
        self.counted[tags["task_id"], name.removeprefix("diffgram.")] += count

    def timing(self, name: str, milliseconds: float, *, tags: dict[str, str]) -> None:
        self.seconds[tags["task_id"]] = milliseconds / 1000


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(metrics, "Stats", recorder)
    return recorder


def packets(*names: str, text: str = "a cat") -> list[dict[str, Any]]:
    return [{"media": {"text_data": text}, "original_filename": name} for name in names]


def test_a_push_a_wait_and_a_pull_are_counted(run_dag, client, stats: Recorder, tmp_path: Path):
    conf = {"packets": packets("a.txt", "b.txt"), "folder": str(tmp_path)}
    assert run_dag("send_and_pull", **conf).state == "success"
    assert stats.counted["send", "push.sent"] == 2
    assert stats.counted["wait", "wait.succeeded"] == 2
    assert stats.counted["of_push", "pull.added"] == 2
    assert set(stats.seconds) == {"wait"}
    stats.counted.clear()
    run_dag("send_and_pull", **conf)
    assert stats.counted["send", "push.skipped"] == 2
    assert ("send", "push.sent") not in stats.counted
    assert stats.counted["of_push", "pull.kept"] == 2


def test_the_time_in_the_triggerer_is_part_of_a_wait(run_dag, client, stats: Recorder, diffgram_emulator):
    class Seen(logging.Handler):
        """Lets the queue go on some time after the wait has looked for the first time."""

        def emit(self, record: logging.LogRecord) -> None:
            threading.Timer(1.5, diffgram_emulator.pause_queue, [False]).start()
            log.removeHandler(self)

    log = logging.getLogger("airflow_provider_diffgram.ingest.watch.wait")
    log.addHandler(Seen())
    diffgram_emulator.pause_queue()
    assert run_dag("send_mapped", chunks=[packets("a.txt"), packets("b.txt")]).state == "success"
    assert stats.counted["wait", "wait.succeeded"] == 2
    assert stats.seconds["wait"] >= 1.5


def test_a_push_that_failed_counts_what_it_did(
    run_dag, client, stats: Recorder, diffgram_emulator, tmp_path: Path
):
    diffgram_emulator.fault("input/packet", "status", status=400, times=1)
    ran = run_dag("send_and_pull", packets=packets("a.txt", "b.txt", "c.txt"), folder=str(tmp_path))
    assert ran.states["send"] == {"failed"}
    assert stats.counted["send", "push.failed"] == 1
    assert stats.counted["send", "push.sent"] == 2
