"""Jobs and tasks, in which people review (server.md 2.17, 10.2 to 10.5)."""

from __future__ import annotations

from typing import Any

from pydantic import AliasPath, Field, field_validator

from ..base import Received
from .datasets import DirectoryRef


class Job(Received):
    """A job. Its counters are cached and leave out tasks in review: list the tasks (server.md 10.1)."""

    id: int
    name: str | None = None
    status: str | None = None
    type: str | None = None
    tags: list[str] = []
    stat_count_tasks: int | None = None
    stat_count_complete: int | None = None
    stat_count_available: int | None = None
    file_count_statistic: int | None = None
    completion_directory_id: int | None = None
    label_schema_id: int | None = None
    is_live: bool | None = None
    pending_initial_dir_sync: bool | None = None
    attached_directories_dict: dict[str, Any] | None = Field(default=None, repr=False)
    time_created: str | None = None
    time_completed: str | None = None

    @field_validator("tags", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return value or []


class JobPage(Received):
    """One page of at most fifty jobs."""

    jobs: list[Job] = Field(validation_alias="Job_list")
    total: int | None = Field(default=None, validation_alias=AliasPath("metadata", "total_job_number"))
    pages: int | None = Field(default=None, validation_alias=AliasPath("metadata", "number_of_pages"))


class JobRef(Received):
    """The job of a task."""

    id: int | None = None
    name: str | None = None


class TaskFile(Received):
    """The file of a task; its ``time_last_updated`` is as in a listing of files."""

    id: int
    original_filename: str | None = None
    type: str | None = None
    state: str | None = None
    ann_is_complete: bool | None = None
    time_last_updated: str | None = None


class TaskState(Received):
    """How far the review of one file is."""

    id: int
    status: str | None = None
    assignee_user_id: int | None = None
    time_updated: str | None = None
    time_completed: str | None = None

    @property
    def done(self) -> bool:
        """Whether people have finished it."""
        return self.status == "complete"


class Task(TaskState):
    """One file to review."""

    task_type: str | None = None
    job: JobRef | None = None
    file: TaskFile | None = None
    incoming_directory: DirectoryRef | None = None
    time_created: str | None = None


class TaskPage(Received):
    """One page of tasks."""

    task_list: list[Task]
    allow_reviews: bool | None = None
    pending_initial_dir_sync: bool | None = None
    total_count: int | None = None
