"""A storage over HTTP that fails as it is told to: what fsspec's ``webhdfs://`` asks for, and no more."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

SCHEME = "webhdfs"
ADDRESS = "CHAOS_STORE"
"""Environment variable with host and port, for the filesystem that Airflow opens."""

_PREFIX = "/webhdfs/v1"

Kind = Literal["busy", "reset", "cut"]
"""How it fails: it answers 503, it resets the connection, or it resets that in the middle of an answer."""


@dataclass
class Fault:
    """What goes wrong.

    :param below: a folder.
    :param operation: of WebHDFS, such as ``OPEN``; any if empty.
    :param times: so often; for ever when None.
    :param skip: so many times it goes well before.
    :ivar seen: how often it went wrong.
    """

    kind: Kind
    below: str
    operation: str = ""
    times: int | None = 1
    skip: int = 0
    seen: int = 0


class Store:
    """Serves the files of this machine as long as the ``with`` block.

    :ivar address: host and port.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Store:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: Path | str) -> str:
        """Return where a local path is found here."""
        return f"{SCHEME}://{self.address}{path}"

    def fail(self, fault: Fault) -> Fault:
        """Let something go wrong from now on."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def recover(self, fault: Fault) -> None:
        """Let it go wrong no more."""
        with self._lock:
            self._faults.remove(fault)

    def _due(self, operation: str, path: str) -> Kind | None:
        with self._lock:
            for fault in self._faults:
                is_meant = path.startswith(fault.below) and fault.operation in ("", operation)
                if not is_meant or (fault.times is not None and fault.seen >= fault.times):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.seen += 1
                return fault.kind
        return None

    def _handler(store: Store) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(asked.query).items()}
                path = unquote(asked.path).removeprefix(_PREFIX)
                kind = store._due(query.get("op", ""), path)
                if kind == "busy":
                    self._answer(503, b"<html>busy</html>")
                elif kind == "reset":
                    self._reset()
                else:
                    self._answer(*_answer_to(query, Path(path)), cut=kind == "cut")

            def _answer(self, status: int, content: bytes, *, cut: bool = False) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if cut:
                    self.wfile.write(content[: len(content) // 2])
                    self.wfile.flush()
                    self._reset()
                else:
                    self.wfile.write(content)

            def _reset(self) -> None:
                # Closing with data unsent and no time to linger makes the kernel send RST.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _answer_to(query: Mapping[str, str], path: Path) -> tuple[int, bytes]:
    """Return status and body (the WebHDFS REST API of Hadoop)."""
    if not path.exists():
        told = {"exception": "FileNotFoundException", "message": f"File does not exist: {path}"}
        return 404, json.dumps({"RemoteException": told}).encode()
    if query.get("op") == "OPEN":
        content = path.read_bytes()
        start = int(query.get("offset", 0))
        return 200, content[start : start + int(query.get("length", len(content)))]
    if query.get("op") == "LISTSTATUS":
        listed = [_status(each) for each in sorted(path.iterdir())]
        return 200, json.dumps({"FileStatuses": {"FileStatus": listed}}).encode()
    return 200, json.dumps({"FileStatus": {**_status(path), "pathSuffix": ""}}).encode()


def _status(path: Path) -> dict[str, Any]:
    found = path.stat()
    return {
        "pathSuffix": path.name,
        "type": "DIRECTORY" if path.is_dir() else "FILE",
        "length": found.st_size,
        "modificationTime": int(1000 * found.st_mtime),
    }
