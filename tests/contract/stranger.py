"""A compound file in another project, for questions that must not be answered to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .deployment import Deployment, body_of


@dataclass(frozen=True)
class Stranger:
    """What belongs to another project.

    :param project: its ``project_string_id``.
    :param parent: file id of a compound parent in it.
    :param input: id of that parent's row.
    """

    project: str
    dataset: int
    parent: int
    input: int


@contextmanager
def stranger_of(deployment: Deployment) -> Iterator[Stranger]:
    """Make a compound parent in the other project, and archive it at the end."""
    project = deployment.access("other").project
    listing = deployment.post(f"/api/v1/project/{project}/directory/list", {}, "other")
    dataset = int(body_of(listing)["directory_list"][0]["id"])
    body = {"name": f"{deployment.prefix} stranger", "directory_id": dataset}
    file = body_of(deployment.post(f"/api/v1/project/{project}/file/new-compound", body, "other"))["file"]
    yield Stranger(project, dataset, int(file["id"]), int(file["input"]["id"]))
    archive = {"id_list": [file["input"]["id"]], "mode": "ARCHIVE"}
    deployment.post(f"/api/walrus/v1/project/{project}/input/update", archive, "other")
