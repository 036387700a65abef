"""The trigger that waits for inputs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from ..client import DiffgramClient, Settings
from ..client.request import Steps
from ..ingest.defaults import MAX_POLL_FAILURES
from ..ingest.watch.rules import Rules
from ..ingest.watch.wait import Waiting, archive_pending
from ..models import Handle
from ..models.problems import count_of
from .waiting import WaitTrigger


class DiffgramInputTrigger(WaitTrigger):
    """Poll until everything in the handles is settled. It only reads, and can be restarted at any time.

    Sends one event: ``{"status": "done" | "timeout" | "stuck", "receipt", ...}``, with what the worker needs
    to continue: ``handles``, ``deadline``, ``poll_interval``, and if inputs are stuck, the ``input_ids`` to
    retry; or ``{"status": "error", "message", "permanent"}``.

    :param handles: handles as JSON.
    :param rules: parameters of :class:`~airflow_provider_diffgram.ingest.watch.rules.Rules`.
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
        super().__init__(diffgram_conn_id, deadline, poll_interval, max_poll_failures)
        self.handles = [dict(handle) for handle in handles]
        self.rules = dict(rules or {})

    def _wait(self, project: str) -> Steps[dict[str, Any]]:
        # These values are not passed as arguments of defer, because dag.test() loses those.
        waiting = Waiting(self._handles(), Rules(**self.rules))
        standing = yield from waiting.until_decided(**self._pace())
        return {
            "status": standing.status,
            "receipt": standing.receipt.to_xcom(),
            "input_ids": list(standing.to_retry),
            "handles": self.handles,
            "deadline": self.deadline,
            "poll_interval": self.poll_interval,
        }

    async def on_kill(self) -> None:
        """Archive pending inputs, if the task should; called by Airflow 3.3 and later."""
        if Rules(**self.rules).if_killed == "archive":
            settings = await self._settings()
            await asyncio.to_thread(self._archive, settings)

    def _archive(self, settings: Settings) -> None:
        with DiffgramClient(settings) as client:
            archived = archive_pending(client, self._handles())
        self.log.info("killed: archived %s", count_of(len(archived), "pending input"))

    def _handles(self) -> list[Handle]:
        return [Handle.model_validate(handle) for handle in self.handles]
