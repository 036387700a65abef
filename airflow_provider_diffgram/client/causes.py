"""Explains in plain words why a connection failed, and what to do, from the libraries' messages. No I/O."""

from __future__ import annotations

import re

Causes = tuple[tuple[str, str, str], ...]
"""A pattern of the library's message, the cause in plain words, and a remedy if not the usual one."""

TLS_CAUSES: Causes = (
    (
        "wrong.version.number|record layer failure|unknown.protocol|http request",
        "it does not speak TLS",
        "Write http:// before the host, if that is meant",
    ),
    (
        "certificate.required|handshake failure|bad certificate",
        "it asks for a certificate of ours",
        "Set the client certificate of the connection, with its key",
    ),
    ("has expired|not yet valid", "its certificate has expired, or is not valid yet", "Have it renewed"),
    (
        "mismatch|doesn't match|is not valid for",
        "its certificate is for another host",
        "Give the host by the name that its certificate has",
    ),
    (
        "self.signed|local issuer|verify failed",
        "its certificate is not trusted here",
        "Set the CA bundle of the connection to a file with the authority that signed it",
    ),
)

CAUSES: Causes = (
    (
        "proxy",
        "its proxy cannot be reached",
        "Check the proxy of the connection, or of the environment (HTTPS_PROXY)",
    ),
    ("connection refused", "nothing listens there", ""),
    (
        "name or service not known|failed to resolve|nodename nor servname|getaddrinfo|name resolution",
        "no host of that name is known here",
        "",
    ),
    ("timed out|timeout", "it does not answer", ""),
    ("unreachable|no route", "there is no way to it from here", ""),
)


def cause_of(reason: object, causes: Causes, otherwise: str) -> tuple[str, str]:
    """Return why a connection failed and what to do; for an unknown cause, the library's own message."""
    text = str(reason)
    for pattern, words, remedy in causes:
        if re.search(pattern, text, re.IGNORECASE):
            return words, remedy or otherwise
    return text, otherwise
