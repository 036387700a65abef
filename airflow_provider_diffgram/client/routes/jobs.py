"""Jobs and tasks (server.md 2.17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...models.received import Job, JobPage, TaskPage
from ..request import Request
from .common import given, item, path_of

JobStatus = Literal["draft", "active", "in_review", "complete"]
"""Status of a job; archived ones are never listed."""


def list_jobs(
    project: str,
    *,
    job_ids: Sequence[int] | None = None,
    status: JobStatus | Sequence[JobStatus] | None = None,
    search: str | None = None,
    page: int = 1,
    names_only: bool = False,
) -> Request[JobPage]:
    """List jobs, fifty a page. The page must be named (quirk 43).

    :param names_only: ids and names, without the counters and the bulk that comes with them.
    """
    filters = given(job_ids=list(job_ids) if job_ids is not None else None, status=status, search=search)
    metadata = {
        "project_string_id": project,
        "page_number": page,
        "data_mode": "name_and_id_only" if names_only else "with_tags",
        **filters,
    }
    return Request(
        "list jobs", "POST", "/api/v1/job/list", JobPage.model_validate, json={"metadata": metadata}
    )


def list_job_tasks(
    project: str, job_id: int, *, status: str | None = None, page: int = 0, limit: int = 100
) -> Request[TaskPage]:
    """List the tasks of a job, by pages from 0 on. The job must be named in the body too (server.md 2.17)."""
    path = path_of("/api/v1/job/{id}/task/list", project, id=job_id)
    body = _tasks(page, limit, job_id=job_id, status=status)
    return Request(f"list tasks of job {job_id}", "POST", path, TaskPage.model_validate, json=body)


def list_tasks(
    project: str,
    *,
    file_id: int | None = None,
    job_id: int | None = None,
    status: str | None = None,
    page: int = 0,
    limit: int = 100,
) -> Request[TaskPage]:
    """List the tasks of a file or of a job, by pages from 0 on.

    :raises ValueError: if neither is named, which the server refuses.
    """
    if file_id is None and job_id is None:
        raise ValueError("name file_id or job_id: the server lists no tasks without")
    path = path_of("/api/v1/project/{p}/task/list", project)
    body = _tasks(page, limit, file_id=file_id, job_id=job_id, status=status)
    of = f"file {file_id}" if file_id is not None else f"job {job_id}"
    return Request(f"list tasks of {of}", "POST", path, TaskPage.model_validate, json=body)


def _tasks(page: int, limit: int, **filters: Any) -> dict[str, Any]:
    return {"mode_data": "list", "page_number": page, "limit_count": limit, **given(**filters)}


def view_job(project: str, job_id: int, *, refresh: bool = False) -> Request[Job]:
    """Read a job. The server allows three hundred a day to all behind one address (server.md 1.5).

    :param refresh: count its tasks anew.
    """
    path = path_of("/api/v1/job/{id}/builder/info", project, id=job_id)
    return Request(f"view job {job_id}", "POST", path, item(Job, "job"), json={"refresh_stats": refresh})
