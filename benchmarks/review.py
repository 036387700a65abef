"""The family ``review``: annotations of a large dataset are pulled, again, and again after some changed.

The official client has no pull: it has the server export everything, each time, so that one figure of its
stands beside all of ours.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import review_wait
from .compound import Run
from .process import Process
from .review_server import BOXES, ReviewServer, reviewed
from .rows import Bar, Row, row
from .workers import PEER_PYTHON, Client

FILES = 100_000
CHANGED = 1_000

OURS = Client("ours", (sys.executable, "-m", "benchmarks.review_ours"))
PEER = Client("peer", (str(PEER_PYTHON), "-m", "benchmarks.review_peer"))

MOST_REQUESTS = {"pull_first": 330, "pull_unchanged": 110, "pull_1_percent": 1230}
MOST_MIB = 200

Tell = Callable[[str], None]


def measure(tell: Tell, files: int = FILES, changed: int = CHANGED) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    with reviewed(files) as server, _folder() as folder:
        tell(f"{files} files with {BOXES} boxes each")
        ours = {
            "pull_first": _pull(server, folder, [files, 0, 0, 0, 0], tell),
            "pull_unchanged": _pull(server, folder, [0, 0, files, 0, 0], tell),
        }
        server.edit(changed)
        ours["pull_1_percent"] = _pull(server, folder, [0, changed, files - changed, 0, 0], tell)
        peer = _run(PEER, server, {"task": "export", "instances": files * BOXES}, folder, tell)
    pulls = [each for name, run in ours.items() for each in _rows(name, run, peer)]
    return [*pulls, *review_wait.measure(tell)]


def _rows(name: str, ours: Run, peer: Run) -> list[Row]:
    most = Bar(most=MOST_REQUESTS[name])
    return [
        row(f"review.{name}.requests", ours.requests, peer.requests, "requests", most),
        row(f"review.{name}.seconds", ours.seconds, peer.seconds, "s"),
        row(f"review.{name}.memory_growth_mib", ours.growth_mib, peer.growth_mib, "MiB", Bar(most=MOST_MIB)),
    ]


def _pull(server: ReviewServer, folder: Path, expected: list[int], tell: Tell) -> Run:
    told = {"task": "pull", "path": str(folder / "set"), "format": "coco", "expected": expected}
    return _run(OURS, server, told, folder, tell)


def _run(client: Client, server: ReviewServer, told: Mapping[str, Any], folder: Path, tell: Tell) -> Run:
    """Let one process do a task.

    :raises RuntimeError: if it failed.
    """
    before = server.requests()
    with Process(client.name, client.command, folder / f"{client.name}.log") as process:
        process.prepare({**server.address(), **told})
        process.begin()
        result = process.result()
    if result["error"]:
        raise RuntimeError(f"{client.name}: {result['error']}")
    ended = Run(result["seconds"], result["growth_mib"], server.requests() - before)
    told_of = f"{ended.seconds:.1f} s, {ended.requests} requests, {ended.growth_mib:.0f} MiB more"
    tell(f"{told['task']} {told.get('expected', '')} · {client.name}: {told_of}")
    return ended


@contextmanager
def _folder() -> Any:
    with tempfile.TemporaryDirectory(prefix="bench-review-") as folder:
        yield Path(folder)
