"""Processes that send packets: ours, and the official client's in its own environment."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .figures import Accepted
from .packets import write_packets
from .process import ROOT, Process
from .server import Server

PEER_PYTHON = ROOT / "build" / "peer" / "bin" / "python"

_PEER_SECONDS = 31.0
"""How long the official client sends, if it does not stop before: more than the window counted."""


@dataclass(frozen=True)
class Client:
    """Something that sends packets.

    :param name: as shown.
    :param command: of its process.
    """

    name: str
    command: tuple[str, ...]


OURS = Client("ours", (sys.executable, "-m", "benchmarks.ours"))
PEER = Client("peer", (str(PEER_PYTHON), str(Path(__file__).with_name("peer.py"))))


@dataclass(frozen=True)
class Run:
    """What became of one or several processes that sent at once.

    :param accepted: packets, as the server tells.
    :param requests: of any kind, as the server tells.
    :param reported: names of the packets that the processes say they sent.
    :param results: what each process told at its end.
    """

    accepted: list[Accepted]
    requests: int
    reported: list[str]
    results: list[dict[str, Any]]

    @property
    def errors(self) -> list[str]:
        """What made processes stop early."""
        return [result["error"] for result in self.results if result["error"]]


def run(
    client: Client,
    server: Server,
    amount: int,
    senders: Sequence[str] = ("packet",),
    *,
    ready: Callable[[], object] = lambda: None,
    reports: bool = True,
) -> Run:
    """Send packets and wait for the end.

    :param amount: of each sender.
    :param senders: processes that begin together; the names of their packets begin with these.
    :param ready: called when all processes are about to begin; they begin when it returns.
    :param reports: whether each writes what became of its packets.
    :raises RuntimeError: if one of ours did not send everything.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        workers = [
            stack.enter_context(_Worker(client, Path(folder), sender, server, amount, reports))
            for sender in senders
        ]
        ready()
        for worker in workers:
            worker.begin()
        results = [worker.result() for worker in workers]
        reported = [name for worker in workers for name in worker.reported()]
        ended = Run(server.accepted(), server.requests(), reported, results)
    if client is OURS and ended.errors:
        raise RuntimeError(f"our push failed: {ended.errors}")
    return ended


class _Worker:
    """A process that sends packets: it waits until it is told to begin."""

    def __init__(
        self, client: Client, folder: Path, sender: str, server: Server, amount: int, reports: bool
    ) -> None:
        self._report = folder / f"{sender}.report.jsonl"
        self._process = Process(client.name, client.command, folder / f"{sender}.log")
        self._told = {
            **server.address(),
            "packets": str(write_packets(folder / f"{sender}.jsonl", sender, amount)),
            "report": str(self._report) if reports else None,
            "seconds": _PEER_SECONDS,
        }

    def __enter__(self) -> Self:
        self._process.prepare(self._told)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def begin(self) -> None:
        """Let it send."""
        self._process.begin()

    def result(self) -> dict[str, Any]:
        """Wait for its end and return what it tells."""
        return self._process.result()

    def reported(self) -> list[str]:
        """Return the names of the packets that it says it sent."""
        lines = map(json.loads, self._report.read_text().splitlines() if self._report.exists() else [])
        return [line["name"] for line in lines if line["outcome"] == "sent"]
