"""The dispatcher and both services behind it, as one ASGI application (wire contract, 1.1)."""

from __future__ import annotations

import asyncio
import json
import logging
from email.utils import formatdate
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from . import control, page, routes
from .call import Call, Emulator, Endpoint, find
from .errors import DatabaseRefused, Refusal, Reply, ServerCrash, http_error, unreachable
from .faults import Fault
from .limits import DEFAULT, Window
from .transport import reset_connection

routes.load()

logger = logging.getLogger(__name__)

_MEBIBYTE = 1 << 20
_DEFAULT_BODY_LIMIT = 50 * _MEBIBYTE
_WALRUS_BODY_LIMIT = 250 * _MEBIBYTE

Answer = tuple[Reply, dict[str, str]]


class App:
    """The emulator as an ASGI application.

    :param emulator: its memory, workers, limits and faults.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._page = page.application(emulator)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        path = scope["path"]
        if path.startswith("/emulator/"):
            await _send(send, await self._control(Request(scope, receive)), {})
        elif path.startswith("/api"):
            await self._api(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    async def _control(self, request: Request) -> Reply:
        body = await request.body()
        host = request.client.host if request.client else ""
        return await run_in_threadpool(
            control.answer, self.emulator, request.method, request.url.path, body, host
        )

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the API, with the faults that were asked for."""
        request = Request(scope, receive)
        fault = self.emulator.faults.take(request.method, request.url.path)
        body = await request.body()
        if fault is not None and fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "reset_before":
            reset_connection(scope)
            return
        if fault is not None and fault.kind == "status":
            await _send(send, Reply(fault.body or {"error": "fault"}, fault.status), {})
            return
        reply, headers = await run_in_threadpool(self._answer, request, body)
        if fault is not None and fault.kind == "reset_after":
            reset_connection(scope)
            return
        await _send(send, reply, headers, fault)

    def _answer(self, request: Request, body: bytes) -> Answer:
        """Return the answer of a request; nothing that goes wrong gets past it."""
        path = request.url.path
        window: list[Window | None] = []
        try:
            reply = self._run(request, body, window)
        except Refusal as refusal:
            reply = refusal.reply
        except (DatabaseRefused, OverflowError) as refused:
            logger.info("database refused %s: %s", path, refused)
            return _unreachable(path), {}
        except ServerCrash as crash:
            reply = Reply({"error": str(crash)}, 500)
        except Exception as error:
            logger.exception("unexpected at %s", path)
            reply = Reply({"error": str(error)}, 500)
        return reply, self.emulator.limiter.headers(window[-1] if window else None)

    def _run(self, request: Request, body: bytes, window: list[Window | None]) -> Reply:
        """Authenticate, count and call the endpoint, in the order of the server (wire contract, 1.2)."""
        path, method = request.url.path, request.method
        address = request.client.host if request.client else ""
        try:
            found, params = find(method, path)
        except Refusal:
            if not path.startswith("/api/walrus"):
                window.append(self.emulator.limiter.hit(path, address, DEFAULT)[0])
            raise
        call = Call(
            self.emulator,
            method,
            path,
            params,
            dict(parse_qsl(request.url.query, keep_blank_values=True)),
            request.headers,
            _within_limit(path, body),
            str(request.base_url).rstrip("/"),
        )
        if found.limit.own and found.roles is not None:
            call.authenticate(params["project"], found.roles)
            self._count(found, address, window)
        else:
            self._count(found, address, window)
            if found.roles is not None:
                call.authenticate(params["project"], found.roles)
        result = found.handler(call)
        return result if isinstance(result, Reply) else Reply(result)

    def _count(self, found: Endpoint, address: str, window: list[Window | None]) -> None:
        counted, within = self.emulator.limiter.hit(f"{found.method} {found.path}", address, found.limit)
        window.append(counted)
        if not within:
            raise http_error(429, f"429 Too Many Requests: {found.limit.text}")


def _within_limit(path: str, body: bytes) -> bytes:
    """Return the body, or what the services make of one that is too large (wire contract, 1.4)."""
    if path.startswith("/api/walrus"):
        return body if len(body) <= _WALRUS_BODY_LIMIT else b""
    if len(body) > _DEFAULT_BODY_LIMIT:
        raise http_error(
            413, "413 Request Entity Too Large: The data value transmitted exceeds the capacity limit."
        )
    return body


def _unreachable(path: str) -> Reply:
    if path.startswith("/api/walrus"):
        return unreachable("http://walrus", 8082)
    return unreachable("http://default", 8080)


def payload(reply: Reply) -> bytes:
    """Return the bytes of an answer: keys sorted, a newline at the end (quirk 47)."""
    if reply.raw:
        return str(reply.body).encode()
    return json.dumps(reply.body, sort_keys=True, separators=(",", ":")).encode() + b"\n"


async def _send(send: Send, reply: Reply, headers: dict[str, str], fault: Fault | None = None) -> None:
    content = payload(reply)
    lines = {
        "Content-Type": reply.content_type,
        "Content-Length": str(len(content)),
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "Vary": "Cookie",
        "Connection": "close",
        "Date": formatdate(usegmt=True),
        **headers,
    }
    raw = [(key.lower().encode(), value.encode()) for key, value in lines.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if fault is not None and fault.kind == "truncate":
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        return
    await send({"type": "http.response.body", "body": content})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
