"""Models and model runs, found or created by the references in instances (server.md 5.1; quirk 48)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from .errors import DatabaseRefused
from .store import Project, Store, insert
from .times import now_iso, rfc1123


def resolve(
    store: Store, project: Project, instance: dict[str, Any], pause: Callable[[], None]
) -> dict[str, Any]:
    """Return a copy of an instance with ``model_id`` and ``model_run_id`` of its references.

    Looking and creating are two steps, with ``pause`` between: whoever comes second is refused by a unique
    constraint.

    :raises DatabaseRefused: if another worker created the same reference meanwhile.
    """
    reference = instance.get("model_ref")
    if not reference:
        return instance
    model_id = _find_or_create(store, "model", {"project_id": project.id, "reference_id": reference}, pause)
    resolved = {**instance, "model_id": model_id}
    run_reference = instance.get("model_run_ref")
    if run_reference:
        run = {"model_id": model_id, "reference_id": run_reference}
        resolved["model_run_id"] = _find_or_create(
            store, "model_run", run, pause, extra={"project_id": project.id}
        )
    return resolved


def _find_or_create(
    store: Store,
    table: str,
    values: dict[str, Any],
    pause: Callable[[], None],
    extra: dict[str, Any] | None = None,
) -> int:
    condition = " AND ".join(f"{column} = ?" for column in values)
    row = store.one(f"SELECT id FROM {table} WHERE {condition}", *values.values())
    if row is not None:
        return int(row["id"])
    pause()
    try:
        with store.write() as connection:
            return insert(connection, table, **values, **(extra or {}), created_time=now_iso())
    except sqlite3.IntegrityError as error:
        raise DatabaseRefused(f"{table} created twice") from error


def model_run_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return a model run as the API shows it (server.md 2.18)."""
    return {
        "created_time": rfc1123(row["created_time"]),
        "deleted_time": None,
        "id": row["id"],
        "last_updated_time": None,
        "member_created_id": None,
        "member_updated_id": None,
        "model_id": row["model_id"],
        "project_id": row["project_id"],
        "reference_id": row["reference_id"],
    }
