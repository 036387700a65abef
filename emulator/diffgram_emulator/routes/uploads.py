"""Uploads: from_local, processed before the answer, and upload/large in chunks (server.md 2.8, 2.9)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from ..auth import WRITERS
from ..batches import require_batch
from ..call import Call, Part, endpoint
from ..clock import Stopped
from ..errors import DatabaseRefused, Refusal, Reply, ServerCrash, ThreadDied, bad_request, log
from ..faults import ROW_KINDS_OF_VIDEOS
from ..files import find_file
from ..ingest_rows import NO_UNIT, instances_of, unhandled
from ..ingest_video import VideoIngest
from ..inputs import find_input, input_fields, new_input, save_input, set_input
from ..jobs import find_job, make_tasks
from ..limits import UPLOAD
from ..media import NoMedium
from ..naming import extension, kind_of, sanitized
from ..store import from_json, to_json
from ..validation import Field, database_id, validated
from .datasets import default_directory, find_directory
from .packet import require_directory

_FIELDS = (
    Field("directory_id", "int"),
    Field("parent_file_id", "int"),
    Field("ordinal", "int", default=0),
    Field("instance_list", "list", empty=True),
    Field("frame_packet_map"),
)
MIN_CHUNK = 5 * 1024 * 1024
MAX_FILE = 5 * 1024**3
NO_PARENT = "'NoneType' object has no attribute 'parent_id'"


@endpoint("POST", "/api/walrus/v1/project/{project}/input/from_local", WRITERS)
def from_local(call: Call) -> Any:
    """Ingest a file at once. 200 does not mean success: look at ``input.status`` (quirk 22)."""
    parts = call.parts()
    values = validated(_FIELDS, _json_part(parts))
    if "file" not in parts:
        raise bad_request("No files")
    directory_id = _directory_id(call, values["directory_id"])
    parent = values["parent_file_id"]
    if parent is not None and find_file(call.store, parent) is None:
        raise DatabaseRefused(f"no file {parent}")
    name = sanitized(parts["file"].filename or "")
    kind = kind_of(name)
    if kind is None:
        raise _failed(_without_row(f"Invalid file type: {extension(name)}"))
    row = _new_row(call, values, directory_id, name, kind)
    _ingest(call, row, parts["file"].content)
    make_tasks(call.store, call.project, call.emulator.options.task_seconds, file_seconds=0.0)
    done = find_input(call.store, row["id"])
    assert done is not None
    file = find_file(call.store, done["file_id"])
    assert file is not None
    return {
        "file": {"hash": file["hash"], "id": file["id"]},
        "input": input_fields(call.store, done),
        "log": log(success=True),
    }


def _json_part(parts: dict[str, Part]) -> dict[str, Any]:
    try:
        body = json.loads(parts["json"].text)
    except (KeyError, ValueError):
        text = "Expecting a key 'json' in the request, with the fields of the input as JSON text."
        raise bad_request({"input": text}) from None
    if not isinstance(body, dict):
        raise bad_request({"input": "Expecting dict"})
    return body


def _directory_id(call: Call, directory_id: int | None) -> int:
    if directory_id is None:
        return int(default_directory(call.store, call.project)["id"])
    if find_directory(call.store, call.project, database_id(directory_id)) is None:
        raise bad_request(f"Bad directory_id: {directory_id}")
    return directory_id


def _failed(shown: dict[str, Any]) -> Refusal:
    """Return E6: 400 with an Input and an empty error."""
    return Refusal(Reply({"input": shown, "log": log()}, 400))


_NO_ROW = (
    "archived", "batch_id", "created_time", "description", "directory", "file_id", "id", "instance_list",
    "media_type", "mode", "newly_copied_file_id", "original_filename", "parent_file_id", "parent_input_id",
    "percent_complete", "processing_deferred", "raw_data_blob_path", "retry_count", "retry_log", "source",
    "task_id", "time_last_attempted", "time_updated", "update_log", "video_split_duration", "video_was_split",
)  # fmt: skip


def _without_row(text: str) -> dict[str, Any]:
    """Return the Input of a file nothing was stored of."""
    return {**dict.fromkeys(_NO_ROW), "status": "failed", "status_text": text, "total_time": "None"}


def _new_row(call: Call, values: dict[str, Any], directory_id: int, name: str, kind: str) -> sqlite3.Row:
    sent = values["instance_list"]
    with call.store.write() as connection:
        input_id = new_input(
            connection,
            project_id=call.project.id,
            directory_id=directory_id,
            parent_file_id=values["parent_file_id"],
            ordinal=values["ordinal"],
            original_filename=name,
            media_type=kind,
            instance_list=json.dumps({"list": sent}) if sent is not None else None,
            frame_packet_map=to_json(values["frame_packet_map"]),
            status="processing",
            time_last_attempted=int(time.time()),
        )
    row = find_input(call.store, input_id)
    assert row is not None
    return row


def _ingest(call: Call, row: sqlite3.Row, content: bytes) -> None:
    """Do what an ingest thread does, in the request's own thread."""
    workers, options = call.emulator.workers, call.emulator.options
    ingest = workers.ingest
    try:
        ingest.refuse_full(row)
        ingest.refuse_duplicate(row, row["original_filename"])
    except NoMedium as taken:
        ingest.fail(row, taken.values)
        failed = find_input(call.store, row["id"])
        assert failed is not None
        raise _failed(input_fields(call.store, failed)) from None
    workers.clock.about(options.upload_seconds)
    workers.clock.work(options.upload_work)
    try:
        if row["media_type"] == "video":
            _video(call).run(row, row["original_filename"], content)
            return
        sent = ingest.resolved(row) if row["media_type"] == "image" else instances_of(row)
        file_id = ingest.store_medium(row, row["media_type"], row["original_filename"], content)
    except NoMedium as failure:
        ingest.fail(row, failure.values)
        raise ServerCrash(NO_PARENT) from None
    if None in sent:
        ingest.fail(row, {**unhandled(NO_UNIT), "instance_list": "{}"})
        return
    ingest.succeed(row)
    if sent:
        workers.clock.work(options.settle_per_instance * len(sent))
        try:
            ingest.write_instances(row, file_id, sent, call.member_id)
        except ThreadDied as died:
            raise DatabaseRefused(str(died)) from died


