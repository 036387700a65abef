"""Waits in the triggerer that are struck: they are to end, rightly, and to name what is not there."""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from typing import Any

from ..airflow import DagRun, until
from ..packets import names
from ..stage import OPERATOR_WAITS, ROWS, Stage

_DOWN_SECONDS = 5.0
_LATEST_FLIP = 14.0
_LOOK_SECONDS = 180.0
"""For a triggerer to look: another case may have killed it."""
_SLOW = 1.5
"""Seconds that a medium takes whose ingestion is to be interrupted."""


def triggerer_killed(stage: Stage) -> None:
    """The triggerer is killed while it asks, and another one takes over."""
    run = _waiting(stage)
    stage.hold(ROWS)
    stage.held(_LOOK_SECONDS)
    with stage.airflow.without_triggerer():
        stage.forget_faults()
        stage.emulator.pause_queue(False)
    stage.ended()
    _insist_on_one_attempt(stage, run)


def failed_meanwhile(stage: Stage) -> None:
    """An input fails while there is no triggerer."""
    _let_go(stage, stage.packets[5])
    run = _waiting(stage)
    with stage.airflow.without_triggerer():
        stage.emulator.pause_queue(False)
        until(lambda: not _unfinished(stage), "everything is ingested", 60, 0.2)
    stage.ended("failed")
    _insist_on_one_attempt(stage, run)


def operator_waits(stage: Stage) -> None:
    """The operator waits itself, and the triggerer is killed: nothing is sent again."""
    stage.emulator.pause_queue()
    run = stage.push(OPERATOR_WAITS)
    run.deferred("send")
    with stage.sending_only(0):
        with stage.airflow.without_triggerer():
            stage.emulator.pause_queue(False)
        stage.ended()


def server_restarted(stage: Stage) -> None:
    """The server is killed while it is asked, and is away for some seconds."""
    run = _waiting(stage)
    stage.hold(ROWS)
    stage.held(_LOOK_SECONDS)
    stage.emulator.stop(kill=True)
    time.sleep(_DOWN_SECONDS)
    stage.emulator.restart()
    stage.ended()
    _insist_on_one_attempt(stage, run)


def stuck_named(stage: Stage) -> None:
    """A worker of the server dies with inputs in hand, which never end: they are named."""
    _kill_worker(stage, "fail")
    stage.planted |= _unfinished(stage)
    stage.ends_at_the_first = True  # the worker began with them one after the other
    stage.insist(0 < len(stage.planted) < stage.case.amount, f"{len(stage.planted)} inputs are stuck")
    stage.ended("failed")


def stuck_retried(stage: Stage) -> None:
    """The same, and the wait has the server try them again."""
    run = _kill_worker(stage, "retry")
    stage.insist(bool(_unfinished(stage)), "no input is stuck")
    stage.ended()
    _insist_on_one_attempt(stage, run)


def polls_fail(stage: Stage) -> None:
    """Of ten looks one fails, each time in another way."""
    run = _waiting(stage)
    ways: list[dict[str, Any]] = [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503, "body": "<html>down</html>"},
    ]
    ways += [{"kind": each} for each in ("reset_before", "reset_after", "malformed", "truncate")]
    for seed, way in enumerate(ways):
        stage.emulator.fault("/list$", probability=0.1 / len(ways), times=None, seed=seed, **way)
    stage.emulator.fault(ROWS, "status", status=502, times=2, skip=3)
    stage.emulator.tune(cycle=2.0, rows_per_cycle=1)
    stage.emulator.pause_queue(False)
    stage.ended()
    _insist_on_one_attempt(stage, run)
    stage.insist(stage.count(502) > 0, "no look failed")


def flips(stage: Stage) -> None:
    """Rows that succeed and fail later, at moments that differ by up to 14 s."""
    chance = random.Random(5)
    for name in chance.sample(_with_predictions(stage), 8):
        stage.emulator.row_fault(name, "flip", seconds=chance.uniform(0, _LATEST_FLIP))
        stage.planted.add(name)
    stage.push("wait", may_fail=1000)
    stage.ended()


def late(stage: Stage) -> None:
    """Predictions that come seconds after their row succeeded: none is called failed."""
    chance = random.Random(6)
    for name in chance.sample(_with_predictions(stage), 8):
        stage.emulator.row_fault(name, "late", seconds=chance.uniform(0, 4.5))
    run = stage.push("wait")
    stage.ended()
    _insist_on_one_attempt(stage, run)


