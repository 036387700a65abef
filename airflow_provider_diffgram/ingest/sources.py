"""Where media come from: a local path or object storage, read by the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ..client.request import Upload
from ..models import PathMedia

UPLOAD_LIMIT = 250 * 2**20
"""Most bytes of one upload request (wire contract 1.4), the form around the file included."""

_FORM_ROOM = 2**20


class MediaPath(Protocol):
    """What is needed of a path; UPath and Airflow's ObjectStoragePath have it."""

    def open(self, mode: str) -> Any:
        """Open the file."""

    def is_file(self) -> bool:
        """Tell whether it is there."""

    def stat(self) -> Any:
        """Return an object with ``st_size`` in bytes."""


PathOpener = Callable[[str], MediaPath]
"""Makes a path of a text such as ``/data/a.png`` or ``s3://bucket/a.png``."""


def universal_path(path: str) -> MediaPath:
    """Open local paths and whatever fsspec knows."""
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
    """Return ``path_of``, but that it refuses local paths outside ``root``, symbolic links followed.

    Object storage is not concerned: what a worker may read there is granted by its credential.
    """
    folder = Path(root).resolve()

    def opened(path: str) -> MediaPath:
        found: Any = path_of(path)
        protocol = getattr(found, "protocol", "")
        if "::" in path or protocol in _WRAPPING:
            raise ValueError(f"{protocol}: may lead around local_root of the connection, {root}")
        if protocol not in ("", "file", "local"):
            return cast(MediaPath, found)
        place = Path(getattr(found, "path", None) or str(found)).resolve()
        if not place.is_relative_to(folder):
            raise ValueError(f"it lies outside of {root}, local_root of the connection")
        return path_of(str(place))

    return opened


def media_problems(media: PathMedia, path_of: PathOpener) -> list[str]:
    """Return why ``media`` cannot be uploaded; empty if it can."""
    try:
        path = path_of(media.path)
        if not path.is_file():
            return [f"no such file: {media.path}"]
        size = path.stat().st_size
    except (OSError, ImportError, ValueError) as error:
        return [f"cannot read {media.path}: {error}"]
    if size == 0:
        return [f"file is empty: {media.path}"]
    if size > UPLOAD_LIMIT - _FORM_ROOM:
        return [
            f"{media.path} has {size / 2**20:.0f} MiB; an upload takes {UPLOAD_LIMIT // 2**20} MiB. "
            "Give a URL or a blob of a Diffgram connection instead"
        ]
    return []


def upload_of(media: PathMedia, name: str, path_of: PathOpener) -> Upload:
    """Return ``media`` as an upload named ``name``; its bytes are read while they are sent."""
    path = path_of(media.path)

    def open_bytes() -> BinaryIO:
        return cast(BinaryIO, path.open("rb"))

    return Upload(filename=name, size=path.stat().st_size, open=open_bytes)
