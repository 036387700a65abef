"""Jobs of human review and their tasks (server.md 2.17).

Tasks are made when somebody looks: every file that has been long enough in a job's dataset has one from then
on. Nothing waits in memory, so nothing is lost with a restart.
"""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from .events import note_event
from .files import file_fields
from .labels import find_schema, label_fields, label_rows, schema_fields
from .store import Project, Store, from_json, insert, update
from .times import now_iso, rfc1123, with_blank
from .validation import is_int

JOB_STATUSES = ("draft", "active", "in_review", "complete", "archived")
TASK_STATUSES = (
    "available",
    "created",
    "in_progress",
    "in_review",
    "review_requested",
    "requires_changes",
    "deferred",
    "complete",
    "archived",
)
AT_WORK = ("active", "in_review", "complete")

_WANTED = """
SELECT coalesce(file.parent_id, file.id) AS file_id, min(file.directory_id) AS directory_id
FROM (
    SELECT file.id FROM job_directory JOIN file ON file.directory_id = job_directory.directory_id
        WHERE job_id = :job AND (selected = 'sync' OR file.created_time <= :launched)
    UNION SELECT file_id FROM input WHERE job_id = :job AND status = 'success'
) AS found JOIN file ON file.id = found.id
WHERE file.project_id = :project AND file.state != 'removed' AND file.type NOT IN ('frame', 'label')
    AND file.type NOT LIKE 'compound%' AND file.created_time <= :due
    AND NOT EXISTS (SELECT 1 FROM task WHERE job_id = :job AND file_id = coalesce(file.parent_id, file.id))
GROUP BY 1 ORDER BY 1
"""


def find_job(store: Store, job_id: int) -> sqlite3.Row | None:
    """Return a job of any project."""
    return store.one("SELECT * FROM job WHERE id = ?", job_id)


def find_task(store: Store, task_id: int) -> sqlite3.Row | None:
    """Return a task of any project."""
    return store.one("SELECT * FROM task WHERE id = ?", task_id)


def launch_job(store: Store, job: sqlite3.Row, task_seconds: float) -> None:
    """Make a job active. Its tasks are made in one transaction, so they are all there at once, and late.

    :param task_seconds: how long each of them takes.
    """
    now = now_iso()
    values = {"job": job["id"], "project": job["project_id"], "due": now, "launched": now}
    amount = len(store.connection().execute(_WANTED, values).fetchall())
    due = _moment(-task_seconds * amount)
    with store.write() as connection:
        update(connection, "job", job["id"], status="active", launched=now, tasks_due=due, time_updated=now)


def make_tasks(store: Store, project: Project, seconds: float, file_seconds: float | None = None) -> None:
    """Make the tasks that are due in the jobs of a project; those of children are their parent's.

    :param seconds: how long a job must have been launched.
    :param file_seconds: how long a file must have been there; the same unless given. It is 0 when a file was
        ingested within its request, which has its task before the answer (server.md 10.9).
    """
    launched = _moment(seconds)
    due = launched if file_seconds is None else _moment(file_seconds)
    jobs = store.all(
        "SELECT * FROM job WHERE project_id = ? AND status IN (?, ?, ?)"
        " AND coalesce(tasks_due, launched) <= ?",
        project.id,
        *AT_WORK,
        launched,
    )
    for job in jobs:
        values = {"job": job["id"], "project": project.id, "due": due, "launched": job["launched"]}
        if not store.connection().execute(_WANTED, values).fetchone():
            continue
        with store.write() as connection:
            for wanted in connection.execute(_WANTED, values).fetchall():
                _make_task(connection, job, wanted["file_id"], wanted["directory_id"])


def _moment(seconds: float) -> str:
    """Return the time that many seconds ago."""
    then = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=seconds)
    return then.isoformat(timespec="microseconds")


