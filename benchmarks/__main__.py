"""Measure families of figures: ``python -m benchmarks push``; all of them if none is named."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from . import compare, compound, convert, deliver, imports, push, review, wait
from .process import ROOT
from .rows import Row, exit_status, merged, read, table, write
from .workers import PEER_PYTHON

FAMILIES: Mapping[str, Callable[[Callable[[str], None]], list[Row]]] = {
    "push": push.measure,
    "convert": convert.measure,
    "wait": wait.measure,
    "compound": compound.measure,
    "deliver": deliver.measure,
    "review": review.measure,
    "compare": compare.measure,
    "import": imports.measure,
}
PEERS = {
    **dict.fromkeys(("push", "compound", "deliver", "review"), PEER_PYTHON),
    "import": imports.PYTHON,
}
PATH = ROOT / "build" / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the rows, print them; return 1 if one that was measured misses its bar."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("families", nargs="*", help=", ".join(FAMILIES))
    families = parser.parse_args(arguments).families or list(FAMILIES)
    unknown = [family for family in families if family not in FAMILIES]
    if unknown:
        parser.error(f"no such family: {', '.join(unknown)}; there are {', '.join(FAMILIES)}")
    missing = [family for family in families if family in PEERS and not PEERS[family].exists()]
    if missing:
        parser.error(f"peers of {', '.join(missing)} are not installed; make bench does it")
    started = time.monotonic()
    measured: list[Row] = []
    for family in families:
        rows = FAMILIES[family](_tell)
        write(PATH, merged(read(PATH), [family], rows))
        measured += rows
    print(f"\n{table(measured)}\n\n{PATH}, {(time.monotonic() - started) / 60:.0f} min")
    return exit_status(measured)


def _tell(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
