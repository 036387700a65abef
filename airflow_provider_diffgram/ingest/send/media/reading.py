"""Reads media that Diffgram would fetch itself, so that the worker can upload them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ....client import DiffgramClient, RefusedError, StoppedError, StorageError
from ....models import BlobMedia, TextMedia, UrlMedia
from ...check.blobs import is_image
from ...check.check import Plan
from ...check.image_size import too_large
from ...read.paths import is_large
from ...read.remote import Medium, Remote, UnreadableError, kept
from ..decisions.decide import DeliverBy
from ..decisions.item import Item

_HEAD = 16
_ATOMS = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
"""What an MP4 or QuickTime file begins with, after four bytes."""

_PIECE = 2**16
_BLOCK = 2**20
"""Bytes requested from an object storage at once; some clients read 50 MiB ahead otherwise."""

_PATIENCE = 5.0
"""Seconds during which a failing storage is retried, if the queue can take over."""

_UNHURRIED = 10
"""How many times longer a medium may take if it must be uploaded in any case."""


class Reader:
    """Reads media by URL, blobs and texts. Safe to use from several threads.

    :param client: only the proxy and certificate authorities of its connection are used.
    :param plan: finds blobs, and limits how much is read.
    :param deliver_by: whether the queue takes what cannot be read.
    :param told: called with the number of bytes after each read.
    """

    def __init__(
        self, client: DiffgramClient, plan: Plan, deliver_by: DeliverBy, told: Callable[[int], None]
    ) -> None:
        limits, always = plan.limits, deliver_by == "upload"
        self._plan = plan
        self._told = told
        self._clock = client.clock
        self._most = limits.upload if always else limits.medium
        self._patience = client.settings.retry_timeout if always else _PATIENCE
        self._remote = Remote(
            client.settings,
            client.clock,
            most=self._most,
            seconds=limits.medium_seconds * (_UNHURRIED if always else 1),
            patience=self._patience if always else None,
        )

    def close(self) -> None:
        """Close the connections to the hosts of media."""
        self._remote.close()

    def read(self, item: Item) -> Medium:
        """Return an item's medium, which the caller must close.

        :raises UnreadableError: if it cannot be read here, or is not a medium of its declared type.
        :raises RefusedError: if the server would store a wrong size for it.
        """
        medium = self._read(item)
        try:
            self._check(item, medium)
        except BaseException:
            medium.close()
            raise
        self._told(medium.size)
        return medium

    def _read(self, item: Item) -> Medium:
        media = item.packet.media
        if isinstance(media, UrlMedia):
            return self._remote.read(media.url)
        if isinstance(media, TextMedia):
            return kept([media.text_data.encode()], self._most)
        assert isinstance(media, BlobMedia)
        return self._blob(media)

    def _blob(self, media: BlobMedia) -> Medium:
        found = self._plan.blobs.path(media)
        if found is None:
            raise UnreadableError("nothing in its bucket can be read")
        path = found.with_patience(self._patience, self._clock)
        try:
            size = path.stat().st_size
            with path.open("rb", block_size=_BLOCK) as file:
                medium = kept(_pieces(file), self._most)
        except (UnreadableError, StoppedError):
            raise
        except StorageError as error:
            self._plan.blobs.give_up(media)
            raise UnreadableError("its storage failed", may_pass=True) from error
        except Exception as error:  # each storage has errors of its own
            raise UnreadableError(type(error).__name__) from error
        if medium.size != size:
            medium.close()
            raise UnreadableError("was changed while it was read", may_pass=True)
        return medium

    def _check(self, item: Item, medium: Medium) -> None:
        assert item.packet.media is not None
        if is_large(item.packet, medium.size, self._plan.limits.upload):
            raise UnreadableError("is too large for one request with its predictions")
        if item.packet.media.type == "video" and not _is_video(medium.head(_HEAD)):
            raise UnreadableError("is not a video that Diffgram can read")
        if item.packet.media.type != "image":
            return
        if not is_image(medium.head(_HEAD)):
            raise UnreadableError("is not an image that Diffgram can show")
        problem = too_large(item.name, medium.view())
        if problem is not None:
            raise RefusedError(problem)


def _is_video(head: bytes) -> bool:
    """Return whether bytes begin like an MP4, QuickTime or AVI container."""
    return head[4:8] in _ATOMS or (head[:4], head[8:12]) == (b"RIFF", b"AVI ")


def _pieces(file: BinaryIO | Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
