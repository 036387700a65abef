"""How late an event loop is."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from math import ceil

PERIOD = 0.01
"""Seconds that the watchdog sleeps."""


class Watchdog:
    """Notes by how much each sleep of 10 ms in an event loop is too long.

    :ivar late: seconds, for each sleep.
    """

    def __init__(self) -> None:
        self.late = array("d")

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(PERIOD)
            self.late.append(max(0.0, loop.time() - began - PERIOD))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values does not exceed; 0 for none.

    :param share: such as 0.99.
    """
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0.0
