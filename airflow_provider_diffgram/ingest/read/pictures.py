"""Reads the pictures for a page from where the packets say they are."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from ...client import DiffgramClient, StorageError
from ...drawing import Picture, small
from ...drawing.pictures import MOST_BYTES
from ...models import PathMedia, UrlMedia
from .paths import PathOpener
from .remote import Remote, UnreadableError

_SECONDS = 30.0
"""Most seconds for one picture by URL."""


class Pictures:
    """Reads the pictures of media.

    :param client: only the proxy and certificate authorities of its connection are used.
    """

    def __init__(self, client: DiffgramClient, path_of: PathOpener) -> None:
        self._path_of = path_of
        self._remote = Remote(client.settings, client.clock, most=MOST_BYTES, seconds=_SECONDS, patience=None)

    def close(self) -> None:
        """Close the connections to the hosts of media."""
        self._remote.close()

    def of(self, media: Any) -> Picture:
        """Return the picture of a medium, or why there is none; never its address.

        :param media: the medium of a packet.
        """
        try:
            if isinstance(media, PathMedia) and media.type == "image":
                with self._path_of(media.path).open("rb") as file:
                    return small(file.read(MOST_BYTES + 1))
            if isinstance(media, UrlMedia) and media.type == "image":
                with closing(self._remote.read(media.url)) as medium:
                    return small(medium.head(medium.size))
        except UnreadableError as error:
            why = error.reason.removeprefix(f"{urlsplit(media.url).hostname} ")
            return Picture(reason=f"the picture cannot be fetched from here ({why})")
        except (OSError, ImportError, ValueError, StorageError) as error:
            return Picture(reason=f"the picture cannot be read from here ({type(error).__name__})")
        what = "the file is in Diffgram" if media is None else f"{media.type} of a kind that is not read here"
        return Picture(reason=f"no picture: {what}")
