"""The files of one dataset: a page of them with what is drawn on them, its totals, which is next to which."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from ..files import file_fields
from ..instance_view import instance_fields
from ..labels import label_fields, label_file
from ..media import blob
from ..overlay import Shape, colour_of, shape
from ..signing import BUCKET
from ..store import Store

PAGE_SIZE = 60
MOST_DRAWN = 100
"""Instances drawn on one thumbnail."""

ROOTS = "parent_id IS NULL AND state != 'removed' AND type NOT IN ('frame', 'label')"
"""What a dataset lists: neither children nor frames."""
_HOLDERS = (
    "id IN (SELECT coalesce(held.parent_id, held.video_parent_file_id, held.id) FROM file AS held"
    " JOIN instance ON instance.file_id = held.id AND instance.soft_delete = 0"
    " WHERE held.directory_id = :dataset AND instance.label_file_id = :label)"
)


@dataclass(frozen=True)
class Wanted:
    """Which files of a dataset are to be listed.

    :param search: a part of the name, in any case, or an id.
    :param label: file id of a label that one of their instances has.
    :param page: from 1.
    """

    dataset_id: int
    search: str = ""
    label: int | None = None
    page: int = 1

    @property
    def condition(self) -> str:
        """What holds for them, in SQL."""
        parts = ["directory_id = :dataset", ROOTS]
        if self.search:
            parts.append(
                "(instr(lower(original_filename), lower(:search)) > 0 OR CAST(id AS TEXT) = :search)"
            )
        if self.label is not None:
            parts.append(_HOLDERS)
        return " AND ".join(parts)

    @property
    def values(self) -> dict[str, Any]:
        """The values in the condition."""
        return {"dataset": self.dataset_id, "search": self.search, "label": self.label}


def listed(store: Store, wanted: Wanted) -> tuple[list[dict[str, Any]], int]:
    """Return a page of cards, newest file first, and how many files there are on all pages."""
    connection = store.connection()
    (amount,) = connection.execute(
        f"SELECT count(*) FROM file WHERE {wanted.condition}", wanted.values
    ).fetchone()
    rows = connection.execute(
        f"SELECT * FROM file WHERE {wanted.condition} ORDER BY id DESC LIMIT :limit OFFSET :offset",
        {**wanted.values, "limit": PAGE_SIZE, "offset": (wanted.page - 1) * PAGE_SIZE},
    ).fetchall()
    return cards(store, rows), amount


def totals(store: Store, dataset_id: int) -> dict[str, Any]:
    """Return how many files and instances a dataset holds, and how many of each label."""
    files = store.one(f"SELECT count(*) AS amount FROM file WHERE directory_id = ? AND {ROOTS}", dataset_id)
    counted = store.all(
        "SELECT label_file_id, count(*) AS amount FROM file JOIN instance ON instance.file_id = file.id"
        " WHERE directory_id = ? AND state != 'removed' AND soft_delete = 0 GROUP BY 1 ORDER BY 2 DESC",
        dataset_id,
    )
    labels = []
    for row in counted:
        found = label_file(store, row["label_file_id"]) if row["label_file_id"] is not None else None
        if found is not None:
            told = {"label_file_id": found["id"], "label_file": label_fields(found)}
            labels.append(
                {
                    "id": found["id"],
                    "name": found["label_name"],
                    "colour": colour_of(told),
                    "amount": row["amount"],
                }
            )
    return {
        "files": files["amount"] if files else 0,
        "instances": sum(row["amount"] for row in counted),
        "labels": labels,
    }


def cards(store: Store, rows: list[sqlite3.Row]) -> list[dict[str, Any]]:
    """Return files as a list shows them."""
    labels: dict[int, dict[str, Any] | None] = {}
    return [_card(store, row, labels) for row in rows]


def children(store: Store, parent_id: int) -> list[sqlite3.Row]:
    """Return a compound's live children in their order."""
    return store.all(
        "SELECT * FROM file WHERE parent_id = ? AND state != 'removed' ORDER BY ordinal, id", parent_id
    )


def picture(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return the block of an image; its URLs are null if nothing is stored of it (see :mod:`..filling`)."""
    image: dict[str, Any] = file_fields(store, row, "").get("image") or {}
    is_elsewhere = row["connection_id"] is not None
    if image and not is_elsewhere and blob(store, BUCKET, image["url_signed_blob_path"]) is None:
        return {**image, "url_signed": None, "url_signed_thumb": None}
    return image


def _card(store: Store, row: sqlite3.Row, labels: dict[int, dict[str, Any] | None]) -> dict[str, Any]:
    """Return a file with the picture of itself or of its first child, and what is drawn on that."""
    below = children(store, row["id"]) if row["type"].startswith("compound") else []
    face = next((one for one in (row, *below) if one["type"] == "image"), None)
    image = picture(store, face) if face is not None else {}
    live = store.one(
        "SELECT count(*) AS amount FROM instance JOIN file ON file.id = instance.file_id"
        " WHERE soft_delete = 0 AND (file.id = ?1 OR file.parent_id = ?1 OR file.video_parent_file_id = ?1)",
        row["id"],
    )
    return {
        "id": row["id"],
        "name": row["original_filename"],
        "type": row["type"],
        "pages": len(below),
        "picture": image.get("url_signed_thumb"),
        "width": image.get("width"),
        "height": image.get("height"),
        "shapes": _drawn(store, face["id"], labels) if face is not None else [],
        "instances": live["amount"] if live is not None else 0,
    }


def _drawn(store: Store, file_id: int, labels: dict[int, dict[str, Any] | None]) -> list[Shape]:
    rows = store.all(
        f"SELECT * FROM instance WHERE file_id = ? AND soft_delete = 0 ORDER BY id LIMIT {MOST_DRAWN}",
        file_id,
    )
    shapes = []
    for row in rows:
        label_id = row["label_file_id"] or 0
        if label_id not in labels:
            found = label_file(store, label_id)
            labels[label_id] = None if found is None else label_fields(found)
        drawn = shape({**instance_fields(row), "label_file": labels[label_id]})
        if drawn is not None:
            shapes.append(drawn)
    return shapes


@dataclass(frozen=True)
class Place:
    """Where a file stands in its list.

    :param number: from 1.
    """

    number: int
    amount: int
    previous: int | None
    next: int | None


def place(store: Store, row: sqlite3.Row) -> Place | None:
    """Return where a file stands in its dataset, newest first, or among the pages of its parent."""
    if row["parent_id"] is not None:
        ids = [one["id"] for one in children(store, row["parent_id"])]
        if row["id"] not in ids:
            return None
        at = ids.index(row["id"])
        return Place(at + 1, len(ids), *_around(ids, at))
    if row["state"] == "removed" or row["directory_id"] is None or row["type"] in ("frame", "label"):
        return None
    found = store.one(
        "SELECT count(*) AS amount, count(CASE WHEN id >= ?2 THEN 1 END) AS number,"
        " min(CASE WHEN id > ?2 THEN id END) AS newer, max(CASE WHEN id < ?2 THEN id END) AS older"
        f" FROM file WHERE directory_id = ?1 AND {ROOTS}",
        row["directory_id"],
        row["id"],
    )
    assert found is not None
    return Place(found["number"], found["amount"], found["newer"], found["older"])


def _around(ids: list[int], at: int) -> tuple[int | None, int | None]:
    return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)
