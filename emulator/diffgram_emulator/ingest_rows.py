"""What a row says, and the columns of a row that failed (server.md 3.3)."""

from __future__ import annotations

import sqlite3
from typing import Any

from .options import VERSION_TEXT
from .store import Project, Store, from_json

NO_UNIT = "Instance cannot be None"


def project_of(store: Store, row: sqlite3.Row) -> Project:
    """Return the project of a row."""
    found = store.one("SELECT id, string_id FROM project WHERE id = ?", row["project_id"])
    assert found is not None
    return Project(found["id"], found["string_id"])


def instances_of(row: sqlite3.Row) -> list[Any]:
    """Return the instances a row was sent with."""
    stored = from_json(row["instance_list"]) or {}
    return list(stored.get("list") or [])


def with_log(text: str) -> dict[str, Any]:
    """Return the columns of a row that names its failure twice."""
    return {
        "status_text": text,
        "update_log": {"error": {"status_text": text}, "info": {}, "success": False},
    }


def unhandled(text: str) -> dict[str, Any]:
    """Return the columns of a row failing by an exception: its status_text stays the version (quirk 30)."""
    trace = f"Traceback (most recent call last):\n  ...\nException: {text}\n"
    log = {"error": {"process_one_image": text, "trace": trace}, "info": {}, "success": False}
    return {"status_text": VERSION_TEXT, "update_log": log}
