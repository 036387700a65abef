"""Tasks of a job: the file of each, and new tasks for chosen files.

Listing a task with its file costs 2 ms and 1 kB, its state alone 0.2 ms and 185 bytes (server.md 10.5). So
the file is read only once, when a task is new.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..client import UnexpectedReplyError, routes
from ..client.request import Steps, ask, now, pause
from ..ingest.server.files import find_file
from ..models import InvalidValueError, TaskState
from ..models.problems import count_of, first_of
from .errors import TasksMissingError
from .jobs import require_launched

_log = logging.getLogger(__name__)

PAGE = 1000
"""Tasks to list at once with their files."""

TASK_PATIENCE = 60.0
"""Seconds without any new task after which the rest is asked for again, and then given up."""

_AT_ONCE = 1000
"""Files to ask tasks for in one request."""
_SENDS = 2
_FIRST_LOOK, _LONGEST_PAUSE = 0.2, 2.0
_SHOWN = 20


def all_states(project: str, job_id: int, limit: int = routes.ALL_TASKS) -> Steps[list[TaskState]]:
    """List the states of all tasks of a job, oldest first.

    :param limit: tasks of one request: all, unless a job has more than anybody has seen.
    """
    states = yield from ask(routes.list_task_states(project, job_id, limit=limit))
    page, more = 1, len(states) >= limit
    while more:
        listed = yield from ask(routes.list_task_states(project, job_id, page=page, limit=limit))
        refuse_repetition(job_id, states[-limit:], listed)
        states += listed
        page, more = page + 1, len(listed) >= limit
    return list({state.id: state for state in states}.values())


def refuse_repetition(job_id: int, before: Sequence[TaskState], page: Sequence[TaskState]) -> None:
    """Make sure that a page of tasks is not the page before: pages that name none after them have no end.

    :raises UnexpectedReplyError: if it is.
    """
    if page and page[0].id == (before[0].id if before else None):
        raise UnexpectedReplyError(
            f"list tasks of job {job_id}: a page repeats the page before it. {UnexpectedReplyError.remedy}"
        )


class TaskIndex:
    """The tasks of a job with their files, as far as they have been looked at.

    :param page: tasks to list at once with their files.
    :ivar files: task id -> file id, None for a task that names none; archived ones stay in.
    :ivar states: of the tasks that the last look listed, oldest first.
    """

    def __init__(self, project: str, job_id: int, page: int = PAGE) -> None:
        self.project = project
        self.job_id = job_id
        self.files: dict[int, int | None] = {}
        self.states: list[TaskState] = []
        self._page = page

    def look(self) -> Steps[None]:
        """List all states, and the files of those tasks that were not known."""
        self.states = yield from all_states(self.project, self.job_id)
        unknown = next((n for n, state in enumerate(self.states) if state.id not in self.files), None)
        page = None if unknown is None else unknown // self._page
        while page is not None:
            # An archived task leaves the list and moves the others up; what was missed is read next time.
            listed = yield from ask(
                routes.list_job_tasks(self.project, self.job_id, page=page, limit=self._page)
            )
            self.files.update({task.id: task.file.id if task.file else None for task in listed.task_list})
            page = page + 1 if len(listed.task_list) >= self._page and self._lacks_some() else None

    def _lacks_some(self) -> bool:
        return any(state.id not in self.files for state in self.states)

    def tasks(self) -> Iterator[tuple[int, str | None]]:
        """Yield file id and status of each task that the last look listed."""
        for state in self.states:
            file_id = self.files.get(state.id)
            if file_id is not None:
                yield file_id, state.status

    def listed_files(self) -> set[int]:
        """Return the files of the tasks that the last look listed."""
        return {file_id for file_id, _ in self.tasks()}


@dataclass(frozen=True, slots=True)
class AddedTasks:
    """What became of a request for tasks.

    :param requested: number of files.
    :param created: how many files got a task.
    :param existing: how many files had a task already.
    """

    requested: int
    created: int
    existing: int

    def summary(self) -> str:
        """Return one line for a log."""
        asked = count_of(self.requested, "task")
        return f"{asked}: {self.created:,} new, {self.existing:,} there already"


def add_tasks(
    project: str,
    job_id: int,
    file_ids: Iterable[int],
    *,
    patience: float = TASK_PATIENCE,
) -> Steps[AddedTasks]:
    """Create a task for each file that has none in the job, and wait until all are listed.

    The server answers before the tasks exist, and always in the same way (server.md 10.2.4). The call can be
    stopped at any step and repeated: no file gets a second task.

    :param project: project_string_id of the project.
    :param file_ids: ids of the files; those that have a task already get no second one.
    :param job_id: a launched job.
    :param patience: seconds without a new task after which the missing ones are requested once more, and then
        given up.
    :raises JobStateError: if the job is a draft, is archived or does not exist.
    :raises InvalidValueError: if a file does not exist in the project; all others then have their task.
    :raises TasksMissingError: if tasks did not appear for another reason; it names the service that creates
        them.
    """
    yield from require_launched(project, job_id)
    index = TaskIndex(project, job_id)
    yield from index.look()
    wanted = dict.fromkeys(file_ids)
    existing = len(wanted.keys() & index.listed_files())
    left = [file_id for file_id in wanted if file_id not in index.listed_files()]
    for _ in range(_SENDS):
        for start in range(0, len(left), _AT_ONCE):
            yield from ask(routes.add_files(project, job_id, left[start : start + _AT_ONCE]))
        left = yield from _until_listed(index, left, patience)
        if not left:
            return AddedTasks(len(wanted), len(wanted) - existing, existing)
        left = yield from _that_exist(project, job_id, left, len(wanted))
        told = "%s of %s did not come within %.0f s"
        _log.warning(told, f"{len(left):,}", count_of(len(wanted), "task"), patience)
    came = len(wanted) - existing - len(left)
    raise TasksMissingError(
        f"{len(left):,} of {len(wanted):,} tasks did not appear in job {job_id}, although Diffgram accepted "
        f"the request {_SENDS} times ({came:,} appeared, {existing:,} were there before). Its service "
        "eventhandlers makes them; most likely it is down, or runs without RabbitMQ. Start it and run this "
        f"again: no file gets a second task. Without a task: {_first(left)}"
    )


def _until_listed(index: TaskIndex, file_ids: Sequence[int], patience: float) -> Steps[list[int]]:
    """Look until all files have a task, or none has come for so long; return those without."""
    left = list(file_ids)
    seconds = _FIRST_LOOK
    moved = yield from now()
    while left:
        moment = yield from pause(seconds)
        yield from index.look()
        listed = index.listed_files()
        still = [file_id for file_id in left if file_id not in listed]
        if len(still) < len(left):
            moved = moment
        elif moment - moved >= patience:
            return still
        left = still
        seconds = min(seconds * 1.5, _LONGEST_PAUSE, patience)
    return left


def _that_exist(project: str, job_id: int, file_ids: Sequence[int], requested: int) -> Steps[list[int]]:
    """Return the files, if the project has the first of them: the server passes over others in silence.

    :raises InvalidValueError: if it does not have them all.
    """
    gone = []
    for file_id in file_ids[:_SHOWN]:
        file = yield from find_file(project, file_id)
        if file is None or file.removed:
            gone.append(file_id)
    if gone:
        raise InvalidValueError(
            f"tasks of job {job_id}",
            [
                f"project {project!r} has no such file, or it was removed: {_first(gone)}",
                f"{requested - len(file_ids):,} of {requested:,} files have a task",
            ],
        )
    return list(file_ids)


def _first(file_ids: Sequence[int]) -> str:
    return first_of([f"file {file_id}" for file_id in file_ids], _SHOWN)
