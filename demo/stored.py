"""What the server stores, read back through the client, against what the models predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_diffgram.client import DiffgramClient, routes
from airflow_provider_diffgram.models import Child, File, Packet

Identity = tuple[Any, ...]
"""Type, label, geometry and score of an instance."""


@dataclass(frozen=True)
class Intended:
    """A file as the predictions want it.

    :param source: path of the picture.
    :param ordinal: place among the pages of a document.
    :param instances: what the model found, with label names.
    """

    name: str
    source: Path
    ordinal: int = 0
    instances: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Stored:
    """A file as the server has it.

    :param instances: as annotation/list gives them.
    """

    id: int
    name: str
    type: str
    ordinal: int
    instances: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Comparison:
    """One intended file against the server.

    :param files: the stored files of its name; exactly one is right.
    :param missing: how many of the intended instances are not stored.
    :param extra: how many of the stored instances are not intended.
    """

    intended: Intended
    files: tuple[Stored, ...]
    missing: int
    extra: int

    @property
    def problem(self) -> str | None:
        """What is wrong, in words, or None."""
        if not self.files:
            return "not on the server"
        if len(self.files) > 1:
            return f"{len(self.files)} files of this name on the server"
        problems = (
            [f"at place {self.files[0].ordinal}"] if self.files[0].ordinal != self.intended.ordinal else []
        )
        problems += [f"{self.missing} predictions are not stored"] if self.missing else []
        problems += [f"{self.extra} stored instances were not predicted"] if self.extra else []
        return ", ".join(problems) or None


def read_intended(path: Path, kind: type[Packet] | type[Child], folder: Path | None = None) -> list[Intended]:
    """Read what a DAG's model task wrote: one packet or child per line.

    :param folder: where the pictures are that the lines name by a URL.
    """
    intended = []
    for line in path.read_text().splitlines():
        item = kind.model_validate_json(line)
        values = item.model_dump(mode="json", exclude_none=True)
        intended.append(
            Intended(
                name=values["original_filename"],
                source=_source(values["media"], folder),
                ordinal=values.get("ordinal", 0),
                instances=tuple(values["instance_list"]),
            )
        )
    return intended


def _source(media: Mapping[str, str], folder: Path | None) -> Path:
    if "path" in media:
        return Path(media["path"])
    return (folder or Path()) / media["url"].rpartition("/")[2]


def read_roots(client: DiffgramClient, directory_id: int, names: Iterable[str]) -> list[Stored]:
    """Read the root files of a dataset that have one of ``names``, with their instances."""
    wanted, page, found = set(names), 1, list[File]()
    while page:
        listing = client.send(routes.list_files(client.project, directory_id, page=page))
        found += [file for file in listing.file_list if file.original_filename in wanted]
        page = listing.next_page or 0
    return [
        _with_instances(client, file)
        for file in sorted(found, key=lambda file: (file.original_filename, file.id))
    ]


def read_children(client: DiffgramClient, parent_file_id: int) -> list[Stored]:
    """Read the children of a compound file in their order, with their instances."""
    children = client.send(routes.list_children(client.project, parent_file_id))
    return [_with_instances(client, file) for file in sorted(children, key=lambda file: file.ordinal or 0)]


def _with_instances(client: DiffgramClient, file: File) -> Stored:
    if (file.type or "").startswith("compound"):
        instances: list[dict[str, Any]] = []
    else:
        instances = client.send(routes.list_annotations(client.project, file.id)).instance_list
    return Stored(file.id, file.original_filename or "", file.type or "", file.ordinal or 0, tuple(instances))


def compare(
    intended: Iterable[Intended], stored: Iterable[Stored], label_names: Mapping[int, str]
) -> list[Comparison]:
    """Compare file by file and instance by instance: type, label, geometry and score.

    :param label_names: label_file_id -> name.
    """
    stored = list(stored)
    comparisons = []
    for wanted in intended:
        files = tuple(file for file in stored if file.name == wanted.name)
        there = Counter(_identity(each, label_names) for file in files[:1] for each in file.instances)
        predicted = Counter(_identity(each, label_names) for each in wanted.instances)
        comparisons.append(
            Comparison(wanted, files, (predicted - there).total(), (there - predicted).total())
        )
    return comparisons


def _identity(instance: Mapping[str, Any], label_names: Mapping[int, str]) -> Identity:
    label = instance.get("label") or label_names.get(instance.get("label_file_id") or 0)
    if instance["type"] == "polygon":
        geometry: Identity = tuple((float(point["x"]), float(point["y"])) for point in instance["points"])
    else:
        geometry = tuple(instance.get(edge) for edge in ("x_min", "y_min", "x_max", "y_max"))
    return instance["type"], label, geometry, round(instance.get("score") or 0, 4)
