"""Checking and storing the instances of one file (server.md 5)."""

from __future__ import annotations

import json
import math
import sqlite3
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .attribute_values import Entry, indexed
from .errors import DatabaseRefused
from .files import note_stored_instances
from .geometry import SHAPES, GeometryRefused
from .store import Project, Store, insert, update
from .times import now_iso
from .validation import INT32_MAX, Field, check

NO_LABEL_NEEDED = ("global", "relation")
_INT_KEYS = (
    "x_min", "y_min", "x_max", "y_max", "center_x", "center_y", "width", "height", "number", "rating",
    "sequence_id", "root_id", "version", "id", "model_id", "model_run_id", "start_token", "end_token",
    "start_sentence", "end_sentence", "start_char", "end_char", "sentence", "from_instance_id",
    "to_instance_id",
)  # fmt: skip
_FIELDS = (
    Field("type", "str", required=True, choices=tuple(SHAPES)),
    *(Field(key, "int") for key in _INT_KEYS),
    Field("creation_ref_id", "str"),
    Field("change_source", "str"),
    Field("points", "list", empty=True),
)
_STORED_KEYS = (
    "number", "rating", "sequence_id", "model_id", "model_run_id", "creation_ref_id", "change_source",
    "pause_object", "interpolated", "start_sentence", "end_sentence", "attribute_groups",
)  # fmt: skip
_IDENTITY_KEYS = (
    "machine_made", "number", "rating",
    "x_min", "y_min", "x_max", "y_max", "center_x", "center_y", "width", "height", "angle", "points", "nodes",
    "edges", "p1", "p2", "cp", "front_face", "rear_face", "center_3d", "dimensions_3d",
    "rotation_euler_angles", "position_3d", "start_token", "end_token", "start_time", "end_time", "lonlat",
    "coords", "radius", "bounds", "attribute_groups", "from_instance_id", "to_instance_id",
)  # fmt: skip


@dataclass
class Outcome:
    """What became of a list of instances.

    :param added: how many were stored.
    :param kept: ids of live instances identical to one of the list.
    :param errors: the named errors of the first bad instance.
    :param crash: the traceback of the first instance, or attribute value, raising an exception.
    """

    added: int = 0
    kept: set[int] = field(default_factory=set)
    errors: dict[str, Any] | None = None
    crash: str | None = None

    @property
    def is_good(self) -> bool:
        """Tell whether the whole list was stored."""
        return self.errors is None and self.crash is None

    @property
    def status_text(self) -> str:
        """Return what a failed Input says (server.md 3.3)."""
        if self.crash is not None:
            return f"Instance List Creation error: {self.crash}"
        return (
            f"Instance List Error:{self.errors} On SDK?: "
            "Some types of errors may be resolved by updating to latest."
        )


def store_instances(
    store: Store,
    connection: sqlite3.Connection,
    project: Project,
    file_id: int,
    sent: Sequence[Any],
    keep_identical: bool = False,
    member_id: int | None = None,
) -> Outcome:
    """Check and store instances up to the first bad one, inside the caller's transaction.

    :param keep_identical: keep live instances of the file that are identical (``update_with_existing``).
    :param member_id: member who creates them, if anybody.
    :raises DatabaseRefused: for a value only the database refuses; the caller's transaction is then lost,
        and with it every instance (quirk 4).
    """
    outcome = Outcome()
    known = _live_identities(connection, file_id) if keep_identical else {}
    since = connection.execute("SELECT coalesce(max(id), 0) AS id FROM instance").fetchone()["id"]
    seen: set[str] = set()
    attribute_crash: str | None = None
    for instance in server_order(sent):
        try:
            data = prepared(store, project, instance)
        except GeometryRefused as refused:
            outcome.errors = refused.errors
            break
        except DatabaseRefused:
            raise
        except Exception:  # noqa: BLE001 - the server reports any exception as text
            outcome.crash = traceback.format_exc()
            break
        identity = identity_of(data)
        if identity in seen:
            continue
        seen.add(identity)
        if identity in known:
            outcome.kept.add(known[identity])
            continue
        require_storable(data)
        entries, crash = attribute_entries(store, project, data)
        attribute_crash = attribute_crash or crash
        data["member_created_id"] = member_id
        outcome.kept.add(insert_instance(connection, file_id, identity, data, entries))
        outcome.added += 1
    if outcome.is_good:
        outcome.crash = attribute_crash
    if outcome.added:
        note_stored_instances(connection, file_id, outcome.added)
        count_labels(connection, file_id, since=since)
    return outcome


def count_labels(connection: sqlite3.Connection, file_id: int, since: int = 0) -> None:
    """Count a file's live instances by label, for ``file-stats`` and for queries.

    :param since: only those with a higher id count: after an appended packet the server knows of the appended
        ones alone (server.md 10.8.1).
    """
    connection.execute("DELETE FROM label_count WHERE file_id = ?", (file_id,))
    connection.execute(
        "INSERT INTO label_count SELECT file_id, label_file_id, count(*) FROM instance"
        " WHERE file_id = ? AND soft_delete = 0 AND id > ? GROUP BY label_file_id",
        (file_id, since),
    )


def server_order(sent: Sequence[Any]) -> list[Any]:
    """Return instances newest ``client_created_time`` first, otherwise as sent (server.md 5.3)."""

    def moment(instance: Any) -> str:
        return str(instance.get("client_created_time") or "") if isinstance(instance, dict) else ""

    return sorted(sent, key=moment, reverse=True)


