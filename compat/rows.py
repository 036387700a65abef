"""The pairs of Airflow and Python that are supported, and where their interpreters are."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent

LINES: Mapping[str, tuple[str, ...]] = {
    "2.11": ("3.11", "3.12"),
    "3.0": ("3.11", "3.12"),
    "3.1": ("3.11", "3.12", "3.13"),
    "3.2": ("3.11", "3.12", "3.13"),
    "3.3": ("3.11", "3.12", "3.13"),
}
"""Line of Airflow -> versions of Python, oldest first."""

_IS_FIT = "import ensurepip, json, sys, venv; print(json.dumps([sys.executable, *sys.version_info[:2]]))"


@dataclass(frozen=True)
class Pair:
    """A line of Airflow on a version of Python.

    :param airflow: such as ``3.3``.
    :param python: such as ``3.13``.
    """

    airflow: str
    python: str

    @property
    def name(self) -> str:
        """What ``ROWS`` calls it."""
        return f"{self.airflow}-{self.python}"

    @property
    def constraints(self) -> Path:
        """The pinned versions of everything that is installed with it."""
        return ROOT / "constraints" / f"airflow-{self.airflow}.txt"

    @property
    def is_newest(self) -> bool:
        """Whether nothing supported is newer."""
        line = list(LINES)[-1]
        return (self.airflow, self.python) == (line, LINES[line][-1])


@dataclass(frozen=True)
class Row:
    """What became of a pair.

    :param reason: why it is not ok; empty if it is.
    :param seconds: that it took.
    """

    airflow: str
    python: str
    ok: bool
    reason: str
    seconds: float


def pairs() -> list[Pair]:
    """Return all pairs, oldest first."""
    return [Pair(line, python) for line, pythons in LINES.items() for python in pythons]


def chosen(wanted: str) -> list[Pair]:
    """Return the pairs that a list of patterns names, all for an empty one.

    :param wanted: such as ``2.11-3.11,3.3-*``.
    :raises SystemExit: for a pattern that names none.
    """
    patterns = [each.strip() for each in wanted.split(",") if each.strip()]
    every = pairs()
    names = [pair.name for pair in every]
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            raise SystemExit(f"no row is named {pattern!r}; there are {', '.join(names)}")
    return [pair for pair in every if not patterns or any(fnmatch(pair.name, each) for each in patterns)]


def pinned(package: str, constraints: Path) -> str:
    """Return the version of a package that a file of constraints pins.

    :raises ValueError: if it pins none.
    """
    found = re.search(rf"^{re.escape(package)}==([^\s;]+)", constraints.read_text(), re.MULTILINE)
    if not found:
        raise ValueError(f"{constraints.name} does not pin {package}; make lock remakes it")
    return found[1]


def interpreter(python: str) -> Path | None:
    """Return an interpreter of that version that can make environments, None if the machine has none."""
    return first_fit(python, _candidates(python))


def first_fit(python: str, candidates: Iterable[Path]) -> Path | None:
    """Return the first of some programs that is an interpreter of that version with venv and pip."""
    for candidate in candidates:
        try:
            answer = subprocess.run([candidate, "-c", _IS_FIT], capture_output=True, timeout=60, check=True)
            executable, *version = json.loads(answer.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):  # a shim of a version that is not there
            continue
        if ".".join(map(str, version)) == python:
            return Path(executable)
    return None


def _candidates(python: str) -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and (path := Path(folder, f"python{python}")).is_file():
            yield path
    yield from _of_pyenv(python)


def _of_pyenv(python: str) -> Sequence[Path]:
    try:
        answer = subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return sorted(Path(answer.stdout.strip()).glob(f"versions/{python}.*/bin/python"), reverse=True)
