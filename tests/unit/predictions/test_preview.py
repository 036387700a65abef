"""The preview: what will be sent is seen over the pictures, right or wrong."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_diffgram.predictions import (
    Options,
    RawImage,
    RawPrediction,
    packets_of,
    preview,
)


def pictured(folder: Path, name: str, orientation: int = 1) -> str:
    """Save a picture with a white square from 40 to 60, of black, 200 x 100 as it lies in the file."""
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[40:60, 40:60] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(folder / name, exif=exif, quality=95)
    return str(folder / name)


def packets(path: str, size: tuple[int, int], *predictions: RawPrediction, **options: Any):
    return packets_of(
        [RawImage(path, *size, list(predictions))],
        media=lambda image: {"path": image.name},
        options=Options(**options),
    )


def square_of(page: str) -> tuple[float, float, float, float]:
    """Where the white square of the picture on the page is."""
    data = re.search(r'<image href="data:image/jpeg;base64,([^"]+)" width="([^"]+)"', page)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("L"))
    scale = float(data[2]) / shown.shape[1]
    rows, columns = np.nonzero(shown > 127)
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return tuple(float(each) * scale for each in edges)  # type: ignore[return-value]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_predictions_lie_on_what_they_found_however_the_camera_was_held(
    tmp_path: Path, name: str, orientation: int
):
    path = pictured(tmp_path, name, orientation)
    from PIL import ImageOps

    seen = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("L"))
    rows, columns = np.nonzero(seen > 127)
    edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    found = RawPrediction("square", 0.9, box=tuple(map(float, edges)))
    page = preview(packets(path, seen.shape[::-1], found), tmp_path / "out").read_text()
    rect = re.search(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/>', page)
    x, y, width, height = map(int, rect.groups())
    assert square_of(page) == pytest.approx((x, y, x + width, y + height), abs=2)


def test_the_page_is_one_file_with_counts(tmp_path: Path):
    path = pictured(tmp_path, "a.jpg")
    found = [RawPrediction("cat", 0.9, box=(40, 40, 60, 60)), RawPrediction("cat", 0.1, box=(1, 1, 5, 5))]
    stream = packets(path, (200, 100), *found, min_score=0.5)
    page = preview(stream, tmp_path / "new" / "out")
    assert page == tmp_path / "new" / "out" / "index.html"
    text = page.read_text()
    assert "1 packet, 0 of them invalid, 1 instance" in text
    assert "1 instance from 2 predictions (1 below min_score)" in text
    assert "cat 0.90" in text
    assert "http" not in text.replace("http-equiv", "")


def test_what_is_wrong_is_drawn_with_its_reason(tmp_path: Path):
    path = pictured(tmp_path, "a.jpg")
    wrong = {"type": "box", "label": "cat", "x_min": 60, "y_min": 40, "x_max": 40, "y_max": 60}
    text = preview([{"media": {"path": path}, "instance_list": [wrong]}], tmp_path).read_text()
    assert '<g class="wrong"' in text
    assert "<image " in text
    assert "instance_list.0" in text
    assert 'class="fails"' in text


def test_a_conversion_that_is_refused_is_told_on_the_page(tmp_path: Path):
    path = pictured(tmp_path, "a.jpg")
    outside = RawPrediction("cat", box=(300, 40, 400, 60))
    text = preview(packets(path, (200, 100), outside), tmp_path).read_text()
    assert "1 of 1 predictions are wrong (100%)" in text
    assert 'class="fails"' in text


def test_no_more_than_is_asked_for_is_read(tmp_path: Path):
    path = pictured(tmp_path, "a.jpg")

    def endless():
        while True:
            yield {"media": {"path": path}, "instance_list": []}

    assert preview(endless(), tmp_path, most=3).read_text().count("<figure>") == 3


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            {},
            {"media": None},
            {"media": {"path": "/no/such.jpg"}},
            {"media": {"url": "http://a/b.jpg"}},
        ),
        {"media": {"path": "/no/<script>.jpg"}, "instance_list": [{"type": "<script>", "label": "<script>"}]},
        {"media": {"text_data": "a"}, "instance_list": [{"type": "tag", "label": "cat"}]},
        {"media": {"path": "/no/a.mp4"}, "frame_packet_map": {0: [{"type": "tag", "label": "cat"}]}},
    ],
    ids=repr,
)
def test_whatever_there_is_the_page_is_written(tmp_path: Path, value: Any):
    text = preview([value], tmp_path).read_text()
    assert text.count("<figure>") == 1
    assert "<script" not in text
