"""Events of a project (server.md 10.4)."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from .store import Store, insert
from .times import now_iso

MOST = 1000
_NEVER_SET = (
    "action_id", "directory_id", "error_log", "input_id", "install_fingerprint", "object_type", "page_name",
    "report_data", "report_template_data", "workflow_id",
)  # fmt: skip


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
        **dict.fromkeys(_NEVER_SET),
        "description": row["description"],
        "diffgram_version": "2.0.0",
        "extra_metadata": None,
        "host_os": "linux",
        "service_name": "default_service",
        "storage_backend": "minio",
        "time_created": row["time_created"][:10],
    }


def events_of(
    store: Store, project_id: int, limit: int, filters: dict[str, Any], lag: float = 0.0
) -> list[dict[str, Any]]:
    """Return events, newest id first.

    :param filters: values by condition, such as ``{"file_id = ?": 5}``.
    :param lag: seconds that an event may be hidden, those with higher ids not.
    """
    hidden = _hidden(store, project_id, lag) if lag else []
    if hidden:
        filters = {**filters, f"id NOT IN ({', '.join(map(str, hidden))}) AND ?": 1}
    conditions = "".join(f" AND {condition}" for condition in filters)
    rows = store.all(
        f"SELECT * FROM event WHERE project_id = ?{conditions} ORDER BY id DESC LIMIT ?",
        project_id,
        *filters.values(),
        limit,
    )
    return [event_fields(row) for row in rows]


def _hidden(store: Store, project_id: int, lag: float) -> list[int]:
    """Return ids of the events whose transaction is not over yet: each lasts its own share of the lag."""
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = store.all(
        "SELECT id, time_created FROM event WHERE project_id = ? AND time_created > ?",
        project_id,
        (now - timedelta(seconds=lag)).isoformat(timespec="microseconds"),
    )
    ages = {row["id"]: (now - datetime.fromisoformat(row["time_created"])).total_seconds() for row in rows}
    return [event_id for event_id, age in ages.items() if age < lag * random.Random(event_id).random()]
