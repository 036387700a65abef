"""A server of media on a free port."""

from __future__ import annotations

import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64


class MediaServer:
    """Serves a few pictures, and whatever a test puts into ``files``."""

    def __init__(self) -> None:
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
            "/v.mp4": MP4,
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
                content = server.files.get(path)
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(NOT_FOUND.encode() if content is None else content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> MediaServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
