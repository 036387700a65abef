"""Jobs: creating, launching and listing them (server.md 2.17)."""

from __future__ import annotations

import math
import sqlite3
from typing import Any

from ..auth import EVERYONE, WRITERS
from ..call import Call, endpoint
from ..errors import DatabaseRefused, Refusal, ServerCrash, bad_request, http_error, log
from ..jobs import find_job, job_fields, launch_job, make_tasks, make_tasks_of
from ..labels import find_schema
from ..limits import BUILDER_INFO, DIRECTORY_ATTACH
from ..queries import condition_of
from ..store import from_json, insert, to_json, update
from ..times import now_iso, rfc1123
from ..validation import Field, database_id, is_int
from .datasets import find_directory

PAGE_SIZE = 50
_ECHOED = (
    "builder_or_trainer", "category", "data_mode", "field", "instance_type", "job_ids", "members",
    "my_jobs_only", "parent_id", "search", "status", "tag_list", "type",
)  # fmt: skip


def job_of(call: Call, job_id: int, roles: tuple[str, ...] = EVERYONE) -> sqlite3.Row:
    """Authenticate by the project of a job and return the job; 403 for one that does not exist."""
    job = find_job(call.store, database_id(job_id))
    owner = None if job is None else call.store.one("SELECT * FROM project WHERE id = ?", job["project_id"])
    if job is None or owner is None:
        raise http_error(403, "403 Forbidden: No job found.")
    call.authenticate(owner["string_id"], roles)
    return job


@endpoint("POST", "/api/v1/project/{project}/job/new", WRITERS)
def new_job(call: Call) -> Any:
    """Create a draft; the same body again makes another."""
    values = call.fields(
        Field("name", "str"),
        Field("instance_type", "str"),
        Field("label_schema_id", "int"),
        Field("file_handling", "str", default="use_existing"),
        Field("member_list_ids", "list", default=[], empty=True),
        Field("share_type", "str", default="project"),
        Field("type", "str", default="Normal"),
        Field("output_dir_action", "str", default="nothing"),
        Field("completion_directory_id", "int"),
        Field("allow_reviews", "bool"),
        Field("review_chance", "int", default=0),
        Field("reviewer_list_ids", "list", default=[], empty=True),
        Field("tag_list", "list", default=[], empty=True),
        Field("attached_directories_dict"),
    )
    given = values["attached_directories_dict"]
    listed = given.get("attached_directories_list") if isinstance(given, dict) else None
    datasets = [_attachment(call, one) for one in listed or []]
    schema = find_schema(call.store, call.project, values["label_schema_id"])
    if schema is None:
        raise bad_request({"label_schema_id": "Label Schema not found"})
    now = now_iso()
    with call.store.write() as connection:
        job_id = insert(
            connection,
            "job",
            project_id=call.project.id,
            name=values["name"] or "Untitled Job",
            label_schema_id=schema["id"],
            member_list=to_json(values["member_list_ids"]),
            allow_reviews=int(bool(values["allow_reviews"])),
            review_chance=values["review_chance"] / 100,
            tags=to_json(values["tag_list"]),
            time_created=now,
            time_updated=now,
            **{
                key: values[key]
                for key in (
                    "instance_type", "file_handling", "share_type", "type", "output_dir_action",
                    "completion_directory_id",
                )
            },
        )  # fmt: skip
        _attach(connection, job_id, datasets)
    shown = {
        "created_time": rfc1123(now),
        "id": job_id,
        "name": values["name"] or "Untitled Job",
        "status": "draft",
    }
    added = {str(each): "Added" for each in _members(call, values["member_list_ids"])}
    return {
        "job": shown,
        "log": log(info={"update_member_list": added, "update_user_list": {}}, success=True),
    }


