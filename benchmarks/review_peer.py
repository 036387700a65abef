"""A process that has the server export a dataset and reads it, with the official client.

Its own methods export jobs only; a dataset goes the same way. Runs in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from diffgram import Project  # type: ignore[import-not-found]

from .work import main


def _export(told: Mapping[str, Any]) -> None:
    project = Project(
        project_string_id=told["project"],
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        host=told["host"],
    )
    project.set_directory_by_name(told["dataset"])
    body = {
        "kind": "Annotations",
        "source": "directory",
        "directory_id": project.directory_id,
        "file_comparison_mode": "latest",
        "masks": False,
        "wait_for_export_generation": True,
        "return_type": "url",
    }
    path = f"{project.host}/api/walrus/project/{project.project_string_id}/export/to_file"
    answer = project.session.post(path, json=body)
    project.handle_errors(answer)
    export = project.export.list()[0]
    document = requests.get(export.access_data(return_type="url")).json()
    found = sum(len(packet["instance_list"]) for key, packet in document.items() if key.isdecimal())
    if found != told["instances"]:
        raise RuntimeError(f"{found} annotations came, not {told['instances']}")


if __name__ == "__main__":
    main({"export": _export})
