"""The watchdog of an event loop."""

from __future__ import annotations

import asyncio
import time

from benchmarks.lag import PERIOD, Watchdog, percentile


def test_a_loop_that_is_held_is_late():
    async def held() -> Watchdog:
        watchdog = Watchdog()
        watching = asyncio.create_task(watchdog.run())
        await asyncio.sleep(0)
        time.sleep(20 * PERIOD)
        await asyncio.sleep(2 * PERIOD)
        watching.cancel()
        return watchdog

    late = asyncio.run(held()).late
    assert max(late) >= 18 * PERIOD


def test_percentiles():
    values = [float(each) for each in range(100, 0, -1)]
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.5) == 50
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.99) == 0
