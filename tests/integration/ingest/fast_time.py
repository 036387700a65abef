"""Time that passes faster, so that waiting for seconds takes a fraction of them."""

from __future__ import annotations

import time

from airflow_provider_diffgram.client.clock import Clock

PASSES = 5.0
"""Seconds that our clock counts in one: the server has a fifth of the time it is granted."""

SLEEPS = 20.0


class FastTime(Clock):
    """The clock of a client whose waits pass faster; stands in for the module ``time`` too."""

    @staticmethod
    def monotonic() -> float:
        """Return seconds that pass fast."""
        return time.monotonic() * PASSES

    @staticmethod
    def sleep(seconds: float) -> None:
        """Sleep for a fraction of ``seconds``."""
        time.sleep(seconds / SLEEPS)


def until(told: object, deadline: float, seconds: float = 0.03) -> None:
    """Pause before the next poll; fail with what was told last once the deadline has passed."""
    assert time.monotonic() < deadline, f"still not, in time: {told}"
    time.sleep(seconds)
