"""Trigger for Diffgram."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from ..client import DiffgramClient, DiffgramError, Settings
from ..client.aio import shared_client
from ..hooks.connection import InvalidConnectionError, settings_of
from ..ingest.defaults import MAX_POLL_FAILURES
from ..ingest.watch.errors import WaitError
from ..ingest.watch.rules import Rules
from ..ingest.watch.wait import Standing, Waiting, archive_pending
from ..models import Handle

_SPREAD = 1.0
"""Seconds over which triggers that start together begin to look."""


class DiffgramInputTrigger(BaseTrigger):
    """Look until everything that handles name is settled. Reads only; may be started anew at any time.

    Sends one event: ``{"status": "done" | "timeout" | "stuck", "receipt", ...}``, with what the worker needs
    to go on: ``handles``, ``deadline``, ``poll_interval``, and when stuck the ``input_ids`` to retry; or
    ``{"status": "error", "message", "permanent"}``.

    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param handles: handles as JSON.
    :param deadline: epoch seconds at which to give up.
    :param poll_interval: most seconds between two looks; the first ones follow sooner.
    :param rules: parameters of :class:`~airflow_provider_diffgram.ingest.watch.rules.Rules`.
    :param max_poll_failures: looks in a row that may fail.
    """

    def __init__(
        self,
        diffgram_conn_id: str,
        handles: Sequence[Mapping[str, Any]],
        deadline: float,
        poll_interval: float,
        rules: Mapping[str, Any] | None = None,
        max_poll_failures: int = MAX_POLL_FAILURES,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not annotate it
        self.diffgram_conn_id = diffgram_conn_id
        self.handles = [dict(handle) for handle in handles]
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.rules = dict(rules or {})
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
                "rules": self.rules,
                "max_poll_failures": self.max_poll_failures,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to tell, and yield the one event."""
        try:
            told = self._told(await self._wait())
        except WaitError as error:
            told = _failure(error, permanent=error.permanent)
        except (InvalidConnectionError, DiffgramError) as error:
            told = _failure(error, permanent=True)
        yield TriggerEvent(told)

    async def _wait(self) -> Standing:
        client = shared_client(await self._settings())
        steps = Waiting(self._handles(), Rules(**self.rules)).until_decided(
            self.deadline - time.time(),
            self.poll_interval,
            first_pause=random.uniform(0, min(_SPREAD, self.poll_interval)),
            max_failures=self.max_poll_failures,
        )
        return await client.run(steps)

    async def on_kill(self) -> None:
        """Archive what is pending, if the task was told to; called by Airflow 3.3 and later."""
        if Rules(**self.rules).if_killed == "archive":
            settings = await self._settings()
            await asyncio.to_thread(self._archive, settings)

    def _archive(self, settings: Settings) -> None:
        with DiffgramClient(settings) as client:
            archived = archive_pending(client, self._handles())
        self.log.info("killed: archived %s pending input(s)", len(archived))

    async def _settings(self) -> Settings:
        return settings_of(await get_async_connection(self.diffgram_conn_id))

    def _handles(self) -> list[Handle]:
        return [Handle.model_validate(handle) for handle in self.handles]

    def _told(self, standing: Standing) -> dict[str, Any]:
        # What goes with it is not given as arguments of defer: dag.test() loses those.
        return {
            "status": standing.status,
            "receipt": standing.receipt.to_xcom(),
            "input_ids": list(standing.to_retry),
            "handles": self.handles,
            "deadline": self.deadline,
            "poll_interval": self.poll_interval,
        }


def _failure(error: Exception, *, permanent: bool) -> dict[str, Any]:
    return {"status": "error", "message": str(error), "permanent": permanent}
