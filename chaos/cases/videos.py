"""Videos, which the server loses if it reads them while another input waits in the same process (quirk 62).

One process of the server holds many inputs at once here, so that any two that are sent together meet.
"""

from __future__ import annotations

from ..packets import children_with_videos
from ..stage import PACKET, Stage

PARENT = "drive"
_LOST = "video-0003.mp4"


def beside_images(stage: Stage) -> None:
    """Videos and images in one list, in turn; a second run changes nothing."""
    stage.push()
    stage.ended()
    _nothing_is_lost(stage)
    with stage.sending_only(0):
        stage.push_again()
        stage.ended()


def generated_beside_images(stage: Stage) -> None:
    """The same from a generator."""
    stage.push("generate")
    stage.ended()
    _nothing_is_lost(stage)


def among_children(stage: Stage) -> None:
    """The same as children of a compound file."""
    stage.packets = children_with_videos(stage.case.amount, stage.pictures)
    stage.push("children", below=PARENT, parent=stage.new_compound(PARENT))
    stage.ended()
    _nothing_is_lost(stage)


def killed(stage: Stage) -> None:
    """Killed with a video on its way, then with the next one stored and its answer on the way."""
    stage.hold(PACKET, text="video-0000")
    run = stage.push()
    stage.kill(run)
    stage.hold(PACKET, "timeout_after", text="video-0003")
    stage.kill(run)
    stage.ended()
    _nothing_is_lost(stage)


def lost_once(stage: Stage) -> None:
    """A video is lost all the same, as by somebody else's input: it is archived and sent once more."""
    stage.emulator.row_fault(_LOST, "hang")
    stage.push()
    stage.ended()
    stage.insist(stage.archived_inputs(None) == 1, "one video was lost and sent again")


def lost_for_good(stage: Stage) -> None:
    """The same twice: the wait names it at once, and a clear sends it anew."""
    stage.emulator.row_fault(_LOST, "hang", times=2)
    run = stage.push()
    stage.ended("failed")
    stage.insist(_LOST in run.log() and "the server lost this video" in run.log(), "the video is named")
    run.clear()
    stage.ended()


def _nothing_is_lost(stage: Stage) -> None:
    threads = stage.threads()
    stage.insist(min(threads) == max(threads) == 4, f"the server lost ingest threads: {threads}")
