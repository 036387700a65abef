"""The dispatcher and both services behind it, as one ASGI application (server.md 1.1)."""

from __future__ import annotations

import asyncio
import html
import json
import logging
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from . import control, routes, web
from .auth import login_token
from .call import Call, Emulator, Endpoint, find
from .errors import CRASHES, REFUSED_BY_DATABASE, Refusal, Reply, http_error, unreachable
from .faults import Fault
from .limits import DEFAULT, Window
from .locks import Turns
from .transport import answer_raw, reset_connection, until_gone

routes.load()

logger = logging.getLogger(__name__)

_MEBIBYTE = 1 << 20
_DEFAULT_BODY_LIMIT = 50 * _MEBIBYTE
_WALRUS_BODY_LIMIT = 250 * _MEBIBYTE

_WITHOUT_BODY = (204, 304)
_GLANCE = 0.005

STORAGE = "/storage/"
"""Where media are, as their signed URLs have it."""


class App:
    """The emulator as an ASGI application.

    :param emulator: its memory, workers, limits and faults.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._page = web.application(emulator)
        self._walrus = Turns(lambda: emulator.options.walrus_requests)
        self._default = Turns(lambda: emulator.options.default_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith("/emulator/"):
            await self._control(scope, receive, send)
        elif path.startswith("/api"):
            await self._api(scope, receive, send)
        elif path.startswith(STORAGE):
            await self._storage(scope, receive, send)
        else:
            await self._page(scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        host = scope["client"][0] if scope["client"] else ""
        method, path, query = scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        reply = await run_in_threadpool(control.answer, self.emulator, method, path, body, host, query)
        await self._send(send, reply)

    async def _storage(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a medium; faults strike it that name the storage."""
        method, path = scope["method"], scope["path"]

        def meets(fault: Fault) -> bool:
            return STORAGE in fault.match and fault.meets(method, path, b"", _sender(scope))

        fault = self.emulator.faults.first(meets)
        if fault is None:
            await self._page(scope, receive, send)
        elif fault.kind == "status":
            await self._send(send, _faulty_reply(fault))
        else:
            await _give_no_answer(fault, scope, receive)

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the API."""
        body = await _read(receive)
        if body is None:
            return
        faults, by = self.emulator.faults, _sender(scope)
        releases = faults.releases
        fault = faults.take(scope["method"], scope["path"], body, by)
        if fault is not None:
            while fault.waits and faults.releases == releases:
                await asyncio.sleep(_GLANCE)
            await self._faulty(fault, scope, receive, send, body)
            return
        reply = await self._served(scope, body)
        self._note(scope, reply.status)
        await self._send(send, reply)

    async def _served(self, scope: Scope, body: bytes) -> Reply:
        """Let a process of the service answer, once one is free."""
        turns = self._walrus if scope["path"].startswith("/api/walrus") else self._default
        async with turns.turn():
            return await run_in_threadpool(self._answer, scope, body)

    async def _faulty(self, fault: Fault, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        """Let a request meet its fault (see :mod:`.faults`)."""
        if fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
        if fault.processes:
            reply = await self._served(scope, body)
        if fault.kind == "status":
            reply = _faulty_reply(fault)
        elif fault.kind == "malformed" and fault.dispatched:
            reply = _unreachable(scope["path"])
        elif fault.kind not in ("latency", "held", "truncate", "refuse"):
            self._note(scope, None)
            await _give_no_answer(fault, scope, receive)
            return
        self._note(scope, reply.status)
        await self._send(send, reply, cut=fault.kind == "truncate")
        if fault.kind == "refuse":
            await self.emulator.listener.start_refusing(fault.seconds)

    def _note(self, scope: Scope, status: int | None) -> None:
        try:
            path = find(scope["method"], scope["path"])[0].path
        except Refusal:
            path = "(none)"
        port = scope["client"][1] if scope["client"] else None
        self.emulator.requests.note(scope["method"], path, status, port)

    def _answer(self, scope: Scope, body: bytes) -> Reply:
        """Return the answer of a request; nothing that goes wrong gets past it."""
        path = scope["path"]
        window: list[Window | None] = []
        try:
            reply = self._run(scope, body, window)
        except Refusal as refusal:
            reply = refusal.reply
        except REFUSED_BY_DATABASE as refused:
            logger.info("database refused %s: %s", path, refused)
            return _unreachable(path)
        except CRASHES as crash:
            reply = Reply({"error": str(crash)}, 500)
        except Exception as error:
            logger.exception("unexpected at %s", path)
            reply = Reply({"error": str(error)}, 500)
        told = self.emulator.limiter.headers(window[-1] if window else None)
        return replace(reply, body=payload(reply), headers={**told, **reply.headers})

    def _run(self, scope: Scope, body: bytes, window: list[Window | None]) -> Reply:
        """Authenticate, count and call the endpoint, in the order of the server (server.md 1.2)."""
        path, method, headers = scope["path"], scope["method"], Headers(scope=scope)
        if self.emulator.options.https_redirect and headers.get("x-forwarded-proto") != "https":
            raise _to_https(scope, headers)
        address = scope["client"][0] if scope["client"] else ""
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
            dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            headers,
            _within_limit(path, body),
            _base_url(scope, headers),
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
        if counted is not None and not within:
            raise http_error(429, f"429 Too Many Requests: {counted.limit.text}")

    async def _send(self, send: Send, reply: Reply, cut: bool = False) -> None:
        """Send an answer, or half of it.

        The date is there twice, since uvicorn adds another one (quirk 47).
        """
        content = b"" if reply.status in _WITHOUT_BODY else payload(reply)
        lines = {
            "content-type": reply.content_type,
            "content-length": str(len(content)),
            "strict-transport-security": "max-age=31536000; includeSubDomains",
            "vary": "Cookie",
            "date": formatdate(usegmt=True),
            **{name.lower(): value for name, value in reply.headers.items()},
        }
        if not self.emulator.options.keep_alive:
            lines["connection"] = "close"
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        content = content[: len(content) // 2] if cut else content
        await send({"type": "http.response.body", "body": content, "more_body": cut})


def _sender(scope: Scope) -> str:
    """Tell whether a request is a person's, by the cookie of a login."""
    return "program" if login_token(Headers(scope=scope)) is None else "person"


