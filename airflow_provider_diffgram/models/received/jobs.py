"""Jobs and tasks, in which people review (server.md 2.17, 10.2 to 10.5)."""

from __future__ import annotations

from typing import Any

from pydantic import AliasPath, Field, field_validator

from ..base import Received
from .datasets import DirectoryRef


class Job(Received):
    """A job. Its counters leave out tasks in review and are not read: list its tasks (server.md 10.1)."""

    id: int
    name: str | None = None
    status: str | None = None
    tags: list[str] = []

    @field_validator("tags", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return value or []


class JobPage(Received):
    """One page of at most fifty jobs."""

    jobs: list[Job] = Field(validation_alias="Job_list")
    pages: int | None = Field(default=None, validation_alias=AliasPath("metadata", "number_of_pages"))


class JobRef(Received):
    """The job of a task."""

    id: int | None = None


class TaskFile(Received):
    """The file of a task, with the same ``time_last_updated`` as in a listing of files."""

    id: int
    original_filename: str | None = None
    type: str | None = None
    state: str | None = None
    time_last_updated: str | None = None


class TaskState(Received):
    """The state of the review of one file."""

    id: int
    status: str | None = None
    time_updated: str | None = None
    time_completed: str | None = None

    @property
    def done(self) -> bool:
        """Whether people have finished it."""
        return self.status == "complete"


class Task(TaskState):
    """One file to review."""

    job: JobRef | None = None
    file: TaskFile | None = None
    incoming_directory: DirectoryRef | None = None
    time_created: str | None = None


class TaskPage(Received):
    """One page of tasks."""

    task_list: list[Task]
