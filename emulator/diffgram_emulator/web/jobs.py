"""Jobs, their tasks, and the task that somebody has before them."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..jobs import TASK_STATUSES, attached
from ..store import Project, Store
from .dataset import Place, cards

PAGE_SIZE = 60
WAITING = ("available", "created", "in_progress", "requires_changes")
"""Statuses of tasks that somebody has to work on."""


def jobs(store: Store, project: Project) -> list[dict[str, Any]]:
    """Return a project's jobs, newest first."""
    rows = store.all("SELECT * FROM job WHERE project_id = ? ORDER BY id DESC", project.id)
    return [job(store, row) for row in rows]


def job(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return a job with the number of its tasks in each status."""
    counted = store.all("SELECT status, count(*) AS amount FROM task WHERE job_id = ? GROUP BY 1", row["id"])
    amounts = {one["status"]: one["amount"] for one in counted}
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "allow_reviews": bool(row["allow_reviews"] and row["review_chance"]),
        "time": row["time_created"],
        "datasets": attached(store, row["id"]),
        "tasks": sum(amount for status, amount in amounts.items() if status != "archived"),
        "statuses": {status: amounts[status] for status in TASK_STATUSES if status in amounts},
    }


def tasks(store: Store, job_id: int, status: str | None, page: int) -> list[dict[str, Any]]:
    """Return a page of a job's tasks in their order, as cards of their files."""
    condition, values = _with_status(job_id, status)
    rows = store.all(
        f"SELECT * FROM task WHERE {condition} ORDER BY id LIMIT ? OFFSET ?",
        *values,
        PAGE_SIZE,
        (page - 1) * PAGE_SIZE,
    )
    marks = ", ".join("?" * len(rows))
    files = store.all(f"SELECT * FROM file WHERE id IN ({marks})", *(row["file_id"] for row in rows))
    faces = {card["id"]: card for card in cards(store, files)}
    return [{**faces[row["file_id"]], "task_id": row["id"], "status": row["status"]} for row in rows]


def _with_status(job_id: int, status: str | None) -> tuple[str, list[Any]]:
    if status is None:
        return "job_id = ? AND status != 'archived'", [job_id]
    return "job_id = ? AND status = ?", [job_id, status]


def tasks_of_file(store: Store, file: sqlite3.Row) -> list[sqlite3.Row]:
    """Return the tasks of a file, or of its parent, with the names of their jobs."""
    return store.all(
        "SELECT task.*, job.name AS job_name FROM task JOIN job ON job.id = task.job_id"
        " WHERE file_id = ? AND task.status != 'archived' ORDER BY task.id",
        file["parent_id"] or file["id"],
    )


def task(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return a task with its job, and the next one to work on in the same way."""
    owner = store.one("SELECT * FROM job WHERE id = ?", row["job_id"])
    assert owner is not None
    return {
        "id": row["id"],
        "job_id": row["job_id"],
        "job_name": owner["name"],
        "status": row["status"],
        "is_in_review": row["status"] == "in_review",
        "is_done": row["status"] == "complete",
        "following": _following(store, row),
    }


def task_place(store: Store, row: sqlite3.Row) -> Place:
    """Return where a task stands in its job; its neighbours are tasks."""
    found = store.one(
        "SELECT count(*) AS amount, count(CASE WHEN id <= ?2 THEN 1 END) AS number,"
        " max(CASE WHEN id < ?2 THEN id END) AS before, min(CASE WHEN id > ?2 THEN id END) AS after"
        " FROM task WHERE job_id = ?1 AND status != 'archived'",
        row["job_id"],
        row["id"],
    )
    assert found is not None
    return Place(found["number"], found["amount"], found["before"], found["after"])


def _following(store: Store, row: sqlite3.Row) -> int | None:
    """Return the next task that waits for the same kind of work: first those after this one."""
    waiting = ("in_review",) if row["status"] == "in_review" else WAITING
    marks = ", ".join("?" * len(waiting))
    found = store.one(
        f"SELECT id FROM task WHERE job_id = ? AND id != ? AND status IN ({marks})"
        " ORDER BY id < ?, id LIMIT 1",
        row["job_id"],
        row["id"],
        *waiting,
        row["id"],
    )
    return None if found is None else int(found["id"])


def first_waiting(store: Store, job_id: int) -> int | None:
    """Return the first task that somebody has to work on."""
    marks = ", ".join("?" * len(WAITING))
    found = store.one(
        f"SELECT id FROM task WHERE job_id = ? AND status IN ({marks}) ORDER BY id LIMIT 1", job_id, *WAITING
    )
    return None if found is None else int(found["id"])
