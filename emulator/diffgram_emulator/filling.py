"""A dataset of any size, at once: pictures with boxes, straight into the database.

Nothing of them was ingested: there are no inputs, and no bytes of the pictures.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from .instances import identity_of
from .store import Project, Store

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
        first, medium, instance = (_next_id(connection, table) for table in ("file", "media", "instance"))
        now = datetime.now(UTC).replace(tzinfo=None)
        numbers = range(there, there + files)
        moments = [_time(now, number) for number in numbers]
        connection.executemany(
            "INSERT INTO media (id, kind, original_filename, width, height, bucket, blob_path, created_time)"
            f" VALUES (?, 'image', ?, {_WIDTH}, {_HEIGHT}, 'diffgram-storage', ?, ?)",
            (
                (medium + n, _name(number), f"projects/images/{project.id}/filled-{number}", moments[n])
                for n, number in enumerate(numbers)
            ),
        )
        connection.executemany(
            "INSERT INTO file (id, project_id, directory_id, type, original_filename, hash, created_time,"
            " time_last_updated, count_instances_changed, media_id)"
            " VALUES (?, ?, ?, 'image', ?, ?, ?, ?, ?, ?)",
            (
                (
                    *(first + n, project.id, dataset_id, _name(number), f"{medium + n:064x}"),
                    *(moments[n], moments[n], boxes or None, medium + n),
                )
                for n, number in enumerate(numbers)
            ),
        )
        connection.executemany(
            "INSERT INTO instance (id, root_id, file_id, label_file_id, type, identity, created_time, data)"
            " VALUES (?1, ?1, ?2, ?3, 'box', ?4, ?5, ?6)",
            (
                (
                    *(instance + n * boxes + box, first + n, label_file_id),
                    *(identity_of(data), moments[n], json.dumps(data)),
                )
                for n in range(files)
                for box in range(boxes)
                for data in [_box(first + n, box, label_file_id, run)]
            ),
        )
        if boxes:
            connection.executemany(
                "INSERT INTO label_count VALUES (?, ?, ?)",
                ((first + n, label_file_id, boxes) for n in range(files)),
            )
    return first


def _next_id(connection: sqlite3.Connection, table: str) -> int:
    """Return the id that the next row of a table gets: ids of deleted rows are not used again."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return 1 if row is None else int(row[0]) + 1


def _name(number: int) -> str:
    return f"{number:06}.jpg"


def _time(moment: datetime, number: int) -> str:
    return (moment + timedelta(microseconds=number)).isoformat(timespec="microseconds")


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


def _box(file_id: int, number: int, label_file_id: int, run: tuple[int, int]) -> dict[str, Any]:
    x, y = 7 * number % (_WIDTH - _ACROSS), (3 * file_id + 11 * number) % (_HEIGHT - _DOWN)
    edges = {"x_min": x, "y_min": y, "x_max": x + _ACROSS, "y_max": y + _DOWN}
    size = {"width": _ACROSS, "height": _DOWN, "angle": 0.0, "text_tokenizer": "nltk"}
    made = {"machine_made": True, "score": 0.5 + number % 5 / 10, "model_id": run[0], "model_run_id": run[1]}
    named = {"type": "box", "label_file_id": label_file_id, "creation_ref_id": f"{file_id}-{number}"}
    return {**named, **edges, **size, **made}
