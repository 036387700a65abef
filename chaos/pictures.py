"""Media over HTTP, and on disk, for Diffgram to take."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from PIL import Image


def picture(shade: int = 87) -> bytes:
    """Return a small PNG."""
    content = io.BytesIO()
    Image.new("RGB", (320, 240), (46, 139, shade % 256)).save(content, "PNG")
    return content.getvalue()


DIFFGRAM = "python-requests"
"""What the emulator calls itself where it fetches media."""
VIDEO = b"\0\0\0\x18ftypmp42" + bytes(64)
"""What the emulator takes for a video; of such a one any frame is taken to exist."""


class Pictures:
    """Serves one picture under every path, a video where it ends in ``.mp4``.

    Either comes after ``N`` seconds where the path begins with ``/slow/N/``.

    Nothing is found under ``/gone/``, and under ``/inside/`` only by Diffgram. What begins with ``/cut/N/``
    is cut off half way the first ``N`` times, and what begins with ``/other/`` is another picture each time.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Pictures:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler() -> type[BaseHTTPRequestHandler]:
    content, asked = picture(), Counter[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            first, *others = self.path.strip("/").split("/")
            asked[self.path] += 1
            body = VIDEO if self.path.endswith(".mp4") else content
            status, sent = 200, len(body)
            if first == "slow":
                time.sleep(float(others[0]))
            elif first == "cut" and asked[self.path] <= int(others[0]):
                sent //= 2
            elif first == "other":
                body = picture(asked[self.path])
                sent = len(body)
            elif first == "gone":
                status = 404
            elif first == "inside" and DIFFGRAM not in self.headers.get("User-Agent", ""):
                status = 403
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:sent])

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
