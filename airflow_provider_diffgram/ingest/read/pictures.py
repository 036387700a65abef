"""Pictures for the page: read where a packet says they are."""

from __future__ import annotations

from typing import Any

import requests

from ...client import StorageError
from ...drawing import Picture, small
from ...drawing.pictures import MOST_BYTES
from ...models import PathMedia, UrlMedia
from .paths import PathOpener

_TIMEOUT = (5, 20)


def picture_of(media: Any, path_of: PathOpener) -> Picture:
    """Return the picture of a medium; without one, why there is none, and never its address.

    :param media: of a packet.
    """
    try:
        if isinstance(media, PathMedia) and media.type == "image":
            with path_of(media.path).open("rb") as file:
                return small(file.read(MOST_BYTES + 1))
        if isinstance(media, UrlMedia) and media.type == "image":
            return small(_fetched(media.url))
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
            if len(content) > MOST_BYTES:
                break
        return bytes(content)
