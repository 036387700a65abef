"""The files that are sent: pictures of 100 kB, and a large one."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

CHILD_SIZE = 100_000
_MEBIBYTE = 1 << 20


def make_children(folder: Path, amount: int) -> list[Path]:
    """Write pictures of 100 kB each and return their paths in order."""
    content = _picture(300).ljust(CHILD_SIZE, b"\0")
    paths = [folder / f"page-{number:04}.png" for number in range(amount)]
    for path in paths:
        path.write_bytes(content)
    return paths


def make_large(path: Path, mib: int) -> Path:
    """Write a picture with so much behind it that the file has ``mib`` MiB; return the path."""
    with path.open("wb") as file:
        file.write(_picture(100).ljust(_MEBIBYTE, b"\0"))
        for _ in range(mib - 1):
            file.write(bytes(_MEBIBYTE))
    return path


def _picture(side: int) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((side, side), 80).save(content, "PNG")
    return content.getvalue()
