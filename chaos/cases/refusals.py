"""Packets that cannot arrive, and that must be named; files that lack what the server called stored."""

from __future__ import annotations

from pathlib import Path

from ..packets import names
from ..stage import Stage

REFUSAL = {"log": {"error": {"media": "planted"}, "info": {}, "success": False}}


def _plant(stage: Stage, numbers: tuple[int, ...]) -> None:
    """Have packets refused: by their name, or their geometry, since an update has no name."""
    for number in numbers:
        name = names(number + 1)[number]
        text = f'"x_min": {1 + number},' if stage.mode in ("append", "replace") else name
        stage.emulator.fault(stage.send, "status", status=400, body=REFUSAL, text=text, times=None)
        stage.planted.add(name)


def allowed(stage: Stage) -> None:
    """Some packets are refused, no more than max_failed allows."""
    _plant(stage, (2, 6, 11))
    stage.push(max_failed=0.25)
    stage.ended()


def too_many(stage: Stage) -> None:
    """More packets are refused than max_failed allows."""
    _plant(stage, (2, 6, 11))
    stage.push(max_failed=2)
    stage.ended("failed")


def gone(stage: Stage) -> None:
    """Two media are not where their URLs say: only the server's workers find out."""
    for packet in stage.packets[4:6]:
        packet["media"]["url"] = f"{stage.pictures}/gone/{packet['original_filename']}"
        stage.planted.add(packet["original_filename"])
    stage.push(may_fail=1)  # else the wait would end with the first of them
    stage.ended("failed")


def unreadable(stage: Stage) -> None:
    """Two media are no pictures."""
    for packet in stage.packets[4:6]:
        Path(packet["media"]["path"]).write_bytes(b"this is no picture")
        stage.planted.add(packet["original_filename"])
    stage.push(max_failed=2)
    stage.ended()


def flipped(stage: Stage) -> None:
    """Two rows succeed, then fail without their predictions; a clear heals them."""
    _without_predictions(stage, "flip")


def silently_lost(stage: Stage) -> None:
    """Two rows succeed without their predictions; a clear heals them."""
    _without_predictions(stage, "lose")


def _without_predictions(stage: Stage, kind: str) -> None:
    new = [str(packet["original_filename"]) for packet in stage.packets[-2:]]
    for name in new:
        stage.emulator.row_fault(name, kind, seconds=1)
    run = stage.push(may_fail=1)  # else the wait would end with the first of them
    stage.ended("failed")
    log = run.log()
    missed = [name for name in new if name not in log]
    stage.insist(not missed, f"nobody named {missed}")
    run.clear()
    stage.ended()


def late(stage: Stage) -> None:
    """Predictions come seconds after their row succeeded."""
    for name in names(4):
        stage.emulator.row_fault(name, "late", seconds=4)
    stage.push()
    stage.ended()
