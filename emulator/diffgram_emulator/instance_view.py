"""Instances as the API shows them (server.md 5.5)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .labels import label_fields, label_file
from .store import Store

_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(
        (
            "attribute_groups", "bounds", "bounds_lonlat", "center_x", "center_y", "change_source", "coords",
            "cp", "creation_ref_id", "deleted_time", "deletion_type", "end_time", "end_token",
            "from_instance_id", "front_face", "height", "lonlat", "member_created_id", "model_id",
            "model_run_id", "next_id", "number", "p1", "p2", "pause_object", "previous_id", "radius",
            "rating", "rear_face", "score", "sequence_id", "start_time", "start_token", "to_instance_id",
            "width", "x_max", "x_min", "y_max", "y_min",
        )
    ),
    "action_type": "created",
    "angle": 0.0,
    "center_3d": {},
    "dimensions_3d": {},
    "edges": [],
    "interpolated": False,
    "machine_made": False,
    "nodes": [],
    "points": [],
    "position_3d": {},
    "rotation_euler_angles": {},
    "soft_delete": False,
    "text_tokenizer": "nltk",
    "version": 1,
}  # fmt: skip


def live_instances(store: Store, file_id: int) -> list[dict[str, Any]]:
    """Return the live instances of a file with their labels, in an order that is not the sent one."""
    rows = store.all(
        "SELECT * FROM instance WHERE file_id = ? AND soft_delete = 0"
        " ORDER BY label_file_id IS NULL, label_file_id, id",
        file_id,
    )
    labels: dict[int | None, dict[str, Any] | None] = {None: None}
    shown = []
    for row in rows:
        label_id = row["label_file_id"]
        if label_id not in labels:
            label = label_file(store, label_id)
            labels[label_id] = None if label is None else label_fields(label)
        shown.append({**instance_fields(row), "label_file": labels[label_id]})
    return shown


def instance_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return an instance without its label, as answers to writing show it."""
    data = {key: value for key, value in json.loads(row["data"]).items() if key in _DEFAULTS}
    return {
        **_DEFAULTS,
        **data,
        "created_time": row["created_time"],
        "deleted_time": row["deleted_time"],
        "deletion_type": row["deletion_type"],
        "file_id": row["file_id"],
        "id": row["id"],
        "label_file_id": row["label_file_id"],
        "root_id": row["root_id"],
        "soft_delete": bool(row["soft_delete"]),
        "type": row["type"],
    }
