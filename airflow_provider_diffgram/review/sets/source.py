"""Which files a set consists of: those of a dataset, of a job, of a push, or named ones; and how far each is.

A source is looked at whole, and again after what changed was read. It tells the mark of each file, with which
a change is found (server.md 10.3.5).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

from ...client import DiffgramClient, DiffgramError, RefusedError, routes
from ...client.request import ask_together
from ...ingest.server.jobs import every_job
from ...models import File, InvalidValueError, Task
from ...models.problems import count_of, first_of
from ..tasks import refuse_repetition
from .shelf import Member

_log = logging.getLogger(__name__)

DONE = "complete"
"""The status of a task that people have finished. Nothing else tells it (server.md 10.3.3)."""

_TASKS_AT_ONCE = 1000
_FILES_AT_ONCE = 64
_PASSES = 5
_FEW_FILES = 100
"""Up to so many files are asked for their tasks one by one; for more, all jobs are listed."""


class ListingError(DiffgramError):
    """What a source consists of cannot be told while it changes so fast."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A member, and its content where the look brought it.

    :param file: as the server told it with its instances; None if it is still to be read.
    :param parent: the compound file of a child.
    """

    member: Member
    file: File | None = None
    parent: File | None = None


class Source(Protocol):
    """Files of a project."""

    key: dict[str, Any]
    """What identifies it in a manifest."""

    directory_id: int | None
    """The dataset that has all of them; None if they may be in several."""

    name: str | None
    """What that dataset is called."""

    datasets: Counter[int]
    """Id of a dataset -> how many members the last look found in it, as far as it tells."""

    def look(self) -> Iterator[Sight | None]:
        """Yield the members, each with its mark, as they are now; children are not told.

        None means that what was told so far does not count: the look begins anew.
        """


class DatasetSource:
    """The root files of a dataset.

    :param only_done: whether a file counts only while all its tasks are complete, and it has one.
    """

    def __init__(
        self, client: DiffgramClient, directory_id: int, *, only_done: bool, name: str | None = None
    ) -> None:
        self._client = client
        self._only_done = only_done
        self.name = name
        self.directory_id: int | None = directory_id
        self.datasets: Counter[int] = Counter()
        self.key: dict[str, Any] = {"dataset_id": directory_id}

    def look(self) -> Iterator[Sight | None]:
        """Yield the files, newest first.

        One that is added meanwhile moves the others on, so that some come twice. One that is removed moves
        them back, so that some may not come at all: then the look begins anew.

        :raises ListingError: if files are removed at each attempt.
        """
        for _ in range(_PASSES):
            if (yield from self._pass()):
                return
            yield None
        raise ListingError(
            f"files of dataset {self.directory_id} were removed while it was listed, {_PASSES} times in a "
            "row, so its contents cannot be known: pull again when nobody removes files"
        )

    def _pass(self) -> Generator[Sight, None, bool]:
        """Yield the files of all pages; return whether none can have been passed over."""
        done = _statuses_of_all(self._client) if self._only_done else None
        page: int | None = 1
        before: int | None = None
        is_whole = True
        self.datasets.clear()
        while page is not None:
            assert self.directory_id is not None
            listing = self._client.send(routes.list_files(self._client.project, self.directory_id, page=page))
            for file in listing.file_list:
                if not file.removed and (done is None or done.get(file.id) == DONE):
                    self.datasets[self.directory_id] += 1
                    yield Sight(member_of(file, None if done is None else DONE))
            count = listing.metadata.file_count
            is_whole = is_whole and (before is None or count is None or count >= before)
            before = count
            page = listing.next_page if listing.file_list else None
        return is_whole


class JobSource:
    """The files of a job's tasks.

    :param only_done: whether a file counts only while its task is complete.
    """

    def __init__(self, client: DiffgramClient, job_id: int, *, only_done: bool) -> None:
        self._client = client
        self._job_id = job_id
        self._only_done = only_done
        self.directory_id: int | None = None
        self.name: str | None = None
        self.datasets: Counter[int] = Counter()
        self.key: dict[str, Any] = {"job_id": job_id}

    def look(self) -> Iterator[Sight | None]:
        """Yield the files of the tasks, oldest task first.

        A task that is archived meanwhile moves the others back; their states, in one list, tell whether one
        was passed over.

        :raises ListingError: if that happens at each attempt.
        """
        project = self._client.project
        for _ in range(_PASSES):
            met: set[int] = set()
            self.datasets.clear()
            for task in tasks_of(self._client, self._job_id):
                met.add(task.id)
                file = task.file
                if file is None or file.state == "removed" or (self._only_done and not task.done):
                    continue
                name = file.original_filename or f"{file.id}"
                if task.incoming_directory is not None and task.incoming_directory.id is not None:
                    self.datasets[task.incoming_directory.id] += 1
                yield Sight(Member(file.id, file.time_last_updated, name, file.type or "", task.status))
            states = self._client.send(routes.list_task_states(project, self._job_id))
            if all(state.id in met for state in states):
                return
            yield None
        raise ListingError(f"tasks of job {self._job_id} change too fast to be listed: pull again later")


class FilesSource:
    """Named files. Each look reads those that no dataset lists, with their content.

    :param file_ids: of files of the project.
    :param only_done: as of :class:`DatasetSource`.
    :param likely: a dataset that has most of them, if one is known; it is listed where they are many.
    """

    def __init__(
        self,
        client: DiffgramClient,
        file_ids: Iterable[int],
        *,
        only_done: bool,
        likely: int | None = None,
    ) -> None:
        self._client = client
        self._file_ids = sorted(set(file_ids))
        self._only_done = only_done
        self._likely = likely if len(self._file_ids) > _FEW_FILES else None
        self.directory_id: int | None = None
        self.name: str | None = None
        self.datasets: Counter[int] = Counter()
        self.key: dict[str, Any] = {"source": "files"}
        self._has_told = False

    def look(self) -> Iterator[Sight | None]:
        """Yield the files, those that no listing tells with their content.

        :raises InvalidValueError: if one is not in the project.
        :raises ListingError: as of :class:`DatasetSource`.
        """
        done = _statuses_of(self._client, self._file_ids) if self._only_done else None
        ids = [each for each in self._file_ids if done is None or done.get(each) == DONE]
        status = None if done is None else DONE
        rest = set(ids)
        self.datasets.clear()
        if self._likely is not None:
            for sight in DatasetSource(self._client, self._likely, only_done=False).look():
                if sight is None:
                    rest = set(ids)
                    self.datasets.clear()
                    yield None
                elif sight.member.id in rest:
                    rest.remove(sight.member.id)
                    self.datasets[self._likely] += 1
                    yield Sight(replace(sight.member, status=status))
        for file in read_singly(self._client, sorted(rest)):
            if not file.removed:
                yield Sight(member_of(file, status), file)
        if done is not None:
            self._tell_left_out(done)

    def _tell_left_out(self, done: Mapping[int, str | None]) -> None:
        """Log once how many files are not complete. One without a task may not exist: that is an error."""
        without_task = [each for each in self._file_ids if each not in done]
        unfinished = sum(each in done and done[each] != DONE for each in self._file_ids)
        for _ in read_singly(self._client, without_task):
            pass
        if (without_task or unfinished) and not self._has_told:
            self._has_told = True
            _log.warning(
                "%s left out: %s without a task, %s with one that is not complete. only='all' takes them",
                count_of(len(without_task) + unfinished, "file"),
                f"{len(without_task):,}",
                f"{unfinished:,}",
            )


def member_of(file: File, status: str | None = None) -> Member:
    """Return a root file as a member."""
    name = file.original_filename or f"{file.id}"
    return Member(file.id, file.time_last_updated, name, file.type or "", status)


def read_singly(client: DiffgramClient, file_ids: Iterable[int]) -> Iterator[File]:
    """Read files with their instances, a few at once.

    :raises InvalidValueError: if one is not in the project.
    """
    rest = iter(file_ids)
    while some := list(islice(rest, _FILES_AT_ONCE)):
        try:
            yield from client.run(
                ask_together(routes.list_annotations(client.project, each) for each in some)
            )
        except RefusedError as error:
            raise InvalidValueError(
                "files to pull",
                [f"one of {first_of(some, 10)} cannot be read, is it of this project? {error}"],
            ) from error


def children_of(client: DiffgramClient, compounds: Sequence[tuple[int, str]]) -> Iterator[Sight]:
    """Yield the children of compound files with their content.

    :param compounds: id and name of each.
    """
    rest = iter(compounds)
    while some := list(islice(rest, _FILES_AT_ONCE)):
        listed = client.run(
            ask_together(
                routes.list_children(client.project, parent, with_instances=True) for parent, _ in some
            )
        )
        for (parent_id, name), children in zip(some, listed, strict=True):
            parent = File(id=parent_id, original_filename=name)
            for child in children:
                if child.removed:
                    continue
                member = Member(
                    child.id,
                    child.time_last_updated,
                    child.original_filename or f"{child.id}",
                    child.type or "",
                    None,
                    parent_id,
                    child.ordinal or 0,
                )
                yield Sight(member, child, parent)


def tasks_of(client: DiffgramClient, job_id: int) -> Iterator[Task]:
    """Yield the tasks of a job, oldest first; archived ones are left out (server.md 10.5)."""
    page, before = 0, list[Task]()
    while True:
        listed = client.send(
            routes.list_job_tasks(client.project, job_id, page=page, limit=_TASKS_AT_ONCE)
        ).task_list
        refuse_repetition(job_id, before, listed)
        yield from listed
        if len(listed) < _TASKS_AT_ONCE:
            return
        page, before = page + 1, listed


def _statuses_of_all(client: DiffgramClient) -> dict[int, str | None]:
    """Return file -> the status of its tasks in all jobs: complete only if each of them is."""
    found: dict[int, str | None] = {}
    for job in client.run(every_job(client.project)):
        if job.status != "draft":
            _gather(found, tasks_of(client, job.id))
    return found


def _statuses_of(client: DiffgramClient, file_ids: Sequence[int]) -> dict[int, str | None]:
    if len(file_ids) > _FEW_FILES:
        return _statuses_of_all(client)
    pages = client.run(
        ask_together(routes.list_tasks(client.project, file_id=each, limit=1000) for each in file_ids)
    )
    found: dict[int, str | None] = {}
    for page in pages:
        _gather(found, page.task_list)
    return found


def _gather(found: dict[int, str | None], tasks: Iterable[Task]) -> None:
    for task in tasks:
        if task.file is not None and found.get(task.file.id, DONE) == DONE:
            found[task.file.id] = task.status
