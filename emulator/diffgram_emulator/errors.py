"""The shapes of an error answer (server.md 1.4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer: a value to be written as JSON, or text with its own content type."""

    body: Any
    status: int = 200
    content_type: str = "application/json"
    raw: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Ends a request with the given answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class DatabaseRefused(Exception):
    """The database would have refused a value: the dispatcher answers 503 (server.md 1.4, E5)."""


class ThreadDied(Exception):
    """An ingest thread meets an error the server does not handle, and is not replaced (quirks 48, 49, 62)."""


REFUSED_BY_DATABASE = (DatabaseRefused, OverflowError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""The last two are what SQLite says of an object where a number or a text belongs."""


class ServerCrash(Exception):
    """An unexpected exception of the real server: 500 with the exception's text (E4)."""


CRASHES = (ServerCrash, UnicodeEncodeError, RecursionError)
"""What the real server does not handle either: half a surrogate pair, JSON nested too deeply."""


def log(error: Any = None, info: Any = None, success: bool = False) -> dict[str, Any]:
    """Return the server's ``log`` object."""
    return {
        "error": {} if error is None else error,
        "info": {} if info is None else info,
        "success": success,
    }


def bad_request(error: Any, info: Any = None) -> Refusal:
    """Return E1 (or E2, with a text as error): 400 with a nested log."""
    return Refusal(Reply({"log": log(error, info)}, 400))


def bad_request_flat(error: dict[str, Any]) -> Refusal:
    """Return E3: 400 with the log's keys at the top."""
    return Refusal(Reply(log(error), 400))


def http_error(status: int, text: str) -> Refusal:
    """Return E4: ``{"error": text}``."""
    return Refusal(Reply({"error": text}, status))


def unreachable(service: str, port: int) -> Reply:
    """Return E5, which the dispatcher gives for a service that is down and for a refused id alike."""
    message = f"Service is unreachable. Please check the connection to the {service}:{port} service."
    return Reply({"error": {"message": message, "port": port, "service": service}}, 503)
