"""Interprets answers (server.md 1.4). No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from ..models.problems import describe
from .errors import (
    CredentialError,
    DiffgramError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    TlsError,
    TooLargeError,
    UnexpectedReplyError,
    WrongAddressError,
)
from .pacing import AN_HOUR, seconds_until_window, told_seconds
from .pieces import BIG, loads
from .remedies import remedy_for
from .request import Request
from .words import NO_JSON, Words, is_marked_up, shown, shown_value, words_of

T = TypeVar("T")

_OF_A_PROXY = (502, 504)
"""Statuses that Diffgram itself never sends: its own dispatcher answers 503 (server.md 1.4)."""
_SHOWN_IDS = 6


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer, and what the server says in it."""

    request: Request[Any]
    status: int
    headers: Mapping[str, str]
    body: bytes
    parsed: Any
    words: Words
    path: str
    secrets: Sequence[str]

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, which Diffgram's API never sends."""
        if self.parsed is not NO_JSON:
            return False
        return is_marked_up(self.body) or (
            self.status < 300 and "html" in self.headers.get("content-type", "")
        )

    def means(
        self,
        kind: type[DiffgramError],
        cause: str,
        remedy: str | None = None,
        processed: bool | None = None,
    ) -> DiffgramError:
        """Return the error of this kind: what, value, cause, the server's words, remedy."""
        field, value = _field_of(self.request, self.words.fields, self.secrets)
        named = f", {field} = {value}" if value is not None else ""
        said = f" (HTTP {self.status}: {self.words.text})" if self.words.text else f" (HTTP {self.status})"
        what = shown(self.request.what, self.secrets)
        remedy = kind.remedy if remedy is None else remedy
        return kind(
            f"{what}: {cause}{named}{said}. {remedy}",
            status=self.status,
            fields=self.words.fields,
            field=field,
            value=value,
            server_text=self.words.text,
            processed=processed,
            remedy=remedy,
        )


def value_of(
    request: Request[T],
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    path: str | None = None,
    secrets: Sequence[str] = (),
) -> T:
    """Return the value of an answer, or raise the error that it means.

    :param headers: headers of the answer, by lower-case name.
    :param path: the path that was used, if not the request's own.
    :param secrets: texts to hide if the answer repeats them.
    :raises DiffgramError: one of the classes in :mod:`~airflow_provider_diffgram.client.errors`.
    """
    parsed = _parse(body)
    words = words_of(body, parsed, secrets)
    answer = _Answer(request, status, headers, body, parsed, words, path or request.path, secrets)
    if _is_failed_upload(answer):
        return _read(request, answer)
    if not 200 <= status < 300:
        raise _error(answer)
    if answer.is_page:
        raise answer.means(
            WrongAddressError,
            f"a web page answered at {answer.path}, not Diffgram",
            "Check the host and port of the connection, and whether a proxy asks for a login",
        )
    if parsed is NO_JSON:
        raise answer.means(ServerFaultError, f"the answer is incomplete or not JSON: {words.text!r}")
    if isinstance(parsed, dict) and set(parsed) == {"error"} and parsed["error"]:  # E12
        raise _refused(answer, f"the server answered {status} with an error")
    return _read(request, answer)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body) if len(body) < BIG else loads(body)
    except (ValueError, RecursionError):
        return NO_JSON


def _is_failed_upload(answer: _Answer) -> bool:
    """Whether an upload was processed and failed; the input in the body says why (E6)."""
    return (
        answer.status == 400
        and answer.request.upload is not None
        and isinstance(answer.parsed, dict)
        and isinstance(answer.parsed.get("input"), dict)
    )


def _read(request: Request[T], answer: _Answer) -> T:
    try:
        return request.read(answer.parsed)
    except ValidationError as error:
        problem = "; ".join(describe(error)[:_SHOWN_IDS])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        problem = f"lacks {error}" if isinstance(error, KeyError) else str(error)
    raise UnexpectedReplyError(
        f"{shown(request.what, answer.secrets)}: the server answered {answer.status} in an unknown form: "
        f"{shown(problem, answer.secrets)}. {UnexpectedReplyError.remedy}",
        status=answer.status,
        server_text=answer.words.text,
    )


