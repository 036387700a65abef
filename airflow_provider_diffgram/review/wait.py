"""Waits until people have reviewed, with the same steps in a worker and in the triggerer. They only read.

A notebook needs only :func:`wait_for_review`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..client import DiffgramClient, routes
from ..client.looking import Pace, look_until_decided
from ..client.request import Steps, ask, now
from ..ingest.server.files import find_file
from ..models import InvalidValueError
from ..models.problems import count_of, first_of
from ..models.ranges import ids_in, ranges_of
from ..pulse import Pulse
from .errors import (
    JobStateError,
    ReviewImpossibleError,
    ReviewLostError,
    ReviewTimeoutError,
)
from .jobs import require_launched
from .progress import (
    Progress,
    ReviewReceipt,
    ReviewRules,
    Stand,
    completion_times,
    least_finished,
    receipt_of,
    speed_of,
    stands_of,
)
from .tasks import TaskIndex

_log = logging.getLogger(__name__)

POLL_INTERVAL = 60.0
"""Most seconds between two polls: people need minutes for a file."""
MAX_POLL_FAILURES = 10
TIMEOUT = 30 * 86400.0
"""Seconds that a wait takes at most."""

_FIRST = 2.0
"""Seconds between the first two polls."""
_LOOKED_INTO = 200
"""How many files without a task are examined in one poll, with one or two requests each."""
_ASKED_LATER = 8
_UNFINISHED: tuple[Stand, ...] = ("open", "in_review", "requires_changes", "deferred")
_LAST = 20
"""Up to this many unfinished files are checked one by one."""
_CHECK_EVERY = 600.0
"""Seconds between two checks of the job itself."""
_SHOWN = 20

Status = Literal["pending", "done", "timeout"]


@dataclass(frozen=True, slots=True)
class ReviewTarget:
    """What to wait for: a job, files, or certain files of a job.

    :param job_id: None means the tasks of the files in any job.
    :param file_ids: None means all tasks of the job, including later ones.
    :raises InvalidValueError: if neither is given, or no file.
    """

    job_id: int | None = None
    file_ids: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.job_id is None and self.file_ids is None:
            raise InvalidValueError("review", ["name a job, or files"])
        if self.file_ids is not None and not self.file_ids:
            raise InvalidValueError("review", ["no files are named, so there is nothing to wait for"])

    @property
    def file_ranges(self) -> list[list[int]] | None:
        """The files as ranges, first and last id, so that thousands of ids are a few numbers."""
        return None if self.file_ids is None else ranges_of(self.file_ids)

    @classmethod
    def of_ranges(cls, job_id: int | None, ranges: Iterable[Sequence[int]] | None) -> ReviewTarget:
        """Return the target of :attr:`file_ranges`."""
        return cls(job_id, None if ranges is None else tuple(ids_in(ranges)))


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a wait.

    :param status: ``pending``: poll again; ``done``; or ``timeout``: not done in time.
    """

    status: Status
    receipt: ReviewReceipt


def wait_for_review(
    client: DiffgramClient,
    *,
    job_id: int | None = None,
    file_ids: Iterable[int] | None = None,
    rules: ReviewRules | None = None,
    timeout: float = TIMEOUT,
    poll_interval: float = POLL_INTERVAL,
    progress: Callable[[Progress], None] | None = None,
) -> ReviewReceipt:
    """Wait until people have reviewed the tasks of a job, or certain files.

    :param client: connected to the project.
    :param job_id: a job. None means the tasks of the files in any job.
    :param file_ids: the files. None means all files of the job.
    :param rules: when the review is over.
    :param timeout: most seconds to wait.
    :param poll_interval: most seconds between two polls.
    :param progress: called after each poll.
    :raises ReviewTimeoutError: if too few were reviewed in time.
    :raises ReviewImpossibleError: if enough can never be reviewed.
    :raises JobStateError: if the job is a draft, is archived, does not exist or has no tasks.
    :raises ReviewLostError: if 10 polls in a row failed.
    :raises DiffgramError: if the server refused.
    """
    target = ReviewTarget(job_id, None if file_ids is None else tuple(file_ids))
    waiting = ReviewWait(client.project, target, rules or ReviewRules(), progress=progress)
    return heed(client.run(waiting.until_decided(timeout, poll_interval, first_pause=0.0)))


def heed(standing: Standing) -> ReviewReceipt:
    """Return the receipt of a wait that is over.

    :raises ReviewTimeoutError: if time ran out.
    """
    if standing.status == "timeout":
        receipt = standing.receipt
        lines = [f"not reviewed in time: {receipt.summary()}", *receipt.waiting]
        raise ReviewTimeoutError("\n".join(lines), receipt)
    return standing.receipt


