"""What an answer means (wire contract 1.4). No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ..models.problems import describe
from ..models.received import without_signatures
from .errors import (
    CredentialError,
    DiffgramError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    TooLargeError,
    UnexpectedReplyError,
    WrongAddressError,
)
from .pacing import seconds_until_window
from .request import Request

T = TypeVar("T")

_SHOWN = 400
_AN_HOUR = 3600.0
_NO_JSON = object()


def value_of(request: Request[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    """Return what the answer says, or raise the error that it means.

    :param headers: headers of the answer, found by lower-case name.
    :raises DiffgramError: one of the classes in :mod:`~airflow_provider_diffgram.client.errors`.
    """
    parsed = _parse(body)
    if status == 400 and isinstance(parsed, dict) and isinstance(parsed.get("input"), dict):
        # E6: an upload that was processed and failed; the input in the body tells why.
        return _read(request, status, parsed)
    if not 200 <= status < 300:
        raise _error(request, status, headers, body, parsed)
    if parsed is _NO_JSON:
        raise _not_json(request, status, headers, body)
    if isinstance(parsed, dict) and set(parsed) == {"error"} and parsed["error"]:
        raise RefusedError(  # E12
            f"{request.what}: the server answered {status} with an error: {_text(body, parsed)}",
            status=status,
            server_text=_text(body, parsed),
        )
    return _read(request, status, parsed)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return _NO_JSON


def _read(request: Request[T], status: int, parsed: Any) -> T:
    try:
        return request.read(parsed)
    except (ValidationError, KeyError, TypeError) as error:
        problem = "; ".join(describe(error)) if isinstance(error, ValidationError) else f"lacks {error}"
        raise UnexpectedReplyError(
            f"{request.what}: the server answered {status} in an unknown form: {problem}", status=status
        ) from None


def _not_json(request: Request[Any], status: int, headers: Mapping[str, str], body: bytes) -> DiffgramError:
    text = _text(body, _NO_JSON)
    if "html" in headers.get("content-type", "") or body.lstrip()[:1] == b"<":
        return WrongAddressError(
            f"{request.what}: a web page answered at {request.path}, not Diffgram. "
            "Check host and port of the connection, and whether a proxy asks for a login.",
            status=status,
            server_text=text,
        )
    return ServerFaultError(
        f"{request.what}: the answer is cut off or not JSON: {text!r}", status=status, server_text=text
    )


def _error(
    request: Request[Any], status: int, headers: Mapping[str, str], body: bytes, parsed: Any
) -> DiffgramError:
    text = _text(body, parsed)
    fields = _fields(parsed)
    what = f"{request.what}: "
    said = f" (HTTP {status}: {text})" if text else f" (HTTP {status})"
    known: dict[str, Any] = {"status": status, "fields": fields, "server_text": text}
    if 300 <= status < 400:
        target = without_signatures(headers.get("location", "another address"))
        return WrongAddressError(
            f"{what}redirected to {target}. Use https and the address that Diffgram itself answers at; "
            f"a redirect is never followed{said}",
            **known,
        )
    if status in (401, 403):
        return CredentialError(f"{what}{_credential_cause(text)}{said}", **known)
    if status in (404, 405) or (status == 500 and text == "index.html"):
        return WrongAddressError(
            f"{what}no such path {request.path}. Is this a Diffgram of the known kind, and the host "
            f"without a path?{said}",
            **known,
        )
    if status == 413:
        return TooLargeError(f"{what}the body is larger than the server takes{said}", **known)
    if status == 429:
        limited = RateLimitedError(f"{what}over the rate limit, not executed{said}", **known)
        limited.retry_after = _retry_after(headers, text)
        return limited
    if status == 503:
        return ServerUnavailableError(
            f"{what}the service is down, or an id in the request does not exist; the server answers "
            f"both alike{said}",
            **known,
        )
    if status >= 500:
        return ServerFaultError(f"{what}fault in the server, or an id that does not exist{said}", **known)
    return RefusedError(f"{what}refused{said}", **known)


def _retry_after(headers: Mapping[str, str], text: str) -> float:
    """Return the seconds to wait: the server's window, or what a proxy without one says.

    A limit of an hour or a day (1.5) is not worth a wait: long enough that nobody waits.
    """
    if re.search(r"per \d+ (hour|day)", text):
        return _AN_HOUR
    if "x-ratelimit-reset" not in headers:
        try:
            return max(0.0, float(headers["retry-after"]))
        except (KeyError, ValueError):
            pass
    return seconds_until_window(headers)


def _credential_cause(text: str) -> str:
    if "Can't find project" in text:
        return "there is no such project. Check Project (the project_string_id) of the connection"
    if "Failed API Permissions" in text:
        return (
            "the credential was refused. Client ID or client secret is wrong, or belongs to another "
            "project, or its role may not do this"
        )
    return "the credential was refused. Check client ID and client secret of the connection"


def _fields(parsed: Any) -> dict[str, str]:
    if not isinstance(parsed, dict):
        return {}
    log = parsed.get("log")
    error = log.get("error") if isinstance(log, dict) else parsed.get("error")
    if not isinstance(error, dict):
        return {}
    return {str(key): without_signatures(str(value))[:_SHOWN] for key, value in error.items()}


def _text(body: bytes, parsed: Any) -> str:
    """Return the server's words, whatever their shape (E1 to E10)."""
    fields = _fields(parsed)
    if fields:
        return "; ".join(f"{key}: {value}" for key, value in fields.items())[:_SHOWN]
    if isinstance(parsed, dict):
        log = parsed.get("log")
        words = (
            (log.get("error") if isinstance(log, dict) else None)
            or parsed.get("error")
            or parsed.get("message")
        )
        text = str(words) if words else ""
    elif isinstance(parsed, str):
        text = parsed
    else:
        text = body[:_SHOWN].decode("utf-8", "replace")
    return without_signatures(text.strip())[:_SHOWN]
