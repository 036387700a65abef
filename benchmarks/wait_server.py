"""The server that is waited for, filled with batches; and one that accepts and never answers."""

from __future__ import annotations

import json
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from diffgram_emulator.process import EmulatorProcess

CONNECTION, SILENT = "bench", "bench_silent"

_SENDERS = 8
_QUEUE_CYCLE = 0.2
_WORKERS = 2
_COLLECT_SECONDS = 1.0
_WARM_SECONDS = 30.0


@dataclass(frozen=True)
class Load:
    """What is waited for.

    :param handles: waits.
    :param batches: of each.
    :param inputs: of each batch; they have no instances.
    :param in_vain: waits for the silent server, beside these.
    :param poll_interval: seconds.
    :param quiet_seconds: before the queue begins.
    :param seconds: that the queue then takes, about.
    """

    handles: int
    batches: int
    inputs: int
    in_vain: int
    poll_interval: float
    quiet_seconds: float
    seconds: float

    @property
    def all_inputs(self) -> int:
        """Number of inputs."""
        return self.handles * self.batches * self.inputs


class WaitServer:
    """A Diffgram with batches of inputs that wait in its queue.

    :ivar handles: of the waits.
    :ivar requests: when each request came since :meth:`begin`, in seconds since the epoch, and its path.
    """

    def __init__(self, emulator: EmulatorProcess, load: Load, silent: str) -> None:
        self._emulator, self._silent, self.load = emulator, silent, load
        self._session = requests.Session()
        self._session.auth = (emulator.client_id, emulator.client_secret)
        self._warm = self._handle(1, 1)
        self._until_ingested()
        self._emulator.pause_queue()
        self.handles = [self._handle(load.batches, load.inputs) for _ in range(load.handles)]
        self.requests: list[tuple[float, str]] = []

    def address(self) -> dict[str, Any]:
        """Return what a process that waits must know."""
        return {
            "connection": CONNECTION,
            "silent_connection": SILENT,
            "host": self._emulator.url,
            "silent_host": self._silent,
            "project": self._emulator.project,
            "client_id": self._emulator.client_id,
            "client_secret": self._emulator.client_secret,
            "warm": self._warm,
            "handles": self.handles,
            "inputs": self._inputs(),
            "in_vain": self.load.in_vain,
            "poll_interval": self.load.poll_interval,
        }

    def environment(self, home: Path) -> dict[str, str]:
        """Return the variables of an Airflow process that knows the connections."""
        known = {"conn_type": "diffgram", "schema": self._emulator.project}
        known |= {"login": self._emulator.client_id, "password": self._emulator.client_secret}
        hosts = {CONNECTION: self._emulator.url, SILENT: self._silent}
        connections = {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps({**known, "host": host})
            for name, host in hosts.items()
        }
        return {"AIRFLOW_HOME": str(home), **connections}

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Note the requests that come, and let the queue run after a while."""
        over = threading.Event()
        since = int(self._emulator.requests()["total"])
        threads = [
            threading.Thread(target=self._collect, args=(over, since)),
            threading.Thread(target=self._run_queue, args=(over,)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def completed(self) -> dict[int, float]:
        """Return when the last input of each batch was ingested, in seconds since the epoch.

        :raises RuntimeError: if one was not.
        """
        rows = self._rows("SELECT batch_id, status, time_updated FROM input")
        wrong = {status for _, status, _ in rows} - {"success"}
        if wrong:
            raise RuntimeError(f"inputs ended as {sorted(wrong)}")
        found: dict[int, float] = {}
        for batch_id, _, updated in rows:
            moment = datetime.fromisoformat(updated).replace(tzinfo=UTC).timestamp()
            found[batch_id] = max(moment, found.get(batch_id, 0.0))
        return found

    def _collect(self, over: threading.Event, since: int) -> None:
        last = False
        while not last:
            last = over.wait(_COLLECT_SECONDS)
            for one in self._emulator.requests(since)["latest"]:
                assert one["number"] == since + 1, "requests came faster than they are noted"
                since = int(one["number"])
                self.requests.append((float(one["time"]), str(one["path"])))

    def _run_queue(self, over: threading.Event) -> None:
        if not over.wait(self.load.quiet_seconds):
            self._emulator.pause_queue(False)

    def _handle(self, batches: int, inputs: int) -> dict[str, Any]:
        ids = [self._batch(inputs) for _ in range(batches)]
        return {
            "project": self._emulator.project,
            "directory_id": self._directory_id(),
            "batches": [{"id": batch_id, "inputs": inputs} for batch_id in ids],
            "expected": batches * inputs,
        }

    def _batch(self, inputs: int) -> int:
        batch_id = int(self._post("v1/project/{p}/input-batch/new", {})["input_batch"]["id"])
        packet = {
            "type": "from_text_data",
            "media": {"type": "text"},
            "text_data": "a text",
            "directory_id": self._directory_id(),
            "batch_id": batch_id,
        }
        packets = [
            {**packet, "original_filename": f"text-{batch_id}-{number}.txt"} for number in range(inputs)
        ]
        with ThreadPoolExecutor(_SENDERS) as pool:
            list(pool.map(lambda each: self._post("walrus/v1/project/{p}/input/packet", each), packets))
        return batch_id

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        url = f"{self._emulator.url}/api/{path.format(p=self._emulator.project)}"
        answer = self._session.post(url, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _directory_id(self) -> int:
        ((found,),) = self._rows("SELECT min(id) FROM directory")
        return int(found)

    def _inputs(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for batch_id, input_id in self._rows("SELECT batch_id, id FROM input ORDER BY id"):
            found.setdefault(batch_id, []).append(input_id)
        return found

    def _until_ingested(self) -> None:
        deadline = time.monotonic() + _WARM_SECONDS
        while self._rows("SELECT id FROM input WHERE status != 'success'"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"an input was not ingested within {_WARM_SECONDS:.0f} s")
            time.sleep(0.05)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        path = self._emulator.data_dir / "emulator.sqlite"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as base:
            return base.execute(query).fetchall()


@contextmanager
def waited_for(load: Load) -> Iterator[WaitServer]:
    """Start both servers, fill the one that answers, and pause its queue."""
    rows = max(1, round(load.all_inputs / load.seconds * _QUEUE_CYCLE / _WORKERS))
    speed: dict[str, Any] = {
        "cycle": _QUEUE_CYCLE,
        "rows_per_cycle": rows,
        "workers": _WORKERS,
        "image_seconds": 0,
    }
    # What nobody accepts is accepted by the kernel, and never answered.
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with EmulatorProcess.start(rate_limit=False, **speed) as emulator:
            yield WaitServer(emulator, load, host)


@contextmanager
def airflow_home() -> Iterator[Path]:
    """Give a folder for what Airflow keeps, and remove it in the end."""
    with tempfile.TemporaryDirectory(prefix="bench-airflow-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
