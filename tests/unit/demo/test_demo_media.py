"""The demo's media come out of installed wheels, without a network, and are what they are said to be."""

from __future__ import annotations

import socket

import pytest
from PIL import Image, ImageChops, ImageSequence

from demo.media import PHOTOS, SCANS, photo_name, prepare, skimage_data


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the media must not be downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("no_network")
def test_photographs_are_the_shipped_ones(tmp_path):
    media = prepare(tmp_path)
    assert sorted(path.name for path in media.photos.iterdir()) == sorted(photo.source for photo in PHOTOS)
    for photo in PHOTOS:
        assert (media.photos / photo.source).read_bytes() == (skimage_data() / photo.source).read_bytes()


@pytest.mark.usefixtures("no_network")
def test_the_document_has_the_scans_as_pages_in_order(tmp_path):
    with Image.open(prepare(tmp_path).document) as document:
        pages = [page.convert("L") for page in ImageSequence.Iterator(document)]
    assert len(pages) == len(SCANS) == 2
    for page, scan in zip(pages, SCANS, strict=True):
        with Image.open(skimage_data() / scan.source) as original:
            assert ImageChops.difference(page, original.convert("L")).getbbox() is None


def test_preparing_again_changes_nothing(tmp_path):
    first = {path: path.read_bytes() for path in _files(prepare(tmp_path).photos.parent)}
    assert {path: path.read_bytes() for path in _files(prepare(tmp_path).photos.parent)} == first


def test_marked_faces_lie_in_their_photographs():
    assert sum(len(photo.faces) for photo in PHOTOS) == 2
    for photo in PHOTOS:
        with Image.open(skimage_data() / photo.source) as image:
            for x_min, y_min, x_max, y_max in photo.faces:
                assert 0 <= x_min < x_max <= image.width
                assert 0 <= y_min < y_max <= image.height


def test_names_in_diffgram_are_distinct():
    assert len({photo_name(photo) for photo in PHOTOS}) == len(PHOTOS)


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())
