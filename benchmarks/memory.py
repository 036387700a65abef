"""The memory of this process."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

_MEBIBYTE = 1 << 20
_SELF = Path("/proc/self")
_FORGET_PEAK = "5"
"""What ``clear_refs`` is told to (proc(5))."""


class Growth:
    """How far the resident memory of this process rose above what it is now, until ``mib`` is asked for."""

    def __init__(self) -> None:
        with suppress(OSError):  # where it cannot be forgotten, what was in memory before counts as well
            (_SELF / "clear_refs").write_text(_FORGET_PEAK)
        self._before = _resident_mib()

    @property
    def mib(self) -> float:
        """The most so far, in MiB."""
        return _peak_mib() - self._before


def _resident_mib() -> float:
    """Return what is in memory now; what was at most, where the system does not tell that."""
    told = _status("VmRSS")
    return _peak_mib() if told is None else told


def _peak_mib() -> float:
    """Return the most that was in memory.

    Not ``ru_maxrss`` where the system tells better: on Linux a process takes over that of whoever started it.
    """
    told = _status("VmHWM")
    if told is not None:
        return told
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MEBIBYTE if sys.platform == "darwin" else peak / 1024


def _status(name: str) -> float | None:
    """Return a figure of ``/proc/self/status``, which tells KiB, in MiB."""
    try:
        lines = (_SELF / "status").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")]
    return found[0] if found else None
