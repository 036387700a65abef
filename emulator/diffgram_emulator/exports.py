"""Exports: the rows, and the document that is made in the background (server.md 2.16; quirk 61)."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from typing import Any

from .clock import Clock, Stopped
from .files import LISTED_TYPES, base_fields
from .instance_view import live_instances
from .signing import BUCKET, VALID_SECONDS, signed_url
from .store import Store, update
from .times import rfc1123

logger = logging.getLogger(__name__)

LINK_SECONDS = 300
SUFFIXES = {"JSON": ".json", "YAML": ".yaml"}
"""Both hold the same text: JSON is YAML too."""
_README = {
    "instance_list": "The instances of a file: their geometry, their label's file id and their attributes.",
    "label_map": "Names of labels by the label_file_id of the instances.",
}
_POINTS = ("points",)
_BOUNDS = ("x_min", "y_min", "x_max", "y_max")
_GEOMETRY = {
    "box": _BOUNDS,
    "polygon": _POINTS,
    "point": _POINTS,
    "line": _POINTS,
    "ellipse": ("center_x", "center_y", "width", "height", "angle"),
    "curve": ("p1", "p2", "cp"),
    "cuboid": ("front_face", "rear_face", *_BOUNDS),
    "cuboid_3d": ("center_3d", "dimensions_3d", "rotation_euler_angles", "position_3d"),
    "keypoints": ("nodes", "edges"),
    "text_token": ("start_token", "end_token"),
    "relation": ("from_instance_id", "to_instance_id"),
    "audio": ("start_time", "end_time"),
    "geo_point": ("lonlat", "coords"),
    "geo_circle": ("lonlat", "coords", "radius", "bounds", "bounds_lonlat"),
    "geo_polyline": _POINTS,
    "geo_polygon": _POINTS,
    "geo_box": ("bounds", "bounds_lonlat"),
}


def find_export(store: Store, export_id: int) -> sqlite3.Row | None:
    """Return an export of any project."""
    return store.one("SELECT * FROM export WHERE id = ?", export_id)


def export_fields(row: sqlite3.Row, directory: Any, job: Any, task: Any) -> dict[str, Any]:
    """Return an export as the API shows it.

    :param directory: the dataset it was made of, if any, as the API shows it; ``job`` and ``task`` likewise.
    """
    return {
        "ann_is_complete": None if row["ann_is_complete"] is None else bool(row["ann_is_complete"]),
        "created_time": rfc1123(row["created_time"]),
        "directory": directory,
        "file_comparison_mode": row["file_comparison_mode"],
        "file_list_length": row["file_list_length"],
        "id": row["id"],
        "job": job,
        "kind": row["kind"],
        "masks": bool(row["masks"]),
        "percent_complete": row["percent_complete"],
        "source": row["source"],
        "status": row["status"],
        "status_text": row["status_text"],
        "task": task,
    }


def blob_path(row: sqlite3.Row) -> str:
    """Return where an export's document is."""
    return f"projects/exports/{row['project_id']}/{row['id']}"


def document_url(store: Store, row: sqlite3.Row, base_url: str, form: str) -> str:
    """Return a URL of the document that is good for five minutes."""
    return signed_url(store.signing_key, base_url, BUCKET, blob_path(row) + SUFFIXES[form], LINK_SECONDS)


def document(store: Store, row: sqlite3.Row) -> Any:
    """Return the document itself."""
    return json.loads((store.media / (blob_path(row) + SUFFIXES["JSON"])).read_text())


