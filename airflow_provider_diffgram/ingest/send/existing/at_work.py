"""Finds files that people may be working on: jobs, and tasks that are begun (server.md 10.2 to 10.5)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from ....client import DiffgramClient, routes
from ....client.request import Steps, ask_together
from ....models import File, Job
from ...server.jobs import every_job
from ...server.rewrite import Row

OPEN = ("in_progress", "deferred", "in_review", "requires_changes")
"""A task in one of these states has been opened, and will be opened again."""

_COMPLETE = "complete"

_JUST_NOW = timedelta(minutes=10)
"""Somebody who saved a file within this time may still have it open."""

_AGAIN_AFTER = 60.0
"""Seconds after which the tasks are listed again."""


class AtWork:
    """The files whose tasks somebody has begun. Safe to use from several threads.

    If the project has no job, a single request shows it. Otherwise each job costs one request, and one more
    for each state of its tasks, at most once a minute.

    :param reviewed: whether to list complete tasks, too.
    :param wall: returns the seconds since the epoch.
    """

    def __init__(
        self, client: DiffgramClient, *, reviewed: bool = False, wall: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._jobs: list[Job] | None = None
        self._statuses = (*OPEN, _COMPLETE) if reviewed else OPEN
        self._states: dict[int, set[str]] = {}
        self._looked_at = 0.0
        self._wall = wall
        self._people: dict[int, bool] = {}
        self._lock = threading.Lock()

    @property
    def has_jobs(self) -> bool:
        """Whether the project has a launched job."""
        self._look()
        return bool(self._jobs)

    def state(self, file_id: int) -> str | None:
        """Return the state of a file's task if somebody has begun it and not finished it; otherwise None."""
        self._look()
        return next(iter(sorted(self._states.get(file_id, set()) - {_COMPLETE})), None)

    def is_reviewed(self, file_id: int) -> bool:
        """Whether a task of a file is complete, and no other is begun."""
        self._look()
        return self._states.get(file_id) == {_COMPLETE}

    def has_task(self, file_id: int) -> bool:
        """Whether a file has a task in any state."""
        if not self.has_jobs:
            return False
        listing = routes.list_tasks(self._client.project, file_id=file_id, limit=1)
        return bool(self._client.send(listing).task_list)

    def has_just_saved(self, file: File) -> bool:
        """Whether a person saved a living row of a file within the last minutes."""
        since = datetime.fromtimestamp(self._wall(), UTC) - _JUST_NOW
        return any(_time_of(row) >= since and self.is_of_person(row) for row in file.instance_list)

    def is_of_person(self, row: Row) -> bool:
        """Whether a person made this version of a living row, according to its member."""
        member = row.get("member_created_id")
        if member is None:
            return False
        with self._lock:
            known = self._people.get(member)
        if known is None:
            history = self._client.send(routes.view_history(self._client.project, row["id"])).rows
            known = any(each["is_by_person"] for each in history if each.get("member_created_id") == member)
            with self._lock:
                self._people[member] = known
        return known

    def _look(self) -> None:
        with self._lock:
            if self._jobs is None:
                jobs = self._client.run(every_job(self._client.project))
                self._jobs = [job for job in jobs if job.status != "draft"]
            elif not self._jobs or self._client.clock.monotonic() - self._looked_at < _AGAIN_AFTER:
                return
            self._looked_at = self._client.clock.monotonic()
            self._states = self._client.run(self._look_at_tasks(self._jobs))

    def _look_at_tasks(self, jobs: Iterable[Job]) -> Steps[dict[int, set[str]]]:
        project = self._client.project
        ids = [job.id for job in jobs]
        states = yield from ask_together(routes.list_task_states(project, job_id) for job_id in ids)
        wanted = [
            (job_id, status)
            for job_id, tasks in zip(ids, states, strict=True)
            for status in self._statuses
            if any(task.status == status for task in tasks)
        ]
        pages = yield from ask_together(
            routes.list_job_tasks(project, job_id, status=status, limit=routes.ALL_TASKS)
            for job_id, status in wanted
        )
        found: dict[int, set[str]] = {}
        for (_, status), page in zip(wanted, pages, strict=True):
            for task in page.task_list:
                if task.file is not None:
                    found.setdefault(task.file.id, set()).add(status)
        return found


def _time_of(row: Row) -> datetime:
    """Return when a row was made; the earliest possible time if it does not say."""
    try:
        return datetime.fromisoformat(str(row.get("created_time"))).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
