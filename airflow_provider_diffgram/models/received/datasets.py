"""Datasets and storage (server.md 2.3, 2.15)."""

from __future__ import annotations

from ..base import Received


class DirectoryRef(Received):
    """The dataset of an input."""

    id: int


class Dataset(Received):
    """A dataset, which the server calls a directory."""

    id: int
    nickname: str | None = None


class StorageConnection(Received):
    """A connection of Diffgram to cloud storage. Its key id is not kept (server.md 2.15)."""

    id: int
    name: str | None = None
    integration_name: str | None = None
    archived: bool | None = None
    exists_private_secret: bool | None = None
