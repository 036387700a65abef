"""The transport of workers, on requests."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any, Self, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from .attempts import Exchange, Reading, Reply, attempts
from .clock import Clock, StoppableClock
from .errors import DiffgramError, no_reply_error, tls_error, unreachable_error
from .outage import Outage
from .pacing import Pacer
from .request import AT_ONCE, Pause, Request, Steps, Together
from .routes.project import health
from .settings import USER_AGENT, Settings, secrets_of
from .upload_body import open_body

T = TypeVar("T")

_UPLOAD_READ_TIMEOUT = 300.0
"""Seconds: an upload is answered only after the server has ingested it (server.md 2.8)."""

_PIECE = 2**18
"""Bytes of a body that are read and sent at once."""

MOST_AT_ONCE = 32
"""Threads that may send at once, besides the one that runs steps; each keeps its connection."""


class DiffgramClient:
    """Talks to one project of one Diffgram. Safe to use from several threads.

    :param settings: address and credential.
    :param clock: returns the time and sleeps; replaced in tests.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.project = settings.project
        self.clock = clock or Clock()
        self._secrets = secrets_of(settings)
        self._lock = threading.Lock()
        self._pacers: dict[str, Pacer] = {}
        self._outage = Outage(settings.base_url)
        self._least_seconds = math.inf
        self._session = _Session()
        self._session.auth = HTTPBasicAuth(settings.client_id.encode(), settings.client_secret.encode())
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        if settings.client_cert:
            self._session.cert = (settings.client_cert, settings.client_key or settings.client_cert)
        self._proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else None
        adapter = _Adapter(pool_connections=2, pool_maxsize=MOST_AT_ONCE + AT_ONCE)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.base_url}, project={self.project!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def interrupted_by(self, stop: threading.Event) -> DiffgramClient:
        """Return a copy of this client whose waits end with StoppedError soon after ``stop`` is set."""
        twin = copy.copy(self)
        twin.clock = StoppableClock(self.clock, stop)
        return twin

    def send(self, request: Request[T]) -> T:
        """Send ``request`` and return the value of its answer; see :func:`~.attempts.attempts`.

        :raises DiffgramError: one of the classes in :mod:`~airflow_provider_diffgram.client.errors`.
        """
        steps = attempts(request, self.settings, self._secrets, self._pacer(request), self._outage)
        return self._drive(steps, partial(self._attempt, request))

    @property
    def least_seconds(self) -> float:
        """Seconds that the fastest request so far took; 0 before the first answer.

        The simplest requests cost the server little, so this is about the round-trip time.
        """
        return self._least_seconds if math.isfinite(self._least_seconds) else 0.0

    def server_date(self) -> str | None:
        """Return the server's time, as in the ``Date`` header of an answer.

        :raises DiffgramError: if there is no answer.
        """
        request = health()
        return self._exchange(request, request.path).headers.get("Date")

    def run(self, steps: Steps[T]) -> T:
        """Run ``steps`` to their end: send each request that they yield, sleep each pause."""
        return self._drive(steps, self._step)

    def _drive(self, steps: Generator[Any, Any, T], do: Callable[[Any], Any]) -> T:
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
                        self.clock.sleep(step.seconds)
                    answer = self.clock.monotonic()
                    continue
                try:
                    answer = do(step)
                except DiffgramError as failed:
                    error = failed

    def _step(self, step: Request[Any] | Together) -> Any:
        if isinstance(step, Request):
            return self.send(step)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(self.send, step.requests))

    def _attempt(self, request: Request[Any], step: Exchange | Reading) -> Any:
        if isinstance(step, Reading):
            return step.read()
        response = self._exchange(request, step.path)
        self._least_seconds = min(self._least_seconds, response.elapsed.total_seconds())
        headers = {key.lower(): value for key, value in response.headers.items()}
        return Reply(response.status_code, headers, response.content)

    def _pacer(self, request: Request[Any]) -> Pacer | None:
        if request.limit is None:
            return None
        with self._lock:
            return self._pacers.setdefault(request.limit, Pacer(self.settings.requests_per_second))

    def _exchange(self, request: Request[Any], path: str) -> requests.Response:
        url = self.settings.base_url + path
        timeout = (self.settings.connect_timeout, self.settings.read_timeout)
        try:
            if request.upload is None:
                return self._session.request(
                    request.method,
                    url,
                    json=request.json,
                    params=request.params,
                    timeout=timeout,
                    verify=self.settings.verify,  # not in the session, where REQUESTS_CA_BUNDLE overrides it
                    proxies=self._proxies,
                    allow_redirects=False,
                )
            with closing(open_body(request.upload)) as body:
                return self._session.request(
                    request.method,
                    url,
                    data=body,
                    headers={"Content-Type": body.content_type},
                    timeout=(timeout[0], max(timeout[1], _UPLOAD_READ_TIMEOUT)),
                    verify=self.settings.verify,
                    proxies=self._proxies,
                    allow_redirects=False,
                )
        except (requests.RequestException, HTTPError) as error:
            raise _meaning(request, self.settings, error) from None


class _Adapter(HTTPAdapter):
    """Sends bodies in larger pieces than the default, whose overhead took as long as sending."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **{"blocksize": _PIECE, **kwargs})

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **{"blocksize": _PIECE, **kwargs})


class _Session(requests.Session):
    """A session with one server.

    It never follows a redirect, because some addresses make requests itself fail. It reads proxies and
    certificate authorities from the environment only once, because that costs a quarter of a request's
    processor time.
    """

    _environment: dict[str, Any] | None = None

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        if self._environment is None:
            self._environment = dict(super().merge_environment_settings(*args, **kwargs))
        return self._environment


def _meaning(request: Request[Any], settings: Settings, error: Exception) -> DiffgramError:
    what, where = request.what, settings.address
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)
    if isinstance(error, requests.exceptions.SSLError):
        return tls_error(what, where, reason)
    not_connected = isinstance(reason, NewConnectionError | ConnectTimeoutError)
    if not_connected or isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return unreachable_error(what, where, reason)
    return no_reply_error(what, where, reason)
