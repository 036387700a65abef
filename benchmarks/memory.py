"""The memory of this process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_MEBIBYTE = 1 << 20


def resident_mib() -> float:
    """Return what is in memory now; what was at most, where the system does not tell that."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return peak_mib()
    return int(statm.read_text().split()[1]) * resource.getpagesize() / _MEBIBYTE


def peak_mib() -> float:
    """Return the most that was in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MEBIBYTE if sys.platform == "darwin" else peak / 1024
