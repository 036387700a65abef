"""The stored media under ``/storage``, and small pictures of them."""

from __future__ import annotations

import mimetypes
import os
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from ..call import Emulator
from ..media import blob, frame_picture
from ..signing import BUCKET, is_valid
from ..store import Store

HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_SMALL = 480
"""Longest side of a thumbnail, in pixels."""
_LEAST = 60_000
"""Bytes of a picture that is worth a smaller one."""


def stored(emulator: Emulator, request: Request) -> Response:
    """Serve a blob to whoever has a valid signature: 403 without one, 404 for an object that is not there.

    In the server's own bucket a missing object is 403 too: names may not be listed (server.md 2.16, 5.6).
    """
    bucket, path = request.path_params["bucket"], request.path_params["path"]
    query = request.query_params
    if not is_valid(
        emulator.store.signing_key, bucket, path, query.get("expires", ""), query.get("signature", "")
    ):
        return PlainTextResponse("SignatureDoesNotMatch", 403)
    found = blob(emulator.store, bucket, path)
    if found is None and bucket == BUCKET:
        picture = frame_picture(emulator.store, path)
        if picture is None:
            return PlainTextResponse("AccessDenied", 403)
        return Response(picture, media_type="image/png", headers=HEADERS)
    if found is None:
        return PlainTextResponse("NoSuchKey", 404)
    media_type = _media_type(emulator.store, path)
    if bucket == BUCKET and path.endswith("_thumb") and media_type.startswith("image/"):
        small = _small(emulator.store, found)
        if small is not None:
            return FileResponse(small, media_type="image/jpeg", headers=HEADERS)
    return FileResponse(found, media_type=media_type, headers=HEADERS)


def _small(store: Store, picture: Path) -> Path | None:
    """Return a small JPEG of a picture, made once, or None if it is small itself or cannot be read."""
    if picture.stat().st_size < _LEAST:
        return None
    target = store.folder / "thumbs" / f"{picture.relative_to(store.media)}.jpg"
    if target.is_file():
        return target
    from PIL import Image

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Image.open(picture) as image:
            image.draft("RGB", (_SMALL, _SMALL))
            image.thumbnail((_SMALL, _SMALL))
            handle, name = tempfile.mkstemp(dir=target.parent)
            with os.fdopen(handle, "wb") as file:
                image.convert("RGB").save(file, "JPEG", quality=85)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    Path(name).replace(target)
    return target


def _media_type(store: Store, path: str) -> str:
    """Return the content type of a blob, by the name of its medium; never one a browser would run."""
    row = store.one("SELECT original_filename FROM media WHERE blob_path = ?", path.removesuffix("_thumb"))
    name = row["original_filename"] if row is not None else path
    guess = mimetypes.guess_type(name or "")[0] or ""
    safe = guess.startswith(("image/", "video/", "audio/")) and guess != "image/svg+xml"
    return guess if safe or guess == "text/plain" else "application/octet-stream"
