"""What an object begins with tells whether Diffgram shows it (server.md 3.6)."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from airflow_provider_diffgram.ingest.check.blobs import _HEAD, is_image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP"])
def test_images_that_diffgram_shows_are_known_by_their_head(kind: str):
    picture = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(picture, kind)
    assert is_image(picture.getvalue()[:_HEAD])


@pytest.mark.parametrize("head", [b"", b"GIF89a", b"%PDF-1.7", b"RIFF\x00\x00\x00\x00WAVE", b"<html>"])
def test_other_objects_are_told(head: bytes):
    assert not is_image(head)
