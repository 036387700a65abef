"""A server of media on a free port."""

from __future__ import annotations

import io
import mimetypes
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from PIL import Image

NOT_FOUND = """<!DOCTYPE HTML>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <title>Error response</title>
    </head>
    <body>
        <h1>Error response</h1>
        <p>Error code: 404</p>
        <p>Message: File not found.</p>
        <p>Error code explanation: 404 - Nothing matches the given URI.</p>
    </body>
</html>
"""


def picture(width: int = 64, height: int = 64, kind: str = "PNG") -> bytes:
    """Return an image."""
    target = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(target, kind)
    return target.getvalue()


CLIP = (Path(__file__).parent / "media" / "clip.mp4").read_bytes()
"""A film of 64 x 64 pixels: 20 frames, 10 a second."""

ONLY_LIKE_A_FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
"""The emulator takes it for a film whose length is not known."""


def _own(host: str) -> str:
    """Return an address if it is one of this machine's, or else the one that stands for all of them."""
    try:
        with socket.create_server((host, 0)):
            return host
    except OSError:
        return ""


class MediaServer:
    """Serves a few pictures, and whatever a test puts into ``files``.

    :param host: address at which the Diffgram reaches this machine; where that is none of this machine's own,
        as behind a translation of addresses, it listens on all of them.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.files: dict[str, bytes] = {
            "/cat.jpg": picture(640, 480, "JPEG"),
            "/small.jpg": picture(320, 240, "JPEG"),
            "/tiny.png": picture(),
            "/cat.v2.jpg": picture(),
            "/a/same.png": picture(),
            "/plain": picture(),
            "/empty.png": b"",
            "/text.png": b"no image at all",
            "/note.txt": b"hello",
            "/clip.mp4": CLIP,
            "/v.mp4": ONLY_LIKE_A_FILM,
            "/garbage.mp4": b"no film at all" * 100,
        }
        self.slow_seconds = 0.3
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/moved.png":
                    self.send_response(302)
                    self.send_header("Location", "/tiny.png")
                    self.end_headers()
                    return
                if path == "/slow.png":
                    time.sleep(server.slow_seconds)
                    path = "/tiny.png"
                found = server.files.get(path)
                content = NOT_FOUND.encode() if found is None else found
                kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Type", "text/html" if found is None else kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer((_own(host), 0), Handler)
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> MediaServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
