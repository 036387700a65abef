"""What an MP4 or MOV file says about itself, without decoding: frames, size, rate (server.md 5.6).

The file is a tree of boxes: four bytes of length, four of type, then what the type holds. The frames are the
samples of the video track, which ``stsz`` counts. A fragmented file does not say how many it has.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_FRAMES = 36000
"""Frames beyond are not taken."""

_SIZE_FROM_END = 8
_SAMPLES_AT = 8
_PLACES_OF_TIME = {0: (12, ">II"), 1: (20, ">IQ")}


@dataclass(frozen=True)
class VideoFacts:
    """The video track of a file.

    :param frame_rate: frames per second, not rounded; None without a duration.
    """

    frame_count: int
    width: int
    height: int
    frame_rate: float | None


def video_facts(content: bytes) -> VideoFacts | None:
    """Return the facts of the first video track, or None for bytes that hold none."""
    try:
        for track in _children(content, "moov", "trak"):
            if _handler(track) == b"vide":
                return _facts(track)
    except (struct.error, StopIteration):
        return None
    return None


def _boxes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield type and content of each box; a damaged length ends the list."""
    at = 0
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        begin = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", content, at + 8)
            begin = 16
        elif length == 0:
            length = len(content) - at
        if length < begin:
            return
        yield kind.decode("latin-1"), content[at + begin : at + length]
        at += length


def _children(content: bytes, *path: str) -> Iterator[bytes]:
    """Yield the content of every box at the end of a path of types."""
    for kind, inner in _boxes(content):
        if kind == path[0]:
            if len(path) == 1:
                yield inner
            else:
                yield from _children(inner, *path[1:])


def _handler(track: bytes) -> bytes:
    return next(_children(track, "mdia", "hdlr"))[8:12]


def _sample_count(table: bytes) -> int:
    """Return how many samples a track has; none if they are in fragments after it."""
    counts = [inner for kind, inner in _boxes(table) if kind in ("stsz", "stz2")]
    (count,) = struct.unpack_from(">I", counts[0], _SAMPLES_AT) if counts else (0,)
    return int(count)


def _facts(track: bytes) -> VideoFacts | None:
    header = next(_children(track, "tkhd"))
    width, height = struct.unpack_from(">II", header, len(header) - _SIZE_FROM_END)
    frames = _sample_count(next(_children(track, "mdia", "minf", "stbl")))
    if frames == 0:
        return None
    return VideoFacts(min(frames, MOST_FRAMES), width >> 16, height >> 16, _rate(track, frames))


def _rate(track: bytes, frames: int) -> float | None:
    header = next(_children(track, "mdia", "mdhd"))
    at, form = _PLACES_OF_TIME[1 if header[0] == 1 else 0]
    scale, duration = struct.unpack_from(form, header, at)
    return frames * scale / duration if duration else None
