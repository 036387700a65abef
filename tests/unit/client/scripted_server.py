"""A small HTTP server over a socket that answers what it was told to, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from airflow_provider_diffgram.client import Settings


@dataclass(frozen=True)
class Answer:
    """One answer; ``kind`` spoils it: reset, truncate, malformed, hang."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "whole"


@dataclass(frozen=True)
class Asked:
    """One request as it came over the socket."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """The server: answers in turn, the last one for ever."""

    url: str
    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def settings(self, **change: Any) -> Settings:
        """Return settings that lead here, of little patience."""
        values = {"project": "p", "client_id": "id", "client_secret": "very-secret", "retry_timeout": 0.5}
        return Settings(self.url, **{**values, **change})

    def next_answer(self) -> Answer:
        """Return the answer to the request just asked."""
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def _handler(server: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            server.asked.append(Asked(self.command, self.path, headers, body))
            self.close_connection = True
            getattr(self, server.next_answer().kind)(server.next_answer())

        do_GET = do_POST = answer

        def whole(self, answer: Answer, left_out: int = 0) -> None:
            raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for key, value in {
                "Content-Length": str(len(raw)),
                "Connection": "close",
                **answer.headers,
            }.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(raw[: len(raw) - left_out])

        def truncate(self, answer: Answer) -> None:
            self.whole(answer, left_out=5)

        def reset(self, answer: Answer) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def malformed(self, answer: Answer) -> None:
            self.wfile.write(b'HTTP/1.1 0 gkpj\r\nContent-Type: application/json\r\n\r\n{"error":"sql"}')

        def hang(self, answer: Answer) -> None:
            server.ending.wait(10)

        def log_message(self, *_: Any) -> None:
            pass

        def finish(self) -> None:
            with suppress(OSError):  # the connection may have been reset on purpose
                super().finish()

    return Handler


@contextmanager
def answering(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve ``answers`` on a free port, by https if ``tls`` is given."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "http" if tls is None else "https"
    scripted = Scripted(f"{scheme}://127.0.0.1:{http.server_port}", list(answers))
    http.RequestHandlerClass = _handler(scripted)
    http.daemon_threads = True
    http.block_on_close = False
    http.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        scripted.ending.set()
        http.shutdown()
        http.server_close()
        thread.join()
