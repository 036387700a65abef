"""What decides ``original_filename`` and the kind of a medium (server.md 3.6)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

IMAGE = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
VIDEO = (".mp4", ".mov", ".avi", ".m4v", ".quicktime")
AUDIO = (".mp3", ".m4a", ".wav", ".flac")
_KINDS = {
    **dict.fromkeys(IMAGE, "image"),
    **dict.fromkeys(VIDEO, "video"),
    **dict.fromkeys(AUDIO, "audio"),
    ".txt": "text",
    ".csv": "csv",
    ".json": "json",
}


def sanitized(name: str) -> str:
    """Return an uploaded file's name as the server keeps it: ``my dir/ä b.PNG`` is ``my_dir_a_b.PNG``."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = "_".join(text.replace("/", " ").replace("\\", " ").split())
    return re.sub(r"[^A-Za-z0-9._-]", "", text).strip("._")


def extension(name: str | None) -> str | None:
    """Return the text from the last dot on, in lower case; None without a dot."""
    if not name or "." not in name:
        return None
    return "." + name.rpartition(".")[2].lower()


def kind_of(name: str | None) -> str | None:
    """Return the media type an extension decides; None for an unknown one."""
    return _KINDS.get(extension(name) or "")


def name_from_url(url: str) -> str | None:
    """Return the name derived from a URL, or None if its path has no dot.

    The server keeps the text before the first dot and the text up to the second (quirk 36):
    ``cat.v2.jpg`` becomes ``cat.v2``.
    """
    last = urlsplit(url).path.rpartition("/")[2]
    if "." not in last:
        return None
    stem, suffix = last.split(".")[:2]
    return f"{sanitized(stem)}.{suffix}"