def make_tasks_of(store: Store, job: sqlite3.Row, file_ids: list[Any]) -> None:
    """Make the tasks of files that were added to a job at work, one each; ids of nothing are left out."""
    if job["status"] not in AT_WORK:
        return
    with store.write() as connection:
        for file_id in file_ids:
            file = connection.execute(
                "SELECT * FROM file WHERE id = ? AND project_id = ? AND type NOT IN ('frame', 'label')"
                " AND NOT EXISTS (SELECT 1 FROM task WHERE job_id = ? AND file_id = file.id)",
                (file_id if is_int(file_id) else None, job["project_id"], job["id"]),
            ).fetchone()
            if file is not None:
                _make_task(connection, job, file["id"], file["directory_id"])


def _make_task(
    connection: sqlite3.Connection, job: sqlite3.Row, file_id: int, directory_id: int | None
) -> None:
    now = now_iso()
    task_id = insert(
        connection,
        "task",
        project_id=job["project_id"],
        job_id=job["id"],
        file_id=file_id,
        incoming_directory_id=directory_id,
        time_created=now,
        time_updated=now,
    )
    connection.execute(
        "UPDATE file SET ann_is_complete = 0, time_last_updated = ? WHERE id = ?", (now, file_id)
    )
    connection.execute("UPDATE job SET time_updated = ?, status = 'active' WHERE id = ?", (now, job["id"]))
    project_id, job_id = job["project_id"], job["id"]
    note_event(connection, project_id, "file_None", file_id=file_id, job_id=job_id)
    note_event(connection, project_id, "task_created", task_id=task_id, job_id=job_id)
    note_event(connection, project_id, "task_created", task_id=task_id)


def archive_tasks(connection: sqlite3.Connection, file_id: int) -> None:
    """Archive the tasks of a file and of its children."""
    connection.execute(
        "UPDATE task SET status = 'archived', time_updated = ?1 WHERE file_id = ?2"
        " OR file_id IN (SELECT id FROM file WHERE parent_id = ?2)",
        (now_iso(), file_id),
    )


def is_reviewed(store: Store, task: sqlite3.Row) -> bool:
    """Tell whether a completed task goes to review: a share of them, by chance, where the job says so."""
    job = find_job(store, task["job_id"])
    return job is not None and bool(job["allow_reviews"]) and random.random() < job["review_chance"]


def set_task(
    connection: sqlite3.Connection,
    task: sqlite3.Row,
    status: str,
    member_id: int | None = None,
    comment: str | None = None,
) -> None:
    """Set what a person made of a task, with what follows for its file and job (server.md 10.1, 10.3.3).

    The file's ``ann_is_complete`` is true while a review waits, and false once the task is complete. A job is
    complete with the last of its tasks, and stays so when one of them is opened again.
    """
    now = now_iso()
    finished = status in ("complete", "in_review")
    connection.execute(
        "UPDATE task SET status = ?, time_updated = ?, time_completed = ? WHERE id = ?",
        (status, now, now if finished else task["time_completed"], task["id"]),
    )
    if status == "in_review":
        # Who reviews is chosen by the server itself; here it is whoever completed the task.
        connection.execute(
            "UPDATE task SET assignee_user_id = ?, reviewed_since = ? WHERE id = ?",
            (member_id, now, task["id"]),
        )
    if finished:
        connection.execute(
            "UPDATE file SET ann_is_complete = ?, time_last_updated = ? WHERE id = ?",
            (int(status == "in_review"), now, task["file_id"]),
        )
    connection.execute("UPDATE job SET time_updated = ? WHERE id = ?", (now, task["job_id"]))
    _note_change(connection, task, status, member_id, comment)
    completed = connection.execute(
        "UPDATE job SET status = 'complete' WHERE id = ?1 AND status = 'active' AND NOT EXISTS"
        " (SELECT 1 FROM task WHERE job_id = ?1 AND status NOT IN ('complete', 'archived'))",
        (task["job_id"],),
    )
    if status == "complete" and completed.rowcount:
        note_event(connection, task["project_id"], "task_template_completed", job_id=task["job_id"])


