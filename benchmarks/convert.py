"""The family ``convert``: COCO results to packets, beside a loop over dictionaries that does the same."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .coco import write_coco
from .process import ROOT
from .rows import Bar, Row, row

IMAGES = 100_000
BOXES_EACH = 10
REPEATS = 3

_MOST_SECONDS = 1800.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Conversion:
    """What one process took.

    :param seconds: of one core, user and system, from opening the files to the last packet.
    :param elapsed_seconds: by the clock; the same where nothing else wants the core.
    :param growth_mib: highest resident memory less that before.
    :param packets: how many came out.
    :param instances: how many are in them.
    """

    seconds: float
    elapsed_seconds: float
    growth_mib: float
    packets: int
    instances: int


def measure(tell: Tell) -> list[Row]:
    """Return the rows of the family; say on the way what was measured."""
    ours, naive = alternate(IMAGES, BOXES_EACH, REPEATS, tell)

    def figure(name: str, unit: str, bar: Bar | None = None) -> Row:
        ours_is, naive_is = (median(getattr(one, name) for one in ended) for ended in (ours, naive))
        return row(f"convert.coco_1m.{name.replace('growth', 'memory_growth')}", ours_is, naive_is, unit, bar)

    return [
        figure("seconds", "s", Bar(most=30)),
        figure("elapsed_seconds", "s"),
        figure("growth_mib", "MiB", Bar(most=200)),
    ]


def alternate(
    images: int, boxes_each: int, repeats: int, tell: Tell
) -> tuple[list[Conversion], list[Conversion]]:
    """Convert the same results in both ways in turn, each time in a fresh process.

    :raises RuntimeError: if the two ways do not come to the same numbers, so that they cannot be compared.
    """
    ours: list[Conversion] = []
    naive: list[Conversion] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        write_coco(Path(folder), images, boxes_each)
        for _ in range(repeats):
            for way, ended in (("ours", ours), ("naive", naive)):
                ended.append(_convert(way, folder))
                tell(f"{images * boxes_each:,} COCO boxes · {way}: {_told(ended[-1])}")
    if len({(one.packets, one.instances) for one in [*ours, *naive]}) != 1:
        raise RuntimeError(f"not the same packets: {ours}, {naive}")
    return ours, naive


def _convert(way: str, folder: str) -> Conversion:
    command = [sys.executable, "-m", "benchmarks.coco", way, folder]
    ended = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=_MOST_SECONDS
    )
    if ended.returncode:
        raise RuntimeError(f"{way} failed:\n{ended.stderr[-2000:]}")
    return Conversion(**json.loads(ended.stdout))


def _told(one: Conversion) -> str:
    return (
        f"{one.seconds:.1f} s of a core, {one.elapsed_seconds:.1f} s elapsed, {one.growth_mib:.0f} MiB more, "
        f"{one.instances:,} instances in {one.packets:,} packets"
    )
