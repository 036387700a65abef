"""The size of pictures as people see them. Needs Pillow."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from airflow_provider_diffgram.drawing.pictures import size_seen
from airflow_provider_diffgram.models import InvalidValueError

_log = logging.getLogger(__name__)


class SeenSize(NamedTuple):
    """Width and height of a picture, in pixels, as viewers and models show it.

    :param turned: whether EXIF turns it by a quarter, so that width and height are swapped in the file.
    """

    width: int
    height: int
    turned: bool


def measure(picture: Path) -> SeenSize:
    """Return the size of a picture as people see it.

    :raises InvalidValueError: if it is not a picture that Pillow can read.
    """
    from PIL import Image

    try:
        with Image.open(picture) as image:
            return SeenSize(*size_seen(image))
    except Exception as error:  # noqa: BLE001  (what a decoder raises for bytes of any kind is not bounded)
        raise InvalidValueError(str(picture), [f"is not a picture that Pillow can read: {error}"]) from None


def seen_size(path: str) -> SeenSize | None:
    """Return the size of a local picture. Return None if it is elsewhere, or Pillow is missing.

    :raises InvalidValueError: if it is not a picture that Pillow can read.
    """
    picture = Path(path)
    if "://" in path or not picture.is_file():
        return None
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        _log.info("sizes are not compared with those of the pictures: Pillow is not installed")
        return None
    return measure(picture)
