"""What lies between here and the server: a proxy, a certificate of our own. No requests are sent here."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit


def certificate_problems(certificate: str | None, key: str | None) -> list[str]:
    """Return why a client certificate cannot be shown to a server; empty if it can.

    :param certificate: path of a PEM file.
    :param key: path of its private key; None if the key is in the same file.
    """
    if not certificate:
        return ["client_key is given without client_cert: name the certificate that it belongs to"] * bool(
            key
        )
    paths = {"client_cert": certificate, "client_key": key}
    missing = [
        f"{name} {path!r} does not exist on this machine"
        for name, path in paths.items()
        if path and not Path(path).is_file()
    ]
    if missing:
        return missing
    try:
        # A key with a passphrase would have OpenSSL ask for it at a terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        return [
            f"client_cert {certificate!r} cannot be used: {error}. It must be a PEM file with its private "
            "key, or client_key must name the key; a key with a passphrase is not supported"
        ]
    return []


def proxy_problems(proxy: str | None) -> list[str]:
    """Return what is wrong with the address of a proxy; empty if nothing is."""
    if not proxy:
        return []
    if "@" in proxy:
        return [
            "proxy must not hold a credential, since extras are shown to whoever may see connections: set "
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
