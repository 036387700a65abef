"""Archiving what a wait that was killed leaves pending."""

from __future__ import annotations

from ...client import DiffgramClient
from ..server.repair import archive
from .watch import Watch


def archive_pending(client: DiffgramClient, watch: Watch) -> list[int]:
    """Archive the new media that the server has not ingested yet; return their inputs. Updates stay."""
    return archive(client, client.run(watch.list_to_archive()), "what is pending after a kill")
