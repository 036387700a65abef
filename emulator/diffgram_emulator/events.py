"""Events of a project (server.md 10.4)."""

from __future__ import annotations

import sqlite3
from typing import Any

from .store import Store, insert
from .times import now_iso

MOST = 1000


def note_event(connection: sqlite3.Connection, project_id: int, kind: str, **values: Any) -> None:
    """Write an event.

    :param values: ``file_id``, ``job_id``, ``task_id``, ``member_id``, ``description``, as it has them.
    """
    insert(connection, "event", project_id=project_id, kind=kind, time_created=now_iso(), **values)


def event_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return an event as the API shows it: its time is a day."""
    return {
        **{
            key: row[key] for key in ("id", "kind", "file_id", "job_id", "task_id", "member_id", "project_id")
        },
        "description": row["description"],
        "diffgram_version": "2.0.0",
        "extra_metadata": None,
        "host_os": "linux",
        "service_name": "default_service",
        "storage_backend": "minio",
        "time_created": row["time_created"][:10],
    }


def events_of(store: Store, project_id: int, limit: int, filters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return events, newest id first.

    :param filters: values by condition, such as ``{"file_id = ?": 5}``.
    """
    conditions = "".join(f" AND {condition}" for condition in filters)
    rows = store.all(
        f"SELECT * FROM event WHERE project_id = ?{conditions} ORDER BY id DESC LIMIT ?",
        project_id,
        *filters.values(),
        limit,
    )
    return [event_fields(row) for row in rows]
