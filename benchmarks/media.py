"""A process that serves media: one picture for every path, and one of 5 MiB below ``/large/``."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

from .process import ROOT

SIZE = (640, 480)
LARGE_BYTES = 5 << 20

_NOISE = 10
"""So much noise makes a JPEG of about 60 kB, as that of the measured server (server.md 10.7)."""


def picture() -> bytes:
    """Return a JPEG of 640 x 480 pixels."""
    content = io.BytesIO()
    Image.effect_noise(SIZE, _NOISE).convert("RGB").save(content, "JPEG", quality=75)
    return content.getvalue()


def _handler(small: bytes) -> type[BaseHTTPRequestHandler]:
    large = small.ljust(LARGE_BYTES, b"\0")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = large if self.path.startswith("/large/") else small
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(large if self.path.startswith("/large/") else small)))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def serving_media() -> Iterator[str]:
    """Yield the address of a process that serves them."""
    command = [sys.executable, "-m", "benchmarks.media"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed; tell the address first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(picture()))
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
