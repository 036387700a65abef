"""Processes that send packets: ours, and the official client's in its own environment."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from .figures import Accepted
from .packets import write_packets
from .server import Server

ROOT = Path(__file__).resolve().parent.parent
PEER_PYTHON = ROOT / "build" / "peer" / "bin" / "python"

_MOST_SECONDS = 1800.0
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
        self._client = client
        self._report, self._log = folder / f"{sender}.report.jsonl", folder / f"{sender}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                client.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
            )
        self._timer = threading.Timer(_MOST_SECONDS, self._process.kill)
        self._timer.start()
        self._told = {
            **server.address(),
            "packets": str(write_packets(folder / f"{sender}.jsonl", sender, amount)),
            "report": str(self._report) if reports else None,
            "seconds": _PEER_SECONDS,
        }

    def __enter__(self) -> Self:
        self._tell(json.dumps(self._told))
        self._next_line()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def begin(self) -> None:
        """Let it send."""
        self._tell("begin")

    def result(self) -> dict[str, Any]:
        """Wait for its end and return what it tells."""
        told: dict[str, Any] = json.loads(self._next_line())
        return told

    def reported(self) -> list[str]:
        """Return the names of the packets that it says it sent."""
        lines = map(json.loads, self._report.read_text().splitlines() if self._report.exists() else [])
        return [line["name"] for line in lines if line["outcome"] == "sent"]

    def _tell(self, line: str) -> None:
        pipe = _there(self._process.stdin)
        pipe.write(line + "\n")
        pipe.flush()

    def _next_line(self) -> str:
        line = _there(self._process.stdout).readline()
        if not line:
            self._process.wait()
            raise RuntimeError(f"{self._client.name} ended early:\n{self._log.read_text()[-2000:]}")
        return line


def _there(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
