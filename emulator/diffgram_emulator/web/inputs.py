"""What was sent and what became of it, row by row and batch by batch."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from ..inputs import input_fields
from ..store import Project, Store, from_json

PAGE_SIZE = 60
MOST_TEXT = 400
STATES = ("all", "open", "success", "failed")
_STATE = "CASE WHEN status IN ('success', 'failed') THEN status ELSE 'open' END"
_NAME = (
    "coalesce(original_filename,"
    " (SELECT original_filename FROM file WHERE file.id = coalesce(input.file_id, input.sent_file_id)))"
)
"""An update has no name of its own: it is called by the file that it is for."""


@dataclass(frozen=True)
class Wanted:
    """Which inputs of a project are to be listed.

    :param state: one of :data:`STATES`.
    :param batch_id: 0 for those of no batch.
    :param search: a part of the name, in any case, or an id.
    :param page: from 1.
    """

    project_id: int
    state: str = "all"
    batch_id: int | None = None
    search: str = ""
    page: int = 1

    def condition(self, with_state: bool = True) -> str:
        """Return what holds for them, in SQL."""
        parts = ["project_id = :project"]
        if self.batch_id is not None:
            parts.append("batch_id = :batch" if self.batch_id else "batch_id IS NULL")
        if self.search:
            parts.append(f"(instr(lower({_NAME}), lower(:search)) > 0 OR CAST(id AS TEXT) = :search)")
        if with_state and self.state != "all":
            parts.append(f"{_STATE} = :state")
        return " AND ".join(parts)

    @property
    def values(self) -> dict[str, Any]:
        """The values in the condition."""
        return {
            "project": self.project_id, "batch": self.batch_id, "search": self.search, "state": self.state
        }  # fmt: skip


def listed(store: Store, wanted: Wanted) -> list[dict[str, Any]]:
    """Return a page of inputs, newest first."""
    rows = store.connection().execute(
        f"SELECT *, {_NAME} AS name FROM input WHERE {wanted.condition()}"
        " ORDER BY id DESC LIMIT :limit OFFSET :offset",
        {**wanted.values, "limit": PAGE_SIZE, "offset": (wanted.page - 1) * PAGE_SIZE},
    )
    return [_shown(store, row) for row in rows.fetchall()]


def counted(store: Store, wanted: Wanted) -> dict[str, int]:
    """Return how many inputs are in each state, whichever state is wanted."""
    rows = store.connection().execute(
        f"SELECT {_STATE} AS state, count(*) AS amount FROM input WHERE {wanted.condition(False)} GROUP BY 1",
        wanted.values,
    )
    return with_all({row["state"]: row["amount"] for row in rows.fetchall()})


def with_all(amounts: dict[str, int]) -> dict[str, int]:
    """Return an amount for each of :data:`STATES`."""
    return {
        **dict.fromkeys(STATES, 0),
        **amounts,
        "all": sum(amounts.values()),
    }


def batches(store: Store, project: Project, page: int) -> tuple[list[dict[str, Any]], int]:
    """Return a page of a project's batches, newest first, and how many there are on all pages.

    What belongs to no batch is the last one, with id 0.
    """
    amount = store.one("SELECT count(*) AS amount FROM batch WHERE project_id = ?", project.id)
    rows = store.all(
        "SELECT * FROM batch WHERE project_id = ? ORDER BY id DESC LIMIT ? OFFSET ?",
        project.id,
        PAGE_SIZE,
        (page - 1) * PAGE_SIZE,
    )
    total = amount["amount"] if amount else 0
    shown = [
        {"id": row["id"], "time": row["time_created"], **_of_batch(store, project, row["id"])} for row in rows
    ]
    if page * PAGE_SIZE >= total:
        rest = _of_batch(store, project, 0)
        if rest["states"]["all"]:
            shown.append({"id": 0, "time": None, **rest})
    return shown, total


def _of_batch(store: Store, project: Project, batch_id: int) -> dict[str, Any]:
    wanted = Wanted(project.id, batch_id=batch_id)
    states = counted(store, wanted)
    names = store.connection().execute(
        "SELECT DISTINCT directory.nickname FROM directory JOIN"
        f" (SELECT directory_id FROM input WHERE {wanted.condition()} LIMIT 1000) AS some"
        " ON some.directory_id = directory.id ORDER BY 1 LIMIT 3",
        wanted.values,
    )
    return {"states": states, "datasets": [row["nickname"] for row in names.fetchall()]}


def _shown(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    fields = input_fields(store, row)
    sent = from_json(row["instance_list"]) or {}
    listed = sent.get("list")
    return {
        **fields,
        "name": row["name"],
        "time": row["created_time"],
        "file_id": row["file_id"] or row["sent_file_id"],
        "reason": reason(fields) if row["status"] == "failed" else None,
        "sent": len(listed) if isinstance(listed, list) else 0,
    }


def reason(fields: dict[str, Any]) -> str:
    """Return why an Input failed, from the places where the server may say so (server.md 3.3)."""
    log = fields["update_log"] or {}
    error = log.get("error") or {}
    text = fields["status_text"] or ""
    if text.startswith("Version"):
        text = ""
    others = [str(value) for key, value in error.items() if key not in ("status_text", "trace")]
    for found in (error.get("status_text"), text, *others, log.get("download_media"), fields["description"]):
        if found:
            return str(found)[:MOST_TEXT]
    return ""
