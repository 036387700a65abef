"""Writing the annotations of a file, and their past (server.md 10.3.6 and 10.8)."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from ..annotation_list import Saved, save_list
from ..auth import READERS, WRITERS
from ..call import Call, endpoint
from ..errors import DatabaseRefused, ServerCrash, bad_request, log
from ..events import note_event
from ..files import file_fields, find_file, frame_of
from ..instance_view import instance_fields
from ..store import update
from ..times import now_iso
from ..validation import database_id

_OUTDATED = (
    "Error: outdated instance list sent. This can happen when 2 users are working on the same file at the "
    "same time.Please try reloading page, clicking the refresh file data button or check your network "
    "connection. Please contact use if this persists."
)

_INVALID = "Invalid payload sent to server, missing the following instances IDs {}"


@endpoint("POST", "/api/project/{project}/file/{file}/annotation/update", WRITERS)
def annotation_update(call: Call) -> Any:
    """Make a list the file's; a person does the same with a page's list."""
    file = find_file(call.store, database_id(call.params["file"]))
    if file is None or file["project_id"] != call.project.id:
        raise ServerCrash("'int' object has no attribute 'log'")
    return saved_list(call, file, has_event=True)


def saved_list(call: Call, file: sqlite3.Row, has_event: bool) -> dict[str, Any]:
    """Save the list of a request's body and return the answer.

    :param has_event: whether an event tells of it; saving through a task writes none (server.md 10.4).
    """
    body = call.json()
    sent, is_complete = body.get("instance_list"), bool(body.get("and_complete"))
    if sent is not None and not isinstance(sent, list):
        raise ServerCrash(f"'{type(sent).__name__}' object cannot be read as a list of instances")
    saved = Saved()
    if sent:
        saved = _saved(call, file, _target(call, file, body.get("video_data")), sent)
        if saved.errors is not None:
            raise bad_request(saved.errors, info=_info(saved))
    with call.store.write() as connection:
        if is_complete:
            update(
                connection,
                "file",
                file["id"],
                ann_is_complete=int(not file["ann_is_complete"]),
                time_last_updated=now_iso(),
            )
        if has_event and (sent or is_complete):
            values = {"file_id": file["id"], "member_id": call.person_member_id}
            text = f"Changed {len(saved.added)}"
            note_event(connection, call.project.id, "annotation_update", description=text, **values)
    return _answer(call, file["id"], saved, sent or [])


def _saved(call: Call, file: sqlite3.Row, target: int, sent: list[Any]) -> Saved:
    """Save a list; an image is locked meanwhile, and who finds it locked is refused (server.md 10.8.3)."""
    emulator, options = call.emulator, call.emulator.options
    seconds = options.update_work + options.update_work_per_row * len(sent)
    is_locked = file["type"] == "image"
    if is_locked and not emulator.locked_files.take(file["id"]):
        raise DatabaseRefused(f"file {file['id']} is locked")
    try:
        return save_list(
            call.store,
            call.project,
            target,
            sent,
            call.member_id,
            lambda: emulator.workers.clock.work(seconds),
            is_locked,
        )
    finally:
        if is_locked:
            emulator.locked_files.give_back(file["id"])


def _target(call: Call, file: sqlite3.Row, video: Any) -> int:
    """Return the file that holds the rows: a frame's own, for a video."""
    if not isinstance(video, dict) or not video.get("video_mode"):
        return int(file["id"])
    number = video.get("current_frame")
    if not isinstance(number, int):
        raise ServerCrash("'>' not supported between instances of 'NoneType' and 'int'")
    with call.store.write() as connection:
        return frame_of(connection, file, number)


def _info(saved: Saved) -> dict[str, str]:
    now = time.time()
    return {str(now + number / 1e5): "Valid Instance Dict" for number in range(saved.looked_at)}


def _answer(call: Call, file_id: int, saved: Saved, sent: list[Any]) -> dict[str, Any]:
    store, file = call.store, find_file(call.store, file_id)
    assert file is not None
    rows = [store.one("SELECT * FROM instance WHERE id = ?", one) for one in saved.added]
    told = log(info=_info(saved), success=bool(sent))
    if saved.missing:
        told["warning"] = {
            "frame_number": None,
            "information": _OUTDATED,
            "instance_list_existing_ids": saved.existing,
            "instance_list_new": sent,
            "missing_ids": saved.missing,
            "new_instance_list_missing_ids": _INVALID.format(saved.missing),
        }
    return {
        "added_instances": [instance_fields(row) for row in rows if row is not None],
        "deleted_instances": saved.deleted,
        "log": told,
        "new_file": file_fields(store, file, call.base_url),
        "new_sequence_list": [],
        "sequence": None,
        "success": True,
    }


@endpoint("POST", "/api/v1/project/{project}/instance/{instance}/history", READERS)
def history(call: Call) -> Any:
    """Return all versions of an instance, newest first; one whose root is not known stands alone."""
    call.json()
    row = call.store.one("SELECT * FROM instance WHERE id = ?", database_id(call.params["instance"]))
    if row is None:
        raise ServerCrash("'NoneType' object has no attribute 'root_id'")
    file = find_file(call.store, row["file_id"])
    if file is None or file["project_id"] != call.project.id:
        raise bad_request({"project_missmatch": "Instance does not belong to the project."})
    rows = [row]
    if row["root_id"] is not None:
        rows = call.store.all(
            "SELECT * FROM instance WHERE file_id = ? AND root_id = ? ORDER BY id DESC",
            row["file_id"],
            row["root_id"],
        )
    return {"instance_history": [_version(call, one) for one in rows]}


def _version(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    shown = instance_fields(row)
    person = call.store.one(
        "SELECT person.* FROM member JOIN person ON person.id = member.person_id WHERE member.id = ?",
        shown["member_created_id"],
    )
    if person is None:
        return shown
    named = {key: person[key] for key in ("first_name", "last_name")}
    return {**shown, "member_created": {**named, "profile_image_url": None, "project_list": []}}


@endpoint("POST", "/api/project/{project}/file/{file}/annotation/is_complete_toggle", WRITERS)
def toggle(call: Call) -> Any:
    """Turn ``ann_is_complete`` round, for a person; a Basic credential crashes it (server.md 10.3.3)."""
    call.json()
    file = find_file(call.store, database_id(call.params["file"]))
    if file is None or file["project_id"] != call.project.id:
        raise ServerCrash("'NoneType' object has no attribute 'id'")
    member_id = call.person_member_id
    if member_id is None:
        raise ServerCrash("'NoneType' object has no attribute 'member_id'")
    is_complete = not file["ann_is_complete"]
    with call.store.write() as connection:
        update(
            connection,
            "file",
            file["id"],
            ann_is_complete=int(is_complete),
            time_last_updated=now_iso(),
        )
        note_event(
            connection,
            call.project.id,
            "file_complete_toggle",
            file_id=file["id"],
            member_id=member_id,
            description=str(is_complete),
        )
    shown = find_file(call.store, file["id"])
    assert shown is not None
    return {"new_file": file_fields(call.store, shown, call.base_url), "success": True}
