"""Access to the socket under a request, to drop it (uvicorn offers none)."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_transports: dict[tuple[str, int], asyncio.Transport] = {}


class ReachableProtocol(H11Protocol):
    """uvicorn's protocol, remembering its transport by the client's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._peer = _peer(transport.get_extra_info("peername"))
        _transports[self._peer] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop(self._peer, None)
        super().connection_lost(exc)


def _peer(name: Any) -> tuple[str, int]:
    return str(name[0]), int(name[1])


def reset_connection(scope: Scope) -> None:
    """Drop a request's connection with a TCP reset, without an answer."""
    transport = _transports.get(_peer(scope["client"]))
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
