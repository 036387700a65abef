"""Mapped uploads of one model run at once, which can cost the server an input and a thread (quirk 48)."""

from __future__ import annotations

from ..airflow import DagRun, until
from ..packets import Packet, children
from ..stage import Stage

UPLOADS = 10
_RUN = {"model_ref": "finder", "model_run_ref": "tonight", "score": 0.5}
_INTRODUCES = " introduces model "
_WAITS = "to introduce the same model run"


def new_run(stage: Stage) -> None:
    """Ten uploads begin at once with a run that is new: one introduces it."""
    run = _push(stage, "new")
    stage.ended()
    _one_introduced(stage, run)


def known_run(stage: Stage) -> None:
    """Ten more with the same run: none of them introduces it, or waits."""
    _push(stage, "first", uploads=1)
    stage.ended()
    run = _push(stage, "second")
    stage.ended()
    log = run.log()
    stage.insist(_INTRODUCES not in log, "a run that is known was introduced")
    stage.insist(_WAITS not in log, "an upload waited although the run is known")


def introducer_killed(stage: Stage) -> None:
    """The upload that introduces is killed while the others wait for it."""
    stage.emulator.pause_queue()
    run = _push(stage, "new")
    stage.begun(1)
    index = until(lambda: _introducer(stage, "new"), "one upload has sent a child", 30, 0.5) - 1

    def others_that_wait() -> int:  # the one that introduces may have waited for its turn as well
        return sum(_WAITS in log and _INTRODUCES not in log for log in run.logs())

    until(lambda: others_that_wait() == UPLOADS - 1, "the others wait", 90, 0.5)
    stage.insist(stage.accepted() == 1, "only one child was sent while the run is new")
    run.kill(f"send/{index}")
    stage.emulator.pause_queue(False)
    stage.ended()
    threads = stage.threads()
    stage.insist(min(threads) == max(threads) == 4, f"the server lost ingest threads: {threads}")


def _push(stage: Stage, prefix: str, uploads: int = UPLOADS) -> DagRun:
    return stage.push_mapped({f"{prefix}-{number}": _pages(stage, number) for number in range(uploads)})


def _pages(stage: Stage, upload: int) -> list[Packet]:
    pages = children(stage.case.amount, stage.pictures)
    return [{**page, "instance_list": [{**each, **_RUN} for each in page["instance_list"]]} for page in pages]


def _introducer(stage: Stage, prefix: str) -> int:
    """Return 1 + the number of the upload that has sent a child; 0 if none has."""
    for number in range(UPLOADS):
        if stage.diffgram.inputs(parent_file_id=stage.file_of(f"{prefix}-{number}")):
            return number + 1
    return 0


def _one_introduced(stage: Stage, run: DagRun) -> None:
    count = run.log().count(_INTRODUCES)
    stage.insist(count == 1, f"the run was introduced {count} times")
    threads = stage.threads()
    stage.insist(min(threads) == max(threads) == 4, f"the server lost ingest threads: {threads}")
