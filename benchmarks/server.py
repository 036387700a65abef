"""The emulator in a process of its own, and what it says it got."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow_provider_diffgram.emulator.process import EmulatorProcess

from .figures import Accepted

DATASET = "bench"
LABELS = ("cat", "dog", "person")


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

    def accepted(self) -> list[Accepted]:
        """Return the packets that were accepted: the rows of the database, which no client wrote.

        :raises RuntimeError: if the server did not answer as many with 200.
        """
        path = self._emulator.data_dir / "emulator.sqlite"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as base:
            rows = base.execute("SELECT original_filename, created_time FROM input").fetchall()
        found = [
            Accepted(name, datetime.fromisoformat(created).replace(tzinfo=UTC).timestamp())
            for name, created in rows
        ]
        answered = sum(
            one["count"]
            for one in self._emulator.requests()["counts"]
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
