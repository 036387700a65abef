"""Reads the size of an image from its header; nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import imagesize

from ...client import DiffgramError
from ...drawing.shapes import extent_of
from ...models import Box, Instance, PathMedia
from ...models.problems import count_of
from ..read.pages import MOST_PIXELS
from ..read.paths import PathOpener, is_local

_BLOCK = 2**16
"""Bytes requested from a storage at once; a header is shorter."""


Size = tuple[int, int]
"""Width and height, in pixels."""


def size_problems(
    media: PathMedia, path_of: PathOpener, instances: Sequence[Instance] = ()
) -> tuple[list[str], list[str]]:
    """Return why an image is too large, and which predictions are outside it; empty if the header is unclear.

    For an image above 7680 pixels the server stores a wrong size, and squeezes some formats (quirk 45). It
    does not compare predictions with the image (server.md 5.3): nobody would see one that is outside.

    :param instances: predictions for the image.
    :raises StorageError: if the storage fails, which may pass.
    :raises OSError: if the image cannot be read.
    """
    if media.type != "image":
        return [], []
    path = path_of(media.path)
    options: dict[str, Any] = {} if is_local(path) else {"block_size": _BLOCK}
    with path.open("rb", **options) as file:
        problem = too_large(media.path, file)
        if problem is not None:
            return [problem], []
        if not instances:
            return [], []
        file.seek(0)
        seen = size_of(file, as_seen=True)
    if seen is None:
        return [], []
    may_be_turned = PurePosixPath(media.path).suffix.lower() in _TURNED_UNTOLD
    return [], outside_problems(instances, seen, may_be_turned=may_be_turned)


_TURNED_UNTOLD = (".png", ".webp")
"""Files for which imagesize ignores the EXIF rotation."""


def outside_problems(instances: Iterable[Instance], size: Size, *, may_be_turned: bool = False) -> list[str]:
    """Return at most one line about predictions that are completely outside their image.

    :param size: size of the image as people see it.
    :param may_be_turned: whether people may see it with width and height exchanged.
    """
    sizes = [size, size[::-1]] if may_be_turned else [size]
    outside = [
        (place, each)
        for place, each in enumerate(instances)
        if all(_is_outside(each, size) for size in sizes)
    ]
    if not outside:
        return []
    place, first = outside[0]
    edges = ", ".join(f"{edge:g}" for edge in _extent(first) or ())
    others = f", as are {count_of(len(outside) - 1, 'other')}" if len(outside) > 1 else ""
    told = f"instance_list.{place} ({first.type} {first.label or first.label_file_id!r})"
    pixels = f"{size[0]} x {size[1]} pixels"
    return [
        f"{told}: is at {edges}, outside its image of {pixels}{others}: are its coordinates of another size?"
    ]


def _is_outside(instance: Instance, size: Size) -> bool:
    extent = _extent(instance)
    if extent is None:
        return False
    x_min, y_min, x_max, y_max = extent
    if isinstance(instance, Box):
        return x_min >= size[0] or y_min >= size[1]
    return x_min > size[0] or y_min > size[1] or x_max < 0 or y_max < 0


def _extent(instance: Instance) -> tuple[float, float, float, float] | None:
    if isinstance(instance, Box):
        return instance.x_min, instance.y_min, instance.x_max, instance.y_max
    return extent_of(instance)


def too_large(name: str, file: BinaryIO) -> str | None:
    """Return why an image is too large; None if it is not, or if its header does not say.

    :param name: its name in the message.
    :param file: open for reading, and seekable.
    """
    size = size_of(file)
    if size is None or max(size) <= MOST_PIXELS:
        return None
    return (
        f"{name} is {size[0]} x {size[1]} pixels; above {MOST_PIXELS} Diffgram stores a wrong size for an "
        "image and squeezes BMP and TIFF. Make it smaller, with its predictions, or cut it into tiles"
    )


def size_of(file: BinaryIO, *, as_seen: bool = False) -> Size | None:
    """Return the width and height of an image as stored; None if the header does not say.

    :param file: open for reading, and seekable.
    :param as_seen: whether to return them as people see the image, rotated as EXIF says.
    """
    try:
        found = imagesize.get_info(file, dpi=False, colors=False, exif_rotation=as_seen, channels=False)
    except (OSError, DiffgramError):
        raise
    except Exception:  # noqa: BLE001  # a broken header may raise anything
        return None
    return (found.width, found.height) if min(found.width, found.height) > 0 else None
