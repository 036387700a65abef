"""Decides which faults of a user's storage may pass. No I/O, and no library of a storage is imported.

Each library behind fsspec has errors of its own: s3fs raises ``OSError`` with an ``errno`` for S3's answers,
and passes on botocore's own errors; gcsfs raises ``HttpError`` with a ``code``, adlfs azure-core's errors
with a ``status_code``; all three may also raise aiohttp's.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from http.client import IncompleteRead

from .models.received.texts import without_signatures

_FINAL_TYPES = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    FileExistsError,
    ssl.SSLCertVerificationError,
)
_PASSING_TYPES = (TimeoutError, ConnectionError, InterruptedError, BlockingIOError, IncompleteRead)

_PASSING_ERRNOS = frozenset(
    number
    for number, name in errno.errorcode.items()
    if name
    in {
        *("EAGAIN", "EBUSY", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EDQUOT", "EHOSTDOWN"),
        *("EHOSTUNREACH", "EINTR", "EIO", "EMFILE", "ENETDOWN", "ENETRESET", "ENETUNREACH", "ENFILE"),
        *("ENOBUFS", "ENOLCK", "ENOMEM", "ENOSPC", "ENOTCONN", "EPIPE", "EREMOTEIO", "ESHUTDOWN"),
        *("ESTALE", "ETIMEDOUT"),
    }
)
"""Includes a full disk: it is the worker's, and another attempt may run on another worker."""

_PASSING_NAMES = {
    "aiohttp": {"ClientConnectionError", "ClientPayloadError"},
    "azure": {"ServiceRequestError", "ServiceResponseError"},
    "botocore": {"ConnectionError", "HTTPClientError", "IncompleteReadError"},
    "google": {"TransportError"},
    "httpx": {"TransportError"},
    "paramiko": {"SSHException"},
    "requests": {"ChunkedEncodingError", "ConnectionError", "Timeout"},
    "urllib3": {"HTTPError"},
}
"""Library -> its passing errors without a number, including derived ones."""

_PASSING_STATUSES = frozenset({408, 425, 429})


def is_passing(error: BaseException) -> bool:
    """Return whether a failed operation may soon succeed: timeout, reset, a server that is busy or down.

    A path that is missing, forbidden or a folder stays so. An error without a recognisable cause is final,
    and so is one that does not come from a storage.
    """
    if isinstance(error, _FINAL_TYPES):
        return False
    status = _status(error)
    if status is not None:
        return status in _PASSING_STATUSES or status >= 500
    if isinstance(error, _PASSING_TYPES):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        # A name that cannot be resolved has a negative number: the network is down, or the name is wrong.
        return error.errno < 0 or error.errno in _PASSING_ERRNOS
    return any(
        kind.__name__ in _PASSING_NAMES.get(kind.__module__.partition(".")[0], ())
        for kind in type(error).__mro__
    )


def words_of_fault(error: BaseException) -> str:
    """Return an error's text without signatures, with the kind of error if the text says little."""
    text = without_signatures(str(error)).strip()
    if isinstance(error, OSError) and error.strerror and error.errno:
        return without_signatures(str(error.strerror))
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of a storage's answer, if the error has one."""
    return next((each for each in _statuses(error) if 400 <= each < 600), None)


def _statuses(error: BaseException) -> Iterator[int]:
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        response = response.get("ResponseMetadata", {})
        found = [response.get("HTTPStatusCode")] if isinstance(response, dict) else []
    else:
        found = [getattr(error, name, None) for name in ("status_code", "status", "code")]
        found.append(getattr(response, "status_code", None))
    for each in found:
        if isinstance(each, int) or (isinstance(each, str) and each.isdecimal()):
            yield int(each)
