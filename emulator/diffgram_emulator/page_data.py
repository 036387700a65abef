"""What the pages show, read from the store."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .files import file_fields
from .inputs import input_fields
from .instance_view import live_instances
from .media import blob
from .overlay import caption_of, colour_of, shape
from .signing import BUCKET
from .store import Project, Store, from_json

PAGE_SIZE = 60
MOST_TEXT = 400


def projects(store: Store) -> list[dict[str, Any]]:
    """Return all projects with their datasets and numbers."""
    return [
        {
            "name": project["string_id"],
            "datasets": store.all(
                "SELECT directory.*, (SELECT count(*) FROM file WHERE directory_id = directory.id"
                " AND parent_id IS NULL AND state != 'removed' AND type NOT IN ('frame', 'label')) AS files"
                " FROM directory WHERE project_id = ? ORDER BY id",
                project["id"],
            ),
            "inputs": {
                row["state"]: row["amount"]
                for row in store.all(
                    "SELECT CASE WHEN status IN ('success', 'failed') THEN status ELSE 'open' END AS state,"
                    " count(*) AS amount FROM input WHERE project_id = ? AND archived = 0"
                    " AND source IS NOT 'from_compound' GROUP BY 1",
                    project["id"],
                )
            },
        }
        for project in store.all("SELECT * FROM project ORDER BY id")
    ]


def datasets(store: Store, project: Project) -> list[sqlite3.Row]:
    """Return a project's datasets."""
    return store.all("SELECT * FROM directory WHERE project_id = ? ORDER BY id", project.id)


def dataset_files(store: Store, directory_id: int, page: int) -> tuple[list[dict[str, Any]], bool]:
    """Return one page of a dataset's root files, newest first, and whether there are more."""
    rows = store.all(
        "SELECT * FROM file WHERE directory_id = ? AND parent_id IS NULL AND state != 'removed'"
        " AND type NOT IN ('frame', 'label') ORDER BY id DESC LIMIT ? OFFSET ?",
        directory_id,
        PAGE_SIZE + 1,
        (page - 1) * PAGE_SIZE,
    )
    return [card(store, row) for row in rows[:PAGE_SIZE]], len(rows) > PAGE_SIZE


def children(store: Store, parent_id: int) -> list[sqlite3.Row]:
    """Return a compound's live children in their order."""
    return store.all(
        "SELECT * FROM file WHERE parent_id = ? AND state != 'removed' ORDER BY ordinal, id", parent_id
    )


def card(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return a file as a list shows it: with the picture of itself or of its first child."""
    below = children(store, row["id"])
    face = next((one for one in (row, *below) if one["type"] == "image"), None)
    fields = file_fields(store, face, "") if face is not None else {}
    live = store.one(
        "SELECT count(*) AS amount FROM instance JOIN file ON file.id = instance.file_id"
        " WHERE soft_delete = 0 AND (file.id = ?1 OR file.parent_id = ?1 OR file.video_parent_file_id = ?1)",
        row["id"],
    )
    return {
        "id": row["id"],
        "name": row["original_filename"],
        "type": row["type"],
        "state": row["state"],
        "pages": len(below),
        "picture": fields.get("image", {}).get("url_signed"),
        "instances": live["amount"] if live is not None else 0,
    }


def sheet(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return one file with everything drawn on it, and below it its children or frames."""
    fields = file_fields(store, row, "")
    instances = [_listed(store, one) for one in live_instances(store, row["id"])]
    return {
        "file": fields,
        "directory_id": row["directory_id"],
        "image": fields.get("image"),
        "text": _text(store, row),
        "instances": instances,
        "shapes": [one["shape"] for one in instances if one["shape"] is not None],
        "pages": [sheet(store, child) for child in children(store, row["id"])],
        "frames": _frames(store, row["id"]) if row["type"] == "video" else [],
        "ordinal": row["ordinal"],
    }


def _listed(store: Store, instance: dict[str, Any]) -> dict[str, Any]:
    run = store.one(
        "SELECT model.reference_id AS model, model_run.reference_id AS run FROM model_run"
        " JOIN model ON model.id = model_run.model_id WHERE model_run.id = ?",
        instance["model_run_id"],
    )
    bounds = [instance[key] for key in ("x_min", "y_min", "x_max", "y_max")]
    return {
        **instance,
        "attributes": json.dumps(instance["attribute_groups"]) if instance["attribute_groups"] else None,
        "bounds": None if None in bounds else "{}, {} to {}, {}".format(*bounds),
        "caption": caption_of(instance),
        "colour": colour_of(instance),
        "run": None if run is None else f"{run['model']} / {run['run']}",
        "shape": shape(instance),
    }


def _text(store: Store, row: sqlite3.Row) -> str | None:
    media = store.one("SELECT * FROM media WHERE id = ? AND kind = 'text'", row["media_id"])
    found = blob(store, BUCKET, media["blob_path"]) if media is not None else None
    return None if found is None else found.read_text(errors="replace")


def _frames(store: Store, video_file_id: int) -> list[dict[str, Any]]:
    rows = store.all("SELECT * FROM file WHERE video_parent_file_id = ? ORDER BY frame_number", video_file_id)
    return [
        {
            "number": row["frame_number"],
            "instances": [_listed(store, one) for one in live_instances(store, row["id"])],
        }
        for row in rows
    ]


def inputs(store: Store, project: Project, status: str, page: int) -> tuple[list[dict[str, Any]], bool]:
    """Return one page of a project's Inputs, newest first, and whether there are more."""
    condition = {
        "success": " AND status = 'success'",
        "failed": " AND status = 'failed'",
        "open": " AND status NOT IN ('success', 'failed')",
    }.get(status, "")
    rows = store.all(
        f"SELECT * FROM input WHERE project_id = ?{condition} ORDER BY id DESC LIMIT ? OFFSET ?",
        project.id,
        PAGE_SIZE + 1,
        (page - 1) * PAGE_SIZE,
    )
    return [_input(store, row) for row in rows[:PAGE_SIZE]], len(rows) > PAGE_SIZE


def _input(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    fields = input_fields(store, row)
    sent = from_json(row["instance_list"]) or {}
    listed = sent.get("list")
    return {
        **fields,
        "clock": row["created_time"][11:19],
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
