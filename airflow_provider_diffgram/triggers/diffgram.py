"""Trigger for Diffgram."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from ..client import (
    DiffgramClient,
    DiffgramError,
    NotProcessedError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerUnavailableError,
    Settings,
)
from ..client.aio import shared_client
from ..hooks.connection import InvalidConnectionError, settings_of
from ..ingest.defaults import MAX_RETRIES, STALL_TIMEOUT
from ..ingest.watch.archive import archive_pending
from ..ingest.watch.pace import Pace
from ..ingest.watch.rules import Rules
from ..ingest.watch.watch import Watch
from ..models import Handle, Receipt

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
    :param max_poll_failures: looks in a row that may fail.
    :param verify: ``counts``, ``instances`` or ``status``.
    :param max_failed: inputs, or their share if below 1, that may fail before the wait ends.
    :param on_stuck: ``fail``, or ``retry`` to have the worker retry what may be.
    :param stall_timeout: seconds without movement after which inputs are stuck; None for never.
    :param max_retries: how often an input may be retried.
    :param on_kill: ``archive`` to archive what is pending when the task is killed, or ``leave``.
    """

    def __init__(
        self,
        diffgram_conn_id: str,
        handles: Sequence[Mapping[str, Any]],
        deadline: float,
        poll_interval: float,
        max_poll_failures: int = 10,
        verify: str = "counts",
        max_failed: float = 0,
        on_stuck: str = "fail",
        stall_timeout: float | None = STALL_TIMEOUT,
        max_retries: int = MAX_RETRIES,
        on_kill: str = "leave",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not annotate it
        self.diffgram_conn_id = diffgram_conn_id
        self.handles = [dict(handle) for handle in handles]
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.max_poll_failures = max_poll_failures
        self.verify = verify
        self.max_failed = max_failed
        self.on_stuck = on_stuck
        self.stall_timeout = stall_timeout
        self.max_retries = max_retries
        self.when_killed = on_kill  # the method has the name

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
                "verify": self.verify,
                "max_failed": self.max_failed,
                "on_stuck": self.on_stuck,
                "stall_timeout": self.stall_timeout,
                "max_retries": self.max_retries,
                "on_kill": self.when_killed,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll, and yield the one event."""
        try:
            client = shared_client(await self._settings())
        except InvalidConnectionError as error:
            yield _failed(str(error), permanent=True)
            return
        watch = self._watch()
        pace = Pace(self.poll_interval)
        failures = 0
        await asyncio.sleep(random.uniform(0, min(_SPREAD, self.poll_interval)))
        while True:
            is_last = time.time() > self.deadline
            told = 0.0
            try:
                receipt = await client.run(watch.take_stock() if is_last else watch.look())
            except (NotProcessedError, OutcomeUnknownError) as error:
                failures += 1
                watch.lose_sight()
                self.log.warning("look %s of %s failed: %s", failures, self.max_poll_failures, error)
                if failures >= self.max_poll_failures or is_last:
                    yield _failed(f"{failures} looks in a row failed; the last one: {error}", permanent=False)
                    return
                told = _seconds_told(error)
            except DiffgramError as error:
                yield _failed(str(error), permanent=True)
                return
            else:
                failures = 0
                event = self._event(watch, receipt, is_last=is_last)
                if event is not None:
                    yield event
                    return
            pause = pace.pause(soon=watch.soon and not failures, settling=watch.settling)
            left = max(0.0, self.deadline - time.time()) + 0.01
            await asyncio.sleep(min(max(pause, told), left))

    async def on_kill(self) -> None:
        """Archive what is pending, if the task was told to; called by Airflow 3.3 and later."""
        if self.when_killed == "archive":
            settings = await self._settings()
            await asyncio.to_thread(self._archive, settings)

    def _archive(self, settings: Settings) -> None:
        with DiffgramClient(settings) as client:
            archived = archive_pending(client, self._watch())
        self.log.info("killed: archived %s pending input(s)", len(archived))

    async def _settings(self) -> Settings:
        return settings_of(await get_async_connection(self.diffgram_conn_id))

    def _watch(self) -> Watch:
        return Watch([Handle.model_validate(handle) for handle in self.handles], rules=self._rules)

    @property
    def _rules(self) -> Rules:
        return Rules(self.verify, self.max_failed, self.on_stuck, self.stall_timeout, self.max_retries)

    def _event(self, watch: Watch, receipt: Receipt, *, is_last: bool) -> TriggerEvent | None:
        input_ids = watch.to_retry(self.max_retries) if receipt.stuck else []
        next_step = self._rules.next_step(receipt, input_ids)
        if next_step == "retry" and not is_last:
            return self._told("stuck", receipt, input_ids=input_ids)
        if next_step == "end":
            return self._told("done", receipt)
        return self._told("timeout", receipt) if is_last else None

    def _told(self, status: str, receipt: Receipt, **more: Any) -> TriggerEvent:
        # Not by the arguments of defer: dag.test() loses them.
        given = {
            "handles": self.handles,
            "deadline": self.deadline,
            "poll_interval": self.poll_interval,
        }
        return TriggerEvent({"status": status, "receipt": receipt.to_xcom(), **given, **more})


def _seconds_told(error: DiffgramError) -> float:
    """Return how long the server asked to be left alone."""
    return error.retry_after if isinstance(error, RateLimitedError | ServerUnavailableError) else 0.0


def _failed(message: str, *, permanent: bool) -> TriggerEvent:
    return TriggerEvent({"status": "error", "message": message, "permanent": permanent})
