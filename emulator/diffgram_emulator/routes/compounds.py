"""Compound parents and their children (server.md 2.4 and 2.5)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from ..auth import READERS
from ..call import Call, endpoint
from ..errors import ServerCrash, bad_request, log
from ..files import EMPTY_COMPOUND_HASH, any_with_name, base_fields, file_fields, find_file, new_file
from ..inputs import find_input, input_fields, new_input
from ..instance_view import live_instances
from ..instances import Outcome, store_instances
from ..validation import Field, database_id
from ..variant import printed_compound
from .datasets import find_directory


@endpoint("POST", "/api/v1/project/{project}/file/new-compound")
def new_compound(call: Call) -> Any:
    """Create a compound parent; even a Viewer may (quirk 29)."""
    values = call.fields(
        Field("name", "str", required=True),
        Field("directory_id"),
        Field("type", "str", default="compound"),
        Field("instance_list", "list", default=[], empty=True),
    )
    with call.emulator.compound_turns:
        directory = _directory(call, values["directory_id"])
        name = values["name"]
        if any_with_name(call.store, directory["id"], name):
            text = (
                f"File name: {name} already exists in dataset {directory['nickname']}<id={directory['id']}>"
            )
            raise bad_request({"directory_id": text})
        call.emulator.workers.clock.pause(call.emulator.options.name_race_seconds)
        file_id, input_id, outcome = _create(call, values, directory["id"])
    if outcome.crash is not None:
        raise bad_request({"instance_list_compound": outcome.crash})
    file, row = find_file(call.store, file_id), find_input(call.store, input_id)
    assert file is not None
    assert row is not None
    answer = {"file": {**base_fields(file), "input": input_fields(call.store, row)}, "log": log()}
    return printed_compound(answer) if call.emulator.options.documented_variant else answer


def _directory(call: Call, directory_id: Any) -> sqlite3.Row:
    row = None
    if directory_id is not None:
        row = find_directory(call.store, call.project, database_id(directory_id))
    if row is None:
        text = f"Dataset {directory_id} does not belong to project {call.project.string_id}"
        raise bad_request({"directory_id": text})
    return row


def _create(call: Call, values: dict[str, Any], directory_id: int) -> tuple[int, int, Outcome]:
    """Create file, Input and instances at once; a bad instance leaves the parent behind (quirk 20)."""
    name, kind, sent = values["name"], values["type"], values["instance_list"]
    outcome = Outcome()
    with call.store.write() as connection:
        file_id = new_file(
            connection,
            project_id=call.project.id,
            directory_id=directory_id,
            type=kind,
            original_filename=name,
            hash=EMPTY_COMPOUND_HASH,
        )
        input_id = new_input(
            connection,
            project_id=call.project.id,
            directory_id=directory_id,
            file_id=file_id,
            original_filename=name,
            status="base_object_created",
            percent_complete=100,
            source="from_compound",
            media_type=kind,
            instance_list=json.dumps({"list": {"list": sent}}),
            video_split_duration=30,
        )
        if sent and kind.startswith("compound"):
            outcome = store_instances(call.store, connection, call.project, file_id, sent)
    return file_id, input_id, outcome


@endpoint("GET", "/api/v1/project/{project}/file/{file}/child-files", READERS)
def child_files(call: Call) -> Any:
    """List a compound's live children, in no order a client could rely on."""
    parent = find_file(call.store, database_id(call.params["file"]))
    if parent is None:
        raise ServerCrash("'NoneType' object has no attribute 'project_id'")
    if parent["project_id"] != call.project.id:
        raise bad_request({"file_id": "File does not belong to project"})
    rows = call.store.all(
        "SELECT * FROM file WHERE parent_id = ? AND state != 'removed' ORDER BY (id * 7919) % 101, id",
        parent["id"],
    )
    with_instances = bool(call.query.get("with_instances"))
    shown = []
    for row in rows:
        fields = file_fields(call.store, row, call.base_url)
        if with_instances:
            fields["instance_list"] = live_instances(call.store, row["id"])
        shown.append(fields)
    return {"child_files": shown, "log": log()}