def _live_identities(connection: sqlite3.Connection, file_id: int) -> dict[str, int]:
    rows = connection.execute(
        "SELECT id, identity FROM instance WHERE file_id = ? AND soft_delete = 0 ORDER BY id DESC", (file_id,)
    )
    return {row["identity"]: row["id"] for row in rows}


def prepared(store: Store, project: Project, instance: Any, checks_model: bool = True) -> dict[str, Any]:
    """Return an instance as it is to be stored.

    :param checks_model: whether a model of no project is a named error; else it is the database's.
    :raises GeometryRefused: with the named errors of the instance.
    """
    kind = instance.get("type")
    if kind is None:
        raise KeyError("type")
    values, errors = check(_FIELDS, instance)
    errors |= _label_errors(store, project, kind, instance)
    if checks_model:
        errors |= _model_errors(store, project, values)
    if errors:
        raise GeometryRefused(errors, has_valid_fields=set(errors) == {"valid_label_file"})
    instance = {**instance, **{key: value for key, value in values.items() if value is not None}}
    groups = instance.get("attribute_groups")
    if groups is not None and not isinstance(groups, dict):
        groups.items()
    data = {key: instance[key] for key in _STORED_KEYS if instance.get(key) is not None}
    data |= {
        "type": kind,
        "label_file_id": None if kind == "global" else instance.get("label_file_id"),
        "machine_made": bool(instance.get("machine_made")),
        "score": instance.get("score"),
        "angle": instance.get("angle") or 0.0,
        "text_tokenizer": instance.get("text_tokenizer") or "nltk",
    }
    return data | SHAPES[kind](instance)


def _label_errors(store: Store, project: Project, kind: Any, instance: dict[str, Any]) -> dict[str, str]:
    label = instance.get("label_file_id")
    if kind == "global" or (kind == "relation" and label is None):
        return {}
    if label is None:
        return {"label_file_id": "Missing label_file_id"}
    if not isinstance(label, int):
        return {"label_file_id": "Must be an int"}
    row = store.one(
        "SELECT 1 FROM file WHERE id = ? AND project_id = ? AND type = 'label'",
        label if abs(label) <= INT32_MAX else 0,
        project.id,
    )
    if row is not None:
        return {}
    return {
        "valid_label_file": f"Label File ID{label}does not belong to project {project.string_id}. Ensure you "
        "are using the correct label_file_id (and not the label ID). They are different!"
    }


def _model_errors(store: Store, project: Project, values: dict[str, Any]) -> dict[str, str]:
    model_id = values["model_id"]
    if not isinstance(model_id, int):
        return {}
    models = {row["id"] for row in store.all("SELECT id FROM model WHERE project_id = ?", project.id)}
    if models and model_id not in models:
        return {"model_id": f"Model {model_id} does not exist in project {project.string_id}"}
    return {}


def identity_of(data: dict[str, Any]) -> str:
    """Return what makes instances identical; not score, model or creation_ref_id (server.md 5.3)."""
    keys = {key: data[key] for key in _IDENTITY_KEYS if data.get(key) is not None}
    return json.dumps([data["type"], data["label_file_id"], keys], sort_keys=True)


def require_storable(data: dict[str, Any]) -> None:
    """Check what the server leaves to the database (server.md 3.2; quirks 4 and 49).

    :raises DatabaseRefused: for a score that is not a number, an integer beyond 32 bit, a NUL character.
    """
    score = data.get("score")
    if score is not None and not isinstance(score, int | float):
        raise DatabaseRefused("score is no number")
    for key in (*_INT_KEYS, "x_min", "x_max", "y_min", "y_max"):
        value = data.get(key)
        if isinstance(value, int | float) and (not math.isfinite(value) or abs(value) > INT32_MAX):
            raise DatabaseRefused(f"{key} out of range")
    if "\x00" in str(data.get("creation_ref_id") or ""):
        raise DatabaseRefused("NUL character")


def attribute_entries(store: Store, project: Project, data: dict[str, Any]) -> tuple[list[Entry], str | None]:
    """Return the index entries of an instance, or the traceback of a value of the wrong form."""
    try:
        return indexed(store, project.id, data.get("attribute_groups") or {}), None
    except DatabaseRefused:
        raise
    except Exception:  # noqa: BLE001 - the server reports any exception as text
        return [], traceback.format_exc()


def insert_instance(
    connection: sqlite3.Connection,
    file_id: int,
    identity: str,
    data: dict[str, Any],
    entries: list[Entry],
    soft_delete: bool = False,
) -> int:
    """Store one instance and return its id; without a ``previous_id`` it is the root of its versions."""
    if data.get("score") is not None:
        data = {**data, "score": float(data["score"])}
    instance_id = insert(
        connection,
        "instance",
        file_id=file_id,
        label_file_id=data["label_file_id"],
        type=data["type"],
        identity=identity,
        created_time=now_iso(),
        data=json.dumps(data),
        soft_delete=int(soft_delete),
        root_id=data.get("root_id"),
    )
    if data.get("previous_id") is None:
        update(connection, "instance", instance_id, root_id=instance_id)
    connection.executemany(
        "INSERT INTO attribute_value VALUES (?, ?, ?, ?, ?)",
        [(instance_id, file_id, *entry) for entry in entries],
    )
    return instance_id


def soft_delete(connection: sqlite3.Connection, instance_ids: Iterable[int], kind: str) -> None:
    """Mark instances deleted.

    :param kind: ``user`` for what a person deleted, ``system_deletion`` for all else (server.md 10.3.6).
    """
    connection.executemany(
        "UPDATE instance SET soft_delete = 1, deleted_time = ?, deletion_type = ? WHERE id = ?",
        [(now_iso(), kind, instance_id) for instance_id in instance_ids],
    )
