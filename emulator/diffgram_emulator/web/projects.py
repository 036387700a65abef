"""All projects with their numbers, and the labels of one."""

from __future__ import annotations

from typing import Any

from ..labels import find_schema, label_fields, label_rows
from ..overlay import colour_of
from ..store import Project, Store
from .dataset import ROOTS
from .inputs import Wanted, counted


def projects(store: Store) -> list[dict[str, Any]]:
    """Return all projects with their datasets and numbers."""
    rows = store.all("SELECT * FROM project ORDER BY id")
    return [
        {
            "name": row["string_id"],
            "datasets": datasets(store, row["id"]),
            "inputs": counted(store, Wanted(row["id"])),
            "jobs": _amount(store, "job", row["id"]),
            "labels": len(label_rows(store, Project(row["id"], row["string_id"]))),
        }
        for row in rows
    ]


def datasets(store: Store, project_id: int) -> list[dict[str, Any]]:
    """Return a project's datasets with the number of their files."""
    rows = store.all(
        "SELECT directory.*,"
        f" (SELECT count(*) FROM file WHERE directory_id = directory.id AND {ROOTS}) AS files"
        " FROM directory WHERE project_id = ? ORDER BY id",
        project_id,
    )
    return [dict(row) for row in rows]


def _amount(store: Store, table: str, project_id: int) -> int:
    found = store.one(f"SELECT count(*) AS amount FROM {table} WHERE project_id = ?", project_id)
    return int(found["amount"]) if found else 0


def labels(store: Store, project: Project) -> list[dict[str, Any]]:
    """Return the labels of a project's default schema with their colours."""
    schema = find_schema(store, project, None)
    return [
        {
            "id": row["id"],
            "name": row["label_name"],
            "colour": colour_of({"label_file_id": row["id"], "label_file": label_fields(row)}),
        }
        for row in label_rows(store, project, schema["id"] if schema else None)
    ]


def labels_used(store: Store, project: Project) -> list[dict[str, Any]]:
    """Return the same with how often each label is used."""
    rows = store.all(
        "SELECT label_file_id, count(*) AS amount FROM file JOIN instance ON instance.file_id = file.id"
        " WHERE project_id = ? AND state != 'removed' AND soft_delete = 0 GROUP BY 1",
        project.id,
    )
    amounts = {row["label_file_id"]: row["amount"] for row in rows}
    return [{**one, "amount": amounts.get(one["id"], 0)} for one in labels(store, project)]
