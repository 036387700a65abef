"""Listing the files of a dataset (server.md 2.6, file/list)."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

from ..auth import READERS
from ..call import Call, endpoint
from ..errors import Refusal, Reply, ServerCrash
from ..files import LISTED_TYPES, base_fields, file_fields
from ..instance_view import live_instances
from ..queries import condition_of
from ..validation import Field, check, database_id
from .datasets import default_directory, find_directory

MODES = ("base", "ids_only", "home", "annotation", "task", "changes", "explorer")
_KINDS = ", ".join(f"'{kind}'" for kind in LISTED_TYPES)
_FIELDS = (
    Field("directory_id"),
    Field("file_view_mode"),
    Field("limit", "int", default=25),
    Field("page", "int", default=1),
    Field("search_term"),
    Field("media_type"),
    Field("annotation_status"),
    Field("date_from"),
    Field("date_to"),
    Field("query"),
    Field("regen_url", default=True),
    Field("with_children_files", default=False),
)


@endpoint("POST", "/api/project/{project}/user/{user}/file/list", READERS)
def file_list(call: Call) -> Any:
    """List files, newest id first, page by page."""
    body = call.json()
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise ServerCrash("'NoneType' object has no attribute 'get'")
    values, errors = check(_FIELDS, metadata)
    mode = values["file_view_mode"]
    if errors or mode not in MODES:
        raise ServerCrash(f"'NoneType' object has no attribute 'file_view_mode' {mode}")
    if mode == "explorer":
        condition, arguments = _explored(call, values["query"])
        order = "(id * 7919) % 10007, id"  # the server has none
    else:
        condition, arguments = _filtered(call, values)
        order = "id DESC"
    return _page(call, values, f"{condition} AND type IN ({_KINDS})", arguments, order)


def _directory_id(call: Call, value: Any) -> int:
    """Return the dataset's id, or answer a bare JSON text (E8)."""
    if value is None:
        return int(default_directory(call.store, call.project)["id"])
    row = find_directory(call.store, call.project, database_id(value))
    if row is None:
        raise Refusal(Reply("Error with directory", 400))
    return int(row["id"])


def _filtered(call: Call, values: dict[str, Any]) -> tuple[str, list[Any]]:
    values["directory_id"] = _directory_id(call, values["directory_id"])
    condition, arguments = "directory_id = ? AND state != 'removed'", [values["directory_id"]]
    if not values["with_children_files"]:
        condition += " AND parent_id IS NULL"
    if values["search_term"]:
        condition += " AND instr(lower(original_filename), lower(?)) > 0"
        arguments.append(values["search_term"])
    if values["media_type"]:
        condition += " AND type = ?"
        arguments.append(values["media_type"])
    if values["annotation_status"] == "Completed":
        condition += " AND ann_is_complete = 1"
    elif values["annotation_status"] == "Not completed":
        condition += " AND ann_is_complete IS NOT 1"
    for key, comparison in (("date_from", ">="), ("date_to", "<=")):
        if values[key]:
            condition += f" AND created_time {comparison} ?"
            arguments.append(values[key])
    return condition, arguments


def _explored(call: Call, query: Any) -> tuple[str, list[Any]]:
    """Return the condition of a query; without one the whole project is meant (quirk 60)."""
    condition = "project_id = ? AND state != 'removed' AND parent_id IS NULL"
    if not query:
        return condition, [call.project.id]
    wanted, values = condition_of(call.store, call.project, str(query))
    return f"{condition} AND ({wanted})", [call.project.id, *values]


def _page(call: Call, values: dict[str, Any], condition: str, arguments: list[Any], order: str) -> Any:
    mode = values["file_view_mode"]
    count_row = call.store.one(f"SELECT count(*) AS amount FROM file WHERE {condition}", *arguments)
    count = int(count_row["amount"]) if count_row else 0
    limit = max(1, min(values["limit"], 25000 if mode == "ids_only" else 1000))
    pages = math.ceil(count / limit)
    page = max(1, values["page"])
    start = (page - 1) * limit
    rows = call.store.all(
        f"SELECT * FROM file WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?", *arguments, limit, start
    )
    metadata = {
        **{key: values[key] for key in ("annotation_status", "date_from", "date_to", "directory_id")},
        **{key: values[key] for key in ("media_type", "query", "regen_url", "search_term")},
        "end_index": start + len(rows),
        "file": {},
        "file_count": count,
        "file_view_mode": mode,
        "issues_filter": None,
        "job_id": None,
        "label": {"start_index": 0},
        "length_current_page": len(rows),
        "limit": values["limit"],
        "machine_made_setting": None,
        "next_page": page + 1 if page < pages else None,
        "page": page,
        "prev_page": page - 1,
        "start_index": start,
        "total_pages": pages,
        "with_children_files": values["with_children_files"],
    }
    shown = [_shown(call, mode, row) for row in rows]
    # The explorer says false of nothing (server.md 10.6).
    return {"file_list": False if mode == "explorer" and not shown else shown, "metadata": metadata}


def _shown(call: Call, mode: str, row: sqlite3.Row) -> Any:
    if mode == "ids_only":
        return row["id"]
    if mode == "base":
        return base_fields(row)
    fields = file_fields(call.store, row, call.base_url)
    if mode == "explorer":
        fields["instance_list"] = live_instances(call.store, row["id"])
    return fields
