"""A storage of packets and media that fails while a worker reads them."""

from __future__ import annotations

from typing import get_args

from ..stage import Stage
from ..store import Fault, Kind

_TIMES = 3


def fails_for_a_moment(stage: Stage) -> None:
    """Looks at files and readings are refused and cut off now and then: nobody notices, but in the log."""
    faults = [
        stage.store.fail(Fault(kind, str(stage.folder), operation, times=_TIMES))
        for operation in ("GETFILESTATUS", "OPEN")
        for kind in get_args(Kind)
    ]
    run = stage.push()
    stage.ended()
    seen = {f"{each.operation} {each.kind}": each.seen for each in faults}
    stage.insist(set(seen.values()) == {_TIMES}, f"the storage failed {seen} times")
    tries = run.task("send")["try_number"]
    stage.insist(tries == 1, f"it took {tries} attempts to send")


def stays_away(stage: Stage) -> None:
    """The storage is gone for longer than a task waits for it: the attempt fails and names it."""
    run = stage.push()
    stage.begun(4)
    gone = stage.store.fail(Fault("busy", str(stage.folder), "OPEN", times=None))
    stage.until_retried(run)
    stage.insist(0 < stage.accepted() < stage.case.amount, f"{stage.accepted()} packets were accepted")
    stage.store.recover(gone)
    stage.ended()
    errors = run.log()
    stage.insist("cannot read webhdfs://" in errors, "nobody named the storage")
    stage.insist("your storage's, not Diffgram's" in errors, "nobody told whose fault it was")
