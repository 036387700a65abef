"""The emulator in a process of its own, and what it says it got."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from diffgram_emulator.process import EmulatorProcess

from .figures import Accepted

DATASET = "bench"
LABELS = ("cat", "dog", "person")

_UPLOAD = "/input/from_local"
_HELD_SECONDS = 120.0
_POLL = 0.02
_UNDER_WAY_SECONDS = 0.5


class Server:
    """A fresh Diffgram that accepts packets and ingests none.

    :param emulator: seen from the project to send to.
    """

    def __init__(self, emulator: EmulatorProcess) -> None:
        self._emulator = emulator

    def address(self) -> dict[str, Any]:
        """Return what a client must know."""
        return {
            "host": self._emulator.url,
            "project": self._emulator.project,
            "client_id": self._emulator.client_id,
            "client_secret": self._emulator.client_secret,
            "dataset": DATASET,
        }

    def requests(self) -> int:
        """Return how many HTTP requests came to the API."""
        return int(self._emulator.requests()["total"])

    def uploads(self) -> int:
        """Return how many requests came that upload a whole file."""
        return sum(one["count"] for one in self._counts() if one["path"].endswith(_UPLOAD))

    def children(self) -> list[tuple[str, int]]:
        """Return name and ordinal of the children of all compound files that are there."""
        query = (
            "SELECT original_filename, ordinal FROM file WHERE parent_id IS NOT NULL AND state != 'removed'"
        )
        return [(str(name), int(ordinal)) for name, ordinal in self._rows(query)]

    def stored(self, name: str) -> int:
        """Return how many inputs of that name wait with all of their bytes, or have become a file."""
        query = "SELECT original_filename, processing_deferred, file_id FROM input"
        return sum(found == name and bool(deferred or file) for found, deferred, file in self._rows(query))

    def hold_uploads(self, after: int) -> None:
        """Take all uploads, and leave those after so many without an answer."""
        self._emulator.fault(f"{_UPLOAD}$", "timeout_after", skip=after, times=None)

    def until_held(self) -> None:
        """Wait until an upload is held.

        :raises RuntimeError: if that takes two minutes.
        """
        deadline = time.monotonic() + _HELD_SECONDS
        while not any(one["status"] is None for one in self._counts()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"no upload was held within {_HELD_SECONDS:.0f} s")
            time.sleep(_POLL)

    def release_uploads(self) -> None:
        """Hold none any more, once those under way have come in."""
        before = -1
        while before != (before := self.requests()):
            time.sleep(_UNDER_WAY_SECONDS)
        self._emulator.control("faults", method="DELETE")

    def _counts(self) -> list[dict[str, Any]]:
        counts: list[dict[str, Any]] = self._emulator.requests()["counts"]
        return counts

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self._emulator.data_dir / "emulator.sqlite"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as base:
            return base.execute(query).fetchall()

    def accepted(self) -> list[Accepted]:
        """Return the packets that were accepted: the rows of the database, which no client wrote.

        :raises RuntimeError: if the server did not answer as many with 200.
        """
        rows = self._rows("SELECT original_filename, created_time FROM input")
        found = [
            Accepted(name, datetime.fromisoformat(created).replace(tzinfo=UTC).timestamp())
            for name, created in rows
        ]
        answered = sum(
            one["count"]
            for one in self._counts()
            if one["path"].endswith("/input/packet") and one["status"] == 200
        )
        if answered != len(found):
            raise RuntimeError(f"{answered} packets were answered with 200, but {len(found)} are stored")
        return found


@contextmanager
def serving(latency_ms: float = 0, *, rate_limit: bool = True) -> Iterator[Server]:
    """Start a server.

    :param latency_ms: what every request waits before it is looked at.
    :param rate_limit: whether it admits 20 packets a second, or as many as come.
    """
    with EmulatorProcess.start(rate_limit=rate_limit) as emulator:
        emulator.pause_queue()
        project = emulator.with_project(emulator.project, labels=LABELS, datasets=[DATASET])
        if latency_ms:
            project.fault(".", "latency", times=None, seconds=latency_ms / 1000)
        yield Server(project)
