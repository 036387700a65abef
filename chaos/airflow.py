"""A whole Airflow, from its own commands, and its DAG runs."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

ROOT = Path(__file__).parent.parent
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server", "--workers", "1"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
DAGS = {
    "chaos_push",
    "chaos_serialised_append",
    "chaos_serialised_replace",
    "chaos_generate",
    "chaos_children",
    "chaos_compound",
    "chaos_compound_singly",
    "chaos_mapped",
    "chaos_review",
    "chaos_wait",
    "chaos_wait_handle",
    "chaos_wait_itself",
}

_START_SECONDS = 600.0
_CALL_SECONDS = 60.0
_POLL = 0.2
_TRIES = 5
_ENDED = ("success", "failed")


class ChaosError(Exception):
    """A case could not do what it is to do."""


def until(check: Callable[[], Any], what: str, seconds: float, poll: float = 0.02) -> Any:
    """Return the first true answer of ``check``.

    :raises ChaosError: if there is none in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = check()
        if answer:
            return answer
        time.sleep(poll)
    raise ChaosError(f"after {seconds:.0f} s still not: {what}")


class Airflow:
    """Runs as long as the ``with`` block; everything it keeps is in ``home``.

    :param home: its folder.
    :param parallelism: tasks at once.
    :param python: interpreter of the environment that Airflow is in.
    :param components: arguments of the commands that it consists of, by name.
    :param dag_ids: DAGs that it has to know before it is used.
    :param settings: environment variables beside, and instead of, the usual ones.
    :ivar url: base URL.
    :ivar processes: its commands, each the leader of a session, by name.
    """

    def __init__(
        self,
        home: Path,
        parallelism: int = 12,
        python: Path = Path(sys.executable),
        components: Mapping[str, Sequence[str]] = COMPONENTS,
        dag_ids: Collection[str] = DAGS,
        settings: Mapping[str, str] = {},
    ) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{free_port()}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._command = [str(python), "-m", "airflow"]
        self._components = components
        self._dag_ids = set(dag_ids)
        self._environment = {**_environment(home, self.url, parallelism), **settings}
        self._token = ""
        self._triggerer = threading.Lock()

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True)
        migrate = [*self._command, "db", "migrate"]
        subprocess.run(migrate, check=True, **self._options("db-migrate"))
        try:
            for name in self._components:
                self.start(name)
            until(self._is_ready, f"Airflow serves and knows the DAGs; see {self.home}", _START_SECONDS, 0.5)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str) -> None:
        """Start one of the components."""
        command = [*self._command, *self._components[name]]
        self.processes[name] = subprocess.Popen(
            command,
            start_new_session=True,
            # Background jobs of a shell ignore it, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **self._options(name),
        )

    def stop(self) -> None:
        """End all processes: each component's session is a process group of its own."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self.processes.values():
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    continue
            deadline = time.monotonic() + 5
            for process in self.processes.values():
                try:
                    process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    continue

    @contextmanager
    def without_triggerer(self) -> Iterator[None]:
        """Let the triggerer die as the kernel kills it, and start another one in the end.

        One case at a time does so.
        """
        with self._triggerer:
            process = self.processes["triggerer"]
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            try:
                yield
            finally:
                self.start("triggerer")

    def _options(self, name: str) -> dict[str, Any]:
        log = (self.home / f"{name}.log").open("ab")
        return {
            "cwd": self.home,
            "env": self._environment,
            "stdin": subprocess.DEVNULL,
            "stdout": log,
            "stderr": subprocess.STDOUT,
        }

    def _is_ready(self) -> bool:
        dead = [name for name, each in self.processes.items() if each.poll() is not None]
        if dead:
            raise ChaosError(f"Airflow ended early: {dead}; see the logs in {self.home}")
        try:
            self._token = self._token or self._new_token()
        except OSError:
            return False
        errors = self.call("GET", "importErrors")["import_errors"]
        if errors:
            raise ChaosError(errors[0]["stack_trace"])
        listed = self.call("GET", "dags?limit=100")["dags"]
        return {each["dag_id"] for each in listed} >= self._dag_ids

    def _new_token(self) -> str:
        with urllib.request.urlopen(f"{self.url}/auth/token", timeout=5) as answer:
            return str(json.load(answer)["access_token"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the public REST API and return its answer; again where SQLite or the machine was busy."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        for _ in range(_TRIES):
            try:
                with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                told = ChaosError(f"{method} {path}: {error.code} {error.read()[:500]!r}")
                if error.code < 500:
                    raise told from error
            except TimeoutError as error:
                told = ChaosError(f"{method} {path}: no answer in {_CALL_SECONDS:.0f} s")
                if method != "GET":
                    raise told from error
            time.sleep(1)
        raise told

    def connect(self, name: str, **fields: Any) -> None:
        """Make a connection of type ``diffgram``."""
        extra = json.dumps(fields.pop("extra", {}))
        self.call(
            "POST", "connections", {"connection_id": name, "conn_type": "diffgram", "extra": extra, **fields}
        )

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> DagRun:
        """Start a DAG run."""
        body = {"logical_date": None, "conf": dict(conf)}
        answer = self.call("POST", f"dags/{dag_id}/dagRuns", body)
        return DagRun(self, dag_id, answer["dag_run_id"])


@dataclass(frozen=True)
class DagRun:
    """A DAG run.

    :param airflow: that runs it.
    """

    airflow: Airflow = field(repr=False)
    dag_id: str
    run_id: str

    @property
    def _path(self) -> str:
        return f"dags/{self.dag_id}/dagRuns/{quote(self.run_id, '')}"

    def info(self) -> dict[str, Any]:
        """Return state, start_date, end_date and more."""
        found: dict[str, Any] = self.airflow.call("GET", self._path)
        return found

    def task(self, task_id: str) -> dict[str, Any]:
        """Return the state, process id and number of attempts of a task, and more."""
        found: dict[str, Any] = self.airflow.call("GET", f"{self._path}/taskInstances/{task_id}")
        return found

    def ended(self, seconds: float = 240.0) -> str:
        """Wait until the run has ended, and return its state."""

        def state() -> str | None:
            found = str(self.info()["state"])
            return found if found in _ENDED else None

        return str(until(state, f"run {self.run_id} of {self.dag_id} ended", seconds, _POLL))

    def deferred(self, task_id: str = "wait") -> None:
        """Wait until a task waits in the triggerer.

        :raises ChaosError: if it does not come to that.
        """

        def is_deferred() -> bool:
            try:
                return bool(self.task(task_id)["state"] == "deferred")
            except ChaosError:  # not scheduled yet
                return False

        until(is_deferred, f"{task_id} of {self.run_id} is deferred", 120, _POLL)

    def pid(self, task_id: str = "send") -> int:
        """Return the process of a task that is running."""

        def running() -> int | None:
            try:
                found = self.task(task_id)
            except ChaosError:  # not scheduled yet
                return None
            return found["pid"] if found["state"] == "running" and found["pid"] else None

        return int(until(running, f"{task_id} of {self.run_id} is running", 60, _POLL))

    def kill(self, task_id: str = "send") -> None:
        """Let the process of a task die as the kernel kills it, without a word."""
        os.kill(self.pid(task_id), signal.SIGKILL)

    def kill_worker(self, task_id: str = "send") -> None:
        """Let the process of a task die together with the worker process that watches it."""
        pid = self.pid(task_id)
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)

    def freeze(self, task_id: str = "send") -> int:
        """Stop the process of a task where it is: what is answered now is never read unless it is resumed."""
        pid = self.pid(task_id)
        os.kill(pid, signal.SIGSTOP)
        return pid

    def clear(self) -> None:
        """Clear all tasks of the run, as a person does."""
        body = {"dag_run_id": self.run_id, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        self.airflow.call("POST", f"dags/{self.dag_id}/clearTaskInstances", body)

    def mark_failed(self, task_id: str = "send") -> None:
        """Mark a running task failed, as a person does: Airflow then ends it with SIGTERM."""
        body = {"new_state": "failed"}
        self.airflow.call("PATCH", f"{self._path}/taskInstances/{task_id}", body)

    def result(self, task_id: str) -> Any:
        """Return what a task returned; None if it returned nothing."""
        path = f"{self._path}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
        try:
            return self.airflow.call("GET", path)["value"]
        except ChaosError:
            return None

    def log(self) -> str:
        """Return the logs of all attempts of all tasks."""
        return "".join(self.logs())

    def logs(self) -> list[str]:
        """Return the log of each attempt of each task."""
        folder = self.airflow.home / "logs" / f"dag_id={self.dag_id}" / f"run_id={self.run_id}"
        return [path.read_text(errors="replace") for path in sorted(folder.rglob("attempt=*.log"))]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _environment(home: Path, base: str, parallelism: int) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "DIFFGRAM_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": base.rpartition(":")[2],
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "chaos" / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "99",
        "AIRFLOW__CORE__PARALLELISM": str(parallelism),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
