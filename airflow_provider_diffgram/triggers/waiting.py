"""What the triggers share."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from inspect import signature
from typing import Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from ..client import DiffgramError, Settings
from ..client.aio import shared_client
from ..client.request import Steps
from ..hooks.connection import InvalidConnectionError, missing_connection, settings_of
from ..models import InvalidValueError

_SPREAD = 1.0
"""Seconds over which triggers that start together spread their first polls."""


async def settings_named(conn_id: str) -> Settings:
    """Return the settings in a connection.

    :raises InvalidConnectionError: if it is missing, incomplete or wrong.
    """
    try:
        return settings_of(await get_async_connection(conn_id))
    except AirflowNotFoundException:
        raise missing_connection(conn_id) from None


class WaitTrigger(BaseTrigger):
    """Polls until there is a result, and sends one event. It only reads, and can be restarted at any time.

    The event is the subclass's result, or ``{"status": "error", "message", "permanent"}``. The arguments of
    its constructor are primitives, none of them a secret, and attributes with the same names.

    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param deadline: epoch seconds at which to give up.
    :param poll_interval: most seconds between two polls; the first ones come sooner.
    :param max_poll_failures: how many polls in a row may fail.
    """

    def __init__(
        self, diffgram_conn_id: str, deadline: float, poll_interval: float, max_poll_failures: int
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not annotate it
        self.diffgram_conn_id = diffgram_conn_id
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.max_poll_failures = max_poll_failures

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in signature(type(self)).parameters}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is a result, and yield the one event."""
        try:
            client = shared_client(await self._settings())
            told = await client.run(self._wait(client.project))
        except (InvalidConnectionError, InvalidValueError, DiffgramError) as error:
            permanent = getattr(error, "permanent", True)
            told = {"status": "error", "message": str(error), "permanent": permanent}
        yield TriggerEvent(told)

    def _wait(self, project: str) -> Steps[dict[str, Any]]:
        """Wait, and return the result."""
        raise NotImplementedError

    def _pace(self) -> dict[str, Any]:
        """Return how often and how long to poll."""
        return {
            "timeout": self.deadline - time.time(),
            "poll_interval": self.poll_interval,
            "first_pause": random.uniform(0, min(_SPREAD, self.poll_interval)),
            "max_failures": self.max_poll_failures,
        }

    async def _settings(self) -> Settings:
        return await settings_named(self.diffgram_conn_id)
