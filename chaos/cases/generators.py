"""Generators that are killed with their media waiting, that raise, that think."""

from __future__ import annotations

from ..packets import AUDIO_REQUESTS
from ..stage import BATCH, ROWS, Stage


def retried_while_pending(stage: Stage) -> None:
    """Killed with all media waiting in the queue: the retry finds them there and sends none again."""
    stage.emulator.pause_queue()
    requests = AUDIO_REQUESTS if stage.mode == "audio" else stage.case.amount
    stage.hold(stage.send, "timeout_after", skip=requests - 1)
    run = stage.push("generate")
    stage.kill(run)
    if stage.mode == "video":  # which the push waits for itself
        stage.asked_again(ROWS)
    else:
        stage.task_ended(run)
    stage.insist(len(stage.diffgram.inputs()) >= stage.case.amount, "nothing waited in the queue")
    stage.emulator.pause_queue(False)
    stage.ended()
    stage.count_sent_again()


def raises(stage: Stage) -> None:
    """It raises half way: what it yielded is sent before the task fails, and the retry sends the rest."""
    half = stage.case.amount // 2
    with stage.sending_only(stage.case.amount):
        run = stage.push("generate", breaks_after=half)
        stage.ended()
    told = f"{half} packets were yielded before: {half} sent, 0 failed, 0 skipped"
    stage.insist(told in run.log(), "the log does not tell what was sent before")


def raises_amid_faults(stage: Stage) -> None:
    """The same, while answers are lost and connections reset."""
    stage.emulator.fault(stage.send, "reset_before", probability=0.25, times=4, seed=1)
    stage.emulator.fault(stage.send, "reset_after", probability=0.4, times=4, seed=2)
    stage.emulator.fault("/list$", "reset_after", probability=0.3, times=4, seed=3)
    stage.emulator.fault(BATCH, "reset_after")
    run = stage.push("generate", breaks_after=stage.case.amount // 2)
    stage.ended()
    stage.insist("packets were yielded before: " in run.log(), "the log does not tell what was sent before")
    stage.count_sent_again()


def thinks(stage: Stage) -> None:
    """Killed while it thinks about the next packet: those before went out meanwhile."""
    half = stage.case.amount // 2
    thought = stage.folder / "thought"
    with stage.sending_only(stage.case.amount):
        run = stage.push("generate", breaks_after=half, thinks_until=str(thought))
        stage.begun(half)
        run.kill()
        thought.touch()
        stage.ended()
