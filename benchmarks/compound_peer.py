"""A process that makes a compound file, or sends a large file, with the official client as its examples do.

Runs in an environment of its own, so it imports nothing of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffgram import Project  # type: ignore[import-not-found]
from diffgram.file.compound_file import CompoundFile  # type: ignore[import-not-found]

from .work import BOX, main


def _children(told: Mapping[str, Any]) -> None:
    project = _project(told)
    # Its default dataset travels in a header that servers drop, so it must be named.
    compound = CompoundFile(project=project, name="scan", directory_id=project.directory_id)
    for path in told["paths"]:
        compound.add_child_from_local(path, instance_list=[{**BOX, "name": "cat"}])
    compound.upload()


def _large(told: Mapping[str, Any]) -> None:
    project = _project(told)
    for path in told["paths"]:
        project.file.from_local(path, directory_id=project.directory_id)


def _project(told: Mapping[str, Any]) -> Any:
    project = Project(
        project_string_id=told["project"],
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        host=told["host"],
    )
    project.set_directory_by_name(told["dataset"])
    return project


if __name__ == "__main__":
    main({"children": _children, "large": _large})