def _video(call: Call) -> VideoIngest:
    """Return what reads a video before the answer, and stores its frames after it (server.md 10.9)."""
    workers, options = call.emulator.workers, call.emulator.options

    def fault(row: sqlite3.Row) -> str | None:
        planted = call.emulator.row_faults.take(row["original_filename"], ROW_KINDS_OF_VIDEOS)
        return None if planted is None else planted.kind

    def go_on(rest: Callable[[], None]) -> None:
        def quietly() -> None:
            with contextlib.suppress(Stopped, ThreadDied):
                rest()

        threading.Thread(target=quietly, daemon=True).start()

    return VideoIngest(call.store, workers.clock, options.image_seconds, fault, go_on)


@endpoint("POST", "/api/walrus/project/{project}/upload/large", WRITERS, UPLOAD)
def upload_large(call: Call) -> Any:
    """Take one chunk. The answer is the same whatever becomes of it (quirk 23)."""
    parts = call.parts()
    try:
        uuid, index, count = (parts[key].text for key in ("dzuuid", "dzchunkindex", "dztotalchunkcount"))
    except KeyError as error:
        raise ServerCrash(str(error)) from None
    if "file" not in parts:
        raise bad_request({"binary_file": "No binary file in request"})
    try:
        last, first = int(index) + 1 == int(count), int(index) == 0
    except ValueError as error:
        raise ServerCrash(str(error)) from None
    if first:
        _new_upload(call, uuid, parts)
    found = call.store.one("SELECT * FROM upload WHERE uuid = ?", uuid)
    if found is None:
        return {"error": "'NoneType' object has no attribute 'upload_aws_id'"}
    _append(call, found, parts["file"].content, last)
    if last:
        _complete(call, found, _text(parts, "dztotalfilesize"))
    return {"success": True}


