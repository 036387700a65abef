"""The Diffgram that the demo talks to: one named by the environment, or the emulator."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from airflow_provider_diffgram.client import DiffgramClient, Settings
from diffgram_emulator.process import EmulatorProcess

VARIABLES = ("DIFFGRAM_URL", "DIFFGRAM_PROJECT", "DIFFGRAM_CLIENT_ID", "DIFFGRAM_CLIENT_SECRET")

_PORT = "port"
_PORTS = range(20_000, 30_000)
"""Below those that systems hand out by themselves: one of them may be another's at the next run."""

PACE = {"cycle": 1.0, "rows_per_cycle": 2}
"""How the emulator looks into its queue: slow enough for a wait to be one."""


@dataclass(frozen=True)
class Server:
    """Address and credential of a Diffgram.

    :param what: what it is, in words.
    :param is_local: whether it can fetch media from 127.0.0.1.
    :param process: the emulator, in which a person can be made; None for a Diffgram of your own.
    """

    url: str
    project: str
    client_id: str
    client_secret: str = field(repr=False)
    what: str = "Diffgram"
    is_local: bool = False
    process: EmulatorProcess | None = field(default=None, repr=False, compare=False)

    def client(self) -> DiffgramClient:
        """Return a client of it; close it after use."""
        return DiffgramClient(Settings(self.url, self.project, self.client_id, self.client_secret))


def from_environment() -> Server | None:
    """Return the server that the four DIFFGRAM_ variables name, or None if none of them is set.

    :raises ValueError: if only some are set: a demo must not fall back to the emulator by a typing error.
    """
    values = [os.environ.get(name) for name in VARIABLES]
    if not any(values):
        return None
    missing = [name for name, value in zip(VARIABLES, values, strict=True) if not value]
    if missing:
        raise ValueError(f"to use a Diffgram of your own, set {', '.join(missing)} too")
    url, project, client_id, client_secret = (value or "" for value in values)
    return Server(url, project, client_id, client_secret)


@contextmanager
def running(data: Path) -> Iterator[Server]:
    """Yield the server named by the environment, or an emulator that keeps its state in ``data``."""
    named = from_environment()
    if named is not None:
        yield named
        return
    with emulator(data) as server:
        yield server


@contextmanager
def emulator(data: Path) -> Iterator[Server]:
    """Yield an emulator on 127.0.0.1, on the port of the last run if that is free, and end it afterwards."""
    with EmulatorProcess.start(data_dir=data, port=_port(data), **PACE) as process:
        (data / _PORT).write_text(str(urlsplit(process.url).port))
        yield Server(
            process.url,
            process.project,
            process.client_id,
            process.client_secret,
            what="Diffgram emulator",
            is_local=True,
            process=process,
        )


def _port(data: Path) -> int:
    """Return the port of the last run if it is free, so that addresses from then still hold; else another."""
    kept = data / _PORT
    tried = [int(kept.read_text())] if kept.exists() else []
    tried += random.sample(_PORTS, 20)
    return next(filter(_is_free, tried), 0)


def _is_free(port: int) -> bool:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
