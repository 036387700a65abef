"""Reads the number of frames of a video from its container; nothing is decoded.

MP4 and MOV files are trees of boxes: a length, a type, a content. The frames are the samples of the video
track, which ``stsz`` counts. AVI files are trees of chunks, whose headers contain the number. Both count
coded frames, which are never fewer than the shown ones, so a frame beyond that number does not exist.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from ...models import File, Packet, PathMedia
from ...models.problems import first_of
from ..read.paths import PathOpener

_MOST_BYTES = 64 * 2**20
"""Longest table of contents that is read, in bytes."""

_SAMPLES_AT = 8
_AVI_TOTAL_AT = 16
_AVI_LENGTH_AT = 32


def frame_problems(packet: Packet, path_of: PathOpener) -> list[str]:
    """Return which frames of a packet are beyond the end of its local video; empty if the length is unknown.

    The server skips such frames, but makes the tracks that they name (server.md 5.6).
    """
    if not packet.frame_packet_map or not isinstance(packet.media, PathMedia):
        return []
    try:
        with path_of(packet.media.path).open("rb") as file:
            count = count_frames(file)
    except (OSError, ImportError, ValueError):
        return []  # the check of the medium reports why
    return frames_beyond(packet.frame_packet_map, count, packet.media.path)


def frame_problems_of_file(packet: Packet, file: File) -> list[str]:
    """Return which frames of an update are beyond the end of the video in Diffgram.

    The server would store them, without a picture (server.md 5.6).
    """
    count = (file.video or {}).get("frame_count")
    known = count if isinstance(count, int) and count > 0 else None
    return frames_beyond(packet.frame_packet_map or {}, known, f"file {file.id}")


def frames_beyond(frames: Iterable[int], count: int | None, what: str) -> list[str]:
    """Return one line with the frames beyond the end of a video; empty if there are none.

    :param count: number of frames of the video; None if unknown.
    """
    beyond = sorted(frame for frame in frames if count is not None and frame >= count)
    if count is None or not beyond:
        return []
    told = f"frame {first_of(beyond, 5)} beyond the end: {what} has frames 0 to {count - 1}"
    return [f"frame_packet_map: {told}"]


def count_frames(file: BinaryIO | Any) -> int | None:
    """Return the number of frames of an MP4, MOV or AVI file; None if the file does not say.

    :param file: open for reading, and seekable.
    """
    try:
        head = file.read(12)
        file.seek(0)
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return _count_in_avi(file.read(_MOST_BYTES)[12:])
        movie = _movie(file)
        return None if movie is None else _count_in_movie(movie)
    except struct.error:
        return None


def _movie(file: Any) -> bytes | None:
    """Return the content of the box that describes all tracks; None if it is missing or too long."""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        begun = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            begun = 16
        if kind == b"moov" and length - begun <= _MOST_BYTES:
            content: bytes = file.read(length - begun)
            return content
        if length < begun:  # 0 means up to the end of the file
            return None
        file.seek(length - begun, 1)
    return None


def _count_in_movie(movie: bytes) -> int | None:
    boxes = list(_boxes(movie))
    if any(kind == b"mvex" for kind, _ in boxes):
        return None  # the rest is in fragments
    counts = [_samples(track) for kind, track in boxes if kind == b"trak" and _handler(track) == b"vide"]
    return max(counts, default=0) or None


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if length < 8:
            return
        yield kind, content[at + 8 : at + length]
        at += length


def _inside(content: bytes, *path: bytes) -> bytes:
    """Return the content of the first box at the end of a path of types; empty if there is none."""
    for step in path:
        content = next((inner for kind, inner in _boxes(content) if kind == step), b"")
    return content


def _handler(track: bytes) -> bytes:
    return _inside(track, b"mdia", b"hdlr")[8:12]


def _samples(track: bytes) -> int:
    table = _inside(track, b"mdia", b"minf", b"stbl")
    sizes = _inside(table, b"stsz") or _inside(table, b"stz2")
    return int(struct.unpack_from(">I", sizes, _SAMPLES_AT)[0]) if sizes else 0


def _count_in_avi(content: bytes) -> int | None:
    counts = [0]
    for kind, header in _chunks(content, b"hdrl"):
        if kind == b"avih":
            counts.append(struct.unpack_from("<I", header, _AVI_TOTAL_AT)[0])
        if kind == b"LIST" and header[:4] == b"strl":
            counts += [
                struct.unpack_from("<I", stream, _AVI_LENGTH_AT)[0]
                for name, stream in _chunks_of(header[4:])
                if name == b"strh" and stream[:4] == b"vids"
            ]
    return max(counts) or None


def _chunks(content: bytes, name: bytes) -> Iterator[tuple[bytes, bytes]]:
    for kind, inner in _chunks_of(content):
        if kind == b"LIST" and inner[:4] == name:
            yield from _chunks_of(inner[4:])


def _chunks_of(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        yield kind, content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
