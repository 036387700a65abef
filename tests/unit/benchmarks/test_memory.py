"""The memory that a measured process takes: its own, and no more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.process import Process

GROWS = """
import json, sys
from benchmarks.memory import Growth

told = json.loads(sys.stdin.readline())
before = bytearray(told["before_mib"] << 20)
del before
print("ready", flush=True)
sys.stdin.readline()
growth = Growth()
kept = [bytearray(1 << 20) for _ in range(told["mib"])]
kept.clear()
print(json.dumps({"growth_mib": growth.mib}), flush=True)
"""


@pytest.fixture
def large() -> bytearray:
    """This process has 300 MiB in memory, as one has that has measured other things before."""
    return bytearray(b"x") * (300 << 20)


def grown(tmp_path: Path, mib: int, before_mib: int = 0) -> float:
    with Process("growing", [sys.executable, "-c", GROWS], tmp_path / "log") as process:
        process.prepare({"mib": mib, "before_mib": before_mib})
        process.begin()
        return float(process.result()["growth_mib"])


@pytest.mark.parametrize("mib", [0, 40, 120])
def test_a_process_that_grows_by_so_much_is_told_to_whoever_started_it(
    tmp_path: Path, large: bytearray, mib: int
):
    assert grown(tmp_path, mib) == pytest.approx(mib, abs=3)


def test_what_was_given_back_before_does_not_count(tmp_path: Path):
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux forgets the peak of a process")
    assert grown(tmp_path, 40, before_mib=200) == pytest.approx(40, abs=3)
