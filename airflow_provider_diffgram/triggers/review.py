"""Trigger that waits for people, for the sensor."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from ..client import DiffgramError
from ..client.aio import shared_client
from ..hooks.connection import InvalidConnectionError, settings_of
from ..models import InvalidValueError
from ..review.errors import ReviewError
from ..review.progress import Progress, ReviewRules
from ..review.wait import MAX_POLL_FAILURES, ReviewTarget, ReviewWait, Standing

_SPREAD = 1.0
"""Seconds over which triggers that start together begin to look."""


class DiffgramReviewTrigger(BaseTrigger):
    """Look until enough is reviewed. Reads only; may be started anew at any time.

    Sends one event: ``{"status": "done" | "timeout", "receipt"}`` or ``{"status": "error", "message",
    "permanent"}``.

    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    :param job_id: a job; None for the tasks that the files have in any job.
    :param file_ranges: the files as ranges of ids, first and last; None for all of the job.
    :param deadline: epoch seconds at which to give up.
    :param poll_interval: most seconds between two looks.
    :param min_done: as of :class:`~airflow_provider_diffgram.review.progress.ReviewRules`.
    :param task_timeout: as of the same.
    :param max_poll_failures: looks in a row that may fail.
    """

    def __init__(
        self,
        diffgram_conn_id: str,
        job_id: int | None,
        file_ranges: Sequence[Sequence[int]] | None,
        deadline: float,
        poll_interval: float,
        min_done: float | None = None,
        task_timeout: float = 600.0,
        max_poll_failures: int = MAX_POLL_FAILURES,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not annotate it
        self.diffgram_conn_id = diffgram_conn_id
        self.job_id = job_id
        self.file_ranges = None if file_ranges is None else [list(each) for each in file_ranges]
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.min_done = min_done
        self.task_timeout = task_timeout
        self.max_poll_failures = max_poll_failures

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments: primitives only, no secret."""
        return (
            "airflow_provider_diffgram.triggers.review.DiffgramReviewTrigger",
            {
                "diffgram_conn_id": self.diffgram_conn_id,
                "job_id": self.job_id,
                "file_ranges": self.file_ranges,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "min_done": self.min_done,
                "task_timeout": self.task_timeout,
                "max_poll_failures": self.max_poll_failures,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to tell, and yield the one event."""
        try:
            standing = await self._wait()
            told = {"status": standing.status, "receipt": standing.receipt.to_xcom()}
        except ReviewError as error:
            told = _failure(error, permanent=error.permanent)
        except (InvalidConnectionError, InvalidValueError, DiffgramError) as error:
            told = _failure(error, permanent=True)
        yield TriggerEvent(told)

    async def _wait(self) -> Standing:
        client = shared_client(settings_of(await get_async_connection(self.diffgram_conn_id)))
        waiting = ReviewWait(
            client.project,
            ReviewTarget.of_ranges(self.job_id, self.file_ranges),
            ReviewRules(self.min_done, self.task_timeout),
            progress=self._log_progress,
        )
        steps = waiting.until_decided(
            self.deadline - time.time(),
            self.poll_interval,
            first_pause=random.uniform(0, min(_SPREAD, self.poll_interval)),
            max_failures=self.max_poll_failures,
        )
        return await client.run(steps)

    def _log_progress(self, progress: Progress) -> None:
        self.log.info("%s", progress.summary())


def _failure(error: Exception, *, permanent: bool) -> dict[str, Any]:
    return {"status": "error", "message": str(error), "permanent": permanent}
