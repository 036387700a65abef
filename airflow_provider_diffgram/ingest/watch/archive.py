"""Archiving what a wait that was killed leaves pending."""

from __future__ import annotations

from ...client import DiffgramClient, routes
from .watch import Watch


def archive_pending(client: DiffgramClient, watch: Watch) -> list[int]:
    """Archive the new media that the server has not ingested yet; return their inputs.

    Updates are left alone: to archive one would remove the file that it changes (wire contract 2.14).
    """
    input_ids = client.run(watch.list_to_archive())
    if input_ids:
        client.send(routes.update_inputs(client.project, input_ids, "ARCHIVE"))
    return input_ids