def _note_change(
    connection: sqlite3.Connection,
    task: sqlite3.Row,
    status: str,
    member_id: int | None,
    comment: str | None,
) -> None:
    """Write the events of a change, in the order of the server (server.md 10.3.3)."""
    project_id, named = task["project_id"], {"task_id": task["id"], "member_id": member_id}
    job = {"job_id": task["job_id"]}
    if status == "in_progress":
        note_event(connection, project_id, "task_in_progress", **named, **job)
    elif status == "in_review":
        note_event(connection, project_id, "task_review_start", **named, **job)
    elif status == "requires_changes":
        note_event(connection, project_id, "task_request_changes", **named, **job)
        if comment:
            note_event(connection, project_id, "task_comment_created", **named, **job)
    elif status == "complete":
        if task["status"] == "in_review":
            note_event(connection, project_id, "task_review_complete", **named, **job)
        note_event(connection, project_id, "task_completed", **named, **job)
        note_event(connection, project_id, "file_None", file_id=task["file_id"], **job)
        note_event(connection, project_id, "task_completed", **named)


def attached(store: Store, job_id: int) -> list[dict[str, Any]]:
    """Return the datasets of a job."""
    rows = store.all(
        "SELECT job_directory.*, directory.nickname FROM job_directory"
        " JOIN directory ON directory.id = job_directory.directory_id WHERE job_id = ? ORDER BY directory_id",
        job_id,
    )
    return [{key: row[key] for key in ("directory_id", "nickname", "selected")} for row in rows]


def job_fields(store: Store, project: Project, job: sqlite3.Row) -> dict[str, Any]:
    """Return a job as the API shows it, with its bulky ``label_dict``.

    Tasks in review, deferred or to be changed are in none of its counters (server.md 10.1).
    """
    counted = store.one(
        "SELECT count(CASE status WHEN 'complete' THEN 1 END) AS complete,"
        " count(CASE WHEN status IN ('available', 'in_progress') THEN 1 END) AS available"
        " FROM task WHERE job_id = ?",
        job["id"],
    )
    assert counted is not None
    is_draft = job["status"] == "draft"
    tasks = None if is_draft else counted["complete"] + counted["available"]
    schema = find_schema(store, project, job["label_schema_id"])
    labels = [] if schema is None else label_rows(store, project, schema["id"])
    directory = store.one("SELECT * FROM directory WHERE id = ?", job["completion_directory_id"])
    return {
        "attached_directories_dict": {"attached_directories_list": attached(store, job["id"])},
        "cache_info": {
            "attached_directories_dict": {"from_cache": True, "regenerate_datetime": job["time_created"]},
            "member_list_ids": {"from_cache": True},
            "reviewer_list_ids": {"from_cache": False, "regenerate_datetime": job["time_created"]},
        },
        "completion_directory": {
            "id": directory["id"] if directory else None,
            "nickname": directory["nickname"] if directory else None,
        },
        "completion_directory_id": job["completion_directory_id"],
        "file_count_statistic": tasks,
        "id": job["id"],
        "instance_type": job["instance_type"],
        "interface_connection": None,
        "is_live": True,
        "is_pinned": False,
        "label_dict": {
            "label_file_colour_map": {str(label["id"]): from_json(label["colour"]) for label in labels},
            "label_file_list": [label["id"] for label in labels],
            "label_file_list_serialized": [label_fields(label) for label in labels],
        },
        "label_schema": None if schema is None else schema_fields(schema),
        "label_schema_id": job["label_schema_id"],
        "launch_datetime": with_blank(job["launched"]) or "None",
        "member_list_ids": from_json(job["member_list"]),
        "name": job["name"],
        "output_dir_action": job["output_dir_action"],
        "share_type": job["share_type"],
        "stat_count_available": None if is_draft else counted["available"],
        "stat_count_complete": counted["complete"],
        "stat_count_tasks": tasks,
        "status": job["status"],
        "time_completed": with_blank(job["time_completed"]) or "None",
        "time_created": with_blank(job["time_created"]),
        "time_updated": with_blank(job["time_updated"]) or "None",
        "type": job["type"],
        "waiting_to_be_launched": False,
    }


