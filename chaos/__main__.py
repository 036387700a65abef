"""``python -m chaos``: all cases, or those that CASES names; figures in build/chaos.json."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from types import FrameType

from .airflow import ROOT, Airflow
from .cases import all_cases
from .judge import Row
from .pictures import Pictures
from .stage import Case, Stage
from .storage_provider import install
from .store import ADDRESS, Store

BUILD = Path("build")
AT_ONCE = 3


def chosen(cases: Mapping[str, Case], wanted: str) -> list[Case]:
    """Return the cases that a list of patterns names, all for an empty one.

    :param wanted: such as ``url.*,append.cleared``.
    :raises SystemExit: for a pattern that names none.
    """
    patterns = [each.strip() for each in wanted.split(",") if each.strip()]
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in cases):
            raise SystemExit(f"no case is named {pattern!r}; there are {', '.join(cases)}")
    return [
        case for name, case in cases.items() if not patterns or any(fnmatch(name, each) for each in patterns)
    ]


def play(case: Case, airflow: Airflow, folder: Path, pictures: str, store: Store) -> tuple[Row, str]:
    """Play a case and return its figures, and what kept it from its end, if anything."""
    began = time.monotonic()
    problem = ""
    try:
        with Stage(case, airflow, folder / case.name, pictures, store) as stage:
            try:
                case.act(stage)
            except Exception as error:  # noqa: BLE001  # whatever happened, the state is judged
                problem = f"{type(error).__name__}: {error}"
            row = stage.judged()
    except Exception as error:  # noqa: BLE001
        row, problem = Row(case.name), f"{problem} {type(error).__name__}: {error}".strip()
    if problem and row.is_clean:
        row.unknown = case.amount  # it did not come to what it is to prove
    print(_line(row, time.monotonic() - began), problem, flush=True)
    return row, problem


def main() -> int:
    """Play the cases and return the exit status."""
    signal.signal(signal.SIGTERM, _end)
    cases = chosen(all_cases(), os.environ.get("CASES", ""))
    folder = (BUILD / "chaos").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    print(f"{len(cases)} cases; logs in {folder}", flush=True)
    providers = folder / "providers"
    install(providers)
    with Pictures() as pictures, Store() as store:
        settings = {ADDRESS: store.address, "PYTHONPATH": os.pathsep.join(map(str, (providers, ROOT)))}
        with Airflow(folder / "airflow", settings=settings) as airflow, ThreadPoolExecutor(AT_ONCE) as pool:
            print(f"Airflow is up after {time.monotonic() - began:.0f} s\n{_head()}", flush=True)
            played = list(pool.map(lambda case: play(case, airflow, folder, pictures.url, store), cases))
    rows = [row for row, _ in played]
    (BUILD / "chaos.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    bad = [row.case for row in rows if not row.is_clean]
    print(f"{len(rows)} cases in {time.monotonic() - began:.0f} s; not clean: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


def _head() -> str:
    return _columns("case", Row("").figures)


def _line(row: Row, seconds: float) -> str:
    taken = f", {row.taken_by_pages} taken by old pages" if row.taken_by_pages else ""
    return f"{_columns(row.case, map(str, row.figures.values()))} {seconds:5.1f} s{taken}"


def _columns(first: str, others: Iterable[str]) -> str:
    return f"{first:30}" + "".join(f"{each:>15}" for each in others)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
