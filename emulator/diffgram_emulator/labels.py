"""Label schemas and label Files (server.md 2.1). A label's file id is not its label id."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from .events import note_event
from .files import base_fields
from .store import Project, Store, from_json, insert, to_json
from .times import now_iso, with_blank

GREEN: dict[str, Any] = {
    "a": 1,
    "hex": "#00FF80",
    "hsl": {"a": 1, "h": 150, "l": 0.5, "s": 1},
    "hsv": {"a": 1, "h": 150, "s": 1, "v": 1},
    "oldHue": 150,
    "rgba": {"a": 1, "b": 128, "g": 255, "r": 0},
    "source": "hsva",
}


def schema_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return a schema as the API shows it."""
    return {
        "archived": bool(row["archived"]),
        "id": row["id"],
        "is_default": bool(row["is_default"]),
        "member_created_id": 1,
        "member_updated_id": None,
        "name": row["name"],
        "project_id": row["project_id"],
        "time_created": with_blank(row["time_created"], "seconds"),
        "time_updated": None,
    }


def find_schema(store: Store, project: Project, schema_id: int | None) -> sqlite3.Row | None:
    """Return a schema of the project; the default one for no id."""
    if schema_id is None:
        return store.one(
            "SELECT * FROM label_schema WHERE project_id = ? AND is_default = 1 ORDER BY id", project.id
        )
    return store.one("SELECT * FROM label_schema WHERE project_id = ? AND id = ?", project.id, schema_id)


def label_rows(store: Store, project: Project, schema_id: int | None = None) -> list[sqlite3.Row]:
    """Return the label Files of a schema, or of the whole project."""
    query = (
        "SELECT file.*, label.name AS label_name FROM file JOIN label ON label.id = file.label_id"
        " WHERE file.project_id = ? AND file.type = 'label' AND file.state != 'removed'"
    )
    if schema_id is None:
        return store.all(query + " ORDER BY file.id", project.id)
    return store.all(query + " AND file.label_schema_id = ? ORDER BY file.id", project.id, schema_id)


def label_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return a label File as the API shows it."""
    return {
        **base_fields(row),
        "colour": from_json(row["colour"]),
        "label": {"id": row["label_id"], "name": row["label_name"]},
    }


def label_file(store: Store, label_file_id: int) -> sqlite3.Row | None:
    """Return one label File."""
    return store.one(
        "SELECT file.*, label.name AS label_name FROM file JOIN label ON label.id = file.label_id"
        " WHERE file.id = ? AND file.type = 'label'",
        label_file_id,
    )


def new_label(store: Store, project: Project, name: str, colour: Any, schema_id: int) -> sqlite3.Row:
    """Create a label File; a second one of a name shares the label (server.md 2.1)."""
    now = now_iso()
    with store.write() as connection:
        label = connection.execute(
            "SELECT id FROM label WHERE project_id = ? AND name = ?", (project.id, name)
        ).fetchone()
        label_id = label["id"] if label else insert(connection, "label", project_id=project.id, name=name)
        file_id = insert(
            connection,
            "file",
            project_id=project.id,
            type="label",
            label_id=label_id,
            label_schema_id=schema_id,
            colour=to_json(colour or GREEN),
            hash=hashlib.sha256(f"label {label_id}".encode()).hexdigest(),
            created_time=now,
            time_last_updated=now_iso(),
        )
        note_event(connection, project.id, "new_label")
    row = label_file(store, file_id)
    assert row is not None
    return row
