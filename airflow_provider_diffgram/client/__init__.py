"""Talks to Diffgram over HTTP. Imports no Airflow."""

from . import routes
from .errors import (
    CredentialError,
    DiffgramError,
    HostUnreachableError,
    NoReplyError,
    NotProcessedError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    ServerFaultError,
    ServerUnavailableError,
    StoppedError,
    StorageError,
    StorageRefusedError,
    TlsError,
    TooLargeError,
    UnexpectedReplyError,
    WrongAddressError,
)
from .settings import Settings
from .sync import DiffgramClient

__all__ = [
    "CredentialError",
    "DiffgramClient",
    "DiffgramError",
    "HostUnreachableError",
    "NoReplyError",
    "NotProcessedError",
    "OutcomeUnknownError",
    "RateLimitedError",
    "RefusedError",
    "ServerFaultError",
    "ServerUnavailableError",
    "Settings",
    "StoppedError",
    "StorageError",
    "StorageRefusedError",
    "TlsError",
    "TooLargeError",
    "UnexpectedReplyError",
    "WrongAddressError",
    "routes",
]
