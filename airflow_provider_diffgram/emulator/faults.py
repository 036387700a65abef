"""Faults on request, for tests of clients: latency, wrong statuses, resets, half answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

KINDS = ("latency", "status", "reset_before", "reset_after", "truncate")


@dataclass(frozen=True)
class Fault:
    """One thing to go wrong.

    :param match: part of the path of the requests it meets.
    :param kind: ``latency`` waits, then goes on; ``status`` answers without processing; ``reset_before``
        drops the connection without processing; ``reset_after`` processes, then drops it; ``truncate``
        processes, then sends half of the answer.
    :param times: how many requests it meets.
    :param method: only requests of this method, if given.
    """

    match: str
    kind: str
    times: int = 1
    seconds: float = 0.0
    status: int = 503
    body: Any = None
    method: str | None = None

    def meets(self, method: str, path: str) -> bool:
        """Tell whether it applies to a request."""
        return self.match in path and (self.method is None or self.method == method)


class Faults:
    """The faults still to come, oldest first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Ask for a fault.

        :raises ValueError: for a kind that does not exist.
        """
        if fault.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {fault.kind!r}")
        with self._lock:
            self._faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault meeting a request, and count it."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.meets(method, path):
                    self._faults[index] = replace(fault, times=fault.times - 1)
                    self._faults = [one for one in self._faults if one.times > 0]
                    return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def pending(self) -> int:
        """Return how many requests will still meet a fault."""
        with self._lock:
            return sum(fault.times for fault in self._faults)
