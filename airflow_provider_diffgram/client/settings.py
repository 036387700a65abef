"""The address of a Diffgram, and how to talk to it."""

from __future__ import annotations

import base64
import math
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote, urlsplit

from .. import __version__

USER_AGENT = f"airflow-provider-diffgram/{__version__}"
"""Not the library default: the server treats user agents that begin with ``python`` specially (quirk 26)."""

PacketPath = Literal["auto", "served", "documented"]
"""Where to send packets (server.md 6): ``served`` is the path of the open source server, ``documented`` that
of the vendor's documentation; ``auto`` uses the first unless the server has only the second."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Address, credential and patience.

    :param host: ``https://diffgram.example.com``, ``http://127.0.0.1:8085``, or a bare host, which means
        https. A path is refused: Diffgram answers at the root.
    :param project: project_string_id, a short text, never the numeric id.
    :param client_id: client id of an API credential of the project.
    :param client_secret: secret of the same credential; not shown by repr.
    :param verify: whether to check TLS certificates, or the path of a file with the authorities to trust.
    :param client_cert: path of a PEM file with the certificate to present to the server.
    :param client_key: path of its private key; None if it is in the same file.
    :param proxy: ``http://host:port`` of the proxy to use, without a credential. None means the environment's
        (``HTTPS_PROXY``, ``NO_PROXY``).
    :param connect_timeout: most seconds to connect.
    :param read_timeout: most seconds until the next byte of an answer.
    :param retry_timeout: seconds during which a request that was not processed is sent again.
    :param packet_path: ``served``, ``documented``, or ``auto``: see :data:`PacketPath`.
    :param requests_per_second: most requests per second to an endpoint that has its own limit, such as the
        one for packets. None means the server's limit.
    :param name: id of the connection that these settings come from, for errors.
    :raises ValueError: naming everything that is missing or wrong.
    """

    host: str
    project: str
    client_id: str
    client_secret: str = field(repr=False)
    verify: bool | str = True
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    retry_timeout: float = 60.0
    packet_path: PacketPath = "auto"
    requests_per_second: float | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        problems = [
            f"{name} is empty"
            for name in ("host", "project", "client_id", "client_secret")
            if not getattr(self, name)
        ]
        problems += [
            f"{name} must be a finite number of seconds above 0, not {getattr(self, name)}"
            for name in ("connect_timeout", "read_timeout")
            if not 0 < getattr(self, name) < math.inf
        ]
        if not 0 <= self.retry_timeout < math.inf:
            problems.append(f"retry_timeout must be a finite number of seconds, not {self.retry_timeout}")
        if self.packet_path not in get_args(PacketPath):
            problems.append(
                f"packet_path must be {', '.join(get_args(PacketPath))}, not {self.packet_path!r}"
            )
        if self.requests_per_second is not None and not 0 < self.requests_per_second < math.inf:
            problems.append(
                f"requests_per_second must be a finite number above 0, not {self.requests_per_second}"
            )
        if isinstance(self.verify, str) and not Path(self.verify).exists():
            problems.append(f"CA bundle {self.verify!r} does not exist on this machine")
        problems += _certificate_problems(self.client_cert, self.client_key) + _proxy_problems(self.proxy)
        if any(each in "/?#" or each.isspace() or not each.isprintable() for each in self.project):
            problems.append(f"project {self.project!r} must be a project_string_id, such as demo-project")
        if self.host:
            problems += self._host_problems()
        if problems:
            raise ValueError("; ".join(problems))

    def _host_problems(self) -> list[str]:
        try:
            parts = urlsplit(self.base_url)
            port_is_wrong = parts.port == 0
        except ValueError as error:
            return [f"host {self._shown_host!r} is not an address: {error}"]
        problems = []
        if parts.scheme not in ("http", "https") or not parts.hostname or port_is_wrong:
            problems.append(
                f"host {self._shown_host!r} is not an http(s) address: write diffgram.example.com, "
                "or http://host where there is no TLS"
            )
        if any(not character.isprintable() or character.isspace() for character in self.host):
            problems.append(f"host {self._shown_host!r} must have no blanks or invisible characters in it")
        if parts.path or parts.query or parts.fragment:
            problems.append(f"host {self._shown_host!r} must have no path: Diffgram answers at the root")
        if parts.username or parts.password:
            problems.append("host must not contain a credential")
        return problems

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a trailing slash."""
        scheme, separator, rest = self.host.rpartition("://")
        return f"{scheme if separator else 'https'}://{rest.rstrip('/')}"

    @property
    def _shown_host(self) -> str:
        """The host without a credential that it may contain."""
        scheme, separator, rest = self.host.rpartition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"

    @property
    def where(self) -> str:
        """Host, project and connection in words, for errors."""
        named = f", connection {self.name!r}" if self.name else ""
        return f"{self.base_url}, project {self.project!r}{named}"

    @property
    def address(self) -> str:
        """Host and connection in words, for errors."""
        return f"{self.base_url} (connection {self.name!r})" if self.name else self.base_url

    def file_url(self, file_id: int) -> str:
        """Return the URL of a file's page in Diffgram's user interface."""
        return f"{self.base_url}/studio/annotate/{quote(self.project, safe='')}?file={file_id}"

    def dataset_url(self, directory_id: int) -> str:
        """Return the URL of a dataset's page, in the explorer."""
        page = f"{self.base_url}/studio/annotate/{quote(self.project, safe='')}/explorer"
        return f"{page}?dataset_id={directory_id}"

    def inputs_url(self, batch_id: int | None = None) -> str:
        """Return the URL of the page of inputs: of a batch, or all."""
        batch = "" if batch_id is None else f"?batch_id={batch_id}"
        return f"{self.base_url}/studio/upload/{quote(self.project, safe='')}{batch}"

    def job_url(self, job_id: int) -> str:
        """Return the URL of a job's page in Diffgram's user interface."""
        return f"{self.base_url}/job/{job_id}"


def secrets_of(settings: Settings) -> list[str]:
    """Return the texts that must never be shown: the client secret, and the header derived from it."""
    pair = f"{settings.client_id}:{settings.client_secret}"
    return [settings.client_secret, base64.b64encode(pair.encode()).decode()]


def _certificate_problems(certificate: str | None, key: str | None) -> list[str]:
    """Return why a client certificate cannot be presented to a server; empty if it can.

    :param certificate: path of a PEM file.
    :param key: path of its private key; None if the key is in the same file.
    """
    if not certificate:
        return ["client_key needs client_cert: name the certificate that it belongs to"] if key else []
    paths = {"client_cert": certificate, "client_key": key}
    missing = [
        f"{name} {path!r} does not exist on this machine"
        for name, path in paths.items()
        if path and not Path(path).is_file()
    ]
    if missing:
        return missing
    try:
        # For a key with a passphrase, OpenSSL would otherwise ask for it at a terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        return [
            f"client_cert {certificate!r} cannot be used: {error}. It must be a PEM file with its private "
            "key, or client_key must name the key; a key with a passphrase is not supported"
        ]
    return []


def _proxy_problems(proxy: str | None) -> list[str]:
    """Return what is wrong with the address of a proxy; empty if nothing is."""
    if not proxy:
        return []
    if "@" in proxy:
        return [
            "proxy must not contain a credential, because everyone who may view connections sees it: set "
            "HTTPS_PROXY in the environment of workers, triggerer and api-server instead"
        ]
    try:
        parts = urlsplit(proxy)
        fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fine = False
    if fine and parts.path in ("", "/") and not parts.query:
        return []
    return [f"proxy {proxy!r} is not an address: write http://host:port"]
