"""Bytes of media: fetching, recognising and keeping them."""

from __future__ import annotations

import io
import re
import traceback
from typing import TYPE_CHECKING, Any

from .signing import BUCKET
from .store import Store, insert, update
from .times import now_iso

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

LONGEST_SIDE = 7680
SQUEEZED = (".bmp", ".tif", ".tiff")


class NoMedium(Exception):
    """A medium could not be had; ``values`` are the columns of the failed Input (server.md 3.3)."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values.get("status_text"))
        self.values = values


def download(url: str, timeout: float) -> bytes:
    """Return the bytes at a URL, following redirects.

    :raises NoMedium: if nothing answers, or something other than 200.
    """
    import requests

    try:
        response = requests.get(url, timeout=timeout)
        content = response.content
    except requests.RequestException as error:
        raise NoMedium(_unreachable(error)) from error
    if response.status_code != 200:
        text = (
            f"Exceeded retry limit, no valid response ({response.status_code}) from {url} "
            f"Response: {response.text}"
        )
        log = {"error": {"status_text": text}, "info": {}, "success": False}
        raise NoMedium({"status_text": text, "update_log": log})
    return content


def _unreachable(error: Exception) -> dict[str, Any]:
    """Return what the server writes: the error of the download, and the one it causes further on."""
    reason = "expected str, bytes or os.PathLike object, not NoneType"
    log = {
        "download_media": str(error),
        "error": {
            "process_one_image": reason,
            "trace": f"Traceback (most recent call last):\n  ...\nTypeError: {reason}\n",
        },
        "info": {},
        "success": False,
        "trace": traceback.format_exc(),
    }
    return {"status_text": "Error downloading media.", "update_log": log}


def image_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of an image, or None for anything that cannot be decoded."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return width, height


def noted_size(width: int, height: int) -> tuple[int, int]:
    """Return the size that the server notes of an image.

    One above 7680 pixels is scaled, and then width and height are swapped (server.md 10.1, quirk 45).
    """
    scale = LONGEST_SIDE / max(width, height)
    if scale >= 1.0:
        return width, height
    return max(1, round(height * scale)), max(1, round(width * scale))


def stored_image(content: bytes, extension: str | None, size: tuple[int, int]) -> bytes:
    """Return an image as the server stores it: as it was sent, but for a large BMP or TIFF.

    That one is squeezed into the size noted (server.md 10.1).
    """
    if extension not in SQUEEZED:
        return content
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        if image.size == size:
            return content
        target = io.BytesIO()
        image.resize(size).save(target, image.format)
    return target.getvalue()


def is_video(content: bytes) -> bool:
    """Tell whether bytes begin as an MP4, MOV or AVI file does; nothing is decoded."""
    return content[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip") or (
        content[:4] == b"RIFF" and content[8:11] == b"AVI"
    )


def keep(
    store: Store,
    connection: sqlite3.Connection,
    kind: str,
    project_id: int,
    name: str | None,
    content: bytes,
    **values: Any,
) -> int:
    """Store a medium's bytes and return its id."""
    media_id = insert(
        connection, "media", kind=kind, original_filename=name, created_time=now_iso(), **values
    )
    folder = "text" if kind == "text" else f"{kind}s"
    blob_path = f"projects/{folder}/{project_id}/{media_id}"
    target = store.media / blob_path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    update(connection, "media", media_id, bucket=BUCKET, blob_path=blob_path)
    return media_id


_FRAME = re.compile(r"(projects/videos/\d+/(\d+))/(\d+)")


def frame_path(video: sqlite3.Row, number: int) -> str:
    """Return the blob path of one frame's picture."""
    return f"{video['blob_path']}/{number}"


def frame_picture(store: Store, blob_path: str) -> bytes | None:
    """Return a grey picture of a video's size in place of a frame, or None beyond the last one.

    Frames are not decoded. Of a video whose length is not known, those that hold instances are there.
    """
    from PIL import Image

    match = _FRAME.fullmatch(blob_path)
    video = store.one("SELECT * FROM media WHERE id = ? AND kind = 'video'", match[2]) if match else None
    if match is None or video is None or video["blob_path"] != match[1]:
        return None
    number = int(match[3])
    if video["frame_count"] is not None:
        is_there = number < video["frame_count"]
    else:
        is_there = bool(
            store.one(
                "SELECT 1 FROM file JOIN file AS frame ON frame.video_parent_file_id = file.id"
                " WHERE file.media_id = ? AND file.type = 'video' AND frame.frame_number = ?",
                video["id"],
                number,
            )
        )
    if not is_there:
        return None
    target = io.BytesIO()
    Image.new("RGB", (video["width"] or 64, video["height"] or 64), "grey").save(target, "PNG")
    return target.getvalue()


def blob(store: Store, bucket: str, blob_path: str) -> Path | None:
    """Return the file behind a blob, or None.

    Objects of a connection's bucket are whatever lies in ``buckets/<bucket>/`` of the data folder.
    """
    if bucket in ("", ".", "..") or "/" in bucket:
        return None
    root = store.media if bucket == BUCKET else store.folder / "buckets" / bucket
    name = blob_path.removesuffix("_thumb") if bucket == BUCKET else blob_path
    found = (root / name).resolve()
    if not found.is_relative_to(root.resolve()) or not found.is_file():
        return None
    return found
