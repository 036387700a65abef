"""Input batches (server.md 2.10)."""

from __future__ import annotations

import sqlite3
from typing import Any

from .errors import DatabaseRefused
from .store import Store
from .times import now_iso, rfc1123


def batch_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return a batch as the API shows it; ``time_completed`` is set at creation (quirk 16)."""
    return {
        "directory_id": None,
        "download_log_pre_labeled_data": row["download_log"],
        "download_status_pre_labeled_data": row["download_status"],
        "id": row["id"],
        "member_created_id": row["member_id"],
        "member_updated_id": row["member_id"],
        "project_id": row["project_id"],
        "source_directory_id": None,
        "status": row["status"],
        "time_completed": rfc1123(row["time_created"]),
        "time_created": rfc1123(row["time_created"]),
        "time_updated": rfc1123(row["time_updated"]),
    }


def require_batch(store: Store, batch_id: int) -> None:
    """Check that a batch exists.

    :raises DatabaseRefused: if not (server.md 1.4, "malformed status line").
    """
    if store.one("SELECT 1 FROM batch WHERE id = ?", batch_id) is None:
        raise DatabaseRefused(f"no batch {batch_id}")


def note_success(connection: sqlite3.Connection, batch_id: int | None) -> None:
    """Complete a batch if all its present inputs are successes; later ones do not reopen it (quirk 16)."""
    connection.execute(
        "UPDATE batch SET status = 'complete', time_updated = ?1 WHERE id = ?2 AND status = 'pending'"
        " AND NOT EXISTS (SELECT 1 FROM input WHERE batch_id = ?2 AND status != 'success')",
        (now_iso(), batch_id),
    )
