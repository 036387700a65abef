"""Runs the emulator as a separate process, for tests: starts, controls, stops and restarts it.

with EmulatorProcess.start(cycle=0.05) as emulator:
    requests.get(emulator.url + "/api/status")
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

from .store import Credential

FAST: dict[str, Any] = {
    "cycle": 0.02,
    "rows_per_cycle": 4,
    "image_seconds": 0.002,
    "walrus_requests": 40,
    "default_requests": 40,
    "upload_seconds": 0.002,
    "upload_work": 0.0,
    "read_work": 0.0,
    "update_work": 0.0,
    "update_work_per_row": 0.0,
    "settle_seconds": 0.01,
    "settle_per_instance": 0.0005,
    "launch_task_seconds": 0.0,
}
"""Default speeds for tests."""

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class EmulatorError(RuntimeError):
    """The emulator's process did not start, or did not answer."""


@dataclass
class _Handle:
    """The process itself, shared by all views on it."""

    folder: Path
    arguments: list[str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    own_folder: tempfile.TemporaryDirectory[str] | None = None


@dataclass(frozen=True)
class EmulatorProcess:
    """A running emulator, seen from one of its projects.

    :param url: base URL, without a slash at its end.
    :param project: ``project_string_id``.
    :param credentials: by role: ``admin``, ``Editor``, ``Viewer``.
    """

    url: str
    project: str
    credentials: dict[str, Credential] = field(repr=False)
    _handle: _Handle = field(repr=False, compare=False)

    @classmethod
    def start(cls, data_dir: Path | str | None = None, **options: Any) -> EmulatorProcess:
        """Start a process and wait until it serves.

        :param data_dir: folder for all data. None means a temporary one.
        :param options: fields of :class:`.options.Options`, on top of :data:`FAST`.
        """
        own = None
        if data_dir is None:
            own = tempfile.TemporaryDirectory(prefix="diffgram-emulator-", ignore_cleanup_errors=True)
            data_dir = own.name
        options = {**FAST, **options}
        arguments = [] if options.pop("rate_limit", True) else ["--no-rate-limit"]
        port = int(options.pop("port", 0))
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        handle = _Handle(Path(data_dir), arguments, port, own_folder=own)
        return cls._launch(handle)

    @classmethod
    def _launch(cls, handle: _Handle) -> EmulatorProcess:
        handle.folder.mkdir(parents=True, exist_ok=True)
        ready = handle.folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "diffgram_emulator", "--data", str(handle.folder)]
        command += [
            "--port",
            str(handle.port),
            "--ready-file",
            str(ready),
            "--parent",
            str(os.getpid()),
            *handle.arguments,
        ]
        with (handle.folder / "emulator.log").open("ab") as output:
            handle.process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=output, stdin=subprocess.DEVNULL
            )
        facts = _wait_for(ready, handle)
        handle.port = urlsplit(facts["url"]).port or 0
        return cls(facts["url"], facts["project"], _credentials(facts), handle)

    @property
    def client_id(self) -> str:
        """Client id of the admin credential."""
        return self.credentials["admin"].client_id

    @property
    def client_secret(self) -> str:
        """Secret of the admin credential."""
        return self.credentials["admin"].client_secret

    @property
    def data_dir(self) -> Path:
        """The folder with all data."""
        return self._handle.folder

    @property
    def pid(self) -> int | None:
        """Process id, or None after a stop."""
        return None if self._handle.process is None else self._handle.process.pid

    @property
    def is_running(self) -> bool:
        """Return whether the process is running."""
        return self._handle.process is not None and self._handle.process.poll() is None

    def connection_uri(self, role: str = "admin") -> str:
        """Return an Airflow connection URI; it contains the secret."""
        one = self.credentials[role]
        user, host = f"{quote(one.client_id, '')}:{quote(one.client_secret, '')}", urlsplit(self.url).netloc
        return f"diffgram://http://{user}@{host}/{quote(self.project, '')}"

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Call a control route (see :mod:`.control`) and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/emulator/{path}", data=data, method=method or ("GET" if body is None else "POST")
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def fault(self, match: str, kind: str, **values: Any) -> None:
        """Add a fault of requests (see :mod:`.faults`)."""
        self.control("faults", {"match": match, "kind": kind, **values})

    def release(self) -> None:
        """Let held requests continue."""
        self.control("release", {})

    def row_fault(self, match: str, kind: str, **values: Any) -> None:
        """Add a fault of rows of the queue (see :mod:`.faults`)."""
        self.control("rows", {"match": match, "kind": kind, **values})

    def refuse(self, seconds: float) -> None:
        """Refuse connections for a while, from now on, even control requests."""
        self.fault("", "refuse", seconds=seconds)

    def tune(self, **options: Any) -> None:
        """Change options while it runs (see :data:`.options.TUNABLE`), until a reset."""
        self.control("options", options)

    def lock(self, file_id: int, locked: bool = True) -> None:
        """Lock a file, so that saving its instances is refused, or unlock it."""
        self.control("locks", {"file_id": file_id, "locked": locked})

    def kill_worker(self, number: int = 0) -> None:
        """Kill a worker process. Its rows stay as they are; a reset replaces the process but not the rows."""
        self.control("workers", {"kill_process": number})

    def kill_thread(self, number: int = 0) -> None:
        """Kill one ingest thread of a worker process."""
        self.control("workers", {"kill_thread": number})

    def requests(self, since: int | None = None) -> dict[str, Any]:
        """Return the requests that came (see :mod:`.counters`).

        :param since: the number of a request; later ones are then listed too.
        """
        found: dict[str, Any] = self.control("requests" if since is None else f"requests?since={since}")
        return found

    def with_project(
        self, name: str, labels: Sequence[str] = (), datasets: Sequence[str] = ()
    ) -> EmulatorProcess:
        """Return a view of another project in the same process, which is created if it does not exist.

        :param labels: labels to add to its default schema.
        :param datasets: datasets to add.
        """
        body = {"name": name, "labels": list(labels), "datasets": list(datasets)}
        return replace(self, project=name, credentials=_credentials(self.control("projects", body)))

    def reset(self) -> None:
        """Clear faults, counters and limits, undo ``tune``, replace dead workers, and resume the queue."""
        self.control("reset", {})

    def pause_queue(self, paused: bool = True) -> None:
        """Make rows wait, or resume."""
        self.control("queue", {"paused": paused})

    def stop(self, kill: bool = False) -> None:
        """Stop the process.

        :param kill: whether to use SIGKILL, as in a crash.
        """
        process = self._handle.process
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._handle.process = None

    def restart(self, kill: bool = False) -> EmulatorProcess:
        """Stop the process and start it again with the same data and port; the credentials stay the same."""
        self.stop(kill)
        return replace(self._launch(self._handle), project=self.project, credentials=self.credentials)

    def __enter__(self) -> EmulatorProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._handle.own_folder is not None:
            self._handle.own_folder.cleanup()


def _credentials(facts: dict[str, Any]) -> dict[str, Credential]:
    return {
        role: Credential(one["client_id"], one["client_secret"], role)
        for role, one in facts["credentials"].items()
    }


def _wait_for(ready: Path, handle: _Handle) -> dict[str, Any]:
    """Return what the ready file says, once it is there."""
    process = handle.process
    assert process is not None
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            facts: dict[str, Any] = json.loads(ready.read_text())
            return facts
        time.sleep(0.01)
    process.kill()
    process.wait()
    tail = (handle.folder / "emulator.log").read_text(errors="replace")[-2000:]
    raise EmulatorError(f"the emulator did not start (exit {process.returncode}):\n{tail}")
