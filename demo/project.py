"""The demo's dataset and labels in Diffgram, and what is in there under the demo's names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from airflow_provider_diffgram.client import DiffgramClient, routes

from .media import DOCUMENT, PHOTOS, photo_name
from .stored import Stored, read_children, read_roots

DATASET = "airflow-demo"
LABELS = ("face", "text")


@dataclass(frozen=True)
class Project:
    """Ids of what the demo needs.

    :param directory_id: its dataset.
    :param label_names: label_file_id -> name.
    """

    directory_id: int
    label_names: dict[int, str]


@dataclass(frozen=True)
class Snapshot:
    """What the server stores under the demo's names.

    :param roots: photographs and the document itself.
    :param pages: children of the document, in order.
    """

    roots: tuple[Stored, ...]
    pages: tuple[Stored, ...]

    @property
    def files(self) -> tuple[Stored, ...]:
        """All of them."""
        return self.roots + self.pages

    @property
    def instances(self) -> int:
        """Number of their living instances."""
        return sum(len(file.instances) for file in self.files)


def prepare(client: DiffgramClient) -> Project:
    """Find the dataset and the labels, and make what is missing."""
    schemas = client.send(routes.list_schemas(client.project))
    schema = next(schema for schema in schemas if schema.is_default)
    listed = client.send(routes.list_labels(client.project, schema.id))
    labels = {label.name: label.id for label in listed.labels}
    for name in LABELS:
        if name not in labels:
            labels[name] = client.send(routes.create_label(client.project, name, schema.id)).id
    return Project(ensure_dataset(client, DATASET), {labels[name]: name for name in LABELS})


def ensure_dataset(client: DiffgramClient, name: str) -> int:
    """Find the dataset of that name, or make it; return its id."""
    # The server's filter is a substring match, so names are compared here.
    listed = client.send(routes.list_datasets(client.project, name))
    for dataset in listed:
        if dataset.nickname == name:
            return dataset.id
    return client.send(routes.create_dataset(client.project, name)).id


def snapshot(client: DiffgramClient, project: Project) -> Snapshot:
    """Read back, file by file, what the server stores under the demo's names."""
    names = [*map(photo_name, PHOTOS), DOCUMENT]
    roots = read_roots(client, project.directory_id, names)
    documents: Iterable[Stored] = (file for file in roots if file.name == DOCUMENT)
    pages = [page for document in documents for page in read_children(client, document.id)]
    return Snapshot(tuple(roots), tuple(pages))
