"""Jobs and tasks, in which people review (server.md 2.17, 10.2, 10.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from ...models.problems import count_of
from ...models.received import Job, JobPage, TaskPage, TaskState
from ..request import Request
from .common import given, item, items, path_of, whatever

Everybody = Literal["all"]

ALL_TASKS = 100_000
"""More tasks than a job has; the server sets no limit (server.md 10.5)."""

_IDS = TypeAdapter(list[int])


def create_job(
    project: str,
    name: str,
    *,
    schema_id: int,
    datasets: Mapping[int, str] | None = None,
    tags: Sequence[str] = (),
    member_ids: Sequence[int | Everybody] = ("all",),
    reviewer_ids: Sequence[int | Everybody] = (),
    review_percent: int | None = None,
    instance_type: str = "box",
) -> Request[Job]:
    """Create a job as a draft (server.md 10.2.1). Names are not unique, so look for it first.

    :param schema_id: label schema that people annotate with.
    :param datasets: id -> name of datasets whose present and later files become tasks once it is launched.
    :param tags: names of tags, which :func:`list_jobs` returns.
    :param member_ids: who may annotate.
    :param reviewer_ids: who may review.
    :param review_percent: share of the finished tasks that go to review, 0 to 100; None for no review.
    """
    path = path_of("/api/v1/project/{p}/job/new", project)
    review: dict[str, Any] = {}
    if review_percent is not None:
        review = {
            "allow_reviews": True,
            "review_chance": review_percent,
            "reviewer_list_ids": list(reviewer_ids),
        }
    body = {
        "name": name,
        "instance_type": instance_type,
        "label_schema_id": schema_id,
        "file_handling": "use_existing",
        "member_list_ids": list(member_ids),
        "tag_list": list(tags),
        **review,
    }
    if datasets:
        body["attached_directories_dict"] = {"attached_directories_list": _synced(datasets)}
    return Request(f"create job {name!r}", "POST", path, item(Job, "job"), json=body, write=True)


def _synced(datasets: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {"directory_id": directory_id, "nickname": name, "selected": "sync"}
        for directory_id, name in datasets.items()
    ]


def launch_job(project: str, job_id: int) -> Request[Any]:
    """Launch a draft (server.md 10.2.3). Its tasks appear later, all at once, after about 30 ms per file.

    A second launch is refused and does no harm, so it may be sent again.
    """
    return Request(f"launch job {job_id}", "POST", "/api/v1/job/launch", whatever, json={"job_id": job_id})


def add_files(project: str, job_id: int, file_ids: Sequence[int]) -> Request[list[int]]:
    """Request tasks for single files in a launched job (server.md 10.2.4). A repetition makes no second task.

    The answer repeats the ids and proves nothing: unknown ones are silently skipped, and without the service
    ``eventhandlers`` no task is ever made. List the tasks to see whether they exist.

    :raises ValueError: if ``file_ids`` is empty, which the server refuses.
    """
    if not file_ids:
        raise ValueError("name at least one file: the server refuses an empty list")
    path = path_of("/api/v1/job/{id}/add-files", project, id=job_id)
    return Request(
        f"add {count_of(len(file_ids), 'file')} to job {job_id}",
        "POST",
        path,
        _IDS.validate_python,
        json={"file_id_list": list(file_ids)},
    )


def list_jobs(
    project: str,
    *,
    job_ids: Sequence[int] | None = None,
    search: str | None = None,
    page: int = 1,
    names_only: bool = False,
) -> Request[JobPage]:
    """List jobs with their tags, newest first, fifty per page. The page must be given (quirk 43).

    :param search: part of the name, in upper or lower case.
    :param page: number of the page, from 1.
    :param names_only: whether to return only ids and names, in a much smaller answer.
    """
    filters = given(
        job_ids=list(job_ids) if job_ids is not None else None,
        search=search,
    )
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
    """List the tasks of a job with their files, oldest first, in pages from 0. Archived tasks are left out.

    A task takes about 2 ms and 1 kB. Pages with a ``status`` shift while people work (server.md 10.5). The
    job must also be in the body (server.md 2.17).

    :param status: a single status; the server refuses a list.
    """
    path = path_of("/api/v1/job/{id}/task/list", project, id=job_id)
    body = _tasks("list", page, limit, job_id=job_id, status=status)
    return Request(f"list tasks of job {job_id}", "POST", path, TaskPage.model_validate, json=body)


def list_task_states(
    project: str, job_id: int, *, page: int = 0, limit: int = ALL_TASKS
) -> Request[list[TaskState]]:
    """List the states of a job's tasks, without their files: 0.2 ms and 185 bytes each (server.md 10.5)."""
    path = path_of("/api/v1/job/{id}/task/list", project, id=job_id)
    body = _tasks("exam_results", page, limit, job_id=job_id)
    return Request(
        f"list states of the tasks of job {job_id}", "POST", path, items(TaskState, "task_list"), json=body
    )


def list_tasks(project: str, *, file_id: int, limit: int = 100) -> Request[TaskPage]:
    """List the tasks of a file, in all jobs."""
    path = path_of("/api/v1/project/{p}/task/list", project)
    body = _tasks("list", 0, limit, file_id=file_id)
    return Request(f"list tasks of file {file_id}", "POST", path, TaskPage.model_validate, json=body)


def _tasks(mode: str, page: int, limit: int, **filters: Any) -> dict[str, Any]:
    return {"mode_data": mode, "page_number": page, "limit_count": limit, **given(**filters)}
