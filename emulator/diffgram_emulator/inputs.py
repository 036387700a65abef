"""Input rows: one per thing sent (server.md 3)."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any

from .store import Store, from_json, insert, update
from .times import duration, now_iso, rfc1123

FRESH_LOG = '{"error": {}, "info": {}, "success": false}'


def new_input(connection: sqlite3.Connection, **values: Any) -> int:
    """Create an Input row and return its id."""
    values.setdefault("update_log", FRESH_LOG)
    return insert(connection, "input", created_time=now_iso(), **values)


def set_input(connection: sqlite3.Connection, input_id: int, **values: Any) -> None:
    """Change an Input row; it becomes the row the database returns last (quirk 15)."""
    values.setdefault("time_updated", now_iso())
    update(connection, "input", input_id, **values)
    connection.execute(
        "UPDATE input SET touched = (SELECT max(touched) + 1 FROM input) WHERE id = ?", (input_id,)
    )


def save_input(store: Store, input_id: int, **values: Any) -> None:
    """Change an Input row in a transaction of its own."""
    with store.write() as connection:
        set_input(connection, input_id, **values)


def find_input(store: Store, input_id: int) -> sqlite3.Row | None:
    """Return an Input row of any project."""
    return store.one("SELECT * FROM input WHERE id = ?", input_id)


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def directory_of(store: Store, row: sqlite3.Row) -> dict[str, Any] | None:
    """Return the Input's dataset; null also when it belongs to another project (server.md 3.1)."""
    nickname = _nickname(store, row["directory_id"], row["project_id"])
    return None if nickname is None else {"id": row["directory_id"], "nickname": nickname}


@lru_cache(maxsize=1024)
def _nickname(store: Store, directory_id: int | None, project_id: int) -> str | None:
    found = store.one(
        "SELECT nickname FROM directory WHERE id = ? AND project_id = ?", directory_id, project_id
    )
    return None if found is None else str(found["nickname"])


def input_fields(store: Store, row: sqlite3.Row, with_frames: bool = False) -> dict[str, Any]:
    """Return an Input as the API shows it: url, ordinal and others are not exposed (server.md 3.1)."""
    fields: dict[str, Any] = {
        "archived": bool(row["archived"]),
        "batch_id": row["batch_id"],
        "created_time": rfc1123(row["created_time"]),
        "description": row["description"],
        "directory": directory_of(store, row),
        "file_id": row["file_id"],
        "id": row["id"],
        "instance_list": from_json(row["instance_list"]),
        "media_type": row["media_type"],
        "mode": row["mode"],
        "newly_copied_file_id": None,
        "original_filename": row["original_filename"],
        "parent_file_id": row["parent_file_id"],
        "parent_input_id": row["parent_input_id"],
        "percent_complete": row["percent_complete"],
        "processing_deferred": bool(row["processing_deferred"]),
        "raw_data_blob_path": row["raw_data_blob_path"],
        "retry_count": row["retry_count"],
        "retry_log": from_json(row["retry_log"]),
        "source": row["source"],
        "status": row["status"],
        "status_text": row["status_text"],
        "task_id": None,
        "time_last_attempted": row["time_last_attempted"],
        "time_updated": rfc1123(row["time_updated"]),
        "total_time": duration(row["created_time"], row["time_updated"]),
        "update_log": from_json(row["update_log"]),
        "video_split_duration": row["video_split_duration"],
        "video_was_split": _flag(row["video_was_split"]),
    }
    if with_frames:
        fields["frame_packet_map"] = from_json(row["frame_packet_map"])
    return fields
