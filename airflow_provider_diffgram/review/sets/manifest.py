"""Describes a pulled set, and names its newest version. Written last."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...models import InvalidValueError
from .folder import Folder
from .stored import Names

MANIFEST = "manifest.json"
FILES = "files.jsonl.gz"

LAYOUT = 1
"""Changes with what is written of the same annotations: then every set gets a new version."""


class RemovedFile(BaseModel):
    """A file that the version before had."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str


class Manifest(BaseModel):
    """One version of a set.

    :param version: a hash of everything that the set contains and how it is written, so the same content has
        the same version. Also the name of its folder.
    :param previous: the previous version; None for the first one.
    :param pulled_at: when it was read, with its time zone.
    :param server: address of Diffgram.
    :param source: what was pulled: a dataset, a job, or named files.
    :param only: ``complete``, or ``all``.
    :param options: format, split, and everything else that decides how the set is written.
    :param files: how many files the set has, children and files without annotations included.
    :param instances: how many annotations.
    :param added: files that the previous version did not have.
    :param changed: files whose annotations, or whose task, have changed since the previous version.
    :param kept: files that have not changed.
    :param removed: files that only the previous version has.
    :param removed_files: the first thousand removed files.
    :param left_out: what the format cannot hold -> how many.
    :param clipped: type of annotations -> how many were clipped at the edge of their picture, which YOLO
        needs.
    :param left_out_examples: the first ones of both.
    :param moved: files that kept changing while the set was read: each is as it was at some moment of the
        pull, but not all at the same one. If empty, the set is what the server held at one moment.
    :param labels: ``label_file_id`` -> name.
    :param models: id of a model -> its ``model_ref``, if the server returns it.
    :param runs: id of a model run -> its ``model_run_ref``.
    :param marks: the file with what the next pull compares with; only in the newest.
    :param layout: version of the layout of this file.
    :param project: project_string_id of the project.
    """

    model_config = ConfigDict(frozen=True)

    layout: int = LAYOUT
    version: str
    previous: str | None = None
    pulled_at: str
    server: str
    project: str
    source: dict[str, Any]
    only: Literal["complete", "all"]
    options: dict[str, Any]
    files: int
    instances: int
    added: int
    changed: int
    kept: int
    removed: int
    removed_files: list[RemovedFile] = []
    left_out: dict[str, int] = {}
    clipped: dict[str, int] = {}
    left_out_examples: list[str] = []
    moved: list[int] = []
    labels: dict[int, str] = {}
    models: dict[int, str] = {}
    runs: dict[int, str] = {}
    marks: str = ""

    @property
    def names(self) -> Names:
        """What ids were called."""
        return Names(self.labels, self.models, self.runs)

    def to_bytes(self) -> bytes:
        """Return it as JSON."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode()


def version_of(about: Any, entries: Iterable[tuple[Any, ...]], names: Names) -> str:
    """Return the version of a set.

    :param about: source and options, as plain JSON values.
    :param entries: what tells one content of a file from another, in the order of the set.
    """
    found = hashlib.sha256()
    named = [sorted(each.items()) for each in (names.labels, names.models, names.runs)]
    found.update(json.dumps([LAYOUT, about, named], sort_keys=True).encode())
    for entry in entries:
        found.update(json.dumps(entry).encode())
    return found.hexdigest()[:16]


def newest(folder: Folder) -> Manifest | None:
    """Return the newest version in a folder; None if it has none, or lost its files.

    :raises InvalidValueError: if the folder's manifest is of something else.
    """
    content = folder.read(MANIFEST)
    if content is None:
        return None
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        cause = f"{folder}/{MANIFEST} does not belong to a pulled set: give the set a folder of its own"
        raise InvalidValueError("path", [cause]) from None
    if manifest.layout != LAYOUT or folder.below(manifest.version).read(MANIFEST) is None:
        return None
    return manifest


def write_marks(folder: Folder, marks: Iterable[list[Any]]) -> str:
    """Write what the next pull compares with, and return the name of the file."""
    text = io.BytesIO()
    with gzip.GzipFile(fileobj=text, mode="wb", compresslevel=1, mtime=0) as packed:
        for line in marks:
            packed.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    content = text.getvalue()
    name = f"marks-{hashlib.sha256(content).hexdigest()[:16]}.jsonl.gz"
    folder.write(name, content)
    return name


def read_marks(folder: Folder, manifest: Manifest) -> Iterator[list[Any]] | None:
    """Return what :func:`write_marks` wrote; None if it is not there."""
    content = folder.read(manifest.marks) if manifest.marks else None
    if content is None:
        return None
    return (json.loads(line) for line in gzip.GzipFile(fileobj=io.BytesIO(content)))
