"""The demo's media: photographs and scans that scikit-image ships in its wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

DOCUMENT = "scanned-document"


@dataclass(frozen=True)
class Photo:
    """A photograph of the demo, and what a person sees in it.

    :param source: name of the file in ``skimage/data``.
    :param faces: around each human face, marked by hand: x_min, y_min, x_max, y_max in pixels.
    :param remark: what makes it easy or hard.
    """

    source: str
    faces: tuple[tuple[int, int, int, int], ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Scan:
    """A page of the demo's document, and how many lines of writing a person counts on it."""

    source: str
    lines: int
    remark: str


PHOTOS = (
    Photo("astronaut.png", ((172, 70, 272, 178),), "one face, from the front"),
    Photo("camera.png", ((190, 118, 257, 200),), "one face, in profile: the model learned frontal faces"),
    Photo("chelsea.png", (), "a cat"),
    Photo("coffee.png"),
    Photo("coins.png", (), "engraved heads, not counted as faces"),
    Photo("moon.png"),
    Photo("motorcycle_left.png"),
    Photo("rocket.jpg"),
)
"""The marks are for the report only. The models never see them."""

SCANS = (
    Scan("page.png", 8, "printed; the last line is cut off"),
    Scan("text.png", 4, "handwritten formulas between slanted rules"),
)


def photo_name(photo: Photo) -> str:
    """Return the name that the DAG gives a photograph in Diffgram."""
    return f"photo-{photo.source}"


@dataclass(frozen=True)
class Media:
    """Where the prepared media are."""

    photos: Path
    document: Path


def skimage_data() -> Path:
    """Return the folder of the images inside the installed scikit-image; nothing is downloaded."""
    import skimage

    return Path(skimage.__file__).parent / "data"


def prepare(folder: Path) -> Media:
    """Copy the photographs, and bind the scans into one TIFF. Equal calls give equal bytes.

    :param folder: gets ``photos/`` and the document.
    """
    photos, document = folder / "photos", folder / f"{DOCUMENT}.tif"
    photos.mkdir(parents=True, exist_ok=True)
    for photo in PHOTOS:
        (photos / photo.source).write_bytes((skimage_data() / photo.source).read_bytes())
    pages = [Image.open(skimage_data() / scan.source).convert("L") for scan in SCANS]
    pages[0].save(document, save_all=True, append_images=pages[1:], compression="tiff_deflate")
    return Media(photos, document)
