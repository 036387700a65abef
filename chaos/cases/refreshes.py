"""Two nights of one model: what nobody touched makes room for what it says now, and people's work stays."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Collection
from typing import Any

from ..airflow import DagRun
from ..packets import Packet, make, names, place_of, predictions
from ..reader import Prediction
from ..stage import AMEND, FILES, READ, RUNS, Stage
from .fast import busy, edited, insist_on_one_attempt, job_with_tasks, write_of

_FIRST, _SECOND = "night-1", "night-2"


def killed_while_looking(stage: Stage) -> None:
    """Killed while names are looked up, then while the model's runs are asked for."""
    _first_night(stage)
    stage.hold(FILES)
    run = _refresh(stage)
    stage.kill(run)
    stage.hold(RUNS)
    stage.kill(run)
    stage.ended()


def killed_while_reading(stage: Stage) -> None:
    """Killed with files read, or half read, and none of those written."""
    _first_night(stage)
    stage.hold(READ, "timeout_after", skip=3)
    run = _refresh(stage)
    stage.kill(run)
    stage.ended()


def killed_before_write(stage: Stage) -> None:
    """Killed with a write on its way that never arrives."""
    _first_night(stage)
    stage.hold(AMEND, skip=3)
    run = _refresh(stage)
    stage.kill(run)
    stage.ended()


def killed_after_every_write(stage: Stage) -> None:
    """Killed three times in a row, each time with files written and their answers on the way."""
    _first_night(stage)
    run = _refresh(stage)
    for _ in range(3):
        stage.hold(AMEND, "timeout_after", skip=2)
        stage.kill(run)
    stage.ended()


def killed_before_repair(stage: Stage) -> None:
    """Killed when a write had undone what a person saved meanwhile, and the answer was not read yet."""
    _first_night(stage)
    someone, name = stage.person(), names(1)[0]
    page = someone.open(stage.file_of(name))
    someone.draw(page)
    stage.saves(someone, name, page)
    stage.emulator.fault(write_of(stage, name), "held", by="program")
    run = _refresh(stage)
    stage.struck()
    stage.saves(someone, name, edited(stage, someone, name))
    pid = run.freeze()
    stage.forget_faults()
    stage.quiet()
    stage.insist(someone.undone() > 0, "the write undid nothing")
    os.kill(pid, signal.SIGKILL)
    stage.ended()


def answers_lost(stage: Stage) -> None:
    """Writes are executed, or not, and their answers lost in five ways."""
    _first_night(stage)
    for number, kind in enumerate(("reset_after", "reset_before", "truncate", "malformed")):
        stage.emulator.fault(AMEND, kind, probability=0.4, times=3, seed=number)
    stage.emulator.fault(AMEND, "timeout_after", seconds=3, skip=2)
    _refresh(stage)
    stage.ended()


def server_killed(stage: Stage) -> None:
    """The server is killed with files written and not answered, and started again."""
    _first_night(stage)
    stage.hold(AMEND, "timeout_after", skip=3)
    _refresh(stage)
    stage.held()
    stage.emulator.restart(kill=True)
    stage.ended()


def saved_between(stage: Stage) -> None:
    """People save a file after it was read and before it is written."""
    _saved(stage)


def saved_between_and_answer_lost(stage: Stage) -> None:
    """The same, and the answer that would tell is lost."""
    _saved(stage, "reset_after", held=True)


def busy_person(stage: Stage) -> None:
    """People open and save all the time, also from pages that are older than what was written."""
    _first_night(stage)
    _refresh(stage)
    with busy(stage):
        stage.ended()


def what_people_said(stage: Stage) -> None:
    """The second night says what the first did, and people had said otherwise: it is not said again."""
    _first_night(stage)
    someone = stage.person()
    left_out: dict[str, Counter[Prediction]] = {}
    for name in names(3):
        before = stage.expected[name]
        stage.saves(someone, name, edited(stage, someone, name))
        left_out[name] = before - stage.expected[name]
    _refresh(stage, of_first=True, left_out=left_out)
    stage.ended()
    with stage.sending_only(0):
        _refresh(stage, of_first=True, left_out=left_out)
        stage.ended()


