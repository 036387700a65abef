"""Accepting packets (server.md 2.7). What is wrong with a packet mostly shows on its Input row later."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..auth import WRITERS, authenticate
from ..batches import require_batch
from ..call import Call, endpoint
from ..errors import DatabaseRefused, Refusal, Reply, ServerCrash, bad_request, http_error, log
from ..events import note_event
from ..files import find_file, root_with_name
from ..inputs import new_input, set_input
from ..jobs import find_job
from ..limits import PACKET
from ..store import to_json
from ..validation import Field, database_id

PROVIDERS = ("amazon_aws", "microsoft_azure")
STARTED = "Started processing"
INCOMPLETE = {"file_name": "Provide file_name along with directory_id"}

_FIELDS = (
    Field("directory_id"),
    Field("type", "str", default="from_url"),
    Field("media", default={}),
    Field("original_filename"),
    Field("instance_list", "list"),
    Field("frame_packet_map"),
    Field("file_id"),
    Field("file_name"),
    Field("mode"),
    Field("parent_file_id", "int"),
    Field("ordinal", "int", default=0),
    Field("batch_id"),
    Field("job_id"),
    Field("connection_id", "int"),
    Field("bucket_name", "str"),
    Field("raw_data_blob_path"),
    Field("text_data"),
    Field("video_split_duration", "int", default=30),
)


@dataclass(frozen=True)
class Medium:
    """The ``media`` object of a packet."""

    url: Any
    type: Any


@endpoint("POST", "/api/walrus/v1/project/{project}/input/packet", WRITERS, PACKET)
def packet(call: Call) -> Any:
    """Write a row into the queue; the answer never holds its id (quirk 1)."""
    if call.emulator.options.documented_variant:
        raise http_error(404, "404 Not Found: The requested URL was not found on the server.")
    _accept(call)
    return {"input_id": None, "log": log(success=True)}


@endpoint("POST", "/api/v1/walrus/project/{project}/input/packet", None)
def documented_packet(call: Call) -> Any:
    """Do the same on the documented path, where the answer holds the row's id (server.md 6)."""
    if not call.emulator.options.documented_variant:
        raise Refusal(Reply("Not found.", 405, raw=True))
    call.authenticate(call.params["project"], WRITERS)
    return {"input_id": _accept(call), "log": log(success=True)}


def _accept(call: Call) -> int:
    """Write a row into the queue and return its id."""
    values = call.fields(*_FIELDS)
    values["directory_id"] = call.headers.get("directory-id") or values["directory_id"]
    if values["directory_id"] is None and values["mode"] != "update":
        raise bad_request({"directory": "'directory_id' not supplied"})
    if not isinstance(values["media"], dict):
        raise ServerCrash(f"'{type(values['media']).__name__}' object has no attribute 'get'")
    medium = Medium(values["media"].get("url"), values["media"].get("type"))
    errors = _incomplete(call, values, medium)
    if errors:
        raise bad_request(errors, STARTED)
    return _store(call, values, medium, _references(call, values))


def _incomplete(call: Call, values: dict[str, Any], medium: Medium) -> dict[str, Any]:
    """Return what is missing for the kind of packet; the first kinds end the check (server.md 2.7)."""
    if values["type"] == "from_blob_path":
        return _incomplete_blob(call, values, medium)
    if values["type"] == "from_text_data":
        missing = {"media.type": medium.type, "text_data": values["text_data"]}
        return {key: f"Provide {key}" for key, value in missing.items() if not value}
    split = values["video_split_duration"]
    if split != 0 and not 2 <= split <= 180:
        return {"file_name": "video_split_duration must be between 2 and 180 seconds"}
    if values["file_id"] is not None or (medium.url and medium.type):
        return {}
    if not values["file_name"] or values["directory_id"] is None:
        return INCOMPLETE
    found = root_with_name(call.store, database_id(values["directory_id"]), str(values["file_name"]))
    if found is None:
        return {"file_name": "Please check that filename exists in the given directory."}
    values["file_id"] = found
    return {}


