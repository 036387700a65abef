"""Workers killed at every step of the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from ..airflow import until
from ..stage import BATCH, ROWS, RUNS, Stage


def during_check(stage: Stage) -> None:
    """Killed while names are looked up, before anything is sent."""
    stage.hold("/labels$")
    run = stage.push()
    stage.kill(run)
    stage.ended()


def before_send(stage: Stage) -> None:
    """Killed with a packet on its way that never arrives."""
    stage.hold(stage.send, skip=4)
    run = stage.push()
    stage.kill(run)
    stage.ended()


def after_send(stage: Stage) -> None:
    """Killed with a packet arrived and its answer on the way."""
    stage.hold(stage.send, "timeout_after", skip=4)
    run = stage.push()
    stage.kill(run)
    stage.ended()


def refuses_existing(stage: Stage) -> None:
    """Killed with packets arrived, under ``if_exists="fail"``: the retry does not take them for others'."""
    stage.hold(stage.send, "timeout_after", skip=4)
    run = stage.push(if_exists="fail")
    stage.kill(run)
    stage.ended()


def every_send(stage: Stage) -> None:
    """Killed three times in a row, each time with packets arrived and their answers on the way."""
    run = stage.push("generate" if stage.mode == "url" else "push")
    for _ in range(3):
        stage.hold(stage.send, "timeout_after", skip=2)
        stage.kill(run)
    stage.ended()


def answered(stage: Stage) -> None:
    """Killed with answers received and not yet read."""
    _freeze_and_kill(stage, stage.send)


def batch_answered(stage: Stage) -> None:
    """Killed with a batch opened and not yet remembered."""
    _freeze_and_kill(stage, BATCH)


def _freeze_and_kill(stage: Stage, path: str) -> None:
    few = {"times": 1} if path == BATCH else {"times": 8, "skip": 4}
    stage.emulator.fault(path, "latency", seconds=1.5, **few)
    run = stage.push()
    stage.struck()
    pid = run.freeze()
    stage.quiet()
    os.kill(pid, signal.SIGKILL)
    stage.ended()


def between_batches(stage: Stage) -> None:
    """Killed when the first batch is full."""
    stage.hold(BATCH, skip=1)
    run = stage.push()
    stage.kill(run)
    stage.ended()


def reconciling(stage: Stage) -> None:
    """Killed, and killed again while looking what arrived."""
    stage.hold(stage.send, "timeout_after", skip=4)
    run = stage.push()
    stage.kill(run)
    stage.hold(stage.looks)
    stage.kill(run)
    stage.ended()


def looking(stage: Stage) -> None:
    """Killed while looking whether a packet arrived whose answer was lost."""
    stage.emulator.fault(stage.send, "reset_after", skip=3)
    run = stage.push()
    stage.struck()
    stage.hold(stage.looks)
    stage.kill(run)
    stage.ended()


def introducing(stage: Stage) -> None:
    """Killed while the first packet of a new model run is waited for."""
    stage.emulator.pause_queue()
    run = stage.push()
    stage.hold(RUNS, skip=2)
    stage.kill(run)
    stage.emulator.pause_queue(False)
    stage.ended()
    threads = stage.emulator.control("state")["threads"]
    stage.insist(set(threads) == {4}, f"ingest threads of the server died: {threads}")


def introduction_stuck(stage: Stage) -> None:
    """The first packet of a new model run is lost by the server, and its sender killed while it waits."""
    first = "^$" if stage.mode == "append" else stage.packets[0]["original_filename"]
    stage.emulator.row_fault(first, "stuck")
    run = stage.push()
    stage.hold(RUNS, skip=3)
    stage.kill(run)
    stage.ended()
    stage.insist("is stuck" in run.log(), "the log does not name the input that was lost")


def reporting(stage: Stage) -> None:
    """Killed with the report half written."""
    stage.hold(stage.send, skip=stage.case.amount - 1)
    run = stage.push()
    report = stage.folder / "report-0.jsonl"
    until(lambda: report.exists() and report.stat().st_size > 4000, "half the report is written", 90)
    stage.kill(run)
    stage.ended()


def waiting(stage: Stage) -> None:
    """The sensor is killed while it waits."""
    stage.emulator.pause_queue()
    run = stage.push()
    run.pid("wait")
    stage.hold(ROWS)
    stage.kill(run, "wait")
    stage.emulator.pause_queue(False)
    stage.ended()


def worker_lost(stage: Stage) -> None:
    """Killed together with the worker process that watches the task."""
    stage.hold(stage.send, "timeout_after", skip=4)
    run = stage.push()
    stage.held()
    run.kill_worker()
    stage.forget_faults()
    stage.ended()


def told_to_end(stage: Stage) -> None:
    """Ended by a person who marks it failed and, once it has ended, clears it."""
    _mark_failed(stage, patient=True)


def cleared_at_once(stage: Stage) -> None:
    """Marked failed and cleared at once: the next attempt begins before the first has ended."""
    _mark_failed(stage, patient=False)


def _mark_failed(stage: Stage, *, patient: bool) -> None:
    stage.emulator.fault(stage.send, "latency", seconds=2.0, times=None)
    run = stage.push()
    stage.begun()
    pid = run.pid()
    run.mark_failed()
    stage.ended("failed")
    if patient:
        until(lambda: not Path(f"/proc/{pid}").exists(), "the task ends", 60)
        stage.insist("asked to stop" in run.log(), "the task did not stop by itself")
        stage.forget_faults()
    run.clear()
    stage.ended()
