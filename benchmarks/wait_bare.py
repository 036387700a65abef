"""A process that waits for nothing: it lists batches with httpx, a given number of times, and reads the JSON.

It is told what :mod:`.wait_ours` is, how many requests to spread over how many seconds, and how many may be
under way at once: with hundreds in its queue, the pool of httpx takes many times the processor time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import httpx

from .waiting import Wait, main

_TIMEOUT = httpx.Timeout(60, pool=None)


async def _prepare(told: Mapping[str, Any]) -> tuple[dict[int, Wait], list[Wait]]:
    auth = (told["client_id"], told["client_secret"])
    server = httpx.AsyncClient(auth=auth, timeout=_TIMEOUT)
    silent = httpx.AsyncClient(auth=auth, timeout=None)  # as long as all of it
    path = f"/api/walrus/v1/project/{told['project']}/input/view/list"
    handles = told["handles"]
    under_way = asyncio.Semaphore(told["at_once"])
    each, rest = divmod(told["requests"], len(handles))
    await _ask(server, told["host"] + path, told["warm"]["batches"][0]["id"])
    waits: dict[int, Wait] = {}
    for number, handle in enumerate(handles):
        batch_id, requests = handle["batches"][0]["id"], each + (number < rest)
        ask = partial(_ask_in_turn, under_way, server, told["host"] + path, batch_id)
        waits[batch_id] = partial(_often, ask, requests, told["seconds"] / max(1, requests))
    return waits, [partial(_ask, silent, told["silent_host"] + path, 1)] * told["in_vain"]


async def _often(ask: Callable[[], Awaitable[int]], requests: int, pause: float) -> int:
    await asyncio.sleep(random.uniform(0, pause))
    for _ in range(requests):
        await ask()
        await asyncio.sleep(pause * random.uniform(0.75, 1))
    return requests


async def _ask_in_turn(
    under_way: asyncio.Semaphore, client: httpx.AsyncClient, url: str, batch_id: int
) -> int:
    async with under_way:
        return await _ask(client, url, batch_id)


async def _ask(client: httpx.AsyncClient, url: str, batch_id: int) -> int:
    answer = await client.post(url, json={"batch_id": batch_id, "limit": 1000})
    answer.json()
    return 1


if __name__ == "__main__":
    main(_prepare)