def _incomplete_blob(call: Call, values: dict[str, Any], medium: Medium) -> dict[str, Any]:
    """Return the last error of a packet from a connection: each overwrites the one before."""
    connection_id = values["connection_id"]
    row = call.store.one("SELECT * FROM connection WHERE id = ?", connection_id)
    errors: dict[str, Any] = {}
    if row is None:
        errors = {"connection_id": "Connection ID does not exist"}
    elif row["project_id"] != call.project.id:
        _refuse_as_foreign(call)
    elif row["integration_name"] not in PROVIDERS:
        provider = f"{connection_id}:{row['integration_name']}"
        errors = {
            "supported_providers": list(PROVIDERS),
            "unsupported": f"Unsupported connection provider for URL regeneration {provider}",
        }
    needed = {
        "bucket_name": values["bucket_name"],
        "media.type": medium.type,
        "raw_data_blob_path": values["raw_data_blob_path"],
    }
    for key, value in needed.items():
        if not value:
            errors = {key: f"Provide {key}"}
    return errors


def _refuse_as_foreign(call: Call) -> None:
    """Answer as for a wrong credential."""
    authenticate(call.store, call.project.string_id, call.headers, ())
    raise http_error(403, "403 Forbidden")


def _references(call: Call, values: dict[str, Any]) -> dict[str, int | None]:
    """Return the ids a packet names, as the database reads them.

    :raises DatabaseRefused: if one refers to nothing (quirk 6).
    """
    ids: dict[str, int | None] = {
        key: None if values[key] is None else database_id(values[key])
        for key in ("directory_id", "batch_id", "job_id", "file_id", "parent_file_id")
    }
    directory_id, batch_id = ids["directory_id"], ids["batch_id"]
    if directory_id is not None:
        require_directory(call, directory_id)
    if batch_id is not None:
        require_batch(call.store, batch_id)
    if ids["job_id"] is not None and find_job(call.store, ids["job_id"]) is None:
        raise DatabaseRefused(f"no job {ids['job_id']}")
    for key in ("file_id", "parent_file_id"):
        file_id = ids[key]
        if file_id is not None and find_file(call.store, file_id) is None:
            raise DatabaseRefused(f"no file {file_id}")
    return ids


def require_directory(call: Call, directory_id: int) -> None:
    """Check that a dataset exists in some project.

    :raises DatabaseRefused: if not.
    """
    if call.store.one("SELECT 1 FROM directory WHERE id = ?", directory_id) is None:
        raise DatabaseRefused(f"no directory {directory_id}")


def _store(call: Call, values: dict[str, Any], medium: Medium, ids: dict[str, int | None]) -> int:
    sent = values["instance_list"]
    with call.store.write() as connection:
        note_event(connection, call.project.id, "input_from_packet")
        input_id = new_input(
            connection,
            project_id=call.project.id,
            status="init",
            processing_deferred=1,
            directory_id=ids["directory_id"],
            batch_id=ids["batch_id"],
            job_id=ids["job_id"],
            file_id=ids["file_id"],
            sent_file_id=ids["file_id"],
            parent_file_id=ids["parent_file_id"],
            source=values["type"],
            mode=_text(values["mode"]),
            original_filename=_text(values["original_filename"]),
            media_type=_text(medium.type),
            url=_text(medium.url),
            instance_list=None if sent is None else json.dumps({"list": sent}),
            frame_packet_map=to_json(values["frame_packet_map"]),
            ordinal=values["ordinal"],
            connection_id=values["connection_id"],
            bucket_name=values["bucket_name"],
            raw_data_blob_path=_text(values["raw_data_blob_path"]),
            text_data=_text(values["text_data"]),
            video_split_duration=values["video_split_duration"],
        )
        set_input(connection, input_id)
    return input_id


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