def silent_losses(stage: Stage) -> None:
    """Rows that succeed and stay so, with nothing stored."""
    for name in random.Random(7).sample(_with_predictions(stage), 5):
        stage.emulator.row_fault(name, "lose")
        stage.planted.add(name)
    stage.push("wait", may_fail=1000)
    stage.ended()


def one_silent_loss(stage: Stage) -> None:
    """The same for a single one, beyond what is allowed."""
    name = _with_predictions(stage)[7]
    stage.emulator.row_fault(name, "lose")
    stage.planted.add(name)
    stage.push("wait")
    stage.ended("failed")


def one_of_thousands(stage: Stage) -> None:
    """One input of thousands fails, and is named while others still wait."""
    _let_go(stage, stage.packets[stage.case.amount // 2])
    stage.push("wait")
    stage.ended("failed")


def archived_meanwhile(stage: Stage) -> None:
    """A person archives inputs: two that wait, and one that was ingested."""
    first, second, third = names(3)
    run = _waiting(stage)
    _archive(stage, {first, second})
    stage.emulator.row_fault(names(stage.case.amount)[-1], "late", seconds=4)  # so it waits a while yet
    stage.emulator.pause_queue(False)
    until(lambda: third not in _unfinished(stage), "a third one is ingested", 60, 0.1)
    _archive(stage, {third})
    for name in (first, second, third):
        del stage.expected[name]
    stage.ended()
    archived = run.result("wait")["archived"]
    stage.insist(archived == 3, f"the receipt counts {archived} archived inputs")


def batch_gone(stage: Stage) -> None:
    """A handle whose batch the server does not have."""
    batch_id = 987654
    batches = [{"id": batch_id, "inputs": 3}]
    handle = {"project": stage.diffgram.project, "directory_id": stage.dataset_id, "expected": 3}
    stage.planted.add(str(batch_id))
    stage.push("wait_handle", packets=[], handle={**handle, "batches": batches})
    stage.ended("failed")


def _waiting(stage: Stage) -> DagRun:
    """Start a run, and return when all is sent, nothing is ingested, and it waits in the triggerer."""
    stage.emulator.pause_queue()
    run = stage.push("wait")
    run.deferred()
    return run


def _kill_worker(stage: Stage, on_stuck: str) -> DagRun:
    """Let one of the server's worker processes die with what it has in hand, and start it again."""
    stage.emulator.pause_queue()
    for packet in stage.packets[:6]:
        packet["media"]["url"] = f"{stage.pictures}/slow/{_SLOW}/{packet['original_filename']}"
    run = stage.push("wait", on_stuck=on_stuck)
    run.deferred()
    stage.emulator.pause_queue(False)
    until(lambda: _in_hand(stage), "a worker has inputs in hand", 60)
    stage.emulator.kill_worker()
    stage.emulator.control("workers", {"revive": True})
    until(lambda: not _waiting_in_queue(stage), "the others are ingested", 60, 0.2)
    time.sleep(2 * _SLOW)
    return run


def _let_go(stage: Stage, packet: dict[str, object]) -> None:
    """Let a medium not be where its URL says."""
    name = str(packet["original_filename"])
    packet["media"] = {"url": f"{stage.pictures}/gone/{name}", "type": "image"}
    stage.planted.add(name)


def _with_predictions(stage: Stage) -> list[str]:
    return [str(each["original_filename"]) for each in stage.packets if each.get("instance_list")]


def _unfinished(stage: Stage) -> set[str]:
    rows = stage.diffgram.inputs(status_filter="Processing")
    return {str(row["original_filename"]) for row in rows}


def _in_hand(stage: Stage) -> bool:
    rows = stage.diffgram.inputs(status_filter="Processing")
    return any(row["status"] == "processing" for row in rows)


def _waiting_in_queue(stage: Stage) -> bool:
    return bool(stage.emulator.control("state")["waiting"])


def _archive(stage: Stage, wanted: Collection[str]) -> None:
    rows = stage.diffgram.inputs()
    inputs = [row["id"] for row in rows if row["original_filename"] in wanted]
    stage.insist(len(inputs) == len(wanted), f"{len(inputs)} inputs for {len(wanted)} names")
    stage.diffgram.call("POST", "walrus/v1/project/{p}/input/update", {"id_list": inputs, "mode": "ARCHIVE"})


def _insist_on_one_attempt(stage: Stage, run: DagRun) -> None:
    """A wait that is struck goes on; it does not fail and begin again."""
    tries = run.task("wait")["try_number"]
    stage.insist(tries == 1, f"the wait took {tries} attempts")
