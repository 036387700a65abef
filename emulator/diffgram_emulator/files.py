"""Files: creating, finding, removing and showing them (server.md 3.5 and 4)."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from .s3 import connection_url
from .signing import signed_url
from .store import Store, insert, update
from .times import now_iso, rfc1123

EMPTY_COMPOUND_HASH = hashlib.sha256(b"compound").hexdigest()
UPDATABLE_TYPES = ("image", "text", "audio")
LISTED_TYPES = (
    "image",
    "video",
    "text",
    "audio",
    "sensor_fusion",
    "geospatial",
    "compound",
    "compound_conversational",
)


def base_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return the fields every File has (server.md 4.1)."""
    return {
        "ann_is_complete": None if row["ann_is_complete"] is None else bool(row["ann_is_complete"]),
        "bucket_name": row["bucket_name"],
        "connection_id": row["connection_id"],
        "count_instances_changed": row["count_instances_changed"],
        "created_time": row["created_time"],
        "hash": row["hash"],
        "id": row["id"],
        "ordinal": row["ordinal"],
        "original_filename": row["original_filename"],
        "state": row["state"],
        "time_last_updated": row["time_last_updated"],
        "type": row["type"],
        "video_id": row["media_id"] if row["type"] == "video" else None,
        "video_parent_file_id": row["video_parent_file_id"],
    }


def file_fields(store: Store, row: sqlite3.Row, base_url: str) -> dict[str, Any]:
    """Return a File with the block of its medium; signed URLs are made anew at every reading."""
    fields = base_fields(row)
    media = store.one("SELECT * FROM media WHERE id = ?", row["media_id"]) if row["media_id"] else None
    if media is None:
        return fields
    shown = {"image": _image_block, "text": _text_block, "video": _video_block}.get(media["kind"])
    if shown is not None:
        fields[media["kind"]] = shown(store, row, media, base_url)
    return fields


def _url(store: Store, media: sqlite3.Row, base_url: str, suffix: str = "") -> str:
    return signed_url(store.signing_key, base_url, media["bucket"], media["blob_path"] + suffix)


def _image_urls(store: Store, row: sqlite3.Row, media: sqlite3.Row, base_url: str) -> tuple[str, str]:
    """Return the URLs of picture and thumbnail.

    A file of a connection gets one URL for both, signed for the connection's bucket wherever the bytes are
    (quirk 58).
    """
    connection = None
    if row["connection_id"] is not None and row["bucket_name"] is not None:
        connection = store.one("SELECT * FROM connection WHERE id = ?", row["connection_id"])
    if connection is None:
        return _url(store, media, base_url), _url(store, media, base_url, "_thumb")
    url = connection_url(connection, row["bucket_name"], media["blob_path"], store.signing_key, base_url)
    return url, url


def _image_block(store: Store, row: sqlite3.Row, media: sqlite3.Row, base_url: str) -> dict[str, Any]:
    url, thumb = _image_urls(store, row, media, base_url)
    return {
        "annotation_status": None,
        "bucket_name": row["bucket_name"],
        "error": None,
        "height": media["height"],
        "id": media["id"],
        "original_filename": media["original_filename"],
        "rotation_degrees": media["rotation_degrees"],
        "soft_delete": False,
        "url_signed": url,
        "url_signed_blob_path": media["blob_path"],
        "url_signed_thumb": thumb,
        "width": media["width"],
    }


def _text_block(store: Store, row: sqlite3.Row, media: sqlite3.Row, base_url: str) -> dict[str, Any]:
    return {
        "annotation_status": None,
        "bucket_name": row["bucket_name"],
        "id": media["id"],
        "is_annotation_example": "false",
        "is_inference": False,
        "original_filename": media["original_filename"],
        "soft_delete": False,
        "tokens_url_signed": _url(store, media, base_url, "_tokens"),
        "url_signed": _url(store, media, base_url),
        "url_signed_blob_path": media["blob_path"],
    }


