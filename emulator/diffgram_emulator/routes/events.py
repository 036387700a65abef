"""The list of a project's events (server.md 10.4)."""

from __future__ import annotations

from typing import Any

from ..auth import EVERYONE
from ..call import Call, endpoint
from ..errors import DatabaseRefused
from ..events import MOST, events_of
from ..jobs import make_tasks
from ..validation import Field, database_id


@endpoint("POST", "/api/v1/project/{project}/event/list", EVERYONE)
def event_list(call: Call) -> Any:
    """List events, newest first, a thousand at most; there is no second page."""
    values = call.fields(
        Field("limit", "int", default=50),
        Field("kind", "str"),
        Field("date_from", "date"),
        Field("date_to", "date"),
        Field("file_id", "int"),
        Field("member_id", "int"),
    )
    limit = values["limit"]
    if limit < -1:
        raise DatabaseRefused("LIMIT must not be negative")
    filters: dict[str, Any] = {}
    if values["kind"] is not None:
        filters["lower(kind) = ?"] = values["kind"].lower()
    for key in ("file_id", "member_id"):
        if values[key] is not None:
            filters[f"{key} = ?"] = database_id(values[key])
    for key, comparison in (("date_from", ">="), ("date_to", "<=")):
        if values[key] is not None:
            filters[f"time_created {comparison} ?"] = values[key]
    options = call.emulator.options
    make_tasks(call.store, call.project, options.task_seconds)
    amount = MOST if limit == -1 else min(limit, MOST)
    found = events_of(call.store, call.project.id, amount, filters, options.event_lag)
    return {"event_list": found, "success": True}
