"""The two transports behind one face, so that each test proves both."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from airflow_provider_diffgram.client import DiffgramClient, Settings
from airflow_provider_diffgram.client.aio import AsyncDiffgramClient
from airflow_provider_diffgram.client.request import Request, Steps
from tests.unit.client.counted_clock import CountedClock


class Transport(Protocol):
    """What a test needs of either client."""

    clock: CountedClock

    def send(self, request: Request[Any]) -> Any:
        """Send one request."""

    def run(self, steps: Steps[Any]) -> Any:
        """Run steps to their end."""


class Sync:
    """The transport of workers; sleeps are written down, not slept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = CountedClock()

    def send(self, request: Request[Any]) -> Any:
        """Send one request."""
        with DiffgramClient(self.settings, self.clock) as client:
            return client.send(request)

    def run(self, steps: Steps[Any]) -> Any:
        """Run steps to their end."""
        with DiffgramClient(self.settings, self.clock) as client:
            return client.run(steps)


class Async:
    """The transport of the triggerer; sleeps are written down, not slept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = CountedClock()

    async def _call(self, method: str, argument: Any) -> Any:
        client = AsyncDiffgramClient(self.settings, self.clock)
        try:
            return await getattr(client, method)(argument)
        finally:
            await client.aclose()

    def send(self, request: Request[Any]) -> Any:
        """Send one request."""
        return asyncio.run(self._call("send", request))

    def run(self, steps: Steps[Any]) -> Any:
        """Run steps to their end."""
        return asyncio.run(self._call("run", steps))


BOTH = (Sync, Async)
