"""A proxy over a socket: forwards http requests, opens tunnels for https, remembers what it was asked."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@contextmanager
def proxying(*, refusing: bool = False, leads_to: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a proxy, and the first lines of what it is asked.

    :param refusing: answer 407 to everything.
    :param leads_to: the one server that is asked, whatever host the requests name.
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            asked.append(f"{self.command} {self.path}")
            if refusing:
                self.send_error(407)
                return
            tunnel = self.command == "CONNECT"
            to = urlsplit(f"//{self.path}" if tunnel else self.path)
            target = urlsplit(leads_to) if leads_to else to
            with socket.create_connection((target.hostname or "", target.port or 0)) as server:
                if tunnel:
                    self.send_response(200)
                    self.end_headers()
                else:
                    del self.headers["Connection"]
                    self.headers["Connection"] = "close"
                    path = self.path.partition(to.netloc)[2]
                    lines = [f"{self.command} {path} HTTP/1.1"]
                    lines += [f"{name}: {value}" for name, value in self.headers.items()]
                    head = "".join(f"{line}\r\n" for line in [*lines, ""])
                    server.sendall(
                        head.encode() + self.rfile.read(int(self.headers.get("content-length", 0)))
                    )
                _join(self.connection, server)
            self.close_connection = True

        do_GET = do_POST = do_CONNECT = forward

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.block_on_close = False
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", asked
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either sends until one of them ends."""
    with suppress(OSError):
        while True:
            readable, _, _ = select.select([one, other], [], [], 10)
            for each in readable:
                data = each.recv(65536)
                if not data:
                    return
                (other if each is one else one).sendall(data)
            if not readable:
                return
