"""Jobs of people's work, and tasks in them: each made once, whenever whoever makes them is killed."""

from __future__ import annotations

from ..airflow import DagRun, until
from ..stage import DATASET, Stage

_LIST, _NEW, _LAUNCH = "/job/list$", "/job/new$", "/job/launch$"
_ADD, _TASKS = "/add-files$", "/task/list$"

_STEPS: tuple[tuple[str, str, int], ...] = (
    (_LIST, "timeout_before", 0),
    (_NEW, "timeout_before", 0),
    (_NEW, "timeout_after", 0),
    (_LIST, "timeout_before", 1),
    (_LAUNCH, "timeout_before", 0),
    (_LAUNCH, "timeout_after", 0),
)
"""Each request of making a job: where it is struck, whether it arrives, how many are let through."""


def job_at_each_step(stage: Stage) -> None:
    """Killed at each step of making a job, each time another one: there is one of each in the end."""
    _pushed(stage)
    for number, (path, kind, skip) in enumerate(_STEPS):
        name = f"review {number}"
        stage.hold(path, kind, skip=skip)
        run = _reviewed(stage, name, dataset=DATASET)
        stage.kill(run, "job")
        stage.insist(run.ended() == "success", f"making job {name!r} did not succeed")
        _count_jobs(stage, name)


def job_killed_again_and_again(stage: Stage) -> None:
    """Killed with the job made and its answer on the way, then while it is looked for, then launched."""
    _pushed(stage)
    stage.hold(_NEW, "timeout_after")
    run = _reviewed(stage, "review", dataset=DATASET)
    stage.kill(run, "job")
    for path in (_LIST, _LAUNCH):
        stage.hold(path)
        stage.kill(run, "job")
    stage.insist(run.ended() == "success", "making the job did not succeed")
    _count_jobs(stage, "review")


def job_answers_lost(stage: Stage) -> None:
    """The answers to making and launching a job are lost, in every way."""
    _pushed(stage)
    for number, kind in enumerate(("reset_after", "truncate", "reset_before")):
        for path in (_NEW, _LAUNCH):
            stage.emulator.fault(path, kind)
        run = _reviewed(stage, f"review {number}", dataset=DATASET)
        stage.insist(run.ended() == "success", f"making a job did not succeed after {kind}")
        _count_jobs(stage, f"review {number}")


def tasks_at_each_step(stage: Stage) -> None:
    """Killed at each step of adding tasks: each file has one in the end."""
    _pushed(stage)
    for number, (path, kind) in enumerate(
        ((_TASKS, "timeout_before"), (_ADD, "timeout_before"), (_ADD, "timeout_after"))
    ):
        name = f"review {number}"
        stage.hold(path, kind)
        run = _reviewed(stage, name)
        stage.kill(run, "add")
        stage.insist(run.ended() == "success", f"adding tasks to {name!r} did not succeed")
        _count_jobs(stage, name)


def service_away(stage: Stage) -> None:
    """The service that makes tasks does not run: an attempt fails and names it, the next brings them."""
    _pushed(stage)
    stage.emulator.tune(eventhandlers=False)
    run = _reviewed(stage, "review")
    until(lambda: run.task("add")["try_number"] > 1, "adding tasks is tried again", 240, 0.5)
    stage.insist("eventhandlers" in run.log(), "nobody named the service")
    stage.emulator.tune(eventhandlers=True)
    stage.insist(run.ended() == "success", "adding tasks did not succeed")
    _count_jobs(stage, "review")


def _pushed(stage: Stage) -> None:
    stage.push()
    stage.ended()


def _reviewed(stage: Stage, name: str, **conf: str) -> DagRun:
    """Start a run that makes a job, and tasks for all files in it."""
    files = [int(file["id"]) for file in stage.diffgram.files(stage.dataset_id)]
    usual = {"connection": stage.case.name, "job": name, "files": files}
    return stage.airflow.trigger("chaos_review", usual | conf)


def _count_jobs(stage: Stage, name: str) -> None:
    """Note every job, and every task of a file, beyond the one that is to be there."""
    jobs = stage.diffgram.jobs(name)
    files = sorted(int(file["id"]) for file in stage.diffgram.files(stage.dataset_id))
    stage.insist(bool(jobs), f"there is no job {name!r}")
    stage.insist({job["status"] for job in jobs} == {"active"}, f"jobs {name!r} are not all launched: {jobs}")

    def reviewed() -> list[int]:
        return sorted(int(task["file"]["id"]) for job in jobs for task in stage.diffgram.tasks(job["id"]))

    until(lambda: set(reviewed()) == set(files), "every file has a task", 30, 0.2)
    stage.note_made_twice(len(jobs) - 1 + len(reviewed()) - len(files))