def _video_block(store: Store, row: sqlite3.Row, media: sqlite3.Row, base_url: str) -> dict[str, Any]:
    return {
        "bucket_name": row["bucket_name"],
        "created_time": rfc1123(media["created_time"]),
        "description": None,
        "file_blob_path": media["blob_path"],
        "file_signed_url": _url(store, media, base_url),
        "filename": media["original_filename"],
        "fps_conversion_ratio": 1.0,
        "frame_count": media["frame_count"],
        "frame_rate": media["frame_rate"],
        "height": media["height"],
        "id": media["id"],
        "offset_in_seconds": None,
        "parent_video_split_duration": media["split_duration"],
        "preview_image_url_thumb": None,
        "status": None,
        "width": media["width"],
    }


def find_file(store: Store, file_id: int) -> sqlite3.Row | None:
    """Return a File of any project, removed or not."""
    return store.one("SELECT * FROM file WHERE id = ?", file_id)


def new_file(connection: sqlite3.Connection, **values: Any) -> int:
    """Create a File and return its id; its hash never changes afterwards (server.md 10.1)."""
    now = now_iso()
    values.setdefault("hash", hashlib.sha256(f"{values.get('media_id')} {now}".encode()).hexdigest())
    return insert(connection, "file", created_time=now, time_last_updated=now, **values)


def frame_of(connection: sqlite3.Connection, video: sqlite3.Row, number: int) -> int:
    """Return the File of a video's frame, made if it is not there."""
    found = connection.execute(
        "SELECT id FROM file WHERE video_parent_file_id = ? AND frame_number = ?", (video["id"], number)
    ).fetchone()
    if found is not None:
        return int(found["id"])
    return new_file(
        connection,
        project_id=video["project_id"],
        directory_id=video["directory_id"],
        type="frame",
        video_parent_file_id=video["id"],
        frame_number=number,
    )


def root_with_name(store: Store, directory_id: int, name: str | None) -> int | None:
    """Return the live root file a new file of that name collides with (server.md 3.5).

    Without a name the comparison has no name filter, so that any root file collides (quirk 37). Children
    never collide (quirk 18).
    """
    query = (
        "SELECT id FROM file WHERE directory_id = ? AND parent_id IS NULL AND state != 'removed'"
        " AND type NOT IN ('frame', 'label')"
    )
    if name is None:
        row = store.one(query + " ORDER BY id LIMIT 1", directory_id)
    else:
        row = store.one(query + " AND original_filename = ? ORDER BY id LIMIT 1", directory_id, name)
    return None if row is None else int(row["id"])


def any_with_name(store: Store, directory_id: int, name: str) -> bool:
    """Tell whether a new compound file of that name collides: with every live file, children too."""
    row = store.one(
        "SELECT 1 FROM file WHERE directory_id = ? AND original_filename = ? AND state != 'removed'"
        " AND type NOT IN ('frame', 'label')",
        directory_id,
        name,
    )
    return row is not None


def remove_file(connection: sqlite3.Connection, file_id: int) -> None:
    """Mark a file removed, which frees its name; a compound file's children go with it."""
    now = now_iso()
    connection.execute(
        "UPDATE file SET state = 'removed', time_last_updated = ? WHERE id = ?", (now, file_id)
    )
    connection.execute(
        "UPDATE file SET state = 'removed', time_last_updated = ?1 WHERE parent_id = ?2 AND"
        " EXISTS (SELECT 1 FROM file AS parent WHERE parent.id = ?2 AND parent.type LIKE 'compound%')",
        (now, file_id),
    )


def note_stored_instances(connection: sqlite3.Connection, file_id: int, added: int) -> None:
    """Count stored instances; null stays for a file that never held one (server.md 4.1)."""
    row = connection.execute("SELECT * FROM file WHERE id = ?", (file_id,)).fetchone()
    counted = row["count_instances_changed"]
    if added:
        counted = (counted or 0) + added
    update(connection, "file", file_id, count_instances_changed=counted, time_last_updated=now_iso())
