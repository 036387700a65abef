"""Opens and checks media that the worker reads, from a local path or object storage."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ...client.request import Upload
from ...client.routes.uploads import MAX_LARGE_UPLOAD, MIB
from ...models import Packet, PathMedia
from .storage import PatientPath, kind_of, patient

_FORM_ROOM = MIB
"""Bytes of an upload request that are kept for the form around the file (server.md 1.4)."""

_BLOCK = 4 * MIB


class MediaPath(Protocol):
    """The methods of a path that are used; UPath and Airflow's ObjectStoragePath have them."""

    def open(self, mode: str, **options: Any) -> Any:
        """Open the file."""

    def is_file(self) -> bool:
        """Return whether it exists."""

    def stat(self) -> Any:
        """Return an object with ``st_size`` in bytes."""


PathOpener = Callable[[str], MediaPath]
"""Converts a text such as ``/data/a.png`` or ``s3://bucket/a.png`` to a path."""


def universal_path(path: str) -> MediaPath:
    """Return a local path, or one of any fsspec storage; passing faults are retried for a minute."""
    return patient(_upath)(path)


def _upath(path: str) -> MediaPath:
    from upath import UPath

    return cast(MediaPath, UPath(path))


_WRAPPING = frozenset(
    {
        "blockcache",
        "cached",
        "dir",
        "filecache",
        "git",
        "libarchive",
        "reference",
        "simplecache",
        "tar",
        "zip",
    }
)
"""Protocols of fsspec through which a local file can be reached under another name."""


def confined(path_of: PathOpener, root: str) -> PathOpener:
    """Return a ``path_of`` that refuses local paths outside ``root``, after following symbolic links.

    Object storage is not affected: there, the worker's credential decides what it may read.
    """
    folder = Path(root).resolve()

    def opened(path: str) -> MediaPath:
        found: Any = path_of(path)
        protocol = getattr(found, "protocol", "")
        if "::" in path or protocol in _WRAPPING:
            raise ValueError(f"{protocol}: may lead out of local_root of the connection, {root}")
        if protocol not in ("", "file", "local"):
            return cast(MediaPath, found)
        place = Path(getattr(found, "path", None) or str(found)).resolve()
        if not place.is_relative_to(folder):
            raise ValueError(f"it lies outside {root}, local_root of the connection")
        return path_of(str(place))

    return opened


def measured(media: PathMedia, path_of: PathOpener) -> tuple[int, list[str]]:
    """Return the size of ``media`` in bytes, and why it cannot be uploaded, which is empty if it can.

    :raises StorageError: if the storage fails, which may pass.
    """
    try:
        path = path_of(media.path)
        found = path.stat()
        if kind_of(found) != "file":
            return 0, [f"not a file: {media.path}"]
        size = found.st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0, [f"no such file: {media.path}"]
    except (OSError, ImportError, ValueError) as error:
        return 0, [f"cannot read {media.path}: {error}"]
    return size, [] if size else [f"file is empty: {media.path}"]


def is_large(packet: Packet, size: int, limit: int) -> bool:
    """Return whether ``size`` bytes and their predictions are too much for one request (server.md 1.4)."""
    room = _FORM_ROOM
    if size > limit // 2:
        room += 2 * len(packet.model_dump_json(include={"instance_list", "frame_packet_map"}))
    return size > limit - room


def large_problems(packet: Packet, size: int, limit: int) -> list[str]:
    """Return why a medium cannot be sent in chunks, which have neither parent nor ordinal (server.md 2.9)."""
    assert isinstance(packet.media, PathMedia)
    if packet.parent_file_id is not None:
        return [
            f"{packet.media.path} has {size / MIB:.0f} MiB; a local child may have {limit // MIB} MiB "
            "together with its predictions. Give a URL, or for an image a blob of a Diffgram connection"
        ]
    if size > MAX_LARGE_UPLOAD:
        return [
            f"{packet.media.path} has {size:,} bytes; Diffgram takes {MAX_LARGE_UPLOAD:,}. Split it, or give "
            "a URL"
        ]
    return []


def upload_of(
    media: PathMedia, name: str, path_of: PathOpener, read: Callable[[int], None] = lambda count: None
) -> Upload:
    """Return ``media`` as an upload named ``name``; its bytes are read while they are sent.

    :param read: called with the number of bytes after each read.
    """
    path = path_of(media.path)

    def open_bytes() -> BinaryIO:
        return cast(BinaryIO, Counted(_open(path), read))

    return Upload(filename=name, size=path.stat().st_size, open=open_bytes, source=media.path)


def is_local(path: MediaPath) -> bool:
    """Return whether a path is on this machine."""
    return getattr(path, "protocol", "") in ("", "file", "local")


def _open(path: MediaPath) -> BinaryIO:
    """Open for reading from start to end in small blocks, because some storages would fetch 50 MiB ahead.

    Faults are not retried: a request that waits for the storage would occupy a thread of the server.
    """
    options = {} if is_local(path) else {"block_size": _BLOCK}
    open_it = path.open_once if isinstance(path, PatientPath) else path.open
    return cast(BinaryIO, open_it("rb", **options))


class Counted(io.RawIOBase):
    """``source`` with its reads counted; closing it closes ``source``."""

    def __init__(self, source: BinaryIO, told: Callable[[int], None]) -> None:
        self._source = source
        self._told = told

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._source.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        piece = self._source.read(size)
        self._told(len(piece))
        return piece

    def close(self) -> None:
        self._source.close()
        super().close()
