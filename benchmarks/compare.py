"""The family ``compare``: a million predictions held against what people left of them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .compare_work import EACH
from .process import ROOT
from .rows import Bar, Row, row

FILES = 100_000
REPEATS = 3

_MOST_SECONDS = 1800.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Compared:
    """What one process took.

    :param seconds: of one core, user and system, from opening the record to the last output.
    :param elapsed_seconds: by the clock.
    :param growth_mib: highest resident memory less that before.
    :param predictions: how many were compared.
    :param ap50: as it was told; None: hotcoco is not installed.
    """

    seconds: float
    elapsed_seconds: float
    growth_mib: float
    predictions: int
    ap50: float | None


def measure(tell: Tell) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    ended = compare(FILES, REPEATS, tell)

    def figure(name: str, unit: str, bar: Bar | None = None) -> Row:
        ours = median(getattr(one, name) for one in ended)
        return row(f"compare.100k_files.{name.replace('growth', 'memory_growth')}", ours, None, unit, bar)

    return [
        figure("seconds", "s", Bar(most=60)),
        figure("elapsed_seconds", "s"),
        figure("growth_mib", "MiB", Bar(most=500)),
    ]


def compare(files: int, repeats: int, tell: Tell) -> list[Compared]:
    """Compare the same files several times, each time in a fresh process.

    :raises RuntimeError: if a process fails, or leaves something out.
    """
    ended = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _run("make", folder, str(files))
        for _ in range(repeats):
            one = Compared(**json.loads(_run("compare", folder)))
            if one.predictions != files * EACH or one.ap50 is None:
                raise RuntimeError(f"not everything was compared: {one}")
            tell(
                f"{one.predictions:,} predictions compared: {one.seconds:.1f} s of a core, "
                f"{one.elapsed_seconds:.1f} s elapsed, {one.growth_mib:.0f} MiB more"
            )
            ended.append(one)
    return ended


def _run(what: str, folder: str, *more: str) -> str:
    command = [sys.executable, "-m", "benchmarks.compare_work", what, str(Path(folder)), *more]
    ended = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=_MOST_SECONDS
    )
    if ended.returncode:
        raise RuntimeError(f"{what} failed:\n{ended.stderr[-2000:]}")
    return ended.stdout
