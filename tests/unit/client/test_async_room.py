"""How many requests the transport of the triggerer has under way at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from airflow_provider_diffgram.client import OutcomeUnknownError, Settings
from airflow_provider_diffgram.client.aio import MOST_UNDER_WAY, UNDER_WAY, AsyncDiffgramClient
from airflow_provider_diffgram.client.request import Request

READ = Request("look", "GET", "/api/x", lambda body: body)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\ntrue"


class Server:
    """Answers each request after some seconds, once it may.

    :ivar most: requests that were unanswered at once.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.may_answer = asyncio.Event()
        self.unanswered: set[Connection] = set()
        self.most = 0
        self.filled = asyncio.Event()

    async def answer(self, connection: Connection) -> None:
        """Answer what came over a connection."""
        self.unanswered.add(connection)
        self.most = max(self.most, len(self.unanswered))
        if len(self.unanswered) == UNDER_WAY:
            self.filled.set()
        await self.may_answer.wait()
        await asyncio.sleep(self.seconds)
        self.unanswered.discard(connection)
        connection.transport.write(ANSWER)

    @asynccontextmanager
    async def client(self, **more: float):
        """Yield a client of this server.

        :param more: settings.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), "127.0.0.1")
        host, port = server.sockets[0].getsockname()
        client = AsyncDiffgramClient(Settings(f"http://{host}:{port}", "p", "id", "very-secret", **more))
        try:
            yield client
        finally:
            await client.aclose()
            server.close()


class Connection(asyncio.Protocol):
    """One connection with the server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self._answering = asyncio.create_task(self._server.answer(self))

    def connection_lost(self, error: Exception | None) -> None:
        self._server.unanswered.discard(self)
        if self._answering is not None:
            self._answering.cancel()


def test_a_server_that_has_not_answered_yet_is_asked_a_few_times_at_once():
    async def ask() -> int:
        server = Server()
        async with server.client() as client:
            asking = [asyncio.create_task(client.send(READ)) for _ in range(40)]
            await asyncio.wait_for(server.filled.wait(), 20)
            await asyncio.sleep(0.2)  # for those that should not come
            most = server.most
            server.may_answer.set()
            assert await asyncio.gather(*asking) == [True] * 40
        return most

    assert asyncio.run(ask()) == UNDER_WAY


def test_a_slow_server_is_asked_more_often_at_once_but_not_without_end():
    async def ask() -> int:
        server = Server(seconds=1.0)
        server.may_answer.set()
        async with server.client() as client:
            assert await asyncio.gather(*(client.send(READ) for _ in range(100))) == [True] * 100
        return server.most

    assert asyncio.run(ask()) == MOST_UNDER_WAY


def test_a_server_that_became_quick_is_asked_a_few_times_at_once_again():
    async def ask() -> int:
        server = Server(seconds=0.5)
        server.may_answer.set()
        async with server.client() as client:
            await asyncio.gather(*(client.send(READ) for _ in range(60)))
            server.seconds = 0.0
            for _ in range(100):
                await client.send(READ)
            server.most = 0
            server.may_answer.clear()
            asking = [asyncio.create_task(client.send(READ)) for _ in range(40)]
            server.filled.clear()
            await asyncio.wait_for(server.filled.wait(), 20)
            await asyncio.sleep(0.2)
            server.may_answer.set()
            await asyncio.gather(*asking)
        return server.most

    assert asyncio.run(ask()) == UNDER_WAY


def test_a_server_that_never_answers_keeps_fewer_waiting_for_their_turn():
    async def ask() -> list[object]:
        server = Server()
        async with server.client(read_timeout=1, retry_timeout=0) as client:
            ended = await asyncio.gather(*(client.send(READ) for _ in range(100)), return_exceptions=True)
        assert server.most == MOST_UNDER_WAY
        return ended

    assert all(isinstance(each, OutcomeUnknownError) for each in asyncio.run(ask()))
