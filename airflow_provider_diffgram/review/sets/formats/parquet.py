"""Parquet: a table of annotations and one of files. Needs pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ...report.table import Sink
from ..folder import Place
from ..stored import Row, StoredFile
from .core import FileNames, Files, LeftOut, label_of

INSTANCES, FILES = "instances.parquet", "files.parquet"

_ROWS_AT_ONCE = 10_000

_WHOLE = ("id", "root_id", "version", "label_file_id", "model_id", "model_run_id", "number")
_TEXTS = ("creation_ref_id", "model_ref", "model_run_ref", "action_type", "created_time")
_EDGES = ("x_min", "y_min", "x_max", "y_max")
_ALONE = frozenset({*_WHOLE, *_TEXTS, *_EDGES, "type", "label", "score", "machine_made", "attribute_groups"})


def write_parquet(files: Files, place: Place, names: FileNames, left_out: LeftOut) -> None:
    """Write ``instances.parquet``, a row for each annotation, and ``files.parquet``, a row for each file.

    What has no column of its own, such as the corners of a polygon, is JSON in ``geometry``.
    """
    import pyarrow as pa

    def whole(name: str) -> Any:
        return pa.field(name, pa.int64())

    def text(name: str) -> Any:
        return pa.field(name, pa.string())

    instances = pa.schema(
        [
            *map(whole, ("file_id", "frame", *_WHOLE)),
            *map(text, ("file_name", "type", "label", *_TEXTS, "geometry", "attribute_groups")),
            *(pa.field(name, pa.float64()) for name in ("score", *_EDGES)),
            pa.field("machine_made", pa.bool_()),
        ]
    )
    _write(place, INSTANCES, instances, (row for file in files for row in _rows(file, names)))
    of_files = pa.schema(
        [
            *map(whole, ("file_id", "width", "height", "frame_count", "parent_file_id", "ordinal")),
            *map(text, ("file_name", "type", "group", "task_status", "medium")),
            pa.field("instances", pa.int64()),
        ]
    )
    _write(place, FILES, of_files, (_file(file, names) for file in files))


def _write(place: Place, name: str, schema: Any, rows: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with place.open(name) as out, pq.ParquetWriter(Sink(out), schema) as writer:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))


def _rows(file: StoredFile, names: FileNames) -> Iterator[dict[str, Any]]:
    for row in file.instances:
        yield _instance(file, row, names, None)
    for number, rows in (file.frames or {}).items():
        for row in rows:
            yield _instance(file, row, names, number)


def _instance(file: StoredFile, row: Row, names: FileNames, frame: int | None) -> dict[str, Any]:
    score, attributes = row.get("score"), row.get("attribute_groups")
    geometry = {key: value for key, value in row.items() if key not in _ALONE}
    return {
        "file_id": file.id,
        "file_name": names.of(file),
        "frame": frame,
        "type": row["type"],
        "label": label_of(row),
        "score": float(score) if isinstance(score, int | float) else None,
        "machine_made": row.get("machine_made"),
        "geometry": json.dumps(geometry, ensure_ascii=False) if geometry else None,
        "attribute_groups": json.dumps(attributes, ensure_ascii=False) if attributes else None,
        **{key: row.get(key) for key in (*_WHOLE, *_TEXTS, *_EDGES)},
    }


def _file(file: StoredFile, names: FileNames) -> dict[str, Any]:
    return {
        "file_id": file.id,
        "file_name": names.of(file),
        "type": file.type,
        "width": file.width,
        "height": file.height,
        "frame_count": file.frame_count,
        "parent_file_id": file.parent_file_id,
        "ordinal": file.ordinal,
        "group": file.group,
        "task_status": file.task_status,
        "medium": json.dumps(dict(file.medium)) if file.medium else None,
        "instances": sum(1 for _ in file.rows()),
    }
