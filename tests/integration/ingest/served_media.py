"""Media over HTTP, for the server under test to fetch."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(64)


def png(colour: str = "red", size: tuple[int, int] = (640, 480)) -> bytes:
    """Return a picture of one colour."""
    picture = io.BytesIO()
    Image.new("RGB", size, colour).save(picture, "PNG")
    return picture.getvalue()


class Media:
    """The address of the media, and a gate that keeps those under ``/wait/`` back."""

    def __init__(self, url: str) -> None:
        self.base = url
        self.gate = threading.Event()
        self.content: dict[str, bytes] = {}

    def url(self, path: str) -> str:
        """Return the URL of a medium: a picture, a video by its extension.

        There is nothing under ``gone``; what is under ``theirs`` only Diffgram may read; under ``cut`` the
        connection breaks in the middle.
        """
        return f"{self.base}/{path}"


def _handler(media: Media) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/wait/"):
                media.gate.wait(20)
            content = media.content.get(path) or (VIDEO if path.endswith(".mp4") else png())
            if path.startswith("/broken/"):
                content = b"this is no picture"
            is_shut = path.startswith("/theirs/") and "airflow" in self.headers["User-Agent"]
            if path.startswith("/gone/") or is_shut:
                content = b"<html>gone</html>"
            self.send_response(404 if path.startswith("/gone/") else 403 if is_shut else 200)
            is_cut = path.startswith("/cut/")
            self.send_header("Content-Length", str(len(content) * (2 if is_cut else 1)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[Media]:
    """Serve media on a free port."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    media = Media(f"http://127.0.0.1:{http.server_port}")
    http.RequestHandlerClass = _handler(media)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield media
    finally:
        media.gate.set()
        http.shutdown()
        http.server_close()
        thread.join()
