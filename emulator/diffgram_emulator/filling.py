"""A dataset of any size, at once: pictures with boxes, straight into the database.

Nothing of them was ingested: there are no inputs, and no bytes of the pictures.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from .files import new_file
from .instances import identity_of
from .store import Project, Store, insert

_WIDTH, _HEIGHT = 640, 480
_ACROSS, _DOWN = 50, 70


def fill(store: Store, project: Project, dataset_id: int, label_file_id: int, files: int, boxes: int) -> int:
    """Make files with boxes of one model run, and return the id of the first one.

    Their names go on from those of the dataset: ``000000.jpg`` and so on.

    :param files: so many.
    :param boxes: so many in each file.
    """
    with store.write() as connection:
        (there,) = connection.execute(
            "SELECT count(*) FROM file WHERE directory_id = ?", (dataset_id,)
        ).fetchone()
        run = _run(connection, project)
        first = None
        now = datetime.now(UTC).replace(tzinfo=None)
        for number in range(there, there + files):
            moment = (now + timedelta(microseconds=number)).isoformat(timespec="microseconds")
            name = f"{number:06}.jpg"
            media = insert(
                connection,
                "media",
                kind="image",
                original_filename=name,
                width=_WIDTH,
                height=_HEIGHT,
                bucket="diffgram-storage",
                blob_path=f"projects/images/{project.id}/filled-{number}",
                created_time=moment,
            )
            file_id = new_file(
                connection,
                project_id=project.id,
                directory_id=dataset_id,
                type="image",
                original_filename=name,
                media_id=media,
                count_instances_changed=boxes or None,
            )
            first = first or file_id
            _put_boxes(connection, file_id, label_file_id, boxes, run, moment)
    return first or 0


def _run(connection: sqlite3.Connection, project: Project) -> tuple[int, int]:
    """Return the ids of the model and the run of all boxes."""
    now = datetime.now(UTC).isoformat()
    connection.execute(
        "INSERT OR IGNORE INTO model (project_id, reference_id, created_time) VALUES (?, 'filler', ?)",
        (project.id, now),
    )
    (model,) = connection.execute(
        "SELECT id FROM model WHERE project_id = ? AND reference_id = 'filler'", (project.id,)
    ).fetchone()
    connection.execute(
        "INSERT OR IGNORE INTO model_run (project_id, model_id, reference_id, created_time)"
        " VALUES (?, ?, 'filled', ?)",
        (project.id, model, now),
    )
    (run,) = connection.execute(
        "SELECT id FROM model_run WHERE model_id = ? AND reference_id = 'filled'", (model,)
    ).fetchone()
    return int(model), int(run)


def _put_boxes(
    connection: sqlite3.Connection,
    file_id: int,
    label_file_id: int,
    boxes: int,
    run: tuple[int, int],
    moment: str,
) -> None:
    for number in range(boxes):
        data = _box(file_id, number, label_file_id, run)
        cursor = connection.execute(
            "INSERT INTO instance (file_id, label_file_id, type, identity, created_time, data)"
            " VALUES (?, ?, 'box', ?, ?, ?)",
            (file_id, label_file_id, identity_of(data), moment, json.dumps(data)),
        )
        connection.execute("UPDATE instance SET root_id = id WHERE id = ?", (cursor.lastrowid,))
    if boxes:
        connection.execute("INSERT INTO label_count VALUES (?, ?, ?)", (file_id, label_file_id, boxes))


def _box(file_id: int, number: int, label_file_id: int, run: tuple[int, int]) -> dict[str, Any]:
    x, y = 7 * number % (_WIDTH - _ACROSS), (3 * file_id + 11 * number) % (_HEIGHT - _DOWN)
    edges = {"x_min": x, "y_min": y, "x_max": x + _ACROSS, "y_max": y + _DOWN}
    size = {"width": _ACROSS, "height": _DOWN, "angle": 0.0, "text_tokenizer": "nltk"}
    made = {"machine_made": True, "score": 0.5 + number % 5 / 10, "model_id": run[0], "model_run_id": run[1]}
    named = {"type": "box", "label_file_id": label_file_id, "creation_ref_id": f"{file_id}-{number}"}
    return {**named, **edges, **size, **made}
