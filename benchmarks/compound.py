"""The family ``compound``: compound files and a large root file, ours beside the official client."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .compound_files import make_children, make_large
from .process import Process
from .rows import Bar, Row, row
from .server import Server, serving
from .workers import PEER_PYTHON, Client

REPEATS = 3
CHILDREN = 300
KILLED_AT = 150
LATENCY_MS = 60

_LARGE_MIB: Mapping[str, int] = {"ours": 300, "peer": 240}
"""The peer knows no upload in chunks, and a server takes 250 MiB in one request (server.md 2.8)."""

OURS = Client("ours", (sys.executable, "-m", "benchmarks.compound_ours"))
PEER = Client("peer", (str(PEER_PYTHON), "-m", "benchmarks.compound_peer"))

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What one process told.

    :param seconds: from the word to begin to the end.
    :param growth_mib: highest resident memory less that before.
    :param requests: of any kind, as the server tells.
    """

    seconds: float
    growth_mib: float
    requests: int


def measure(tell: Tell) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    return [*_children(CHILDREN, tell), *_large(_LARGE_MIB, tell), _resume(CHILDREN, KILLED_AT, tell)]


def _children(amount: int, tell: Tell) -> list[Row]:
    with _folder() as folder:
        paths = make_children(folder, amount)

        def once(client: Client) -> Run:
            with serving(LATENCY_MS) as server:
                ended = run(client, server, "children", paths, folder)
                _insist(server, paths)
            return ended

        runs = _alternate(once, f"{amount} children, {LATENCY_MS} ms", tell)
    rates = {client: [amount / each.seconds for each in ended] for client, ended in runs.items()}
    costs = {client: [each.requests / amount for each in ended] for client, ended in runs.items()}
    return [
        _row("children_per_s", rates, "children/s", Bar(times_peer=5)),
        _row("requests_per_child", costs, "requests/child", Bar(most=1.05)),
    ]


def _large(mib: Mapping[str, int], tell: Tell) -> list[Row]:
    with _folder() as folder:
        paths = {name: make_large(folder / f"{name}.png", size) for name, size in mib.items()}

        def once(client: Client) -> Run:
            with serving() as server:
                ended = run(client, server, "large", [paths[client.name]], folder)
                if server.stored(paths[client.name].name) != 1:
                    raise RuntimeError(f"{client.name}: the large file did not arrive")
            return ended

        runs = _alternate(once, "a large file", tell)
    growth = {client: [each.growth_mib for each in ended] for client, ended in runs.items()}
    speed = {client: [mib[client.name] / each.seconds for each in ended] for client, ended in runs.items()}
    return [
        _row("large_file.memory_growth_mib", growth, "MiB", Bar(most=32)),
        _row("large_file.mib_per_s", speed, "MiB/s", Bar(times_peer=1)),
    ]


def _resume(amount: int, killed_at: int, tell: Tell) -> Row:
    with _folder() as folder, serving() as server:
        paths = make_children(folder, amount)
        server.hold_uploads(after=killed_at)
        with _process(OURS, folder) as process:
            process.prepare(_told(server, "children", paths))
            process.begin()
            server.until_held()
            process.kill()
        server.release_uploads()
        there, before = len(server.children()), server.uploads()
        run(OURS, server, "children", paths, folder)
        resent = server.uploads() - before - (amount - there)
        lost = set(_places(paths)) - set(server.children())
    if lost:
        raise RuntimeError(f"{len(lost)} children are not there after the second run")
    tell(f"killed at child {killed_at}: {there} of {amount} were there, {resent} sent again")
    return row("compound.resume.resent", resent, None, "children", Bar(most=0))


def run(client: Client, server: Server, task: str, paths: Sequence[Path], folder: Path) -> Run:
    """Let one process do a task.

    :param task: ``children`` or ``large``.
    :param folder: for its log.
    :raises RuntimeError: if it failed.
    """
    before = server.requests()
    with _process(client, folder) as process:
        process.prepare(_told(server, task, paths))
        process.begin()
        result = process.result()
    if result["error"]:
        raise RuntimeError(f"{client.name}: {result['error']}")
    return Run(result["seconds"], result["growth_mib"], server.requests() - before)


def _process(client: Client, folder: Path) -> Process:
    return Process(client.name, client.command, folder / f"{client.name}.log")


def _told(server: Server, task: str, paths: Sequence[Path]) -> dict[str, Any]:
    return {**server.address(), "task": task, "paths": [str(path) for path in paths]}


def _insist(server: Server, paths: Sequence[Path]) -> None:
    """Refuse a run that did not bring every child once, in its place."""
    wanted, found = _places(paths), server.children()
    if sorted(found) != wanted:
        raise RuntimeError(f"{len(found)} children are there, not the {len(wanted)} in their order")


def _places(paths: Sequence[Path]) -> list[tuple[str, int]]:
    return [(path.name, ordinal) for ordinal, path in enumerate(paths)]


def _alternate(once: Callable[[Client], Run], what: str, tell: Tell) -> dict[Client, list[Run]]:
    runs: dict[Client, list[Run]] = {OURS: [], PEER: []}
    for client in (OURS, PEER) * REPEATS:
        ended = once(client)
        runs[client].append(ended)
        told = f"{ended.seconds:.2f} s, {ended.requests} requests, {ended.growth_mib:.1f} MiB more"
        tell(f"{what} · {client.name}: {told}")
    return runs


def _row(name: str, figures: Mapping[Client, Sequence[float]], unit: str, bar: Bar | None = None) -> Row:
    return row(f"compound.{name}", median(figures[OURS]), median(figures[PEER]), unit, bar)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-compound-") as folder:
        yield Path(folder)
