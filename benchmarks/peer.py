"""A process that sends packets with the official client, one after the other, as its examples do.

Runs in an environment of its own, so it imports nothing of this package; it is told what :mod:`.ours` is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Send until all are sent, the time is over, or the client raises; tell what happened."""
    told, answers = json.loads(sys.stdin.readline()), sys.stdout
    sys.stdout = sys.stderr  # the client prints
    from diffgram import Project  # type: ignore[import-not-found]

    print("ready", file=answers, flush=True)
    sys.stdin.readline()
    error = None
    try:
        _send(Project, told)
    except Exception as raised:  # noqa: BLE001  # whatever the client raises is its result
        error = f"{type(raised).__name__}: {raised}"
    print(json.dumps({"error": error}), file=answers, flush=True)


def _send(project_class: Any, told: dict[str, Any]) -> None:
    project = project_class(
        project_string_id=told["project"],
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        host=told["host"],
    )
    project.set_directory_by_name(told["dataset"])
    until = time.monotonic() + told["seconds"]
    with Path(told["packets"]).open() as packets, Path(told["report"]).open("w") as report:
        for line in packets:
            if time.monotonic() > until:
                return
            packet = json.loads(line)
            # Its default dataset travels in a header that servers drop, so the packet must name it.
            packet["directory_id"] = project.directory_id
            for instance in packet["instance_list"]:
                instance["name"] = instance.pop("label")
            if project.file.from_packet(packet) is True:
                report.write(json.dumps({"name": packet["original_filename"], "outcome": "sent"}) + "\n")


if __name__ == "__main__":
    main()
