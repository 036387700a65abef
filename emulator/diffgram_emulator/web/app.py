"""The pages of the frontend.

Whatever is not under ``/api`` is the frontend's (server.md 1.1). The paths under ``/studio/annotate`` and
``/studio/upload``, ``/job/{id}`` and ``/task/{id}`` are the real server's. To look at the pages no credential
is needed, since this is a tool for one's own computer; to change anything, see :mod:`.login`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..call import Emulator
from ..files import find_file
from ..jobs import TASK_STATUSES, find_job, find_task, make_tasks
from ..overlay import PALETTE
from ..store import Project
from . import dataset, inputs, jobs, projects
from .login import log_in
from .rendering import html, missing, static
from .sheet import sheet
from .stored import stored

_MOST_TEXT = 200


def application(emulator: Emulator) -> ASGIApp:
    """Return the frontend."""

    def route(path: str, answer: Callable[[Emulator, Request], Response], method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(answer, emulator, request)

        return Route(path, endpoint, methods=[method])

    return Starlette(
        routes=[
            route("/", _overview),
            route("/studio/annotate/{project}/explorer", _explorer),
            route("/studio/annotate/{project}", _annotate),
            route("/studio/upload/{project}", _inputs),
            route("/studio/jobs/{project}", _jobs),
            route("/studio/labels/{project}", _labels),
            route("/studio/login/{project}", log_in, "POST"),
            route("/job/{job}", _job),
            route("/task/{task}", _task),
            route("/static/{name}", static),
            route("/storage/{bucket}/{path:path}", stored),
        ]
    )


def _number(request: Request, key: str) -> int | None:
    return _as_number(request.query_params.get(key, ""))


def _as_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _page(request: Request) -> int:
    return _number(request, "page") or 1


def _text(request: Request, key: str) -> str:
    return request.query_params.get(key, "").strip()[:_MOST_TEXT]


def _project(emulator: Emulator, request: Request) -> Project | None:
    return emulator.store.project(request.path_params["project"])


def _owner(emulator: Emulator, project_id: int) -> Project:
    row = emulator.store.one("SELECT * FROM project WHERE id = ?", project_id)
    assert row is not None
    return Project(row["id"], row["string_id"])


def _overview(emulator: Emulator, request: Request) -> Response:
    return html(emulator, request, "overview.html", projects=projects.projects(emulator.store))


def _explorer(emulator: Emulator, request: Request) -> Response:
    """Show the files of a dataset, of the first one unless told."""
    store, project = emulator.store, _project(emulator, request)
    if project is None:
        return missing(emulator, request, "project")
    datasets = projects.datasets(store, project.id)
    wanted_id = _number(request, "dataset_id") or datasets[0]["id"]
    chosen = next((one for one in datasets if one["id"] == wanted_id), None)
    if chosen is None:
        return missing(emulator, request, "dataset")
    wanted = dataset.Wanted(chosen["id"], _text(request, "search"), _number(request, "label"), _page(request))
    files, amount = dataset.listed(store, wanted)
    return html(
        emulator,
        request,
        "explorer.html",
        project=project.string_id,
        datasets=datasets,
        dataset=chosen,
        files=files,
        amount=amount,
        totals=dataset.totals(store, chosen["id"]),
        wanted=wanted,
        page_size=dataset.PAGE_SIZE,
    )


def _annotate(emulator: Emulator, request: Request) -> Response:
    """Show one file with its instances drawn over it; without a file, the explorer."""
    project, file_id = _project(emulator, request), _number(request, "file")
    if project is None or file_id is None:
        return _explorer(emulator, request)
    row = find_file(emulator.store, file_id)
    if row is None or row["project_id"] != project.id or row["type"] == "label":
        return missing(emulator, request, "file")
    return _file(emulator, request, project, row)


def _file(
    emulator: Emulator, request: Request, project: Project, row: sqlite3.Row, task: sqlite3.Row | None = None
) -> Response:
    store = emulator.store
    parent = find_file(store, row["parent_id"]) if row["parent_id"] else None
    make_tasks(store, project, emulator.options.task_seconds)
    return html(
        emulator,
        request,
        "file.html",
        project=project.string_id,
        sheet=sheet(store, row),
        parent=parent,
        dataset=store.one("SELECT * FROM directory WHERE id = ?", (parent or row)["directory_id"]),
        place=dataset.place(store, row) if task is None else jobs.task_place(store, task),
        task=None if task is None else jobs.task(store, task),
        tasks=jobs.tasks_of_file(store, row),
        labels=projects.labels(store, project),
    )


def _inputs(emulator: Emulator, request: Request) -> Response:
    """Show what was sent, what became of it, and why not: row by row, or by batch."""
    store, project = emulator.store, _project(emulator, request)
    if project is None:
        return missing(emulator, request, "project")
    page, values = _page(request), {"project": project.string_id}
    if request.query_params.get("view") == "batches":
        batches, amount = inputs.batches(store, project, page)
        return html(
            emulator, request, "batches.html", batches=batches, amount=amount, page=page,
            page_size=inputs.PAGE_SIZE, **values
        )  # fmt: skip
    state = request.query_params.get("status", "all")
    wanted = inputs.Wanted(
        project.id,
        state if state in inputs.STATES else "all",
        _number(request, "batch_id"),
        _text(request, "search"),
        page,
    )
    return html(
        emulator,
        request,
        "inputs.html",
        inputs=inputs.listed(store, wanted),
        states=inputs.counted(store, wanted),
        wanted=wanted,
        page_size=inputs.PAGE_SIZE,
        **values,
    )


def _jobs(emulator: Emulator, request: Request) -> Response:
    """Show the jobs of a project."""
    store, project = emulator.store, _project(emulator, request)
    if project is None:
        return missing(emulator, request, "project")
    make_tasks(store, project, emulator.options.task_seconds)
    values = {"jobs": jobs.jobs(store, project), "datasets": projects.datasets(store, project.id)}
    return html(emulator, request, "jobs.html", project=project.string_id, **values)


def _job(emulator: Emulator, request: Request) -> Response:
    """Show a job's tasks."""
    store, job_id = emulator.store, _as_number(request.path_params["job"])
    row = None if job_id is None else find_job(store, job_id)
    if row is None:
        return missing(emulator, request, "job")
    project = _owner(emulator, row["project_id"])
    make_tasks(store, project, emulator.options.task_seconds)
    status = request.query_params.get("status")
    status = status if status in TASK_STATUSES else None
    values: dict[str, Any] = {"job": jobs.job(store, row), "status": status, "page": _page(request)}
    values["tasks"] = jobs.tasks(store, row["id"], status, values["page"])
    values["amount"] = values["job"]["statuses"].get(status, 0) if status else values["job"]["tasks"]
    values["waiting"] = jobs.first_waiting(store, row["id"])
    return html(emulator, request, "job.html", project=project.string_id, page_size=jobs.PAGE_SIZE, **values)


def _task(emulator: Emulator, request: Request) -> Response:
    """Show the file of a task, to be worked on."""
    store, task_id = emulator.store, _as_number(request.path_params["task"])
    task = None if task_id is None else find_task(store, task_id)
    row = None if task is None else find_file(store, task["file_id"])
    if task is None or row is None:
        return missing(emulator, request, "task")
    return _file(emulator, request, _owner(emulator, task["project_id"]), row, task)


def _labels(emulator: Emulator, request: Request) -> Response:
    """Show the labels of a project."""
    project = _project(emulator, request)
    if project is None:
        return missing(emulator, request, "project")
    labels = projects.labels_used(emulator.store, project)
    used = {label["colour"] for label in labels}
    colour = next((one for one in PALETTE if one not in used), PALETTE[0])
    return html(emulator, request, "labels.html", project=project.string_id, labels=labels, colour=colour)
