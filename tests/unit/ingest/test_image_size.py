"""Images above 7680 pixels are refused by their headers, before anything is sent (quirk 45)."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image, ImageOps
from pydantic import TypeAdapter

from airflow_provider_diffgram.client import StorageError
from airflow_provider_diffgram.ingest.check import image_size
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.models import Box, Instance, PathMedia, Tag

FORMATS = ("jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp")


def picture(folder: Path, extension: str, width: int, height: int, **options: Any) -> PathMedia:
    path = folder / f"{width}x{height}.{extension}"
    Image.new("RGB", (width, height), "red").save(path, **options)
    return PathMedia(path=str(path))


def problems(media: PathMedia) -> list[str]:
    return image_size.size_problems(media, universal_path)[0]


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("size", [(7681, 9), (9, 7681)], ids=["wide", "high"])
def test_one_pixel_too_many_is_refused_in_every_format(tmp_path: Path, extension: str, size: tuple[int, int]):
    (problem,) = problems(picture(tmp_path, extension, *size))
    assert f"{size[0]} x {size[1]} pixels" in problem


@pytest.mark.parametrize("extension", FORMATS)
def test_the_limit_itself_is_not(tmp_path: Path, extension: str):
    assert problems(picture(tmp_path, extension, 7680, 9)) == []


def test_how_the_camera_was_held_changes_nothing(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (problem,) = problems(picture(tmp_path, "jpg", 9000, 900, exif=exif))
    assert "9000 x 900 pixels" in problem


def test_a_jpeg_with_long_profiles_before_its_size_is_read(tmp_path: Path):
    assert problems(picture(tmp_path, "jpg", 7681, 9, icc_profile=bytes(300_000)))


def test_a_tiff_with_its_directory_at_the_end_is_read(tmp_path: Path):
    pixels = bytes(9)
    tags = [(256, 4, 1, 8000), (257, 4, 1, 9), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    path = tmp_path / "late.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 9 + 8) + pixels + directory)
    assert "8000 x 9 pixels" in problems(PathMedia(path=str(path)))[0]


@pytest.mark.parametrize(
    "content",
    [
        b"no picture",
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"BM",
        b"II*\0\xff\xff\xff\xff",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_what_does_not_tell_its_size_is_left_to_the_server(tmp_path: Path, content: bytes):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert problems(PathMedia(path=str(path))) == []
    assert image_size.size_of(io.BytesIO(content)) is None


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.wav"])
def test_what_is_no_image_is_not_read(name: str):
    assert problems(PathMedia(path=f"/nowhere/{name}")) == []


def test_pillow_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    media = picture(tmp_path, "png", 7681, 9)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert problems(media)


def test_of_an_image_in_storage_the_header_alone_is_read(tmp_path: Path):
    content = Path(picture(tmp_path, "bmp", 7681, 90).path).read_bytes()
    MemoryFileSystem.store.clear()
    path = universal_path("memory://images/a.bmp")
    with path.open("wb") as file:
        file.write(content)
    read: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            piece = super().read(size)
            read.append(len(piece))
            return piece

    assert image_size.size_of(Watched(content)) == (7681, 90)
    assert sum(read) < 1000 < len(content)
    assert problems(PathMedia(path="memory://images/a.bmp"))


def test_a_storage_that_fails_in_the_middle_is_not_taken_for_a_broken_image():
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise StorageError("gone for a moment")

    with pytest.raises(StorageError):
        image_size.size_of(Failing(b"x"))


# Predictions that are not on their image


def outside(media: PathMedia, *instances: Any) -> list[str]:
    return image_size.size_problems(media, universal_path, instances)[1]


def box(x_min: int, y_min: int) -> Box:
    return Box(label="cat", x_min=x_min, y_min=y_min, x_max=x_min + 9, y_max=y_min + 9)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("extension", ["jpg", "tif", "png", "webp"])
def test_what_is_on_an_image_as_pillow_turns_it_is_on_it(tmp_path: Path, extension: str, orientation: int):
    exif = Image.Exif()
    exif[0x0112] = orientation
    media = picture(tmp_path, extension, 40, 20, exif=exif)
    with Image.open(media.path) as stored:
        width, height = ImageOps.exif_transpose(stored).size
    assert outside(media, box(width - 1, height - 1)) == []
    assert len(outside(media, box(40, 40))) == 1


@pytest.mark.parametrize("extension", FORMATS)
def test_a_prediction_of_which_no_part_is_on_the_image_is_named(tmp_path: Path, extension: str):
    media = picture(tmp_path, extension, 40, 20)
    assert outside(media, box(0, 0), box(39, 19)) == []
    assert outside(media, box(0, 0), box(40, 21), box(41, 40)) == [
        "instance_list.1 (box 'cat'): is at 40, 21, 49, 30, outside its image of 40 x 20 pixels, as "
        "are 1 other: are its coordinates of another size?"
    ]


@pytest.mark.parametrize(
    "inside, beyond",
    [
        (
            {"type": "point", "points": [{"x": 40, "y": 20}]},
            {"type": "point", "points": [{"x": 40.1, "y": 21}]},
        ),
        (
            {"type": "polygon", "points": [{"x": 39, "y": 1}, {"x": 60, "y": 1}, {"x": 60, "y": 9}]},
            {"type": "polygon", "points": [{"x": 41, "y": 21}, {"x": 60, "y": 21}, {"x": 60, "y": 29}]},
        ),
        (
            {"type": "keypoints", "nodes": [{"id": 1, "x": 1, "y": 2}, {"id": 2, "x": 99, "y": 99}]},
            {"type": "keypoints", "nodes": [{"id": 1, "x": 41, "y": 22}]},
        ),
    ],
)
def test_shapes_of_points_too(tmp_path: Path, inside: Any, beyond: Any):
    media = picture(tmp_path, "png", 40, 20)
    read = TypeAdapter(Instance).validate_python
    assert outside(media, read({"label": "a", **inside}), Tag(label="a")) == []
    assert len(outside(media, read({"label": "a", **beyond}))) == 1


def test_an_image_is_compared_as_people_see_it(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    media = picture(tmp_path, "jpg", 40, 20, exif=exif)  # seen 20 wide and 40 high
    assert outside(media, box(2, 30)) == []
    assert "outside its image of 20 x 40 pixels" in outside(media, box(30, 2))[0]


def test_of_an_image_whose_header_is_silent_nothing_is_told(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert outside(PathMedia(path=str(tmp_path / "a.png")), box(9999, 9999)) == []
