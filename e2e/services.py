"""PostgreSQL and Redis, as long as a ``with`` block, on free ports of 127.0.0.1, with passwords."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chaos.airflow import free_port, until

from .programs import CannotRunError, program

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


class _Service:
    """A process with a folder of its own."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self._log = log
        self._folder = Path(tempfile.mkdtemp(prefix="diffgram-e2e-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
            until(self._answers, f"{type(self).__name__} answers; see {self._log}", _START_SECONDS, 0.2)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _stop(self) -> None:
        if self._process is not None:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                self._process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_STOP_SECONDS)
                    break
        shutil.rmtree(self._folder, ignore_errors=True)


class Postgres(_Service):
    """A PostgreSQL with an empty database ``airflow``, owned by a user of that name."""

    @property
    def address(self) -> str:
        """User, host and database of a URL, without its scheme."""
        return f"airflow:{self.password}@127.0.0.1:{self.port}/airflow"

    def _start(self) -> None:
        self._programs = program("postgres", self._log).parent
        data, password = self._folder / "data", self._folder / "password"
        password.write_text(self.password)
        self._user = _owner()
        if self._user:
            for path in (self._folder, password):
                os.chown(path, self._user["user"], self._user["group"])
        self._run(
            "initdb",
            *("--pgdata", data, "--username", "airflow", "--pwfile", password),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )
        server = [self._programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", self.port]
        server += ["-k", self._folder, "-c", "fsync=off", "-c", "max_connections=300"]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen([str(each) for each in server], **self._options(output))

    def _answers(self) -> bool:
        found = subprocess.run([str(each) for each in self._client("createdb", "airflow")], **self._quiet())
        return found.returncode == 0

    def dump(self, target: Path) -> None:
        """Write all that is in the database as text."""
        self._run("pg_dump", *self._client("pg_dump", "--file", self._folder / "dump.sql", "airflow")[1:])
        shutil.copyfile(self._folder / "dump.sql", target)

    def _client(self, name: str, *arguments: Any) -> list[Any]:
        return [self._programs / name, "-h", "127.0.0.1", "-p", self.port, "-U", "airflow", *arguments]

    def _run(self, name: str, *arguments: Any) -> None:
        with self._log.open("ab") as output:
            command = [str(each) for each in (self._programs / name, *arguments)]
            subprocess.run(command, check=True, timeout=120, **self._options(output))

    def _quiet(self) -> dict[str, Any]:
        return self._options(subprocess.DEVNULL)

    def _options(self, output: Any) -> dict[str, Any]:
        return {
            "cwd": self._folder,
            "env": {"PATH": os.defpath, "PGPASSWORD": self.password, "LC_ALL": "C"},
            "stdin": subprocess.DEVNULL,
            "stdout": output,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
            **self._user,
        }


class Redis(_Service):
    """A Redis that keeps nothing on disk."""

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def _start(self) -> None:
        server = program("redis-server", self._log)
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "dir": self._folder,
        }
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(server), "-"],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert self._process.stdin
        with self._process.stdin as pipe:
            pipe.write("".join(f"{name} {value}\n" for name, value in settings.items()).encode())

    def _answers(self) -> bool:
        tool = program("redis-cli", self._log)
        answer = subprocess.run(
            [tool, "-h", "127.0.0.1", "-p", str(self.port), "ping"],
            env={"REDISCLI_AUTH": self.password},
            capture_output=True,
            check=False,
        )
        return answer.stdout.strip() == b"PONG"


def _owner() -> dict[str, int]:
    """Return who PostgreSQL runs as, which refuses to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid}
    raise CannotRunError("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
