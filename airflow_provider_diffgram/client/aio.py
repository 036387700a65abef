"""The transport of the triggerer, on httpx. Reads only: a trigger that writes repeats the write."""

from __future__ import annotations

import asyncio
import math
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from functools import lru_cache, partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import anyio
import httpx
from requests.utils import get_environ_proxies, select_proxy

from .attempts import Exchange, Reading, Reply, attempts
from .clock import Clock
from .errors import DiffgramError, no_reply_error, tls_error, unreachable_error
from .outage import Outage
from .request import AT_ONCE, Pause, Request, Steps, Together
from .settings import USER_AGENT, Settings, secrets_of

T = TypeVar("T")

UNDER_WAY = 8
"""Concurrent requests from one loop to a fast server; more answers at once would block the loop."""

MOST_UNDER_WAY = 32
"""Concurrent requests to a slow server, whose answers arrive one by one."""

_A_SECOND = 50
"""Requests per second to allow, however long an answer takes. No more, because if this loop itself is slow,
more concurrent requests make it slower."""

_REMEMBERED = 16
"""Number of answers over which their duration is averaged."""

_LIMITS = httpx.Limits(
    max_connections=MOST_UNDER_WAY, max_keepalive_connections=MOST_UNDER_WAY, keepalive_expiry=30.0
)

INLINE = 32 * 2**10
"""Answers of up to this many bytes are parsed in the loop: a thread would cost more."""


class AsyncDiffgramClient:
    """The asynchronous twin of :class:`~.sync.DiffgramClient`.

    :param settings: address and credential.
    :param clock: returns the time and sleeps; replaced in tests.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.project = settings.project
        self.clock = clock or Clock()
        self._secrets = secrets_of(settings)
        self._outage = Outage(settings.base_url)
        self._under_way = anyio.CapacityLimiter(UNDER_WAY)
        self._answer_takes = 0.0
        # Not a whole httpx.AsyncClient, whose other features cost processor time in each request.
        self._transport = httpx.AsyncHTTPTransport(
            verify=_verification(settings), proxy=_proxy_of(settings), limits=_LIMITS
        )
        self._headers = httpx.Headers(
            {
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "Authorization": f"Basic {self._secrets[-1]}",
            }
        )
        timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout)
        self._extensions = {"timeout": timeout.as_dict()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.base_url}, project={self.project!r})"

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._transport.aclose()

    async def send(self, request: Request[T]) -> T:
        """Send ``request``, which must be a read, and return the value of its answer.

        :raises ValueError: if ``request`` is a write.
        :raises DiffgramError: one of the classes in :mod:`~airflow_provider_diffgram.client.errors`.
        """
        if request.write:
            raise ValueError(f"{request.what}: a write does not belong in the triggerer")
        steps = attempts(request, self.settings, self._secrets, outage=self._outage)
        return await self._drive(steps, partial(self._attempt, request))

    async def run(self, steps: Steps[T]) -> T:
        """Run ``steps`` to their end: send each request that they yield, sleep each pause."""
        return await self._drive(steps, self._step)

    async def _drive(self, steps: Generator[Any, Any, T], do: Callable[[Any], Awaitable[Any]]) -> T:
        answer: Any = None
        error: DiffgramError | None = None
        with closing(steps):
            while True:
                try:
                    step = steps.throw(error) if error else steps.send(answer)
                except StopIteration as done:
                    result: T = done.value
                    return result
                answer, error = None, None
                if isinstance(step, Pause):
                    if step.seconds > 0:
                        await self.clock.sleep_async(step.seconds)
                    answer = self.clock.monotonic()
                    continue
                try:
                    answer = await do(step)
                except DiffgramError as failed:
                    error = failed

    async def _step(self, step: Request[Any] | Together) -> Any:
        if isinstance(step, Request):
            return await self.send(step)
        begun = asyncio.Semaphore(AT_ONCE)

        async def one(request: Request[Any]) -> Any:
            async with begun:
                return await self.send(request)

        return await asyncio.gather(*map(one, step.requests))

    async def _attempt(self, request: Request[Any], step: Exchange | Reading) -> Any:
        if isinstance(step, Reading):
            return step.read() if step.size < INLINE else await asyncio.to_thread(step.read)
        try:
            async with self._under_way:
                began = time.monotonic()
                try:
                    response = await self._exchange(request, step.path)
                finally:  # requests without an answer take longest
                    self._make_room(time.monotonic() - began)
        except (httpx.RequestError, httpx.InvalidURL, ssl.SSLError) as error:
            raise _meaning(request, self.settings, error) from None
        headers = {key.lower(): value for key, value in response.headers.items()}
        return Reply(response.status_code, headers, response.content)

    def _make_room(self, took: float) -> None:
        """Adjust the number of concurrent requests to the rate, after one that took ``took`` seconds."""
        self._answer_takes += (took - self._answer_takes) / _REMEMBERED
        needed = math.ceil(_A_SECOND * self._answer_takes)
        self._under_way.total_tokens = min(MOST_UNDER_WAY, max(UNDER_WAY, needed))

    async def _exchange(self, request: Request[Any], path: str) -> httpx.Response:
        """Send a request, and return the response once it is complete."""
        url = _url(self.settings.base_url, path)
        if request.params:
            url = url.copy_merge_params(dict(request.params))
        sent = httpx.Request(
            request.method, url, headers=self._headers, json=request.json, extensions=self._extensions
        )
        response = await self._transport.handle_async_request(sent)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response


@lru_cache(maxsize=256)
def _url(base_url: str, path: str) -> httpx.URL:
    """Return a URL. Cached, because httpx parses slowly."""
    return httpx.URL(base_url + path)


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Settings, AsyncDiffgramClient]] = (
    WeakKeyDictionary()
)


def shared_client(settings: Settings) -> AsyncDiffgramClient:
    """Return the client of the running event loop for ``settings``.

    Creating one blocks the loop for about 30 ms, so triggers share it; it lives as long as its loop.
    """
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if settings not in clients:
        clients[settings] = AsyncDiffgramClient(settings)
    return clients[settings]


def _verification(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context with the authorities to trust, and the client certificate if there is one."""
    if isinstance(settings.verify, str):
        context = ssl.create_default_context(cafile=settings.verify)
    else:
        context = httpx.create_ssl_context(verify=settings.verify)
    if settings.client_cert:
        context.load_cert_chain(settings.client_cert, settings.client_key)
    return context


def _proxy_of(settings: Settings) -> httpx.Proxy | None:
    """Return the connection's proxy, or else the environment's, as in a worker."""
    url = settings.base_url
    proxy = settings.proxy or select_proxy(url, get_environ_proxies(url))
    return httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}") if proxy else None


def _meaning(request: Request[Any], settings: Settings, error: Exception) -> DiffgramError:
    what, where = request.what, settings.address
    if _is_tls(error):
        return tls_error(what, where, error)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return unreachable_error(what, where, _innermost(error))
    return no_reply_error(what, where, f"{type(error).__name__}: {error}")


def _innermost(error: BaseException) -> str:
    """Return the system's reason for a failed connection; httpx only says that all attempts failed."""
    found = str(error) or type(error).__name__
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.errno is not None and inner.errno > 0:
            found = os.strerror(inner.errno)
        group = inner if isinstance(inner, BaseExceptionGroup) else None
        inner = group.exceptions[0] if group else inner.__cause__ or inner.__context__
    return found


def _is_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None
