"""Reads media by URL in the worker: completely, in bounded memory, and only from allowed addresses.

A URL may come from outside, so it gets nothing that the worker has: no credential, no cookie, no access to
its own machine. Each address is checked when the connection is made, and exactly that address is used, so it
does not help an attacker if the name resolves to another address a moment later.
"""

from __future__ import annotations

import math
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO, cast
from urllib.parse import urljoin, urlsplit

import certifi
from requests.utils import get_auth_from_url, get_environ_proxies, select_proxy, should_bypass_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import make_headers

from ...client.attempts import backoff
from ...client.clock import Clock
from ...client.request import Upload
from ...client.settings import USER_AGENT, Settings
from ...client.sync import MOST_AT_ONCE
from .addresses import is_loopback, why_refused

_PIECE = 2**16
_IN_MEMORY = 2**20
"""Bytes of a medium that are kept in memory; a larger one goes to a temporary file."""

_TRIES = 3
"""Attempts to read a medium that the server could fetch instead."""

_SHUT = 60.0
"""Seconds during which a host that could not be connected to is left alone."""

_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})


class UnreadableError(Exception):
    """A medium cannot be read here.

    :param reason: a few words that are the same for all media with the same fault, such as ``HTTP 403``.
    :param may_pass: whether another attempt may succeed at once.
    :param may_pass_later: whether an attempt may succeed only some time later; None for at once or never.
    :param everywhere: whether nothing can be read from that host.
    :ivar host: the host.
    """

    def __init__(
        self,
        reason: str,
        *,
        may_pass: bool = False,
        may_pass_later: bool | None = None,
        everywhere: bool = False,
        host: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_pass = may_pass
        self.may_pass_later = may_pass if may_pass_later is None else may_pass_later
        self.everywhere = everywhere
        self.host = host


class Medium:
    """A medium that was read completely. It holds a temporary file until it is closed.

    :param file: positioned at its end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.tell()

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        self._file.seek(0)
        return self._file.read(size)

    def view(self) -> BinaryIO:
        """Return a view of the bytes from their beginning; closing it does not close the medium."""
        self._file.seek(0)
        return cast(BinaryIO, _View(self._file))

    def upload(self, name: str) -> Upload:
        """Return the medium as an upload named ``name``."""
        return Upload(filename=name, size=self.size, open=self.view, source=name)

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()


class _View:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """Leave the file open for the next view."""


def kept(pieces: Iterable[bytes], most: int) -> Medium:
    """Store pieces as a medium.

    :raises UnreadableError: if it is empty, or has more than ``most`` bytes.
    """
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="diffgram-medium-"))  # noqa: SIM115
    try:
        for piece in pieces:
            if file.tell() + len(piece) > most:
                raise _too_large(most)
            file.write(piece)
        medium = Medium(file)
        if not medium.size:
            raise UnreadableError("is empty")
    except BaseException:
        file.close()
        raise
    return medium


def _too_large(most: int) -> UnreadableError:
    return UnreadableError(f"larger than {most / 2**20:.0f} MiB")


@dataclass
class _Reading:
    """One medium being read: checks the addresses of its connections, and ends them when time is up."""

    loopback: bool
    connection: HTTPConnection | None = None
    is_over: bool = False
    is_late: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host that a worker may connect to.

        :raises UnreadableError: if there is none.
        """
        found = _resolved(host, port)
        refused = {each: why_refused(each, loopback=self.loopback) for each in found}
        allowed = [each for each in found if refused[each] is None]
        if not allowed:
            raise UnreadableError(f"{host} {next(iter(refused.values()))}", everywhere=True)
        return allowed

    def take(self, connection: HTTPConnection) -> None:
        """Remember the connection that is in use."""
        with self._lock:
            self.connection = connection

    def end(self) -> None:
        """Leave the connection alone from now on: others may use it."""
        with self._lock:
            self.is_over = True

    def break_off(self) -> None:
        """Break the connection, whatever it waits for."""
        with self._lock:
            if self.is_over:
                return
            self.is_late = True
            sock = getattr(self.connection, "sock", None)
            sock = getattr(sock, "socket", sock)  # of TLS within the TLS of a proxy
            if sock is not None:
                with suppress(OSError):  # it was closed by the other side meanwhile
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not TLS's own, which would wait


class _Current(threading.local):
    reading: _Reading | None = None


_current = _Current()
"""What the current thread reads. A connection for anything else is refused."""


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _Checked(HTTPConnection):
    """A connection to an address that a worker may read from, or to the configured proxy."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; from now on the reader may break the connection."""
        assert _current.reading is not None
        _current.reading.take(self)
        return super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        assert _current.reading is not None
        self.sock = super()._new_conn() if self.proxy is not None else self._new_to_checked(_current.reading)
        if _current.reading.is_late:
            raise ConnectTimeoutError(self, "the time for the medium is up")
        return self.sock

    def _new_to_checked(self, reading: _Reading) -> socket.socket:
        host = self._dns_host
        try:
            addresses = reading.addresses(host, self.port or self.default_port)
        except (socket.gaierror, UnicodeError) as error:
            raise NewConnectionError(self, "its name cannot be resolved") from error
        try:
            for address in addresses[:-1]:
                self._dns_host = address
                with suppress(NewConnectionError, ConnectTimeoutError):
                    return super()._new_conn()
            self._dns_host = addresses[-1]
            return super()._new_conn()
        finally:
            self._dns_host = host  # TLS is about the name


class _CheckedTls(_Checked, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTls


class _ShutHosts:
    """Hosts from which nothing can be read, and until when they are left alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: dict[str, tuple[UnreadableError, float]] = {}

    def add(self, error: UnreadableError, moment: float) -> None:
        """Shut the host of an error: for a while, or permanently if the error does not pass."""
        with self._lock:
            self._hosts[error.host] = error, moment + _SHUT if error.may_pass else math.inf

    def error(self, host: str, moment: float) -> UnreadableError | None:
        """Return why a host is shut; None if it is not, or if this caller may try it again."""
        with self._lock:
            error, until = self._hosts.get(host, (None, 0.0))
            if error is None:
                return None
            if moment >= until:
                self._hosts[host] = error, moment + _SHUT
                return None
            return UnreadableError(error.reason, may_pass_later=error.may_pass_later, host=host)


class Remote:
    """Reads media by URL. Safe to use from several threads.

    :param settings: proxy, certificate authorities and timeouts are used, and nothing else.
    :param clock: ends the reading when the push must stop.
    :param most: most bytes of a medium.
    :param seconds: most seconds for a medium.
    :param patience: seconds during which passing faults are retried; None if the server can fetch the medium
        instead, so that only a broken connection is worth another attempt.
    """

    def __init__(
        self, settings: Settings, clock: Clock, *, most: int, seconds: float, patience: float | None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._patience = patience
        self._lock = threading.Lock()
        self._managers: dict[tuple[str | None, bool], PoolManager] = {}
        self._shut = _ShutHosts()
        self._own_host = urlsplit(settings.base_url).hostname or ""
        self._loopback: bool | None = None

    def close(self) -> None:
        """Close the pooled connections."""
        for manager in self._managers.values():
            manager.clear()

    def read(self, url: str) -> Medium:
        """Return the medium at a URL, once it is complete.

        A host that cannot be connected to is tried again by one reader per minute; one that is forbidden or
        not trusted is never tried again.

        :raises UnreadableError: with the reason, if it cannot be read.
        :raises StoppedError: if the client is asked to stop.
        """
        began = self._clock.monotonic()
        for failures in count(1):
            try:
                with self._timed():
                    return self._follow(url)
            except UnreadableError as error:
                seconds = backoff(failures)
                if not self._is_worth_another(error, failures, self._clock.monotonic() - began + seconds):
                    if error.everywhere:
                        self._shut.add(error, self._clock.monotonic())
                    raise
            self._clock.sleep(seconds)
        raise AssertionError

    def _is_worth_another(self, error: UnreadableError, failures: int, seconds: float) -> bool:
        if self._patience is None:
            return error.may_pass and not error.everywhere and failures < _TRIES
        return error.may_pass and seconds <= self._patience

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Limit the time of the block: when it is up, the connection is broken."""
        reading = _Reading(self._may_loop_back())
        timer = threading.Timer(self._seconds, reading.break_off)
        timer.daemon = True
        _current.reading = reading
        timer.start()
        try:
            yield
        except UnreadableError:
            if reading.is_late:
                raise UnreadableError(f"took more than {self._seconds:.0f} s", may_pass=True) from None
            raise
        finally:
            reading.end()
            timer.cancel()
            _current.reading = None

    def _follow(self, url: str) -> Medium:
        for _ in range(_REDIRECTS + 1):
            found = self._ask(url)
            if isinstance(found, Medium):
                return found
            url = urljoin(url, found)
            if urlsplit(url).scheme not in ("http", "https"):
                raise UnreadableError("redirects to something other than http(s)")
        raise UnreadableError(f"redirects more than {_REDIRECTS} times")

    def _ask(self, url: str) -> Medium | str:
        """Return the medium, or the URL to which it has moved."""
        host = urlsplit(url).netloc.rpartition("@")[2]
        shut = self._shut.error(host, self._clock.monotonic())
        if shut is not None:
            raise shut
        try:
            return self._asked(url)
        except UnreadableError as error:
            error.host = host
            raise
        except HTTPError as error:
            meaning = _meaning(error)
            meaning.host = host
            raise meaning from error
        except OSError as error:
            raise UnreadableError(f"{type(error).__name__} while it was read", may_pass=True) from error
        except ValueError as error:
            raise UnreadableError("is not an address") from error

    def _asked(self, url: str) -> Medium | str:
        parts = urlsplit(url)
        proxy = self._proxy_of(url)
        if proxy is not None:
            self._look_at_name(parts.hostname or "", parts.port or 0)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        user, password = get_auth_from_url(url)
        if user or password:
            headers["Authorization"] = make_headers(basic_auth=f"{user}:{password}")["authorization"]
            url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        response = self._manager(proxy, is_own=parts.hostname == self._own_host).request(
            "GET",
            url,
            headers=headers,
            preload_content=False,
            enforce_content_length=True,
            redirect=False,
            retries=Retry(0, redirect=False),
            timeout=Timeout(self._settings.connect_timeout, self._settings.read_timeout),
        )
        try:
            moved_to = response.headers.get("Location") if response.status in _MOVED else None
            return self._kept(response) if moved_to is None else str(moved_to)
        except BaseException:
            response.close()  # the rest is not needed, and may be endless
            raise
        finally:
            response.release_conn()

    def _kept(self, response: Any) -> Medium:
        if response.status != 200:
            passing = response.status in _PASSING or response.status >= 500
            raise UnreadableError(f"HTTP {response.status}", may_pass=passing)
        told = str(response.headers.get("Content-Length", ""))
        length = int(told) if told.isdecimal() else None
        if length is None and not response.chunked:
            raise UnreadableError("its server does not say how long it is")
        if length is not None and length > self._most:
            raise _too_large(self._most)
        medium = kept(self._pieces(response), self._most)
        plain = response.headers.get("Content-Encoding", "identity") == "identity"
        if length is not None and plain and medium.size != length:
            medium.close()
            raise UnreadableError("was cut while it was read", may_pass=True)
        return medium

    def _pieces(self, response: Any) -> Iterator[bytes]:
        for piece in response.stream(_PIECE, decode_content=True):
            self._clock.sleep(0)  # raises if the push must stop
            yield piece

    def _look_at_name(self, host: str, port: int) -> None:
        """Refuse a host behind a proxy if its name resolves here to a forbidden address.

        A name that only the proxy can resolve is left to the proxy.
        """
        assert _current.reading is not None
        try:
            _current.reading.addresses(host, port)
        except (socket.gaierror, UnicodeError):
            return

    def _proxy_of(self, url: str) -> str | None:
        if should_bypass_proxies(url, no_proxy=None):
            return None
        found = self._settings.proxy or select_proxy(url, get_environ_proxies(url, no_proxy=None))
        return str(found) if found else None

    def _manager(self, proxy: str | None, *, is_own: bool) -> PoolManager:
        """Return a connection pool; only for Diffgram's own host may certificates be left unchecked."""
        is_trusted = is_own and self._settings.verify is False
        with self._lock:
            if (proxy, is_trusted) not in self._managers:
                self._managers[proxy, is_trusted] = self._new_manager(proxy, is_trusted=is_trusted)
            return self._managers[proxy, is_trusted]

    def _new_manager(self, proxy: str | None, *, is_trusted: bool) -> PoolManager:
        pooling: dict[str, Any] = {
            "num_pools": 20,
            "maxsize": MOST_AT_ONCE,
            "ssl_context": _context(self._settings.verify, is_trusted=is_trusted),
        }
        if is_trusted:
            pooling |= {"assert_hostname": False}
        manager: PoolManager
        if proxy is None:
            manager = PoolManager(**pooling)
        else:
            user, password = get_auth_from_url(proxy)
            headers = make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
            manager = ProxyManager(proxy, proxy_headers=headers, **pooling)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager

    def _may_loop_back(self) -> bool:
        """Whether Diffgram is on this machine, so that its media may be here, too."""
        if self._loopback is None:
            try:
                self._loopback = any(map(is_loopback, _resolved(self._own_host, 0)))
            except (socket.gaierror, UnicodeError):
                self._loopback = False
        return self._loopback


def _context(verify: bool | str, *, is_trusted: bool) -> ssl.SSLContext:
    """Return the TLS context: it trusts the usual authorities and those of the connection."""
    context = ssl.create_default_context(cafile=_authorities() or certifi.where())
    if isinstance(verify, str):
        is_folder = os.path.isdir(verify)  # noqa: PTH112  # as OpenSSL takes it
        context.load_verify_locations(None if is_folder else verify, verify if is_folder else None)
    if is_trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _authorities() -> str | None:
    """Return the file of authorities that the environment names, as for Diffgram itself."""
    named = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    return next((each for each in named if each and os.path.isfile(each)), None)  # noqa: PTH113


def _meaning(error: HTTPError) -> UnreadableError:
    """Return what a fault of the network means for the medium."""
    cause: BaseException = error
    while isinstance(cause, MaxRetryError) and cause.reason is not None:
        cause = cause.reason
    if isinstance(cause, NewConnectionError | ConnectTimeoutError | ProxyError):
        return UnreadableError("no connection to its host", may_pass=True, everywhere=True)
    if isinstance(cause, SSLError):
        return UnreadableError("no trusted TLS with its host", everywhere=True)
    if isinstance(cause, ReadTimeoutError):
        return UnreadableError("its host stopped answering", may_pass=True)
    if isinstance(cause, IncompleteRead | ProtocolError):
        return UnreadableError("was cut while it was read", may_pass=True)
    return UnreadableError(type(cause).__name__, may_pass=True)
