"""Pictures for the page: read where a packet says they are."""

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
"""Time for one picture by URL."""


class Pictures:
    """Reads the pictures of media.

    :param client: its connection's proxy and authorities are used, and nothing else of it.
    """

    def __init__(self, client: DiffgramClient, path_of: PathOpener) -> None:
        self._path_of = path_of
        self._remote = Remote(client.settings, client.clock, most=MOST_BYTES, seconds=_SECONDS, patience=None)

    def close(self) -> None:
        """Close the connections to the hosts of media."""
        self._remote.close()

    def of(self, media: Any) -> Picture:
        """Return the picture of a medium; without one, why there is none, and never its address.

        :param media: of a packet.
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
