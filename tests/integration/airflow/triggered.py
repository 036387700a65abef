"""What a trigger fires, without a triggerer."""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.triggers.base import BaseTrigger


def event_of(trigger: BaseTrigger) -> dict[str, Any]:
    """Run a trigger until it fires; return the payload of its event."""

    async def first() -> dict[str, Any]:
        async for event in trigger.run():
            payload: dict[str, Any] = event.payload
            return payload
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(first())
