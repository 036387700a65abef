"""What the processes that wait have in common: the start, the watchdog, and what they tell."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

from .lag import Watchdog, percentile
from .memory import Growth

Wait = Callable[[], Awaitable[int]]
"""Waits to the end and returns how many times it looked."""


def main(prepare: Callable[[Mapping[str, Any]], Awaitable[tuple[dict[int, Wait], list[Wait]]]]) -> None:
    """Wait as told, and tell what it took.

    :param prepare: returns what waits, by the id of the batch, and what waits in vain.
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # Airflow prints
    asyncio.run(_measure(prepare, answers))


async def _measure(
    prepare: Callable[[Mapping[str, Any]], Awaitable[tuple[dict[int, Wait], list[Wait]]]], answers: IO[str]
) -> None:
    waits, in_vain = await prepare(json.loads(sys.stdin.readline()))
    print("ready", file=answers, flush=True)
    sys.stdin.readline()
    watchdog, growth = Watchdog(), Growth()
    watching = asyncio.create_task(watchdog.run())
    began, cpu = time.time(), time.process_time()
    # As the triggerer starts triggers: one by one, and the others have their turn in between.
    hanging = [await _started(wait()) for wait in in_vain]
    waiting = [await _started(_ended(batch_id, wait)) for batch_id, wait in waits.items()]
    ended = await asyncio.gather(*waiting)
    seconds, cpu = time.time() - began, time.process_time() - cpu
    if any(task.done() for task in hanging):
        raise RuntimeError("a wait for the server that never answers ended")
    for task in (*hanging, watching):
        task.cancel()
    await asyncio.gather(*hanging, watching, return_exceptions=True)
    result = {
        "began": began,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "lag_p99_ms": 1000 * percentile(watchdog.late, 0.99),
        "lag_most_ms": 1000 * max(watchdog.late, default=0.0),
        "growth_kib": 1024 * growth.mib,
        "looks": sum(looks for _, _, looks in ended),
        "ended": {batch_id: moment for batch_id, moment, _ in ended},
    }
    print(json.dumps(result), file=answers, flush=True)


async def _started(wait: Awaitable[Any]) -> asyncio.Task[Any]:
    task = asyncio.ensure_future(wait)
    assert isinstance(task, asyncio.Task)
    await asyncio.sleep(0)
    return task


async def _ended(batch_id: int, wait: Wait) -> tuple[int, float, int]:
    looks = await wait()
    return batch_id, time.time(), looks
