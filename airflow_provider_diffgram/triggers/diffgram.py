"""Trigger for Diffgram."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from ..client import DiffgramError, NotProcessedError, OutcomeUnknownError
from ..client.aio import shared_client
from ..hooks.connection import InvalidConnectionError, settings_of
from ..ingest.progress import Watch
from ..models import Handle, Receipt

_FIRST_POLL = 1.0
_GROWTH = 1.5
_JITTER = 0.1


class DiffgramInputTrigger(BaseTrigger):
    """Look until everything that handles name is settled. Reads only; may be started anew at any time.

    Sends one event: ``{"status": "done" | "timeout", "receipt"}`` or ``{"status": "error", "message",
    "permanent"}``.

    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param handles: handles as JSON.
    :param deadline: epoch seconds at which to give up.
    :param poll_interval: most seconds between two looks; the first ones follow sooner.
    :param max_poll_failures: looks in a row that may fail.
    """

    def __init__(
        self,
        diffgram_conn_id: str,
        handles: Sequence[Mapping[str, Any]],
        deadline: float,
        poll_interval: float,
        max_poll_failures: int = 10,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not annotate it
        self.diffgram_conn_id = diffgram_conn_id
        self.handles = [dict(handle) for handle in handles]
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.max_poll_failures = max_poll_failures

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments: primitives only, no secret."""
        return (
            "airflow_provider_diffgram.triggers.diffgram.DiffgramInputTrigger",
            {
                "diffgram_conn_id": self.diffgram_conn_id,
                "handles": self.handles,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "max_poll_failures": self.max_poll_failures,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, and yield the one event."""
        try:
            settings = settings_of(await get_async_connection(self.diffgram_conn_id))
        except InvalidConnectionError as error:
            yield _failed(str(error), permanent=True)
            return
        client = shared_client(settings)
        watch = Watch([Handle.model_validate(handle) for handle in self.handles])
        failures = 0
        pause = min(_FIRST_POLL, self.poll_interval)
        while True:
            try:
                receipt = await client.run(watch.look())
            except (NotProcessedError, OutcomeUnknownError) as error:
                failures += 1
                self.log.warning("look %s of %s failed: %s", failures, self.max_poll_failures, error)
                if failures >= self.max_poll_failures:
                    yield _failed(f"{failures} looks in a row failed; the last one: {error}", permanent=False)
                    return
            except DiffgramError as error:
                yield _failed(str(error), permanent=True)
                return
            else:
                failures = 0
                event = self._event(receipt)
                if event is not None:
                    yield event
                    return
            await asyncio.sleep(pause * random.uniform(1 - _JITTER, 1 + _JITTER))
            pause = min(pause * _GROWTH, self.poll_interval)

    def _event(self, receipt: Receipt) -> TriggerEvent | None:
        if receipt.complete or receipt.failed:
            return TriggerEvent({"status": "done", "receipt": receipt.to_xcom()})
        if time.time() > self.deadline:
            return TriggerEvent({"status": "timeout", "receipt": receipt.to_xcom()})
        return None


def _failed(message: str, *, permanent: bool) -> TriggerEvent:
    return TriggerEvent({"status": "error", "message": message, "permanent": permanent})
