"""The transport of workers, on requests."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import TracebackType
from typing import Any, Self, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from tenacity import Retrying
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from . import resend
from .errors import (
    DiffgramError,
    StoppedError,
    WrongAddressError,
    no_reply_error,
    tls_error,
    unreachable_error,
)
from .multipart import MultipartBody
from .pacing import Pacer
from .packet_path import is_missing, is_served, paths_of, remember
from .replies import value_of
from .request import AT_ONCE, Pause, Request, Steps, Together
from .settings import USER_AGENT, Settings, secrets_of

__all__ = ["DiffgramClient", "secrets_of"]

T = TypeVar("T")

_UPLOAD_READ_TIMEOUT = 300.0
"""Seconds: an upload is answered only after the server has ingested it (wire contract 2.8)."""

MOST_AT_ONCE = 32
"""Threads that may send at once, besides one that runs steps: each keeps its connection."""

_PIECE = 0.5
"""Seconds after which a wait looks whether it is to end."""


class DiffgramClient:
    """Talks to one project of one Diffgram. Safe to use from several threads.

    :param settings: address and credential.
    :param sleep: waits for seconds; replaced in tests.
    """

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self.project = settings.project
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pacers: dict[str, Pacer] = {}
        self._session = _Session()
        self._session.auth = HTTPBasicAuth(settings.client_id.encode(), settings.client_secret.encode())
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        if settings.client_cert:
            self._session.cert = (settings.client_cert, settings.client_key or settings.client_cert)
        self._proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else None
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=MOST_AT_ONCE + AT_ONCE)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.base_url}, project={self.project!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def interrupted_by(self, stop: threading.Event) -> DiffgramClient:
        """Return this client, but that a wait ends with StoppedError soon after ``stop`` is set."""
        twin = copy.copy(self)
        twin._sleep = _interrupted(self._sleep, stop)
        return twin

    def send(self, request: Request[T]) -> T:
        """Send ``request`` and return what its answer says.

        What was certainly not processed is sent again, and a read whatever happened to it; a write whose
        outcome is unknown is not.

        :raises DiffgramError: one of the classes in :mod:`~airflow_provider_diffgram.client.errors`.
        """
        retrying = Retrying(
            retry=resend.may_resend(request),
            stop=resend.give_up(self.settings.retry_timeout),
            wait=resend.delay(request),
            sleep=self._sleep,
            reraise=True,
        )
        answer: T = retrying(self._send_once, request)
        return answer

    def run(self, steps: Steps[T]) -> T:
        """Run ``steps`` to their end: send each request that they yield, sleep each pause."""
        answer: Any = None
        error: DiffgramError | None = None
        while True:
            try:
                step = steps.throw(error) if error else steps.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            answer, error = None, None
            if isinstance(step, Pause):
                self._sleep(step.seconds)
                continue
            try:
                answer = self._send_together(step) if isinstance(step, Together) else self.send(step)
            except DiffgramError as failed:
                error = failed

    def _send_together(self, several: Together) -> list[Any]:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(self.send, several.requests))

    def _send_once(self, request: Request[T]) -> T:
        path, *others = paths_of(request, self.settings)
        try:
            return self._ask(request, path)
        except WrongAddressError as error:
            if not others or not is_missing(error):
                raise
            return self._ask_elsewhere(request, others[0], error)

    def _ask_elsewhere(self, request: Request[T], path: str, missing: WrongAddressError) -> T:
        try:
            answer = self._ask(request, path)
        except DiffgramError as error:
            if is_missing(error):
                raise missing from None
            if is_served(error):
                remember(request, self.settings, path)
            raise
        remember(request, self.settings, path)
        return answer

    def _ask(self, request: Request[T], path: str) -> T:
        response = self._paced(request, path) if request.limit else self._exchange(request, path)
        secrets = secrets_of(self.settings)
        headers = _lowered(response.headers)
        return value_of(request, response.status_code, headers, response.content, path=path, secrets=secrets)

    def _paced(self, request: Request[Any], path: str) -> requests.Response:
        """Exchange as soon as the server's limit has room."""
        pacer = self._pacer(request)
        while isinstance(turn := pacer.take(), float):
            self._sleep(turn)
        response: requests.Response | None = None
        try:
            response = self._exchange(request, path)
        finally:
            headers = _lowered(response.headers) if response is not None else {}
            refused = response is not None and response.status_code == 429
            pacer.give_back(turn, headers, refused)
        return response

    def _pacer(self, request: Request[Any]) -> Pacer:
        with self._lock:
            return self._pacers.setdefault(str(request.limit), Pacer(self.settings.requests_per_second))

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
                    headers=request.headers,
                    timeout=timeout,
                    verify=self.settings.verify,  # here, since REQUESTS_CA_BUNDLE overrides the session's
                    proxies=self._proxies,
                    allow_redirects=False,
                )
            with closing(MultipartBody(request.upload, request.upload.open())) as body:
                return self._session.request(
                    request.method,
                    url,
                    data=body,
                    headers={**request.headers, "Content-Type": body.content_type},
                    timeout=(timeout[0], max(timeout[1], _UPLOAD_READ_TIMEOUT)),
                    verify=self.settings.verify,
                    proxies=self._proxies,
                    allow_redirects=False,
                )
        except (requests.RequestException, HTTPError) as error:
            raise _meaning(request, self.settings, error) from None


def _interrupted(sleep: Callable[[float], None], stop: threading.Event) -> Callable[[float], None]:
    # Not stop.wait: a signal handler that sets the event while this very thread waits for it would hang.
    def sleep_in_pieces(seconds: float) -> None:
        while not stop.is_set():
            sleep(min(seconds, _PIECE))
            seconds -= _PIECE
            if seconds <= 0:
                return
        raise StoppedError("asked to stop")

    return sleep_in_pieces


class _Session(requests.Session):
    """A session with one server.

    It does not look where a redirect leads: some addresses make requests itself fail. It asks the environment
    for proxies and authorities once, since that costs a quarter of a request's processor time.
    """

    _environment: dict[str, Any] | None = None

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        if self._environment is None:
            self._environment = dict(super().merge_environment_settings(*args, **kwargs))
        return self._environment


def _meaning(request: Request[Any], settings: Settings, error: Exception) -> DiffgramError:
    what, where = request.what, settings.base_url
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)
    if isinstance(error, requests.exceptions.SSLError):
        return tls_error(what, where, reason)
    not_connected = isinstance(reason, NewConnectionError | ConnectTimeoutError)
    if not_connected or isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return unreachable_error(what, where, reason)
    return no_reply_error(what, where, reason)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}
