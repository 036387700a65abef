"""One file with everything drawn on it, and below it its pages or frames."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from ..files import file_fields
from ..instance_view import live_instances
from ..media import blob
from ..overlay import caption_of, colour_of, shape
from ..signing import BUCKET
from ..store import Store
from .dataset import children, picture


def sheet(store: Store, row: sqlite3.Row) -> dict[str, Any]:
    """Return one file with its instances, and below it its children or frames."""
    fields = file_fields(store, row, "")
    instances = _listed(store, row["id"])
    return {
        "file": fields,
        "directory_id": row["directory_id"],
        "image": picture(store, row) or None,
        "text": _text(store, row),
        "instances": instances,
        "shapes": [one["shape"] for one in instances if one["shape"] is not None],
        "pages": [sheet(store, child) for child in children(store, row["id"])],
        "frames": _frames(store, row["id"]) if row["type"] == "video" else [],
        "ordinal": row["ordinal"],
    }


def _listed(store: Store, file_id: int) -> list[dict[str, Any]]:
    instances = live_instances(store, file_id)
    runs = {one: _run(store, one) for one in {instance["model_run_id"] for instance in instances}}
    people = {one: _person(store, one) for one in {instance["member_created_id"] for instance in instances}}
    return [
        _shown(instance, runs[instance["model_run_id"]], people[instance["member_created_id"]])
        for instance in instances
    ]


def _shown(instance: dict[str, Any], run: str | None, person: str | None) -> dict[str, Any]:
    bounds = [instance[key] for key in ("x_min", "y_min", "x_max", "y_max")]
    return {
        **instance,
        "attributes": json.dumps(instance["attribute_groups"]) if instance["attribute_groups"] else None,
        "bounds": None if None in bounds else "{}, {} to {}, {}".format(*bounds),
        "caption": caption_of(instance),
        "colour": colour_of(instance),
        "run": run,
        "person": person,
        "shape": shape(instance),
    }


def _run(store: Store, model_run_id: int | None) -> str | None:
    """Return model and run in one."""
    run = store.one(
        "SELECT model.reference_id AS model, model_run.reference_id AS run FROM model_run"
        " JOIN model ON model.id = model_run.model_id WHERE model_run.id = ?",
        model_run_id,
    )
    return None if run is None else f"{run['model']} / {run['run']}"


def _person(store: Store, member_id: int | None) -> str | None:
    """Return who wrote a row if it was a person, not a program."""
    person = store.one(
        "SELECT email FROM member JOIN person ON person.id = member.person_id WHERE member.id = ?", member_id
    )
    return None if person is None else str(person["email"])


def _text(store: Store, row: sqlite3.Row) -> str | None:
    media = store.one("SELECT * FROM media WHERE id = ? AND kind = 'text'", row["media_id"])
    found = blob(store, BUCKET, media["blob_path"]) if media is not None else None
    return None if found is None else found.read_text(errors="replace")


def _frames(store: Store, video_file_id: int) -> list[dict[str, Any]]:
    rows = store.all("SELECT * FROM file WHERE video_parent_file_id = ? ORDER BY frame_number", video_file_id)
    return [{"number": row["frame_number"], "instances": _listed(store, row["id"])} for row in rows]
