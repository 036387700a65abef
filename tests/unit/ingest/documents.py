"""Documents of a few pages, each page of a colour and size of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

COLOURS = ("red", "lime", "blue", "yellow", "cyan")


def page(number: int, mode: str = "RGB") -> Image.Image:
    """Return the picture of a page: 40 + number pixels wide, with a bar as long as its number."""
    picture = Image.new("RGB", (40 + number, 30), COLOURS[number % len(COLOURS)])
    ImageDraw.Draw(picture).rectangle((2, 2, 3 + 2 * number, 5), "black")
    return picture.convert(mode)


def make_tiff(path: Path, pages: int, mode: str = "RGB", **more: Any) -> Path:
    """Write a TIFF of several pages."""
    first, *rest = [page(number, mode) for number in range(pages)]
    first.save(path, "TIFF", save_all=True, append_images=rest, **more)
    return path


def make_pdf(path: Path, pages: int, resolution: float = 72.0) -> Path:
    """Write a PDF of several pages, a pixel of which is a point where the resolution is 72."""
    first, *rest = [page(number) for number in range(pages)]
    first.save(path, "PDF", save_all=True, append_images=rest, resolution=resolution, quality=95)
    return path
