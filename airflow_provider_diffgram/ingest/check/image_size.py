"""How large an image is, told by its header alone: nothing is decoded."""

from __future__ import annotations

from typing import Any, BinaryIO

import imagesize

from ...client import DiffgramError
from ...models import PathMedia
from ..read.pages import MOST_PIXELS
from ..read.paths import PathOpener, is_local

_BLOCK = 2**16
"""Bytes that a storage is to fetch at once: a header is within the first few of them."""


def size_problems(media: PathMedia, path_of: PathOpener) -> list[str]:
    """Return why an image is too large, which is empty if it is not or if its header does not tell.

    Of an image above 7680 pixels the server notes a wrong size, and squeezes some (quirk 45).

    :raises StorageError: if the storage fails now, and may be back.
    :raises OSError: if it cannot be read.
    """
    if media.type != "image":
        return []
    path = path_of(media.path)
    options: dict[str, Any] = {} if is_local(path) else {"block_size": _BLOCK}
    with path.open("rb", **options) as file:
        problem = too_large(media.path, file)
    return [] if problem is None else [problem]


def too_large(name: str, file: BinaryIO) -> str | None:
    """Return why an image is too large; None if it is not or if its header does not tell.

    :param name: what to call it.
    :param file: open for reading, and able to seek.
    """
    size = size_of(file)
    if size is None or max(size) <= MOST_PIXELS:
        return None
    return (
        f"{name} is {size[0]} x {size[1]} pixels; above {MOST_PIXELS} Diffgram notes a wrong size for an "
        "image and squeezes BMP and TIFF. Make it smaller, with its predictions, or cut it into tiles"
    )


def size_of(file: BinaryIO) -> tuple[int, int] | None:
    """Return width and height of an image as they are stored; None if the header does not tell.

    :param file: open for reading, and able to seek.
    """
    try:
        found = imagesize.get_info(file, dpi=False, colors=False, exif_rotation=False, channels=False)
    except (OSError, DiffgramError):
        raise
    except Exception:  # noqa: BLE001  # what a broken header makes of a reader is not bounded
        return None
    return (found.width, found.height) if min(found.width, found.height) > 0 else None