def _new_upload(call: Call, uuid: str, parts: dict[str, Part]) -> None:
    directory_id = database_id(_text(parts, "directory_id") or "None")
    require_directory(call, directory_id)
    batch = _text(parts, "input_batch_id")
    batch_id = database_id(batch) if batch else None
    if batch_id is not None:
        require_batch(call.store, batch_id)
    name = sanitized(parts["file"].filename or "")
    local_path = f"uploads/{sanitized(uuid)}"
    sent = _pre_labeled(call, batch_id, (name, _text(parts, "uuid")))
    split = _text(parts, "video_split_duration")
    with call.store.write() as connection:
        input_id = new_input(
            connection,
            project_id=call.project.id,
            directory_id=directory_id,
            batch_id=batch_id,
            original_filename=name,
            media_type=kind_of(name),
            source=_text(parts, "source") or "from_resumable",
            local_path=local_path,
            instance_list=to_json({"list": sent["instance_list"]}) if sent.get("instance_list") else None,
            frame_packet_map=to_json(sent.get("frame_packet_map")),
            video_split_duration=database_id(split) if split else None,
            job_id=_job_id(call, _text(parts, "job_id")),
        )
        set_input(connection, input_id)
        connection.execute(
            "INSERT OR REPLACE INTO upload (uuid, input_id, path) VALUES (?, ?, ?)",
            (uuid, input_id, local_path),
        )
    target = call.store.folder / local_path
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"")


def _job_id(call: Call, text: str | None) -> int | None:
    if not text:
        return None
    job_id = database_id(text)
    if find_job(call.store, job_id) is None:
        raise DatabaseRefused(f"no job {job_id}")
    return job_id


def _text(parts: dict[str, Part], key: str) -> str | None:
    return parts[key].text if key in parts else None


def _pre_labeled(call: Call, batch_id: int | None, keys: tuple[str | None, ...]) -> dict[str, Any]:
    """Return what the batch says about a file, its labels found by name."""
    batch = call.store.one("SELECT pre_labeled_data FROM batch WHERE id = ?", batch_id)
    data = from_json(batch["pre_labeled_data"]) if batch is not None else None
    found = next((data[key] for key in keys if data and key in data), None)
    if not isinstance(found, dict):
        return {}
    labels = {
        row["name"]: row["id"]
        for row in call.store.all(
            "SELECT file.id, label.name FROM file JOIN label ON label.id = file.label_id"
            " WHERE file.project_id = ? ORDER BY file.id DESC",
            call.project.id,
        )
    }
    frames = found.get("frame_packet_map")
    return {
        "instance_list": _named(labels, found.get("instance_list")),
        "frame_packet_map": {key: _named(labels, units) for key, units in frames.items()}
        if isinstance(frames, dict)
        else frames,
    }


def _named(labels: dict[str, int], sent: Any) -> Any:
    """Return instances with the label file ids of their ``name``."""
    if not isinstance(sent, list):
        return sent
    return [
        {**one, "label_file_id": labels[one["name"]]}
        if isinstance(one, dict) and one.get("name") in labels
        else one
        for one in sent
    ]


def _append(call: Call, upload: sqlite3.Row, content: bytes, last: bool) -> None:
    with (call.store.folder / upload["path"]).open("ab") as target:
        target.write(content)
    if not last and len(content) < MIN_CHUNK:
        with call.store.write() as connection:
            connection.execute("UPDATE upload SET small = 1 WHERE uuid = ?", (upload["uuid"],))


def _complete(call: Call, upload: sqlite3.Row, total: str | None) -> None:
    """Start processing; storage refuses objects with a chunk below 5 MiB that was not the last."""
    if upload["small"]:
        raise ServerCrash("")
    row = find_input(call.store, upload["input_id"])
    assert row is not None
    if row["status"] == "failed":
        return
    if total is not None and total.isdecimal() and int(total) > MAX_FILE:
        save_input(call.store, row["id"], status="failed", status_text="Exceeded max file size")
        return
    if row["media_type"] is None:
        text = f"Invalid file type: {extension(row['original_filename'])}"
        save_input(call.store, row["id"], status="failed", status_text=text)
        return
    save_input(call.store, row["id"], processing_deferred=1)
