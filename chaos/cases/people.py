"""People who clear, run again, remove and correct."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ..packets import names, predictions
from ..stage import Stage


def cleared(stage: Stage) -> None:
    """A finished run is cleared: nothing is sent twice."""
    run = stage.push()
    stage.ended()
    with stage.sending_only(0):
        run.clear()
        stage.ended()


def rerun(stage: Stage) -> None:
    """The DAG runs again with the same packets: nothing is sent twice."""
    stage.push()
    stage.ended()
    with stage.sending_only(0):
        stage.push()
        stage.ended()


def removed(stage: Stage) -> None:
    """Files were removed before a clear, one with its input and one without: both are sent again."""
    run = stage.push()
    stage.ended()
    first, second = stage.packets[0], stage.packets[1]
    file_id = stage.file_of(first["original_filename"])
    inputs = [each["id"] for each in stage.diffgram.inputs(file_id=file_id)]
    stage.diffgram.call("POST", "walrus/v1/project/{p}/input/update", {"id_list": inputs, "mode": "ARCHIVE"})
    with _database(stage) as database:
        file_id = stage.file_of(second["original_filename"])
        database.execute("UPDATE file SET state = 'removed' WHERE id = ?", (file_id,))
    for packet in (first, second):
        stage.expected[packet["original_filename"]] = predictions(packet)
    with stage.sending_only(2):
        run.clear()
        stage.ended()


def corrected(stage: Stage) -> None:
    """Predictions were deleted and edited before a clear, and another run: they stay so."""
    run = stage.push()
    stage.ended()
    _delete(stage, names(1)[0], 1)
    _delete(stage, names(2)[1], 99)
    _edit(stage, names(3)[2], keeps_reference=True)
    _edit(stage, names(5)[4], keeps_reference=False)
    with stage.sending_only(0):
        run.clear()
        stage.ended()
        stage.push_again()
        stage.ended()


def _delete(stage: Stage, name: str, amount: int) -> None:
    file_id = stage.file_of(name)
    gone = sorted(each["id"] for each in stage.diffgram.instances(file_id))[-amount:]
    body = {"project": stage.diffgram.project, "file_id": file_id, "delete": gone}
    stage.emulator.control("instances", body)
    stage.expect_what_is_there(name)


def _edit(stage: Stage, name: str, *, keeps_reference: bool) -> None:
    """Move one side of a box.

    :param keeps_reference: whether the box is still known by the reference that it was sent with.
    """
    file_id = stage.file_of(name)
    with _database(stage) as database:
        query = (
            "SELECT id, identity, data FROM instance WHERE file_id = ? AND type = 'box' AND soft_delete = 0"
        )
        instance_id, identity, data = database.execute(query, (file_id,)).fetchone()
        values, parts = json.loads(data), json.loads(identity)
        values["x_max"] += 50
        parts[2]["x_max"] = values["x_max"]
        if not keeps_reference:
            values.pop("creation_ref_id", None)
        database.execute(
            "UPDATE instance SET identity = ?, data = ? WHERE id = ?",
            (json.dumps(parts, sort_keys=True), json.dumps(values), instance_id),
        )
    stage.expect_what_is_there(name)


@contextmanager
def _database(stage: Stage) -> Iterator[sqlite3.Connection]:
    """Give the emulator's own database: it has no people, and no control does what they do here."""
    database = sqlite3.connect(stage.folder / "diffgram" / "emulator.sqlite", timeout=30)
    try:
        with database:
            yield database
    finally:
        database.close()