class ReviewWait:
    """One wait. It can begin at any time, because it reads the state, not changes.

    A poll that fails is as if it had not been made: what it was to find out, the next one finds out.

    :param target: what to wait for.
    :param rules: when the wait is over.
    :param progress: called after each poll.
    """

    def __init__(
        self,
        project: str,
        target: ReviewTarget,
        rules: ReviewRules,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.project = project
        self.target = target
        self.rules = rules
        self._progress = progress
        self._pulse = Pulse("reviewed")
        self._jobs = {} if target.job_id is None else {target.job_id: TaskIndex(project, target.job_id)}
        self._checked_at: float | None = None
        self._asked: int | None = None
        self._ended: dict[int, Stand] = {}
        self._lacking: frozenset[int] = frozenset()
        self._lacking_since: float | None = None
        self._looked_into: set[int] = set()
        self._looked_again = False
        self._sought_at: float | None = None
        self._removed: set[int] = set()

    def look(self) -> Steps[Standing]:
        """Poll once.

        :raises JobStateError: if the job is a draft, is archived, does not exist, or has had no tasks for too
            long.
        :raises ReviewImpossibleError: if the wait can never be over.
        """
        if self.target.job_id is not None:
            yield from self._check_job(self.target.job_id)
        for index in self._jobs.values():
            yield from index.look()
        if self.target.job_id is None:
            yield from self._find_jobs()
        stands = yield from self._stands()
        receipt = receipt_of(self.project, sorted(self._jobs), stands)
        yield from self._tell(receipt, stands)
        if self.rules.is_over(receipt):
            return Standing("done", receipt)
        yield from self._check_hope(receipt)
        return Standing("pending", receipt)

    def until_decided(
        self,
        timeout: float,
        poll_interval: float,
        *,
        first_pause: float | None = None,
        max_failures: int = MAX_POLL_FAILURES,
    ) -> Steps[Standing]:
        """Poll until it is over or time runs out.

        :param timeout: seconds; the last poll is made when they have passed.
        :param poll_interval: most seconds between two polls.
        :param first_pause: seconds before the first poll.
        :param max_failures: failed polls in a row after which to give up.
        :raises ReviewLostError: if that many polls in a row failed.
        :raises DiffgramError: as :meth:`look` does, or if the server refused.
        """
        pace = Pace(poll_interval, first=_FIRST)

        def look(is_last: bool) -> Steps[Standing | None]:
            standing = yield from self.look()
            if standing.status == "done":
                return standing
            return Standing("timeout", standing.receipt) if is_last else None

        return look_until_decided(
            look,
            lambda moment, failed: pace.pause(),
            timeout=timeout,
            first_pause=_FIRST if first_pause is None else first_pause,
            max_failures=max_failures,
            lost=ReviewLostError,
        )

    def _check_job(self, job_id: int) -> Steps[None]:
        """Check now and then whether people can still work in the job.

        :raises JobStateError: if they cannot.
        """
        moment = yield from now()
        if self._checked_at is None or moment - self._checked_at >= _CHECK_EVERY:
            yield from require_launched(self.project, job_id)
            self._checked_at = moment

    def _find_jobs(self) -> Steps[None]:
        """Find the jobs in which the files have tasks, by asking for files that no job known so far has.

        The first poll asks for many, later ones for a few in turn.
        """
        assert self.target.file_ids is not None
        covered: set[int] = set().union(*(index.listed_files() for index in self._jobs.values()))
        lacking = [each for each in self.target.file_ids if each not in covered and each not in self._ended]
        most, start = (_LOOKED_INTO, 0) if self._asked is None else (_ASKED_LATER, self._asked)
        for file_id in lacking[start : start + most]:
            if file_id in covered:
                continue
            listed = yield from ask(routes.list_tasks(self.project, file_id=file_id))
            for job_id in {task.job.id for task in listed.task_list if task.job and task.job.id}:
                if job_id not in self._jobs:
                    self._jobs[job_id] = TaskIndex(self.project, job_id)
                    yield from self._jobs[job_id].look()
                    covered |= self._jobs[job_id].listed_files()
        self._asked = start + most if start + most < len(lacking) else 0

    def _stands(self) -> Steps[dict[int, Stand]]:
        """Return the state of each expected file."""
        listed: dict[int, Stand] = {}
        known: set[int] = set()
        for index in self._jobs.values():
            known |= {file_id for file_id in index.files.values() if file_id is not None}
            for file_id, stand in stands_of(index.tasks()).items():
                listed[file_id] = least_finished(listed.get(file_id, stand), stand)
        wanted: Collection[int] = known if self.target.file_ids is None else self.target.file_ids
        stands: dict[int, Stand] = {}
        asked = 0
        for file_id in wanted:
            if file_id in listed:
                self._ended.pop(file_id, None)
                stands[file_id] = listed[file_id]
            elif file_id in known and file_id not in self._ended:
                asked += 1
                if asked <= _LOOKED_INTO:
                    self._ended[file_id] = yield from self._why_it_left(file_id)
                stands[file_id] = self._ended.get(file_id, "archived")
            else:
                stands[file_id] = self._ended.get(file_id, "without_task")
        yield from self._look_into(stands)
        yield from self._look_for_removed(stands)
        return stands

    def _look_for_removed(self, stands: dict[int, Stand]) -> Steps[None]:
        """Find out now and then which of the last unfinished files were removed and still have a task."""
        unfinished = [file_id for file_id, stand in stands.items() if stand in _UNFINISHED]
        if len(unfinished) > _LAST:
            return
        moment = yield from now()
        if self._sought_at is None or moment - self._sought_at >= _CHECK_EVERY:
            self._removed.clear()
            for file_id in unfinished:
                file = yield from find_file(self.project, file_id)
                if file is not None and file.removed:
                    self._removed.add(file_id)
            self._sought_at = moment
        for file_id in self._removed.intersection(unfinished):
            stands[file_id] = "removed"

    def _why_it_left(self, file_id: int) -> Steps[Stand]:
        """Return why the task of a file is listed no more: archived ones never are."""
        file = yield from find_file(self.project, file_id)
        return "removed" if file is None or file.removed else "archived"

    def _look_into(self, stands: dict[int, Stand]) -> Steps[None]:
        """Find out which files without a task had one, or are not there any more: before this wait began.

        Each file is looked into once, and again when it has had no task for too long.
        """
        lacking = frozenset(file_id for file_id, stand in stands.items() if stand == "without_task")
        moment = yield from now()
        if lacking != self._lacking or self._lacking_since is None:
            self._lacking, self._lacking_since, self._looked_again = lacking, moment, False
        if self._is_overdue(moment) and not self._looked_again:
            self._looked_again = True
            self._looked_into -= lacking
        new = lacking - self._looked_into
        if len(new) > _LOOKED_INTO:
            return  # they are still being made, all at once
        for file_id in sorted(new):
            stand = yield from self._without_task(file_id)
            self._looked_into.add(file_id)
            if stand != "without_task":
                self._ended[file_id] = stands[file_id] = stand
        self._lacking -= self._ended.keys()

    def _without_task(self, file_id: int) -> Steps[Stand]:
        """Return whether a file without a task was removed, or had one: an event tells of each task made."""
        file = yield from find_file(self.project, file_id)
        if file is None or file.removed:
            return "removed"
        events = yield from ask(routes.list_events(self.project, kind="file_None", file_id=file_id))
        made_in = {event.job_id for event in events if event.job_id is not None}
        had_one = made_in if self.target.job_id is None else made_in & {self.target.job_id}
        return "archived" if had_one else "without_task"

    def _is_overdue(self, moment: float) -> bool:
        since = self._lacking_since
        return since is not None and moment - since >= self.rules.task_timeout

    def _tell(self, receipt: ReviewReceipt, stands: dict[int, Stand]) -> Steps[None]:
        moment = time.time()
        times: list[int] = []
        for index in self._jobs.values():
            of_interest = {task_id for task_id, file_id in index.files.items() if file_id in stands}
            times += completion_times(index.states, of_interest)
        progress = Progress(receipt, self.rules.needed(receipt), speed_of(times, moment), moment)
        line = self._pulse.beat((yield from now()), **progress.told())
        if line is not None:
            _log.info("%s", line)
        if self._progress is not None:
            self._progress(progress)

    def _check_hope(self, receipt: ReviewReceipt) -> Steps[None]:
        """Fail if it can never be over.

        :raises JobStateError: if the job has had no task for too long.
        :raises ReviewImpossibleError: if too few files are left, or some have had no task for too long.
        """
        job_id = self.target.job_id
        overdue = self._is_overdue((yield from now()))
        if self.target.file_ids is None:
            if receipt.reviewable == 0 and overdue:
                assert job_id is not None
                yield from require_launched(self.project, job_id)
                raise JobStateError(
                    f"job {job_id} has had no tasks for {self.rules.task_timeout:.0f} s, so nobody can "
                    "review: attach a dataset with files to it, or add files by DiffgramAddTasksOperator"
                    + (f" ({receipt.summary()})" if receipt.expected else "")
                )
            return
        if self.rules.is_hopeless(receipt):
            raise ReviewImpossibleError(
                f"min_done needs {count_of(self.rules.needed(receipt) or 1, 'file')} to be reviewed, but "
                f"only {receipt.reviewable:,} can be: {receipt.summary()}. Lower min_done, or name other "
                "files",
                receipt,
            )
        possible = receipt.reviewable - receipt.without_task
        if overdue and receipt.without_task and possible < self.rules.needed(receipt):
            where = "in any job" if job_id is None else f"in job {job_id}"
            raise ReviewImpossibleError(
                f"{receipt.without_task:,} of {receipt.expected:,} files have had no task {where} for "
                f"{self.rules.task_timeout:.0f} s, so nobody can review them: add them by "
                "DiffgramAddTasksOperator, or attach their dataset to the job and launch it. "
                f"{receipt.summary()}. File ids: {first_of(sorted(self._lacking), _SHOWN)}",
                receipt,
            )
