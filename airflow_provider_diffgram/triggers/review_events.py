"""The trigger that starts DAGs when people have reviewed enough, for an asset's watcher.

Every parse of a DAG with such an asset imports this module, so it imports what it needs only when it polls.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.triggers import BaseEventTrigger
from airflow.triggers.base import TriggerEvent

if TYPE_CHECKING:
    from ..client.request import Steps
    from ..models import TaskState
    from ..review.since import Cursor

_log = logging.getLogger(__name__)

_LONGEST_PAUSE = 300.0
_FIRST_PAUSE = 5.0


@dataclass(frozen=True)
class Look:
    """The result of one poll. All watchers of a job get the same one.

    :param at: epoch seconds.
    """

    job_id: int
    states: list[TaskState]
    at: float


class DiffgramReviewEventTrigger(BaseEventTrigger):
    """Send an event when enough more files are reviewed, or when enough time has passed and some are.

    It reads the state, not changes: whatever was completed since the last event is in the next one, even
    after a restart. Airflow 3.3 keeps the cursor with the asset, and polls once for all watchers of a job.
    Airflow 3.0 to 3.2 keep nothing: after a restart of the triggerer the first event counts everything that
    is complete, so a DAG may run once more than necessary.

    An event is ``{"job_id", "files", "complete", "since", "until"}``: how many files were completed in that
    time, and how many are complete in all. The trigger never ends by itself: if the server is unavailable, it
    polls less and less often.

    :param job: id of a job, or its exact name. A job that is created later is found as soon as it exists.
    :param min_files: how many files are enough for an event.
    :param max_wait: seconds since the last event after which fewer files are enough, but at least one. None
        means never.
    :param poll_interval: seconds between two polls.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    """

    def __init__(
        self,
        job: int | str,
        min_files: int = 1,
        max_wait: float | None = None,
        poll_interval: float = 60.0,
        diffgram_conn_id: str = "diffgram_default",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not annotate it
        self.job = job
        self.min_files = min_files
        self.max_wait = max_wait
        self.poll_interval = poll_interval
        self.diffgram_conn_id = diffgram_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments: primitives only, no secret."""
        return (
            "airflow_provider_diffgram.triggers.review_events.DiffgramReviewEventTrigger",
            {
                "job": self.job,
                "min_files": self.min_files,
                "max_wait": self.max_wait,
                "poll_interval": self.poll_interval,
                "diffgram_conn_id": self.diffgram_conn_id,
            },
        )

    def shared_stream_key(self) -> Hashable | None:
        """Return what watchers of the same job at the same pace share, so that they share each poll."""
        return ("diffgram-review", self.diffgram_conn_id, str(self.job), self.poll_interval)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Look]:
        """Yield the result of each poll, forever.

        :param kwargs: arguments of one of the triggers; only those in the key are used.
        """
        poll_interval = float(kwargs["poll_interval"])
        job_id: int | None = None
        failed = min(_FIRST_PAUSE, poll_interval)
        while True:
            seconds = poll_interval
            try:
                job_id, states = await _looked(kwargs["diffgram_conn_id"], kwargs["job"], job_id)
            except Exception as error:  # noqa: BLE001 - nobody restarts a watcher that dies
                job_id = None
                _log.warning("job %r not polled, next try in %.0f s: %s", kwargs["job"], failed, error)
                seconds, failed = failed, min(failed * 2, max(_LONGEST_PAUSE, poll_interval))
            else:
                failed = min(_FIRST_PAUSE, poll_interval)
                yield Look(job_id, states, time.time())
            await asyncio.sleep(seconds * random.uniform(0.9, 1.0))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Look]) -> AsyncIterator[TriggerEvent]:
        """Yield an event whenever one is due."""
        from ..review.since import Cursor, is_due, moment_of, news_since

        cursor: Cursor | None = None
        unsaved: Cursor | None = None
        async for look in shared_stream:
            if cursor is None:
                cursor = await self._remembered(look)
                if cursor is None:
                    cursor = unsaved = Cursor(look.at)
            if unsaved is not None:
                # By the next poll Airflow has stored the event; a crash before repeats it, but loses none.
                await self._remember(look, unsaved)
                unsaved = None
            news = news_since(cursor, look.states, look.at)
            if not is_due(news, cursor, look.at, min_files=self.min_files, max_wait=self.max_wait):
                continue
            event = {
                "job_id": look.job_id,
                "files": news.files,
                "complete": news.complete,
                "since": moment_of(cursor.until),
                "until": moment_of(news.cursor.until),
            }
            cursor = unsaved = news.cursor
            yield TriggerEvent(event)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll and yield events without sharing: for Airflow before 3.3."""
        async for event in self.filter_shared_stream(type(self).open_shared_stream(self.serialize()[1])):
            yield event

    async def _remembered(self, look: Look) -> Cursor | None:
        from ..review.since import Cursor

        store = getattr(self, "asset_state_store", None)
        if store is None:
            return None
        try:
            return Cursor.from_json(await store.aget(_key(look)))
        except Exception as error:  # noqa: BLE001 - whatever Airflow's store raises: an event more does no harm
            _log.warning("cannot read up to where reviews of job %s were told: %s", look.job_id, error)
            return None

    async def _remember(self, look: Look, cursor: Cursor) -> None:
        store = getattr(self, "asset_state_store", None)
        if store is None:
            return
        try:
            await store.aset(_key(look), cursor.to_json())
        except Exception as error:  # noqa: BLE001 - whatever Airflow's store raises: an event more does no harm
            _log.warning("cannot store up to where reviews of job %s were told: %s", look.job_id, error)


def _key(look: Look) -> str:
    return f"diffgram_review_{look.job_id}"


async def _looked(diffgram_conn_id: str, job: int | str, job_id: int | None) -> tuple[int, list[TaskState]]:
    """Return the job's id and the states of its tasks.

    :param job_id: from an earlier poll.
    """
    from ..client.aio import shared_client
    from ..review.tasks import all_states
    from .waiting import settings_named

    client = shared_client(await settings_named(diffgram_conn_id))
    if job_id is None:
        job_id = await client.run(_found(client.project, job))
    return job_id, await client.run(all_states(client.project, job_id))


def _found(project: str, job: int | str) -> Steps[int]:
    """Return the id of a job in which people can work.

    :raises JobStateError: if there is none.
    """
    from ..review.errors import JobStateError
    from ..review.jobs import jobs_named, require_launched

    if isinstance(job, int):
        return (yield from require_launched(project, job)).id
    named = [each for each in (yield from jobs_named(project, job)) if each.status != "draft"]
    if not named and job.isdecimal():  # a name takes precedence, as everywhere
        return (yield from require_launched(project, int(job))).id
    if not named:
        raise JobStateError(
            f"project {project!r} has no launched job named {job!r}: make one, or check the name"
        )
    if len(named) > 1:
        ids = ", ".join(str(each.id) for each in named)
        raise JobStateError(f"jobs {ids} are all named {job!r}: name the id of the one that is meant")
    return named[0].id