async def _read(receive: Receive) -> bytes | None:
    """Return a request's body, or None if the client is gone before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _faulty_reply(fault: Fault) -> Reply:
    """Return the answer of a fault of kind ``status``."""
    if isinstance(fault.body, str):
        return Reply(fault.body, fault.status, "text/html; charset=utf-8", True, fault.headers)
    return Reply(
        {"error": "fault"} if fault.body is None else fault.body, fault.status, headers=fault.headers
    )


async def _give_no_answer(fault: Fault, scope: Scope, receive: Receive) -> None:
    """End a connection without an answer: at once, after some time, or with bytes that are not one."""
    if fault.kind == "malformed":
        error = {"error": "(psycopg2.errors.ForeignKeyViolation)"} if fault.body is None else fault.body
        content = payload(Reply(error))
        head = f"{fault.line}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        await answer_raw(scope, receive, head.encode("utf-8") + content)
        return
    if fault.kind.startswith("timeout"):
        await until_gone(receive, fault.seconds or None)
    await reset_connection(scope, receive)


def _base_url(scope: Scope, headers: Headers) -> str:
    """Return where the client believes the server to be."""
    host = headers.get("host") or "{}:{}".format(*scope["server"])
    return f"{scope['scheme']}://{host}"


def _to_https(scope: Scope, headers: Headers) -> Refusal:
    """Return E13: a service without TLS in front sends everybody to https (quirk 42)."""
    base = _base_url(scope, headers).partition("://")[2]
    query = scope["query_string"].decode("latin-1")
    url = f"https://{base}{scope['path']}{'?' + query if query else ''}"
    shown = html.escape(url)
    text = f'<!doctype html>\n<title>Redirecting</title>\n<p>This is at <a href="{shown}">{shown}</a>.\n'
    return Refusal(Reply(text, 302, "text/html; charset=utf-8", True, {"Location": quote(url, "/:?=&%[]")}))


def _within_limit(path: str, body: bytes) -> bytes:
    """Return the body, or what the services make of one that is too large (server.md 1.4)."""
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
    if isinstance(reply.body, bytes):
        return reply.body
    if reply.raw:
        return str(reply.body).encode("utf-8", "replace")
    return json.dumps(reply.body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
