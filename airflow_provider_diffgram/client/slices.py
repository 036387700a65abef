"""A part of a file as a file of its own, so that a chunk is never whole in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO, cast


class Slice(io.RawIOBase):
    """``length`` bytes of ``source`` from ``offset`` on; closes ``source`` with itself."""

    def __init__(self, source: BinaryIO, offset: int, length: int) -> None:
        self._source = source
        self._left = length
        source.seek(offset)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes."""
        chunk = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._source.close()
        super().close()


def slice_opener(open_whole: Callable[[], BinaryIO], offset: int, length: int) -> Callable[[], BinaryIO]:
    """Return what opens ``length`` bytes from ``offset`` on of what ``open_whole`` opens."""
    return lambda: cast(BinaryIO, Slice(open_whole(), offset, length))