def reviewed(stage: Stage) -> None:
    """Files whose task is complete, or in progress, are left as they are."""
    _first_night(stage)
    tasks = job_with_tasks(stage)
    left = dict(zip(names(6)[4:], ("complete", "in_progress"), strict=True))
    for name, status in left.items():
        body = {"project": stage.diffgram.project, "task_id": tasks[name], "status": status}
        stage.emulator.control("tasks", body)
    _refresh(stage, but=left, delivery="auto")
    stage.ended()


def cleared(stage: Stage) -> None:
    """The finished run is cleared, then the DAG runs again for the same night: nothing is written."""
    _first_night(stage)
    run = _refresh(stage)
    stage.ended()
    with stage.sending_only(0):
        run.clear()
        stage.ended()
        _refresh(stage)
        stage.ended()


def same_night_at_once(stage: Stage) -> None:
    """Two runs of the DAG for one night at one moment: its predictions are there once."""
    _first_night(stage)
    stage.emulator.fault(AMEND, "latency", seconds=0.3, times=None)
    _refresh(stage)
    _refresh(stage)
    stage.ended()


def two_nights_at_once(stage: Stage) -> None:
    """Two nights at one moment: the predictions of the later one are there, and not both."""
    _first_night(stage)
    there = dict(stage.expected)
    stage.emulator.fault(AMEND, "latency", seconds=0.3, times=None)
    _refresh(stage)
    second = stage.expected
    stage.expected = there
    _refresh(stage, "night-3", salt=90)
    third = stage.expected
    stage.ended()
    runs = stage.diffgram.call("POST", "v1/project/{p}/model-runs/list", {})["model_run_list"]
    ids = {each["reference_id"]: each["id"] for each in runs}
    stage.expected = second if ids[_SECOND] > ids["night-3"] else third


# Parts of cases


def _predicted(stage: Stage, run: str, salt: int) -> list[Packet]:
    """Return what a run predicts for the case's media."""
    keys: dict[str, Any] = {"model_ref": "finder", "model_run_ref": run, "score": 0.5}
    return make("url", stage.case.amount, stage.pictures, stage.folder, salt=salt, **keys)


def _first_night(stage: Stage) -> None:
    """Let the model's first run bring the media."""
    stage.packets = _predicted(stage, _FIRST, 0)
    stage.push(if_exists="skip")
    stage.ended()


def _refresh(
    stage: Stage,
    run: str = _SECOND,
    *,
    salt: int = 60,
    of_first: bool = False,
    but: Collection[str] = (),
    left_out: dict[str, Counter[Prediction]] | None = None,
    delivery: str = "upload",
) -> DagRun:
    """Start a run that refreshes, and take for right what it is to leave.

    :param of_first: whether it predicts what the first night did.
    :param but: names of files that are to stay as they are.
    :param left_out: predictions that people had settled, by the name of the file.
    """
    packets = _predicted(stage, run, 0 if of_first else salt)
    earlier = {place_of(each): predictions(each) for each in stage.packets}
    right = dict(stage.expected)
    for packet in packets:
        place = place_of(packet)
        if place not in but:
            wanted = predictions(packet) - (left_out or {}).get(place, Counter())
            right[place] = (right[place] - earlier[place]) | wanted
    started = stage.push(packets=packets, if_exists="refresh", delivery=delivery)
    stage.expected = right
    return started


def _saved(stage: Stage, kind: str = "held", **values: Any) -> None:
    _first_night(stage)
    someone, name = stage.person(), names(3)[2]
    stage.emulator.fault(write_of(stage, name), kind, by="program", **values)
    run = _refresh(stage)
    stage.struck()
    stage.saves(someone, name, edited(stage, someone, name))
    stage.forget_faults()
    stage.ended()
    insist_on_one_attempt(stage, run)