def _error(answer: _Answer) -> DiffgramError:
    status, text = answer.status, answer.words.text
    by_proxy = " by a proxy in front of Diffgram" if answer.is_page else ""
    if 300 <= status < 400:
        return _redirected(answer)
    if status in (401, 403):
        cause, remedy = _credential_cause(text, by_proxy)
        return answer.means(CredentialError, cause, remedy + _refused_alike(answer.request))
    if status in (404, 405) or (status == 500 and text == "index.html"):
        return answer.means(
            WrongAddressError,
            f"no such path {answer.path}",
            "Check that this is a Diffgram, and that the host of the connection has no path"
            + (", and check packet_path of the connection" if answer.request.documented_path else ""),
        )
    if status == 407:
        return answer.means(
            WrongAddressError,
            "the proxy asks for a login",
            "Put the login into HTTPS_PROXY in the environment, and leave proxy of the connection empty",
        )
    if status == 413:
        return answer.means(TooLargeError, f"refused{by_proxy}: the body is too large")
    if status == 429:
        limited = answer.means(
            RateLimitedError, f"refused{by_proxy} because of the rate limit, and not executed"
        )
        assert isinstance(limited, RateLimitedError)
        limited.retry_after = _retry_after(answer.headers, text)
        return limited
    if status in _OF_A_PROXY or (by_proxy and status > 500):
        return _unavailable(
            answer, "a proxy in front of Diffgram got no answer from it", ServerUnavailableError.proxy_remedy
        )
    if status == 503:
        return _unavailable(
            answer,
            ("another write to the file is under way, " if answer.request.edits_rows else "")
            + "the service is down, or an id in the request does not exist: the answer does not tell which"
            + (f" (asked with {ids})" if (ids := _ids_of(answer.request)) else ""),
        )
    if status >= 500 or status < 400:
        cause = (
            "a proxy in front of Diffgram failed"
            if by_proxy
            else "the server failed, or an id does not exist"
        )
        return answer.means(ServerFaultError, cause)
    if answer.is_page and "SSL certificate" in text:  # in nginx's words
        return answer.means(
            TlsError,
            "the server asks for a client certificate, or does not trust the one it received",
            "Set the client certificate of the connection",
        )
    if answer.is_page:
        return answer.means(
            WrongAddressError,
            f"a web page answered at {answer.path}, not Diffgram",
            "Check the host and port of the connection. If the server speaks TLS there, write https:// "
            "before the host",
        )
    return _refused(answer, "refused")


def _unavailable(answer: _Answer, cause: str, remedy: str | None = None) -> DiffgramError:
    error = answer.means(ServerUnavailableError, cause, remedy)
    assert isinstance(error, ServerUnavailableError)
    error.retry_after = told_seconds(answer.headers) or 0.0
    return error


def _refused(answer: _Answer, cause: str) -> DiffgramError:
    known = remedy_for(answer.words.text)
    remedy, processed = (known.remedy, known.processed) if known else (RefusedError.remedy, False)
    error = answer.means(RefusedError, cause, remedy, processed)
    if answer.request.edits_rows:
        error.processed = None  # the rows before the wrong one are stored (server.md 10.8.2)
    return error


def _redirected(answer: _Answer) -> DiffgramError:
    """Return the error for a redirect; a POST that followed it would become a GET (quirk 42)."""
    target = shown(answer.headers.get("location", "another address"), answer.secrets)
    try:
        parts = urlsplit(target)
        root = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
    except ValueError:
        root = ""
    host = f"write {root} as the host of the connection, if that is your Diffgram" if root else ""
    return answer.means(
        WrongAddressError,
        f"redirected to {target}; redirects are never followed",
        f"Use https and the address at which Diffgram itself answers{': ' if host else ''}{host}",
    )


def _retry_after(headers: Mapping[str, str], text: str) -> float:
    """Return the seconds to wait: until the server's next window, or as a proxy says.

    A limit per hour or day (server.md 1.5) is not worth waiting for, so the result exceeds any patience.
    """
    if re.search(r"per \d+ (hour|day)", text):
        return AN_HOUR
    told = told_seconds(headers)
    return seconds_until_window(headers) if told is None else told


def _credential_cause(text: str, by_proxy: str) -> tuple[str, str]:
    """Return the cause and the remedy of a 401 or 403 (quirks 26, 27)."""
    if by_proxy:
        return f"the credential was refused{by_proxy}", "Check which login that proxy expects"
    if "Can't find project" in text:
        return "no such project", "Check Project (the project_string_id) of the connection"
    if "Failed API Permissions" in text:
        return "the credential was refused", (
            "The client ID or client secret is wrong or belongs to another project, or its role does not "
            "allow this"
        )
    if "please login" in text.lower():
        return "the credential was refused", (
            "Only a person who has logged in may do this; an API credential may not"
        )
    return "the credential was refused", "Check the client ID and client secret of the connection"


def _refused_alike(request: Request[Any]) -> str:
    """Return what else the server refuses with the same words (server.md 2.7, 2.17)."""
    if "/job/" in request.path:
        return "; a job that does not exist gets the same refusal"
    if _sent(request).get("connection_id") is not None:
        return "; a storage connection of another project gets the same refusal"
    return ""


def _field_of(
    request: Request[Any], fields: Mapping[str, str], secrets: Sequence[str]
) -> tuple[str | None, str | None]:
    """Return the field that the server names and the value sent in it; prefers a field that was sent."""
    sent = _sent(request)
    for field in fields:
        if field in sent:
            return field, shown_value(sent[field], secrets)
    return next(iter(fields), None), None


def _sent(request: Request[Any]) -> dict[str, Any]:
    body = request.json if isinstance(request.json, dict) else {}
    form = dict(request.upload.form) if request.upload else {}
    if "json" in form:
        form |= json.loads(form.pop("json"))
    return {**request.params, **form, **body}


def _ids_of(request: Request[Any]) -> str:
    """Return the ids in the request, one of which may not exist (quirk 6)."""
    ids = [(key, value) for key, value in _sent(request).items() if key.endswith("_id") and value is not None]
    return ", ".join(f"{key} {shown_value(value)}" for key, value in ids[:_SHOWN_IDS])