def task_fields(store: Store, task: sqlite3.Row, base_url: str) -> dict[str, Any]:
    """Return a task as the API shows it; the URLs of its picture are not made (server.md 4.1)."""
    job = find_job(store, task["job_id"])
    file = store.one("SELECT * FROM file WHERE id = ?", task["file_id"])
    directory = store.one("SELECT * FROM directory WHERE id = ?", task["incoming_directory_id"])
    assert job is not None
    assert file is not None
    shown = file_fields(store, file, base_url)
    for key in ("url_signed", "url_signed_thumb"):
        if "image" in shown:
            shown["image"][key] = None
    return {
        "assignee_user_id": task["assignee_user_id"],
        "file": shown,
        "id": task["id"],
        "incoming_directory": None
        if directory is None
        else {"id": directory["id"], "nickname": directory["nickname"]},
        "job": {"id": job["id"], "name": job["name"]},
        "status": task["status"],
        "task_assignees": [],
        "task_reviewers": _reviewers(task),
        "task_type": "draw",
        "time_completed": with_blank(task["time_completed"]) or "None",
        "time_created": task["time_created"],
        "time_updated": with_blank(task["time_updated"]) or "None",
    }


def _reviewers(task: sqlite3.Row) -> list[dict[str, Any]]:
    if task["reviewed_since"] is None:
        return []
    return [
        {
            "id": task["id"],
            "relation": "reviewer",
            "task_id": task["id"],
            "time_created": task["reviewed_since"][:19].replace("T", " "),
            "time_updated": None,
            "user_id": task["assignee_user_id"],
        }
    ]


def task_state(task: sqlite3.Row) -> dict[str, Any]:
    """Return a task as the mode ``exam_results`` shows it: no file, and real null (server.md 10.5)."""
    return {
        "assignee_user_id": task["assignee_user_id"],
        "gold_standard_missing": 0,
        "id": task["id"],
        "review_star_rating_average": None,
        "status": task["status"],
        "time_completed": rfc1123(task["time_completed"]) if task["time_completed"] else None,
        "time_updated": rfc1123(task["time_updated"]),
    }


def opened_task_fields(store: Store, project: Project, task: sqlite3.Row, base_url: str) -> dict[str, Any]:
    """Return a task as the page of a person gets it, with URLs of its file."""
    job, file = find_job(store, task["job_id"]), store.one("SELECT * FROM file WHERE id = ?", task["file_id"])
    assert job is not None
    assert file is not None
    schema = find_schema(store, project, job["label_schema_id"])
    return {
        "assignee_user_id": task["assignee_user_id"],
        "default_userscript": None,
        "file": file_fields(store, file, base_url),
        "gold_standard_file": None,
        "guide": None,
        "id": task["id"],
        "job": {
            "allow_reviews": bool(job["allow_reviews"]),
            "id": job["id"],
            "is_pinned": False,
            "label_schema": None if schema is None else schema_fields(schema),
            "label_schema_id": job["label_schema_id"],
            "name": job["name"],
            "time_created": rfc1123(job["time_created"]),
            "type": job["type"],
        },
        "job_id": job["id"],
        "job_type": job["type"],
        "project_string_id": project.string_id,
        "status": task["status"],
        "task_assignees": [],
        "task_comment": "",
        "task_reviewers": _reviewers(task),
        "task_type": "draw",
        "time_completed": with_blank(task["time_completed"]) or "None",
        "time_tracking": [],
        "time_updated": with_blank(task["time_updated"]),
    }
