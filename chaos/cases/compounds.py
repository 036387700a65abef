"""Compound files: a parent that is made once, and children that each come once and in order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..airflow import DagRun, until
from ..packets import Packet, predictions
from ..pictures import picture
from ..reader import child_place
from ..stage import COMPOUND, FILES, ROWS, UPLOAD, Stage

PARENT = "scan"
SINGLY = "compound_singly"
"""The DAG that sends one child after the other."""

_DATASETS = "/directory/list$"
_LARGE = 24 << 20
"""Bytes of a child that is more than the buffers between worker and server take."""


def parent_made(stage: Stage) -> None:
    """Killed with the parent made and the answer on the way."""
    stage.hold(COMPOUND, "timeout_after")
    run = _push(stage)
    stage.kill(run, "create")
    stage.ended()


def before_children(stage: Stage) -> None:
    """Killed with the parent known and no child sent."""
    stage.hold(UPLOAD)
    run = _push(stage)
    stage.kill(run)
    stage.ended()


def each_child(stage: Stage) -> None:
    """Killed after one child and another, each stored and its answer on the way."""
    run = _push(stage, SINGLY)
    for _ in range(5):
        stage.hold(UPLOAD, "timeout_after")
        stage.kill(run)
    stage.ended()


def many_children(stage: Stage) -> None:
    """Killed with many children stored at once and their answers on the way, twice."""
    run = _push(stage)
    for _ in range(2):
        stage.hold(UPLOAD, "timeout_after", skip=4)
        stage.kill(run)
    stage.ended()


def streaming(stage: Stage) -> None:
    """Killed with a child half sent."""
    paths = [Path(packet["media"]["path"]) for packet in stage.packets]
    for path in paths:
        path.write_bytes(picture().ljust(_LARGE, b"\0"))
    run = _push(stage, SINGLY)
    stage.begun(1)
    pid = run.pid()
    with _frozen_while_reading(stage, pid, paths):
        os.kill(pid, signal.SIGKILL)
    stage.ended()


def parent_answer_lost(stage: Stage) -> None:
    """The answer to the creation is lost, and those to the looks that follow."""
    stage.emulator.fault(COMPOUND, "reset_after")
    stage.emulator.fault(FILES, "reset_after", times=2, skip=1)
    stage.emulator.fault(FILES, "status", status=503)
    _push(stage)
    stage.struck()
    stage.ended()


def child_answers_lost(stage: Stage) -> None:
    """The answers to children are lost, in every way."""
    stage.emulator.fault(UPLOAD, "reset_after", times=2)
    stage.emulator.fault(UPLOAD, "status", status=503, times=2, processed=True)
    stage.emulator.fault(UPLOAD, "reset_before", times=2)
    stage.emulator.fault(UPLOAD, "malformed", processed=True)
    stage.emulator.fault(UPLOAD, "truncate", times=2)
    stage.emulator.fault("/child-files$", "truncate", times=2)
    _push(stage)
    stage.struck()
    stage.ended()


def cleared(stage: Stage) -> None:
    """A finished run is cleared, and the DAG runs again: nothing is sent twice."""
    run = _push(stage)
    stage.ended()
    with stage.sending_only(0):
        run.clear()
        stage.ended()
        _push(stage)
        stage.ended()


def reordered(stage: Stage) -> None:
    """A person exchanged two children: they are put back, and nothing is sent."""
    run = _push(stage)
    stage.ended()
    first, second = (_child(stage, packet) for packet in stage.packets[:2])
    for file_id, ordinal in ((first, 1), (second, 0)):
        stage.diffgram.call("PUT", f"v1/project/{{p}}/file/{file_id}/update-metadata", {"ordinal": ordinal})
    stage.insist(stage.order_wrong() == 2, "the children were not exchanged")
    with stage.sending_only(0):
        run.clear()
        stage.ended()


def added_meanwhile(stage: Stage) -> None:
    """A person adds a child between two attempts, another while children are sent: both stay."""
    stage.hold(UPLOAD, "timeout_after", skip=4)
    run = _push(stage)
    stage.held()
    _add(stage, 50)
    stage.kill(run)
    stage.emulator.fault(UPLOAD, "latency", seconds=1, times=4)
    stage.begun(8)
    _add(stage, 51)
    stage.ended()


def removed_meanwhile(stage: Stage) -> None:
    """A person removes a child between two attempts, another before a clear: each is sent again."""
    stage.hold(UPLOAD, "timeout_after", skip=4)
    run = _push(stage)
    stage.held()
    _remove(stage, _any_child(stage))
    stage.kill(run)
    stage.ended()
    _remove(stage, _child(stage, stage.packets[1]))
    with stage.sending_only(1):
        run.clear()
        stage.ended()


def parents_at_once(stage: Stage) -> None:
    """Two runs make the parent at the same moment: two are made, and the younger is archived (quirk 55)."""
    _start_both(stage, "create", _DATASETS)
    stage.ended()
    stage.insist(stage.archived_inputs(None) > 0, "only one parent was made, so nothing is proved")


def children_at_once(stage: Stage) -> None:
    """Two runs look at the same moment: each child is stored twice, and the younger archived."""
    stage.new_compound(PARENT)
    _start_both(stage, "send", ROWS)
    stage.ended()
    stage.insist(stage.archived_inputs(PARENT) > 0, "nothing was stored twice, so nothing is proved")


def _push(stage: Stage, dag: str = "compound") -> DagRun:
    return stage.push(dag, below=PARENT, parent=PARENT)


def _start_both(stage: Stage, task_id: str, path: str) -> None:
    """Start two runs, and let a task of each go on together once both have come to a path."""
    stage.emulator.fault(path, "latency", seconds=2, times=2)
    runs = [_push(stage) for _ in range(2)]
    stage.struck()
    frozen = [run.freeze(task_id) for run in runs]
    stage.quiet()
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def _child(stage: Stage, packet: Packet) -> int:
    children = stage.diffgram.children(stage.file_of(PARENT))
    return next(int(each["id"]) for each in children if each["ordinal"] == packet["ordinal"])


def _any_child(stage: Stage) -> int:
    return min(int(each["id"]) for each in stage.diffgram.children(stage.file_of(PARENT)))


def _remove(stage: Stage, file_id: int) -> None:
    parent = stage.file_of(PARENT)
    rows = stage.diffgram.inputs(file_id=file_id, parent_file_id=parent)
    body = {"id_list": [row["id"] for row in rows], "mode": "ARCHIVE"}
    stage.diffgram.call("POST", "walrus/v1/project/{p}/input/update", body)
    gone = all(each["id"] != file_id for each in stage.diffgram.children(parent))
    stage.insist(gone, f"child {file_id} was not removed")


def _add(stage: Stage, ordinal: int) -> None:
    """Add a child as a person does, and wait until it is there."""
    parent, name = stage.file_of(PARENT), f"photo-{ordinal}.png"
    packet = {
        "media": {"url": f"{stage.pictures}/{name}", "type": "image"},
        "original_filename": name,
        "ordinal": ordinal,
        "parent_file_id": parent,
        "directory_id": stage.dataset_id,
    }
    stage.diffgram.call("POST", "walrus/v1/project/{p}/input/packet", packet)
    until(
        lambda: any(each["ordinal"] == ordinal for each in stage.diffgram.children(parent)),
        f"child {ordinal} of a person is there",
        30,
    )
    stage.expected[child_place(PARENT, name, ordinal)] = predictions({})


@contextmanager
def _frozen_while_reading(stage: Stage, pid: int, paths: list[Path]) -> Iterator[None]:
    """Freeze the server at a moment at which a process has read, and sent, a part of a file."""
    server = stage.emulator.pid
    assert server is not None

    def in_the_middle() -> bool:
        os.kill(server, signal.SIGSTOP)
        if any(0 < place < _LARGE for place in _places(pid, paths)):
            return True
        os.kill(server, signal.SIGCONT)
        return False

    try:
        until(in_the_middle, "a child is half sent", 60, 0.005)
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def _places(pid: int, paths: list[Path]) -> list[int]:
    """Return how far a process has read the files that it holds open."""
    wanted, found = {str(path) for path in paths}, []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(link.readlink()) in wanted:
                info = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text()
                found.append(int(info.split(maxsplit=2)[1]))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
