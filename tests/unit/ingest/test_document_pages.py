"""Pages of a TIFF and a PDF, rendered one at a time."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from upath import UPath

from airflow_provider_diffgram.ingest.read import pages
from airflow_provider_diffgram.ingest.read.pages import Documents, pages_of
from airflow_provider_diffgram.models import PageMedia
from tests.unit.ingest.documents import make_pdf, make_tiff, page


@pytest.fixture
def documents() -> Iterator[Documents]:
    with Documents() as opened:
        yield opened


def uploaded(documents: Documents, media: PageMedia, read: list[int] | None = None) -> Image.Image:
    counts: list[int] = [] if read is None else read
    upload = documents.upload(media, "page.png", counts.append)
    with upload.open() as source:
        content = source.read()
    assert upload.size == len(content) == sum(counts)
    return Image.open(io.BytesIO(content), formats=["PNG"])


def same(one: Image.Image, other: Image.Image) -> bool:
    return (
        one.size == other.size
        and ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None
    )


def test_each_page_of_a_tiff_is_its_own_pixels(documents: Documents, tmp_path: Path):
    path = str(make_tiff(tmp_path / "scan.tif", 4, compression="tiff_lzw"))
    assert documents.count(path) == 4
    for number in (2, 0, 3, 1):
        assert same(uploaded(documents, PageMedia(path=path, page=number)), page(number))


@pytest.mark.parametrize(
    "mode, kind", [("1", "L"), ("L", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("RGBA", "RGB")]
)
def test_pixels_of_any_kind_become_grey_or_colour(documents: Documents, tmp_path: Path, mode: str, kind: str):
    path = str(make_tiff(tmp_path / "scan.tiff", 2, mode))
    assert uploaded(documents, PageMedia(path=path, page=1)).mode == kind


def test_grey_of_16_bits_keeps_its_shades(documents: Documents, tmp_path: Path):
    picture = Image.new("I;16", (4, 1))
    for x, shade in enumerate((0, 256, 32768, 65535)):
        picture.putpixel((x, 0), shade)
    picture.save(tmp_path / "deep.tif")
    shown = uploaded(documents, PageMedia(path=str(tmp_path / "deep.tif"), page=0))
    assert [shown.getpixel((x, 0)) for x in range(4)] == [0, 1, 128, 255]


@pytest.mark.parametrize("dpi, scale", [(72, 1), (144, 2)])
def test_a_page_of_a_pdf_has_the_resolution_asked_for(
    documents: Documents, tmp_path: Path, dpi: int, scale: int
):
    path = str(make_pdf(tmp_path / "scan.pdf", 3))
    shown = uploaded(documents, PageMedia(path=path, page=2, dpi=dpi))
    assert shown.size == (42 * scale, 30 * scale)
    red, green, blue = shown.getpixel((30 * scale, 20 * scale))
    assert (red < 20, green < 20, blue > 235) == (True, True, True), "page 2 is blue"


def test_a_document_in_object_storage_is_read_as_well(tmp_path: Path):
    for made in (make_tiff(tmp_path / "scan.tif", 2), make_pdf(tmp_path / "scan.pdf", 2)):
        there = UPath(f"memory://scans/{made.name}")
        there.write_bytes(made.read_bytes())
        shown = [image.width for _, image in pages_of(str(there), dpi=72)]
        assert shown == [40, 41]
        there.unlink()


def test_two_documents_by_turns_from_many_threads_are_not_mixed_up(documents: Documents, tmp_path: Path):
    paths = [str(make_tiff(tmp_path / "a.tif", 5)), str(make_pdf(tmp_path / "b.pdf", 5))]

    def width(number: int) -> tuple[int, int]:
        media = PageMedia(path=paths[number % 2], page=number % 5, dpi=72)
        return uploaded(documents, media).width, 40 + number % 5

    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found, expected in pool.map(width, range(60)))


def test_one_page_at_a_time_is_rendered(
    documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = str(make_tiff(tmp_path / "a.tif", 5))
    rendering, most, lock = [0], [0], threading.Lock()
    plain = pages._plain

    def watched(image: Image.Image) -> Image.Image:
        with lock:
            rendering[0] += 1
            most[0] = max(most[0], rendering[0])
        try:
            threading.Event().wait(0.005)
            return plain(image)
        finally:
            with lock:
                rendering[0] -= 1

    monkeypatch.setattr(pages, "_plain", watched)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: uploaded(documents, PageMedia(path=path, page=n % 5)), range(20)))
    assert most[0] == 1


def test_a_rendered_page_leaves_no_file_behind(
    documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = str(make_tiff(tmp_path / "a.tif", 1))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(pages.tempfile, "tempdir", str(temporary))
    upload = documents.upload(PageMedia(path=path, page=0), "page.png", lambda count: None)
    assert len(list(temporary.iterdir())) == 1
    del upload
    assert list(temporary.iterdir()) == []


def test_what_cannot_be_rendered_is_told_with_its_cause(documents: Documents, tmp_path: Path):
    tiff = str(make_tiff(tmp_path / "a.tif", 2))
    pdf = str(make_pdf(tmp_path / "b.pdf", 1))
    for name in ("broken.tif", "broken.pdf"):
        (tmp_path / name).write_bytes(b"neither")
    Image.new("F", (3, 3)).save(tmp_path / "heights.tif")
    cases = {
        (tiff, 2, 150): "it has 2 pages, from 0",
        (pdf, 0, 1200): "",
        (pdf, 1, 150): "it has 1 page, from 0",
        (str(tmp_path / "broken.tif"), 0, 150): "cannot identify",
        (str(tmp_path / "broken.pdf"), 0, 150): "cannot read",
        (str(tmp_path / "nowhere.pdf"), 0, 150): "nowhere.pdf",
        (str(tmp_path / "heights.tif"), 0, 150): "measurements",
    }
    for (path, number, dpi), told in cases.items():
        problems = documents.problems(PageMedia(path=path, page=number, dpi=dpi))
        assert [told in problem for problem in problems] == ([True] if told else []), (path, problems)


def test_a_page_beyond_what_the_server_keeps_needs_a_lower_dpi_quirk_45(documents: Documents, tmp_path: Path):
    path = str(make_pdf(tmp_path / "a.pdf", 1, resolution=4.5))
    assert documents.problems(PageMedia(path=path, page=0, dpi=864)) == []
    (problem,) = documents.problems(PageMedia(path=path, page=0, dpi=1200))
    assert "would be 10667 pixels long" in problem
    assert "lower dpi" in problem


def test_a_page_that_is_gone_when_it_is_rendered_is_an_unreadable_medium(
    documents: Documents, tmp_path: Path
):
    path = str(make_tiff(tmp_path / "a.tif", 1))
    with pytest.raises(OSError, match="it has 1 page"):
        documents.image(PageMedia(path=path, page=4))
