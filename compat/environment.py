"""The wheels, and environments of their own for them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")

Command = Sequence[str | Path]


class StepFailed(Exception):
    """A command did not succeed."""


def run(
    command: Command,
    log: Path,
    what: str,
    seconds: float = 1800.0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command whose output goes to ``log``, in a session of its own that ends with it.

    :param what: it is to do, in words.
    :param seconds: after which it is ended.
    :raises StepFailed: naming the last line it wrote, if it fails or takes too long.
    """
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        output.flush()
        child = subprocess.Popen(
            [str(each) for each in command],
            cwd=cwd,
            env=dict(clean_environment() if env is None else env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"{what}: still not done after {seconds:.0f} s; see {log}") from None
        finally:
            _end_session(child)
    if status:
        raise StepFailed(f"{what}: {last_words(log.read_text(errors='replace')) or f'status {status}'}")


def problem_of(command: Command, log: Path, what: str, *others: Any) -> str:
    """Run a command as :func:`run` does and return what was wrong, nothing if it succeeded."""
    try:
        run(command, log, what, *others)
    except StepFailed as error:
        return str(error)
    return ""


def _end_session(child: subprocess.Popen[bytes]) -> None:
    """End what a command started and left behind: its session is a process group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def last_words(log: str) -> str:
    """Return the last line of a log that says something; where tests failed, the first of them before it."""
    lines = [line for each in log.splitlines() if (line := each.strip(" =\r"))]
    failed = next((line for line in lines if line.startswith(("FAILED ", "ERROR "))), "")
    return "; ".join(line[:300] for line in (failed, *lines[-1:]) if line)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without anything that belongs to an Airflow or an environment."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "DIFFGRAM_"))
        and name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS")
    }


@dataclass(frozen=True)
class Wheels:
    """What this repository builds: the provider, and the emulator that its tests and demo talk to."""

    provider: Path
    emulator: Path

    def requirements(self, extras: str) -> list[str]:
        """Return what installs both, as pip takes it, the provider with extras."""
        return [
            f"airflow-provider-diffgram[{extras}] @ {self.provider.resolve().as_uri()}",
            f"diffgram-emulator @ {self.emulator.resolve().as_uri()}",
        ]


def build_wheels(folder: Path) -> Wheels:
    """Build both packages and return their wheels."""
    return Wheels(_built(ROOT, folder / "provider"), _built(ROOT / "emulator", folder / "emulator"))


def _built(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "build.log"
    for old in folder.glob("*.whl"):
        old.unlink()
    with_pip: Command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder,
        source,
    ]
    with_uv: Command = [UV, "build", "--quiet", "--wheel", "--out-dir", folder, source]
    _first_that_works([with_uv, with_pip], log, "build")
    return next(folder.glob("*.whl"))


def make(folder: Path, interpreter: Path, requirements: Sequence[str], constraints: Path, log: Path) -> Path:
    """Make an environment with what is required in it, and return its Python.

    :param requirements: as pip takes them.
    :param constraints: versions that are pinned.
    :raises StepFailed: if that cannot be.
    """
    run([interpreter, "-m", "venv", "--clear", folder], log, "venv")
    python = folder / "bin" / "python"
    pins: Command = ["--quiet", "--constraint", constraints, *requirements]
    with_uv: Command = [UV, "pip", "install", "--python", python, *pins]
    with_pip: Command = [python, "-m", "pip", "install", "--disable-pip-version-check", *pins]
    _first_that_works([with_uv, with_pip], log, "install")
    return python


def _first_that_works(commands: Sequence[Command], log: Path, what: str) -> None:
    """uv is quicker; pip knows this machine's settings."""
    for command in commands[:-1]:
        try:
            return run(command, log, what)
        except (StepFailed, OSError):
            continue
    return run(commands[-1], log, what)
