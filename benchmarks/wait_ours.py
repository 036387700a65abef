"""A process that waits with our triggers, in one event loop, as a triggerer does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from .waiting import Wait, main

_LONGEST = 900.0


async def _prepare(told: Mapping[str, Any]) -> tuple[dict[int, Wait], list[Wait]]:
    """Load everything and come to know the server: one wait that is over at once."""
    await _wait(told["connection"], told["warm"], told["poll_interval"])
    waits: dict[int, Wait] = {
        handle["batches"][0]["id"]: partial(_wait, told["connection"], handle, told["poll_interval"])
        for handle in told["handles"]
    }
    silent = partial(_wait, told["silent_connection"], told["warm"], told["poll_interval"])
    return waits, [silent] * told["in_vain"]


async def _wait(connection: str, handle: Mapping[str, Any], poll_interval: float) -> int:
    from airflow_provider_diffgram.triggers.diffgram import DiffgramInputTrigger

    trigger = DiffgramInputTrigger(connection, [handle], time.time() + _LONGEST, poll_interval)
    events = [event async for event in trigger.run()]
    payload = events[0].payload
    receipt = payload.get("receipt") or {}
    if payload["status"] != "done" or receipt["succeeded"] != handle["expected"]:
        raise RuntimeError(f"a wait ended with {payload}")
    return 0  # the server tells


if __name__ == "__main__":
    main(_prepare)
