"""Two runs of a DAG at once."""

from __future__ import annotations

import os
import signal
from typing import Any

from ..packets import children, make
from ..stage import BATCH, FILES, Stage


def at_once(stage: Stage) -> None:
    """Both look before either sends; each medium is stored twice, and the younger file archived."""
    stage.packets = make("url", 4, f"{stage.pictures}/slow/1", stage.folder)
    stage.emulator.pause_queue()
    _start_both(stage, BATCH)
    _end_both(stage, None)


def uploads_at_once(stage: Stage) -> None:
    """The same with media that the workers upload."""
    _start_both(stage, FILES)
    stage.ended()
    _insist_on_doubles(stage, None)


def children_at_once(stage: Stage) -> None:
    """The same with children of a compound file, which the server does not compare at all."""
    stage.packets = children(4, stage.pictures)
    stage.emulator.pause_queue()
    _start_both(stage, BATCH, "children", "scan")
    _end_both(stage, "scan")


def _start_both(stage: Stage, path: str, dag: str = "push", parent: str | None = None) -> None:
    """Start two runs, and let them go on together once both have come to a path."""
    conf: dict[str, Any] = {"parent": stage.new_compound(parent)} if parent else {}
    stage.emulator.fault(path, "latency", seconds=2, times=2)
    runs = [stage.push(dag, below=parent, **conf) for _ in range(2)]
    for run in runs:
        run.pid()
    stage.struck()
    frozen = [run.freeze() for run in runs]
    stage.quiet()
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def _end_both(stage: Stage, parent: str | None) -> None:
    stage.begun(2 * len(stage.packets))
    stage.emulator.pause_queue(False)
    stage.ended()
    _insist_on_doubles(stage, parent)


def _insist_on_doubles(stage: Stage, parent: str | None) -> None:
    stage.insist(stage.archived_inputs(parent) > 0, "nothing was stored twice, so nothing is proved")


def serialised(stage: Stage) -> None:
    """Two runs with other predictions for the same media, one after the other by max_active_runs=1."""
    others = make(stage.mode, stage.case.amount, stage.pictures, stage.folder, salt=50)
    dag = f"serialised_{stage.mode}"
    runs = [stage.push(dag), stage.push(dag, others)]
    stage.ended()
    first, second = (run.info() for run in runs)
    in_turn = first["end_date"] <= second["start_date"]
    stage.insist(in_turn, f"{second['start_date']} is before {first['end_date']}")
