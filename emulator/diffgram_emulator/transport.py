"""Access to the sockets under the requests, to drop one or to refuse new ones (uvicorn offers none)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.auto import AutoHTTPProtocol

BACKLOG = 2048

_transports: dict[tuple[str, int], asyncio.Transport] = {}


class ReachableProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, remembering its transport by the client's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._peer = _peer(transport.get_extra_info("peername"))
        _transports[self._peer] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop(self._peer, None)
        super().connection_lost(exc)


def _peer(name: Any) -> tuple[str, int]:
    return str(name[0]), int(name[1])


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """Drop a request's connection with a TCP reset, without an answer."""
    transport = _transports.get(_peer(scope["client"]))
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await until_gone(receive, 1.0)


async def answer_raw(scope: Scope, receive: Receive, content: bytes) -> None:
    """Write bytes that need not be HTTP, and end the connection."""
    transport = _transports.get(_peer(scope["client"]))
    if transport is not None:
        transport.write(content)
        transport.close()
        await until_gone(receive, 1.0)


async def until_gone(receive: Receive, seconds: float | None) -> None:
    """Wait until the client is gone, or so many seconds."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gone(), seconds)


class Listener:
    """The port, which may be closed for a while.

    :param host: address it is at.
    :param port: 0 for a free one.
    :ivar socket: the one that listens, or will again.
    """

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_server((host, port), backlog=BACKLOG)
        self.address: tuple[Any, ...] = self.socket.getsockname()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._close: Callable[[], None] = lambda: None
        self._open: Callable[[], Awaitable[None]] | None = None
        self._closed: asyncio.Task[None] | None = None

    def serve(
        self,
        loop: asyncio.AbstractEventLoop,
        close: Callable[[], None],
        open_again: Callable[[], Awaitable[None]],
    ) -> None:
        """Learn how to end listening and how to begin again."""
        self._loop, self._close, self._open = loop, close, open_again

    def refuse(self, seconds: float) -> None:
        """Refuse new connections for a time, from now on; those there are go on."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self.start_refusing(seconds), self._loop).result(5)

    async def start_refusing(self, seconds: float) -> None:
        """Do the same, on the loop that serves; returns once connections are refused."""
        if self._closed is not None and not self._closed.done():
            return
        self._close()
        self.socket.close()
        self.socket = await self._taken_back()
        self._closed = asyncio.get_running_loop().create_task(self._reopen_after(seconds))

    async def _taken_back(self) -> socket.socket:
        """Return a socket that keeps the port from others without listening."""
        kept = socket.socket(self.family, socket.SOCK_STREAM)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(200):
            try:
                kept.bind(self.address)
                return kept
            except OSError:
                await asyncio.sleep(0.005)
        kept.close()
        raise OSError(f"the port of {self.address} is gone")

    @property
    def family(self) -> int:
        """Kind of address."""
        return socket.AF_INET6 if ":" in str(self.address[0]) else socket.AF_INET

    async def _reopen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.socket.listen(BACKLOG)
        if self._open is not None:
            await self._open()