def _members(call: Call, wanted: list[Any]) -> list[int]:
    """Return the people of the project that a list of members names; ``all`` names everybody."""
    rows = call.store.all(
        "SELECT id FROM member WHERE project_id = ? AND person_id IS NOT NULL", call.project.id
    )
    return [row["id"] for row in rows if "all" in wanted or row["id"] in wanted]


def _attach(connection: sqlite3.Connection, job_id: int, datasets: list[tuple[int, str]]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO job_directory VALUES (?, ?, ?)", [(job_id, *row) for row in datasets]
    )


def _shown(call: Call, job_id: int) -> dict[str, Any]:
    job = find_job(call.store, job_id)
    assert job is not None
    return job_fields(call.store, call.project, job)


@endpoint("POST", "/api/v1/project/{project}/job/dir/attach", WRITERS, DIRECTORY_ATTACH)
def attach(call: Call) -> Any:
    """Set the datasets of a job."""
    values = call.fields(
        Field("job_id", "int", required=True), Field("directory_list", "list", required=True, empty=True)
    )
    job = find_job(call.store, database_id(values["job_id"]))
    if job is None or job["project_id"] != call.project.id:
        raise bad_request({"job_id": "Job does not belong to the project."})
    rows = [_attachment(call, one) for one in values["directory_list"]]
    with call.store.write() as connection:
        connection.execute("DELETE FROM job_directory WHERE job_id = ?", (job["id"],))
        _attach(connection, job["id"], rows)
        update(connection, "job", job["id"], time_updated=now_iso())
    return {"job": _shown(call, job["id"]), "log": log(success=True)}


def _attachment(call: Call, sent: Any) -> tuple[int, str]:
    if not isinstance(sent, dict) or not is_int(sent.get("directory_id")):
        raise bad_request({"directory_list": "Each entry needs a directory_id."})
    directory = find_directory(call.store, call.project, database_id(sent["directory_id"]))
    if directory is None:
        raise bad_request({"directory_list": f"Directory {sent['directory_id']} is not of the project."})
    return directory["id"], str(sent.get("selected"))


@endpoint("POST", "/api/v1/job/launch", None)
def launch(call: Call) -> Any:
    """Make a job active; its tasks appear a little later."""
    job_id = call.fields(Field("job_id", "int", required=True))["job_id"]
    job = job_of(call, job_id, WRITERS)
    if job["status"] != "draft":
        raise bad_request({"job_status": "Job already launched."})
    launch_job(call.store, job, call.emulator.options.launch_task_seconds)
    return {"log": log(info={"launch_flow": "soon"}, success=True)}


@endpoint("POST", "/api/v1/job/{job}/add-files", None)
def add_files(call: Call) -> Any:
    """Ask for tasks of files, which another service makes, if it runs (server.md 10.2.4).

    Nothing is checked: whatever was sent comes back.
    """
    job = job_of(call, database_id(call.params["job"]), WRITERS)
    values = call.fields(Field("file_id_list", "list"), Field("query", "str"))
    ids, query = values["file_id_list"], values["query"]
    if ids is None and query is None:
        raise bad_request({"file_id_list": "Provide file_id_list or query for adding files."})
    wanted = ids
    if query is not None:
        wanted = _found_by(call, query)
    if call.emulator.options.eventhandlers:
        make_tasks_of(call.store, job, wanted)
    return ids


def _found_by(call: Call, query: str) -> list[int]:
    try:
        condition, values = condition_of(call.store, call.project, query)
    except Refusal as refused:
        raise bad_request({"parser": refused.reply.body["log"]["error"]["query"]}) from None
    rows = call.store.all(
        f"SELECT id FROM file WHERE project_id = ? AND parent_id IS NULL AND state != 'removed'"
        f" AND type NOT IN ('frame', 'label') AND ({condition})",
        call.project.id,
        *values,
    )
    return [row["id"] for row in rows]


