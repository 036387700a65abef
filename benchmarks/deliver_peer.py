"""A process that sends packets with the official client, one after the other, as its examples do.

Runs in an environment of its own, so it imports nothing of the package. Its method for children by URL
sends no URL (0.15.0), so they go as packets, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffgram import Project  # type: ignore[import-not-found]

from .work import main


def _push(told: Mapping[str, Any]) -> None:
    project = Project(
        project_string_id=told["project"],
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        host=told["host"],
    )
    project.set_directory_by_name(told["dataset"])
    for line in Path(told["packets"]).read_text().splitlines():
        packet = json.loads(line)
        # Its default dataset travels in a header that servers drop, so the packet must name it.
        packet["directory_id"] = project.directory_id
        for instance in packet["instance_list"]:
            instance["name"] = instance.pop("label")
        project.file.from_packet(packet)


if __name__ == "__main__":
    main({"push": _push})
