"""Which faults of a storage pass by themselves, in the words of each library behind fsspec."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import IncompleteRead

import botocore.exceptions
import fsspec.exceptions
import pytest
import requests
import urllib3.exceptions
from PIL import UnidentifiedImageError

from airflow_provider_diffgram.storage_faults import is_passing, words_of_fault


def of_library(module: str, name: str, base: type[Exception] = Exception, **fields: object) -> Exception:
    """Return an error as a library that is not installed here has it."""
    return type(name, (base,), {"__module__": module, **fields})("it says so")


def client_error(status: int) -> botocore.exceptions.ClientError:
    answer = {"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "HeadObject")


def http_error(status: int) -> requests.HTTPError:
    answer = requests.Response()
    answer.status_code = status
    return requests.HTTPError(response=answer)


PASSING = [
    TimeoutError("timed out"),
    TimeoutError(),
    fsspec.exceptions.FSTimeoutError(),
    ConnectionResetError(errno.ECONNRESET, "reset"),
    BrokenPipeError(),
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.EBUSY, "SlowDown: Please reduce your request rate"),
    OSError(errno.ESTALE, "Stale file handle"),
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.ENOSPC, "No space left on device"),
    socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
    IncompleteRead(b"abc"),
    client_error(503),
    client_error(500),
    client_error(429),
    botocore.exceptions.EndpointConnectionError(endpoint_url="http://h"),
    botocore.exceptions.ConnectTimeoutError(endpoint_url="http://h"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="http://h"),
    botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    botocore.exceptions.ResponseStreamingError(error="broken"),
    requests.ConnectionError("refused"),
    requests.ReadTimeout("slow"),
    requests.exceptions.ChunkedEncodingError("broken"),
    http_error(502),
    urllib3.exceptions.ProtocolError("broken"),
    of_library("gcsfs.retry", "HttpError", code=503),
    of_library("gcsfs.retry", "HttpError", code="429"),
    of_library("azure.core.exceptions", "HttpResponseError", status_code=500),
    of_library("azure.core.exceptions", "ServiceRequestError"),
    of_library("aiohttp.client_exceptions", "ClientConnectionError"),
    of_library("aiohttp.client_exceptions", "ClientResponseError", status=504),
]

FINAL = [
    FileNotFoundError(errno.ENOENT, "No such file"),
    PermissionError("Forbidden"),
    IsADirectoryError(),
    NotADirectoryError(),
    OSError(errno.EINVAL, "Invalid argument"),
    OSError(errno.ENAMETOOLONG, "File name too long"),
    OSError("page 7 of a.pdf: it has 2 pages, from 0"),
    UnidentifiedImageError("cannot identify image file"),
    ssl.SSLCertVerificationError("self-signed certificate"),
    client_error(403),
    client_error(404),
    botocore.exceptions.NoCredentialsError(),
    http_error(401),
    of_library("gcsfs.retry", "HttpError", code=400),
    of_library("azure.core.exceptions", "ClientAuthenticationError", status_code=401),
    of_library("somebody.elses", "ConnectionError"),
    ValueError("no such protocol"),
    KeyError("x"),
]


def named(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__}: {error}"


@pytest.mark.parametrize("error", PASSING, ids=named)
def test_what_may_pass(error: Exception):
    assert is_passing(error)


@pytest.mark.parametrize("error", FINAL, ids=named)
def test_what_stays(error: Exception):
    assert not is_passing(error)


@pytest.mark.parametrize(
    "error, words",
    [
        (OSError(errno.ECONNRESET, "Connection reset by peer", "/data/a.png"), "Connection reset by peer"),
        (TimeoutError(), "TimeoutError"),
        (TimeoutError("after 5 s"), "TimeoutError: after 5 s"),
        (
            ValueError("http://u:p@h/a?X-Amz-Signature=abc123 went"),
            "ValueError: http://...@h/a?... went",
        ),
    ],
)
def test_what_happened_in_words_without_secrets(error: Exception, words: str):
    assert words_of_fault(error) == words
