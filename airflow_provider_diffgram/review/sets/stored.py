"""What Diffgram holds for one file: its annotations as the server returns them, and as a packet.

A row is one annotation as a plain object. It has everything except empty values, values that the server
computes, and who made it, because members of the project are people. Labels and models are ids; their names
may change without a trace on the file, so :class:`Names` keeps them separately until a set is written.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

from ...models import Instance, Packet
from ...models.instance_base import InstanceBase
from ...models.received import File

Row = dict[str, Any]
"""One annotation."""

_LEFT_OUT = frozenset(
    {
        *("deleted_time", "deletion_type", "file_id", "label_file", "member_created", "member_created_id"),
        *("next_id", "soft_delete"),
    }
)
_COMPUTED = ("width", "height", "angle")
"""Sizes of the bounds; only an ellipse has them by itself."""

_KINDS: dict[str, type[InstanceBase]] = {
    kind.model_fields["type"].default: kind for kind in get_args(get_args(Instance)[0])
}
_NAMED = frozenset({"label", "label_file_id", "model_ref", "model_run_ref", "attributes"})

_XY = ("x", "y")
_XYZ = ("x", "y", "z")
_KEPT_KEYS = {
    "points": _XY,
    "p1": _XY,
    "p2": _XY,
    "cp": _XY,
    "nodes": ("id", "x", "y", "name", "ordinal", "occluded"),
    "edges": ("from", "to"),
    "front_face": ("top_left", "top_right", "bot_left", "bot_right", *_XY),
    "rear_face": ("top_left", "top_right", "bot_left", "bot_right", *_XY),
    "center_3d": _XYZ,
    "rotation_euler_angles": _XYZ,
    "position_3d": _XYZ,
    "dimensions_3d": ("width", "height", "depth"),
}
"""What a packet may say of a part of a shape; the server and its page add keys of their own."""


@dataclass(frozen=True)
class Names:
    """Names for ids of the project.

    :param labels: ``label_file_id`` -> name.
    :param models: id of a model -> the ``model_ref`` that created it; only for known ones.
    :param runs: id of a model run -> its ``model_run_ref``.
    """

    labels: Mapping[int, str] = field(default_factory=dict)
    models: Mapping[int, str] = field(default_factory=dict)
    runs: Mapping[int, str] = field(default_factory=dict)

    def of(self, row: Row) -> Row:
        """Return the names that belong to a row."""
        found = {
            "label": self.labels.get(row.get("label_file_id", 0)),
            "model_ref": self.models.get(row.get("model_id", 0)),
            "model_run_ref": self.runs.get(row.get("model_run_id", 0)),
        }
        return {key: name for key, name in found.items() if name is not None}

    def agrees_with(self, earlier: Names) -> bool:
        """Whether every id is called now what it was called earlier, and was known then if it is now."""
        return (
            _same(self.labels, earlier.labels)
            and dict(self.models) == dict(earlier.models)
            and _same(self.runs, earlier.runs)
        )


def _same(now: Mapping[int, str], earlier: Mapping[int, str]) -> bool:
    return all(now.get(each, name) == name for each, name in earlier.items())


@dataclass(frozen=True)
class StoredFile:
    """A file with its annotations.

    :param id: of the file.
    :param name: in the dataset.
    :param type: ``image``, ``video``, ``text``, ``audio``, or one that begins with ``compound``.
    :param width: in pixels; None if the server does not know it, or stores a wrong one (server.md 10.1).
    :param height: in pixels; as ``width``.
    :param medium: where Diffgram keeps it, if known: ``bucket_name``, ``connection_id``, ``path``.
    :param frame_count: of a video.
    :param parent_file_id: of a child: the compound file.
    :param ordinal: position of a child, from 0.
    :param group: name of the root file, which its children share.
    :param task_status: status of its review task, if a job was pulled; None otherwise.
    :param instances: rows, lowest id first, with the names of :class:`Names` once a set is written.
    :param frames: of a video: frame -> rows.
    """

    id: int
    name: str
    type: str
    width: int | None = None
    height: int | None = None
    medium: Mapping[str, Any] = field(default_factory=dict)
    frame_count: int | None = None
    parent_file_id: int | None = None
    ordinal: int | None = None
    group: str | None = None
    task_status: str | None = None
    instances: list[Row] = field(default_factory=list)
    frames: dict[int, list[Row]] | None = None

    def rows(self) -> Iterator[Row]:
        """Yield all rows, those of frames too."""
        yield from self.instances
        for frame in (self.frames or {}).values():
            yield from frame

    def named(self, names: Names) -> StoredFile:
        """Return the file with what its rows' ids are called now."""

        def named(rows: Iterable[Row]) -> list[Row]:
            return [{**row, **names.of(row)} for row in rows]

        frames = None if self.frames is None else {n: named(rows) for n, rows in self.frames.items()}
        return replace(self, instances=named(self.instances), frames=frames)

    def to_json(self) -> str:
        """Return one line of JSON, the same for the same content."""
        shown: dict[str, Any] = {"id": self.id}  # first, so that a line is found without parsing it
        for key in _FIELDS:
            value = getattr(self, key)
            if value is not None and value != {}:
                shown[key] = value
        shown["instances"] = self.instances
        if self.frames is not None:
            shown["frames"] = {str(number): self.frames[number] for number in sorted(self.frames)}
        return json.dumps(shown, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> StoredFile:
        """Read what :meth:`to_json` wrote."""
        told = json.loads(line)
        frames = told.pop("frames", None)
        if frames is not None:
            told["frames"] = {int(number): rows for number, rows in frames.items()}
        return cls(**told)


def digest_of(line: str) -> str:
    """Return a hash of what :meth:`StoredFile.to_json` returned."""
    return hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_FIELDS = (
    *("name", "type", "width", "height", "medium", "frame_count", "parent_file_id", "ordinal", "group"),
    "task_status",
)

_SCALED_SIDE = 7680
"""Pictures with a longer side have it noted as this, with width and height exchanged (server.md 10.1)."""


def stored_file(
    file: File,
    *,
    parent: File | None = None,
    frames: Mapping[int, Iterable[Row]] | None = None,
    frame_count: int | None = None,
) -> StoredFile:
    """Return what the server told of a file with its instances.

    :param parent: the compound file, of a child.
    :param frames: frame -> instances, of a video.
    :param frame_count: of a video.
    """
    block = file.image or file.video or file.text or {}
    width, height = block.get("width"), block.get("height")
    if width is None or height is None or _SCALED_SIDE in (width, height):
        width = height = None
    name = file.original_filename or f"{file.id}"
    medium = {
        "bucket_name": file.bucket_name,
        "connection_id": file.connection_id,
        "path": block.get("url_signed_blob_path") or block.get("file_blob_path"),
    }
    return StoredFile(
        id=file.id,
        name=name,
        type=file.type or "",
        width=width,
        height=height,
        medium={key: value for key, value in medium.items() if value is not None},
        frame_count=frame_count,
        parent_file_id=None if parent is None else parent.id,
        ordinal=None if parent is None else file.ordinal or 0,
        group=name if parent is None else parent.original_filename or f"{parent.id}",
        instances=_rows(file.instance_list),
        frames=None
        if frames is None
        else {number: rows for number in sorted(frames) if (rows := _rows(frames[number]))},
    )


def label_names(instances: Iterable[Row]) -> Iterator[tuple[int, str]]:
    """Yield id and name of the labels that the server told with instances."""
    for each in instances:
        name = label_name(each)
        if name is not None and isinstance(each.get("label_file_id"), int):
            yield each["label_file_id"], name


def label_name(row: Mapping[str, Any]) -> str | None:
    """Return the name of a row's label, where the server told it with the row."""
    label = row.get("label_file")
    name = (label.get("label") or {}).get("name") if isinstance(label, Mapping) else None
    return name if isinstance(name, str) else None


def _rows(instances: Iterable[Row]) -> list[Row]:
    return sorted(map(_row, instances), key=lambda row: row["id"])


def _row(instance: Row) -> Row:
    left_out = _LEFT_OUT if instance.get("type") == "ellipse" else _LEFT_OUT.union(_COMPUTED)
    kept = {
        key: _strict(value)
        for key, value in sorted(instance.items())
        if key not in left_out and value is not None and value not in ("", [], {})
    }
    for key in ("interpolated", "pause_object"):
        if kept.get(key) is False:
            del kept[key]
    if kept.get("type") != "text_token":
        kept.pop("text_tokenizer", None)
    return kept


def _strict(value: Any) -> Any:
    """Return a value as JSON has it: NaN and Infinity, which the server passes on, as texts (quirk 59)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return [_strict(each) for each in value]
    if isinstance(value, dict):
        return {key: _strict(each) for key, each in value.items()}
    return value


def instance_of(row: Row) -> Instance:
    """Return a row, with its names, as an instance that can be pushed.

    :raises ValueError: if a push would refuse it: people draw what predictions may not be, such as a polygon
        of a point, and other programs store scores above 1.
    """
    kind = _KINDS.get(row["type"])
    if kind is None:
        raise ValueError(f"type {row['type']!r} is unknown")
    values: dict[str, Any] = {
        key: _pruned(row[key], _KEPT_KEYS.get(key))
        for key in kind.model_fields
        if key not in _NAMED and row.get(key) is not None
    }
    for key in ("label", "model_ref", "model_run_ref"):
        if row.get(key) is not None:
            values[key] = row[key]
    if "label" not in values and row.get("label_file_id") is not None:
        values["label_file_id"] = row["label_file_id"]
    if "model_ref" not in values:
        values.pop("model_run_ref", None)
    return cast(Instance, kind(**values))


def _pruned(value: Any, keys: tuple[str, ...] | None) -> Any:
    if keys is None:
        return value
    if isinstance(value, list):
        return [_pruned(each, keys) for each in value]
    if isinstance(value, dict):
        return {key: _pruned(each, keys) for key, each in value.items() if key in keys and each is not None}
    return value


def packet_of(file: StoredFile, refused: Any = lambda row, error: None) -> Packet:
    """Return the packet that replaces what the file holds by what it held when it was read.

    :param refused: told each row that no packet can hold, and why; it is left out.
    """
    references = {row["id"]: row.get("creation_ref_id") for row in file.rows()}
    given: set[str] = set()

    def instances(rows: Iterable[Row]) -> list[Instance]:
        found = []
        for row in rows:
            try:
                instance = instance_of(_by_reference(row, references))
            except ValueError as error:
                refused(row, error)
                continue
            if instance.creation_ref_id in given:  # of a copy: a push takes each reference once
                instance = instance.model_copy(update={"creation_ref_id": None})
            elif instance.creation_ref_id is not None:
                given.add(instance.creation_ref_id)
            found.append(instance)
        return found

    frames = None if file.frames is None else {n: instances(rows) for n, rows in file.frames.items()}
    return Packet(
        file_id=file.id,
        mode="update_with_existing",
        instance_list=instances(file.instances),
        frame_packet_map=frames or None,
    )


def _by_reference(row: Row, references: Mapping[int, str | None]) -> Row:
    """Return a relation with the references of what it joins: ids change with each replacement."""
    if row.get("type") != "relation":
        return row
    changed = dict(row)
    for end in ("from", "to"):
        reference = references.get(row.get(f"{end}_instance_id", 0))
        if reference is not None:
            changed[f"{end}_creation_ref"] = reference
            changed.pop(f"{end}_instance_id")
    return changed
