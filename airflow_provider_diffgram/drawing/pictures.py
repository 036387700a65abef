"""Prepares pictures for a page: scaled down, and rotated as people see them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 64 * 2**20
"""Most bytes of a picture; larger ones are not read."""

_SIDE = 960
"""Longest side of a picture on the page, in pixels."""

_ORIENTATION = 0x0112
_ON_ITS_SIDE = range(5, 9)
"""EXIF's tag for how a camera was held, and its values for a quarter turn."""

_TIFF_WIDTH, _TIFF_HEIGHT = 0x0100, 0x0101


@dataclass(frozen=True)
class Picture:
    """What can be shown of a medium.

    :param width: width of the original as people see it, in pixels; None if unknown.
    :param height: height of the original as people see it, in pixels; None if unknown.
    :param data: the scaled-down picture as a ``data:`` URL; None if it cannot be shown.
    :param reason: why it cannot be shown.
    """

    width: int | None = None
    height: int | None = None
    data: str | None = None
    reason: str | None = None


def size_seen(image: Any) -> tuple[int, int, bool]:
    """Return a Pillow image's width and height as people see it, and whether EXIF gives it a quarter turn."""
    width, height = image.size
    if image.format == "TIFF":  # which newer versions of Pillow have already turned
        width, height = image.tag_v2[_TIFF_WIDTH], image.tag_v2[_TIFF_HEIGHT]
    turned = image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
    return (height, width, True) if turned else (width, height, False)


def small(content: bytes) -> Picture:
    """Return a picture scaled down with Pillow, or why there is none."""
    if len(content) > MOST_BYTES:
        return Picture(reason=f"the picture has more than {MOST_BYTES // 2**20} MiB")
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return Picture(reason="Pillow is not installed, which makes pictures small")
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height, _ = size_seen(image)
            image.draft("RGB", (_SIDE, _SIDE))
            turned: Any = ImageOps.exif_transpose(image)
            shown: Any = turned.convert("RGB")
        shown.thumbnail((_SIDE, _SIDE))
        written = io.BytesIO()
        shown.save(written, "JPEG", quality=80)
    except Exception as error:  # noqa: BLE001  (for arbitrary bytes, a decoder may raise anything)
        return Picture(reason=f"not a readable picture ({type(error).__name__})")
    data = base64.b64encode(written.getvalue()).decode()
    return Picture(width, height, f"data:image/jpeg;base64,{data}")
