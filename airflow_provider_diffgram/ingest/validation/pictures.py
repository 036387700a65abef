"""Pictures for the page: read where a packet says they are, made small."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import requests

from ...client import StorageError
from ...models import Packet, PathMedia, UrlMedia
from ..read.paths import PathOpener

_SIDE = 720
"""Longest side of a picture on the page, in pixels."""

_MOST_BYTES = 64 * 2**20
_TIMEOUT = (5, 20)


@dataclass(frozen=True)
class Picture:
    """What can be shown of a medium.

    :param width: of the original, in pixels; None if unknown.
    :param height: of the original, in pixels; None if unknown.
    :param data: the picture, small, as a ``data:`` URL; None if it cannot be shown.
    :param reason: why it cannot.
    """

    width: int | None = None
    height: int | None = None
    data: str | None = None
    reason: str | None = None


def picture_of(packet: Packet, path_of: PathOpener) -> Picture:
    """Return the picture of a packet, or why there is none; never its address."""
    media = packet.media
    try:
        if isinstance(media, PathMedia) and media.type == "image":
            with path_of(media.path).open("rb") as file:
                return _small(file.read(_MOST_BYTES + 1))
        if isinstance(media, UrlMedia) and media.type == "image":
            return _small(_fetched(media.url))
    except requests.RequestException as error:
        return Picture(reason=f"the picture cannot be fetched from here ({type(error).__name__})")
    except (OSError, ImportError, ValueError, StorageError) as error:
        return Picture(reason=f"the picture cannot be read from here ({type(error).__name__})")
    what = "the file is in Diffgram" if media is None else f"{media.type} of a kind that is not read here"
    return Picture(reason=f"no picture: {what}")


def _fetched(url: str) -> bytes:
    with requests.get(url, stream=True, timeout=_TIMEOUT) as answer:
        answer.raise_for_status()
        content = bytearray()
        for part in answer.iter_content(2**16):
            content += part
            if len(content) > _MOST_BYTES:
                break
        return bytes(content)


def _small(content: bytes) -> Picture:
    if len(content) > _MOST_BYTES:
        return Picture(reason=f"the picture has more than {_MOST_BYTES // 2**20} MiB")
    try:
        from PIL import Image
    except ImportError:
        return Picture(reason="Pillow is not installed, which makes pictures small")
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            image.draft("RGB", (_SIDE, _SIDE))
            small: Any = image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE))
        written = io.BytesIO()
        small.save(written, "JPEG", quality=80)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Picture(reason=f"not a readable picture ({type(error).__name__})")
    data = base64.b64encode(written.getvalue()).decode()
    return Picture(width, height, f"data:image/jpeg;base64,{data}")
