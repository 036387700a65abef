"""People are waited for by tasks and triggerers that die, of a server that is away: what they did counts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diffgram_emulator.people import Person

from ..airflow import DagRun
from ..stage import DATASET, Stage

_STATES = "/task/list$"
_JOBS = "/job/list$"
_DOWN_SECONDS = 8.0
_LOOK_SECONDS = 180.0
"""For a triggerer to look: another case may have killed it."""


@dataclass(frozen=True)
class _Review:
    """A job in which people work.

    :param tasks: task of each file.
    """

    job_id: int
    tasks: dict[int, int]
    person: Person

    def finish(self, tasks: Sequence[int] | None = None) -> None:
        """Complete tasks; all when None."""
        for task_id in self.tasks.values() if tasks is None else tasks:
            self.person.complete(task_id)

    def halves(self) -> tuple[list[int], list[int]]:
        """Return two halves of the tasks."""
        tasks = list(self.tasks.values())
        return tasks[::2], tasks[1::2]


def triggerer_killed_while_people_work(stage: Stage) -> None:
    """The triggerer is killed while it asks; people finish while there is none."""
    review = _reviewed(stage)
    run = _waiting(stage, review)
    first, second = review.halves()
    review.finish(first)
    stage.hold(_STATES)
    stage.held(_LOOK_SECONDS)
    with stage.airflow.without_triggerer():
        stage.forget_faults()
        review.finish(second)
    _insist_on_all(stage, run, review, attempts=1)


def server_killed_while_people_work(stage: Stage) -> None:
    """The server is killed while it is asked, and is away for some seconds."""
    review = _reviewed(stage)
    run = _waiting(stage, review)
    first, second = review.halves()
    review.finish(first)
    stage.hold(_STATES)
    stage.held(_LOOK_SECONDS)
    stage.emulator.stop(kill=True)
    time.sleep(_DOWN_SECONDS)
    stage.emulator.restart()
    review.finish(second)
    _insist_on_all(stage, run, review, attempts=1)


def polls_of_people_fail(stage: Stage) -> None:
    """Of four polls one fails, each time in another way, while people work."""
    review = _reviewed(stage)
    run = _waiting(stage, review)
    ways: list[dict[str, Any]] = [
        {"kind": "status", "status": 500, "body": {"error": "down"}},
        {"kind": "status", "status": 503, "body": "<html>down</html>"},
        {"kind": "status", "status": 429, "body": {"message": "5 per 1 second"}},
    ]
    ways += [{"kind": each} for each in ("reset_before", "reset_after", "malformed", "truncate")]
    for seed, way in enumerate(ways):
        faulty = {"probability": 0.25 / len(ways), "times": None, "by": "program", "seed": seed, **way}
        stage.emulator.fault(_STATES, **faulty)
    stage.emulator.fault(_STATES, "status", status=500, times=9, by="program", body={"error": "down"})
    for task_id in review.tasks.values():
        review.finish([task_id])
        time.sleep(0.5)
    _insist_on_all(stage, run, review, attempts=1)
    stage.insist(stage.count(500) >= 3, "no poll failed")


def cleared_while_people_work(stage: Stage) -> None:
    """The wait is cleared, twice, and begins anew: what people did before counts."""
    review = _reviewed(stage)
    run = _waiting(stage, review)
    for half in review.halves():
        review.finish(half[:-1])
        run.clear()
        run.deferred()
    review.finish([half[-1] for half in review.halves()])
    _insist_on_all(stage, run, review)


def killed_at_each_poll(stage: Stage) -> None:
    """A wait in a worker is killed in one poll after the other, at each of its requests."""
    review = _reviewed(stage)
    first, second = review.halves()
    stage.hold(_JOBS)
    run = _waiting(stage, review, "poke")
    stage.kill(run, "wait")
    review.finish(first)
    for number in range(2):
        stage.hold(_STATES, skip=number)
        stage.kill(run, "wait")
    review.finish(second)
    _insist_on_all(stage, run, review)


def _reviewed(stage: Stage) -> _Review:
    """Push, and make a job with a task for each file."""
    stage.push()
    stage.ended()
    files = [int(file["id"]) for file in stage.diffgram.files(stage.dataset_id)]
    conf = {"connection": stage.case.name, "job": "review", "files": files, "dataset": DATASET}
    run = stage.airflow.trigger("chaos_review", conf)
    stage.insist(run.ended() == "success", "making the job did not succeed")
    job = stage.diffgram.jobs("review")[0]
    tasks = {int(task["file"]["id"]): int(task["id"]) for task in stage.diffgram.tasks(job["id"])}
    stage.insist(tasks.keys() == set(files), "not every file has a task")
    return _Review(int(job["id"]), tasks, Person.of(stage.emulator))


def _waiting(stage: Stage, review: _Review, dag: str = "wait") -> DagRun:
    """Start a run that waits for the job; one with a trigger is waiting when this returns."""
    conf = {"connection": stage.case.name, "job_id": review.job_id, "files": list(review.tasks)}
    run = stage.airflow.trigger(f"chaos_review_{dag}", conf)
    if dag == "wait":
        run.deferred()
    return run


def _insist_on_all(stage: Stage, run: DagRun, review: _Review, attempts: int | None = None) -> None:
    """The wait is to end once, rightly, with all that people did.

    :param attempts: of the wait; None if a kill makes more.
    """
    stage.insist(run.ended() == "success", "the wait did not succeed")
    receipt = run.result("wait") or {}
    told = {name: receipt.get(name) for name in ("expected", "complete")}
    amount = len(review.tasks)
    stage.insist(told == {"expected": amount, "complete": amount}, f"the wait told {told}, not {amount}")
    if attempts is not None:
        tries = run.task("wait")["try_number"]
        stage.insist(tries == attempts, f"the wait took {tries} attempts")
