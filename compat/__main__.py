"""``python -m compat``: all rows, or those that ROWS names; build/compat.json."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .environment import StepFailed, Wheels, build_wheels
from .rows import Pair, Row, chosen, interpreter, pinned
from .trial import copy_tree, try_out

BUILD = Path("build")


def row_of(pair: Pair, wheels: Wheels, tree: Path, folder: Path) -> Row:
    """Try a pair and return what became of it."""
    began = time.monotonic()
    reason = ""
    found = interpreter(pair.python)
    if found is None:
        reason = f"there is no Python {pair.python} on this machine"
    else:
        try:
            try_out(pair, found, wheels, tree, folder)
        except (StepFailed, OSError, ValueError) as error:
            reason = str(error)
    return Row(pair.airflow, pair.python, not reason, reason, round(time.monotonic() - began, 1))


def write(rows: Sequence[Row], path: Path) -> None:
    """Put what became of the rows so far in place of what the file told before."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    beside.replace(path)


def main() -> int:
    """Try the rows and return the exit status: 1 if one whose interpreter is there is not ok."""
    signal.signal(signal.SIGTERM, _end)
    wanted = chosen(os.environ.get("ROWS", ""))
    folder = (BUILD / "compat").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    (BUILD / "compat.json").unlink(missing_ok=True)
    wheels = build_wheels(folder / "wheels")
    tree = copy_tree(folder / "tree", wheels.provider)
    print(f"{wheels.provider.name} on {len(wanted)} pairs; logs in {folder}", flush=True)
    rows = []
    for pair in wanted:
        row = row_of(pair, wheels, tree, folder / pair.name)
        rows.append(row)
        write(rows, BUILD / "compat.json")  # a run that is broken off has told what it saw
        version = pinned("apache-airflow", pair.constraints)
        told = "ok" if row.ok else row.reason
        print(f"Airflow {version:8}Python {pair.python:6}{row.seconds:6.0f} s  {told}", flush=True)
    absent = {pair.python for pair in wanted if interpreter(pair.python) is None}
    bad = [row for row in rows if not row.ok and row.python not in absent]
    lacking = f"; this machine has no Python {', '.join(sorted(absent))}" if absent else ""
    print(f"{sum(row.ok for row in rows)} of {len(rows)} rows ok{lacking}")
    return 1 if bad else 0


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
