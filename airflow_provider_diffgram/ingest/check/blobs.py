"""Checks images that Diffgram reads through a connection, because the server does not (quirk 57)."""

from __future__ import annotations

import logging

from ...client import DiffgramClient, StoppedError, routes
from ...models import BlobMedia, StorageConnection
from ..read.paths import PathOpener
from ..read.storage import PatientPath, patient
from .lookup import choose

_log = logging.getLogger(__name__)

_SCHEMES = {"amazon_aws": "s3", "microsoft_azure": "abfs"}
"""Provider of a connection that supports blobs -> URL scheme of its paths."""

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_WEBP = (b"RIFF", b"WEBP")
_HEAD = 16


class Blobs:
    """Finds connections by name or id, and checks the objects behind them.

    :param path_of: opens objects with the worker's own credential, which may differ from Diffgram's.
    :ivar unchecked: number of objects that could not be checked.
    """

    def __init__(self, client: DiffgramClient, path_of: PathOpener) -> None:
        self.unchecked = 0
        self._client = client
        self._path_of = patient(path_of)
        self._connections: list[StorageConnection] | None = None
        self._closed: set[str] = set()

    def connection_id(self, media: BlobMedia) -> int:
        """Return the id of a medium's connection, which :meth:`problems` has found."""
        connection = self._find(media.connection_id)
        assert connection is not None
        return connection.id

    def problems(self, media: BlobMedia) -> list[str]:
        """Return why Diffgram cannot show a blob; empty if it can, or if the worker cannot read it."""
        try:
            connection = self._find(media.connection_id)
        except ValueError as error:
            return [f"connection_id {error}"]
        if connection is None:
            known = ", ".join(f"{each.id} ({each.name})" for each in self._listed()) or "none"
            return [
                f"connection_id {media.connection_id!r}: no such connection in Diffgram; there are: {known}"
            ]
        told = f"connection_id {connection.id} ({connection.name})"
        if connection.integration_name not in _SCHEMES:
            return [
                f"{told} is a connection of kind {connection.integration_name}; Diffgram reads blobs of "
                f"{' and '.join(_SCHEMES)} only"
            ]
        if connection.exists_private_secret is False:
            return [
                f"{told} has no secret, so Diffgram cannot sign addresses of its objects: add the "
                f"secret in Diffgram"
            ]
        return self._object_problems(_bucket(connection, media), media)

    def path(self, media: BlobMedia) -> PatientPath | None:
        """Return the path of a blob for the worker; None if the worker cannot read its bucket."""
        connection = self._find(media.connection_id)
        assert connection is not None
        bucket = _bucket(connection, media)
        return None if bucket in self._closed else self._path_of(f"{bucket}/{media.raw_data_blob_path}")

    def give_up(self, media: BlobMedia) -> None:
        """Stop reading from the bucket of a blob."""
        connection = self._find(media.connection_id)
        assert connection is not None
        self._closed.add(_bucket(connection, media))

    def _find(self, given: int | str) -> StorageConnection | None:
        listed = sorted(self._listed(), key=lambda each: each.id)
        by_name = next((each for each in listed if each.name == str(given)), None)
        by_id = next((each for each in listed if str(each.id) == str(given)), None)
        return choose(given, by_name, by_id, lambda each: each.name)

    def _listed(self) -> list[StorageConnection]:
        if self._connections is None:
            self._connections = self._client.send(routes.list_connections(self._client.project))
        return self._connections

    def _object_problems(self, bucket: str, media: BlobMedia) -> list[str]:
        where = f"{bucket}/{media.raw_data_blob_path}"
        if bucket in self._closed:
            self.unchecked += 1
            return []
        try:
            head = self._path_of(where).head(_HEAD)
        except FileNotFoundError:
            return [f"no such object: {where}"]
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001  # each storage has errors of its own
            self._closed.add(bucket)
            self.unchecked += 1
            _log.warning("objects of %s are sent unchecked: %s: %s", bucket, type(error).__name__, error)
            return []
        return [] if is_image(head) else [f"{where} is not an image that Diffgram can show"]


def _bucket(connection: StorageConnection, media: BlobMedia) -> str:
    return f"{_SCHEMES[connection.integration_name or '']}://{media.bucket_name}"


def is_image(head: bytes) -> bool:
    """Return whether bytes begin like an image that Diffgram can show.

    :param head: the first 16 bytes, or more.
    """
    return head.startswith(_SIGNATURES) or (head[:4], head[8:12]) == _WEBP