@endpoint("POST", "/api/v1/project/{project}/job/resync", WRITERS)
def resync(call: Call) -> Any:
    """Make the missing tasks of a job's datasets."""
    job_id = call.fields(Field("task_template_id", "int", required=True))["task_template_id"]
    job = find_job(call.store, database_id(job_id))
    if job is None or job["project_id"] != call.project.id:
        raise ServerCrash("'NoneType' object has no attribute 'project_id'")
    make_tasks(call.store, call.project, 0.0)
    return {"log": log(), "resync_result": True}


@endpoint("POST", "/api/v1/job/list", None)
def job_list(call: Call) -> Any:
    """List jobs, under a key with a capital J; without ``page_number`` it fails (quirk 43)."""
    metadata = call.json().get("metadata")
    if not isinstance(metadata, dict):
        raise bad_request({"metadata": "Missing metadata"})
    call.authenticate(str(metadata.get("project_string_id")), EVERYONE)
    page = metadata.get("page_number")
    if not isinstance(page, int):
        raise ServerCrash("unsupported operand type(s) for -: 'NoneType' and 'int'")
    if page < 1:
        raise DatabaseRefused("OFFSET must not be negative")
    make_tasks(call.store, call.project, call.emulator.options.task_seconds)
    found = _matching(call, metadata)
    start = max(0, page - 1) * PAGE_SIZE
    shown = found[start : start + PAGE_SIZE]
    mode = metadata.get("data_mode")
    return {
        "Job_list": [_listed(call, job, mode) for job in shown],
        "log": log(success=True),
        "metadata": {
            **{key: metadata.get(key) for key in _ECHOED},
            "end_index": start + len(shown),
            "length_current_page": len(shown),
            "limit": metadata.get("limit") or PAGE_SIZE,
            "number_of_pages": math.ceil(len(found) / PAGE_SIZE),
            "org": "None",
            "page_number": page,
            "page_size": PAGE_SIZE,
            "project_string_id": call.project.string_id,
            "share_type": "project",
            "start_index": start,
            "total_job_number": len(found),
        },
    }


def _matching(call: Call, metadata: dict[str, Any]) -> list[sqlite3.Row]:
    """Return the jobs asked for, newest first; archived ones never."""
    status, search, ids = metadata.get("status"), metadata.get("search"), metadata.get("job_ids")
    statuses = None if isinstance(status, str) else status
    tags = metadata.get("tag_list")
    for several in (statuses, ids):
        if several is not None and not isinstance(several, list):
            raise ServerCrash(f"'{type(several).__name__}' object is not iterable")
    rows = call.store.all(
        "SELECT * FROM job WHERE project_id = ? AND status != 'archived' ORDER BY id DESC", call.project.id
    )
    return [
        row
        for row in rows
        if (not statuses or row["status"] in statuses)
        and (not search or str(search).lower() in str(row["name"]).lower())
        and (not ids or row["id"] in ids)
        and not tags
        and all(not metadata.get(key) or row[key] == metadata[key] for key in ("type", "instance_type"))
    ]


def _listed(call: Call, job: sqlite3.Row, mode: Any) -> dict[str, Any]:
    if mode == "name_and_id_only":
        return {
            "allow_reviews": bool(job["allow_reviews"]),
            "id": job["id"],
            "is_pinned": False,
            "label_schema_id": job["label_schema_id"],
            "name": job["name"],
            "time_created": rfc1123(job["time_created"]),
            "type": job["type"],
        }
    shown = job_fields(call.store, call.project, job)
    if mode == "with_tags":
        return {**shown, "tags": from_json(job["tags"])}
    return shown


@endpoint("POST", "/api/v1/job/{job}/builder/info", None, BUILDER_INFO)
def builder_info(call: Call) -> Any:
    """Return one job, 300 times a day for everyone behind an address."""
    job = job_of(call, database_id(call.params["job"]))
    call.json()
    make_tasks(call.store, call.project, call.emulator.options.task_seconds)
    return {"job": _shown(call, job["id"]), "log": log(success=True)}
