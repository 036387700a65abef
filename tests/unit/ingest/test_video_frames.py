"""The frames of videos as real encoders write them, told by the container alone (server.md 5.6)."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from airflow_provider_diffgram.ingest.check.video_length import (
    count_frames,
    frame_problems_of_file,
    frames_beyond,
)
from airflow_provider_diffgram.models import File, Packet

CLIP = Path(__file__).parents[2] / "contract" / "media" / "clip.mp4"


def video(path: Path, codec: str, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (64, 48))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((48, 64, 3), number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("name, codec", [("a.mp4", "mp4v"), ("a.mov", "mp4v"), ("a.avi", "MJPG")])
@pytest.mark.parametrize("frames", [1, 2, 37])
def test_the_container_tells_what_a_decoder_counts(tmp_path: Path, name: str, codec: str, frames: int):
    path = video(tmp_path / name, codec, frames)
    with path.open("rb") as file:
        assert count_frames(file) == frames
    capture = cv2.VideoCapture(str(path))
    decoded = 0
    while capture.read()[0]:
        decoded += 1
    assert decoded == frames


def test_a_file_cut_off_anywhere_tells_nothing_or_the_same():
    content = CLIP.read_bytes()
    whole = count_frames(io.BytesIO(content))
    assert whole == 20
    ends = {*range(0, len(content), max(1, len(content) // 300)), *range(100)}
    told = {count_frames(io.BytesIO(content[:end])) for end in ends}
    assert told <= {None, whole}


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def movie(*more: bytes) -> bytes:
    sizes = box(b"stsz", bytes(4), struct.pack(">II", 0, 7))
    media = box(b"mdia", box(b"hdlr", bytes(8), b"vide"), box(b"minf", box(b"stbl", sizes)))
    return box(b"moov", box(b"trak", media), *more)


def test_a_table_after_64_bit_lengths_is_found():
    wide = struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8)
    assert count_frames(io.BytesIO(box(b"ftyp", b"isom") + wide + movie())) == 7


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"no video at all, but long enough",
        b"\x00\x00\x00\x18ftypmp42" + bytes(64),
        struct.pack(">I4s", 8, b"free") * 3,
        movie(box(b"mvex")),
        box(b"moov", box(b"trak")),
    ],
    ids=["empty", "cut", "no chunks", "text", "no movie", "free", "fragments", "no track"],
)
def test_what_does_not_tell_is_unknown(content: bytes):
    assert count_frames(io.BytesIO(content)) is None


def test_frames_beyond_the_end_are_named():
    assert frames_beyond([0, 19], 20, "v.mp4") == []
    assert frames_beyond([10**6], None, "v.mp4") == []
    (problem,) = frames_beyond([19, 20, 25], 20, "v.mp4")
    assert "frame 20, 25 beyond the end: v.mp4 has frames 0 to 19" in problem
    (problem,) = frames_beyond(range(100), 20, "v.mp4")
    assert "24 and 75 more" in problem


@pytest.mark.parametrize("count, fine", [(6, True), (5, False), (0, True), (None, True), ("x", True)])
def test_an_update_is_compared_with_the_video_in_diffgram(count: object, fine: bool):
    instance = {"type": "tag", "label": "cat"}
    packet = Packet(file_id=3, mode="update", frame_packet_map={5: [instance]})
    file = File.model_validate({"id": 3, "type": "video", "video": {"frame_count": count}})
    assert (frame_problems_of_file(packet, file) == []) == fine
