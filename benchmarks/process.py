"""A process that is measured: told what to do, then waits for the word to begin, and tells what it took."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parent.parent

_MOST_SECONDS = 1800.0


class Process:
    """Runs as long as the ``with`` block, and no longer than half an hour.

    A line of JSON on its standard input says what to do, the next one to begin. Its first line on standard
    output says that it waits for that, the second one is the result.

    :param name: as shown.
    :param command: of the process.
    :param log: file for what it writes to standard error.
    :param environment: variables beside those of this process.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._name, self._log = name, log
        with log.open("w") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
            )
        self._timer = threading.Timer(_MOST_SECONDS, self._process.kill)
        self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def prepare(self, told: Mapping[str, Any]) -> None:
        """Say what to do, and wait until it is about to begin."""
        self._tell(json.dumps(told))
        self._next_line()

    def begin(self) -> None:
        """Let it begin."""
        self._tell("begin")

    def result(self) -> dict[str, Any]:
        """Wait for its end and return what it tells.

        :raises RuntimeError: if it ended without a result.
        """
        told: dict[str, Any] = json.loads(self._next_line())
        return told

    def kill(self) -> None:
        """Let it die as the kernel kills it."""
        self._process.kill()
        self._process.wait()

    def _tell(self, line: str) -> None:
        pipe = _there(self._process.stdin)
        pipe.write(line + "\n")
        pipe.flush()

    def _next_line(self) -> str:
        line = _there(self._process.stdout).readline()
        if not line:
            self._process.wait()
            raise RuntimeError(f"{self._name} ended early:\n{self._log.read_text()[-2000:]}")
        return line


def _there(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
