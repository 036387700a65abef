"""A process that waits as one would at first: asks for each input by its id until all are over.

It is told what :mod:`.wait_ours` is. Like ours it has one client for each server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx

from .waiting import Wait, main

_OVER = ("success", "failed")


async def _prepare(told: Mapping[str, Any]) -> tuple[dict[int, Wait], list[Wait]]:
    server, silent = _Client(told, told["host"]), _Client(told, told["silent_host"])
    await server.wait(_inputs(told, told["warm"]))
    waits: dict[int, Wait] = {
        handle["batches"][0]["id"]: partial(server.wait, _inputs(told, handle)) for handle in told["handles"]
    }
    return waits, [partial(silent.wait, [1])] * told["in_vain"]


def _inputs(told: Mapping[str, Any], handle: Mapping[str, Any]) -> list[int]:
    return [each for batch in handle["batches"] for each in told["inputs"][str(batch["id"])]]


class _Client:
    def __init__(self, told: Mapping[str, Any], host: str) -> None:
        self._client = httpx.AsyncClient(auth=(told["client_id"], told["client_secret"]), timeout=60)
        self._address = f"{host}/api/walrus/v1/project/{told['project']}/input/view"
        self._poll_interval = told["poll_interval"]

    async def wait(self, inputs: Sequence[int]) -> int:
        looks, left = 1, [each for each in inputs if not await self._is_over(each)]
        while left:
            await asyncio.sleep(self._poll_interval)
            looks, left = looks + 1, [each for each in left if not await self._is_over(each)]
        return looks

    async def _is_over(self, input_id: int) -> bool:
        try:
            answer = await self._client.post(f"{self._address}/{input_id}", json={})
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and answer.json()["input"]["status"] in _OVER


if __name__ == "__main__":
    main(_prepare)