def generate(
    store: Store, clock: Clock, seconds: float, export_id: int, head: dict[str, Any], base_url: str
) -> None:
    """Make the document of an export; what becomes of it shows in the row.

    :param seconds: how long that takes at least.
    :param head: what the document says besides its files.
    """
    try:
        clock.about(seconds)
        row = find_export(store, export_id)
        assert row is not None
        if row["kind"] != "Annotations":
            _set(store, export_id, status="failed", status_text=f"The emulator makes no {row['kind']}.")
            return
        files = files_of(store, row)
        _set(store, export_id, file_list_length=len(files), percent_complete=10.0)
        packets, lost = _packets(store, files, base_url)
        text = json.dumps({"readme": _README, **head, **packets}, sort_keys=True)
        for suffix in SUFFIXES.values():
            target = store.media / (blob_path(row) + suffix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        status_text = "; ".join(lost) or None
        _set(store, export_id, status="complete", percent_complete=100.0, status_text=status_text)
    except Stopped:
        return
    except Exception as error:
        logger.exception("export %s", export_id)
        _set(store, export_id, status="failed", status_text=str(error))


def _set(store: Store, export_id: int, **values: Any) -> None:
    with store.write() as connection:
        update(connection, "export", export_id, **values)


def files_of(store: Store, row: sqlite3.Row) -> list[sqlite3.Row]:
    """Return the live files an export is about, children of compounds among them."""
    query = "SELECT file.* FROM file"
    if row["source"] == "directory":
        condition, value = " WHERE directory_id = ?", row["directory_id"]
    else:
        column = "job_id" if row["source"] == "job" else "id"
        query += " JOIN task ON task.file_id = file.id"
        value = row[f"{row['source']}_id"]
        condition = f" WHERE task.{column} = ? AND task.status != 'archived'"
    condition += " AND file.state != 'removed' AND file.type NOT IN ('frame', 'label')"
    if row["ann_is_complete"] and row["source"] == "directory":
        condition += " AND file.ann_is_complete = 1"
    elif row["ann_is_complete"]:
        condition += " AND task.status = 'complete'"
    return store.all(query + condition + " ORDER BY file.id", value)


def _packets(store: Store, files: list[sqlite3.Row], base_url: str) -> tuple[dict[str, Any], list[str]]:
    """Return what is said of each file by its id, and why some are missing."""
    packets: dict[str, Any] = {}
    lost = []
    for file in files:
        try:
            packets[str(file["id"])] = _packet(store, file, base_url)
        except Exception as error:
            logger.exception("file %s in an export", file["id"])
            lost.append(f"File {file['id']}: {error}")
    return packets, lost


def _packet(store: Store, file: sqlite3.Row, base_url: str) -> dict[str, Any] | None:
    """Return what is said of a file: nothing for an unknown type, the children too for a compound."""
    if file["type"] not in LISTED_TYPES:
        return None
    packet: dict[str, Any] = {"instance_list": _instances(store, file)}
    if file["type"].startswith("compound"):
        packet["file"] = base_fields(file)
        children = store.all(
            "SELECT * FROM file WHERE parent_id = ? AND state != 'removed' ORDER BY id", file["id"]
        )
        return packet | {str(child["id"]): _packet(store, child, base_url) for child in children}
    media = store.one("SELECT * FROM media WHERE id = ?", file["media_id"])
    assert media is not None
    # The server signs for its own bucket, also what lies in a connection's: that URL is dead.
    url = signed_url(store.signing_key, base_url, BUCKET, media["blob_path"])
    packet["file"] = {
        "ann_is_complete": None if file["ann_is_complete"] is None else bool(file["ann_is_complete"]),
        "blob_url": url,
        "created_time": file["created_time"],
        "id": file["id"],
        "original_filename": file["original_filename"],
        "type": file["type"],
    }
    packet[file["type"]] = _medium(file["type"], media, url)
    return packet


def _medium(kind: str, media: sqlite3.Row, url: str) -> dict[str, Any]:
    fields = {
        "height": media["height"],
        "original_filename": media["original_filename"],
        "width": media["width"],
    }
    if kind == "image":
        return fields | {
            "image_signed_expiry": int(time.time()) + VALID_SECONDS,
            "image_signed_url": url,
            "rotation_degrees": media["rotation_degrees"],
        }
    if kind == "video":
        return fields | {"frame_count": media["frame_count"], "video_signed_url": url}
    return {"original_filename": media["original_filename"], "signed_url": url}


def _instances(store: Store, file: sqlite3.Row) -> list[dict[str, Any]]:
    """Return the instances of a file, or of all frames of a video, without score, model and reference."""
    if file["type"] != "video":
        return [_instance(one) for one in live_instances(store, file["id"])]
    frames = store.all(
        "SELECT id, frame_number FROM file WHERE video_parent_file_id = ? ORDER BY frame_number", file["id"]
    )
    return [
        {**_instance(one), "frame_number": frame["frame_number"], "number": one["number"]}
        for frame in frames
        for one in live_instances(store, frame["id"])
    ]


def _instance(shown: dict[str, Any]) -> dict[str, Any]:
    keys = ("id", "type", "label_file_id", "attribute_groups", *_GEOMETRY.get(shown["type"], ()))
    return {key: shown[key] for key in keys}
