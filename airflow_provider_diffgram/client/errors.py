"""One typed error per meaning of a failed call, grouped by what the caller may do next."""

from __future__ import annotations

from collections.abc import Mapping

from ..models.received.texts import without_signatures
from ..storage_faults import is_passing, words_of_fault
from .causes import CAUSES, TLS_CAUSES, cause_of


class DiffgramError(Exception):
    """A call to Diffgram failed.

    :ivar status: HTTP status, if there was an answer.
    :ivar fields: what the server says about each field.
    :ivar field: the field concerned, if the server names one.
    :ivar value: what was sent in that field, shortened and without signed URLs.
    :ivar server_text: the server's own words, shortened and without signed URLs.
    :ivar processed: whether the server executed the request; None if that is unknown.
    :ivar permanent: whether another attempt would fail in the same way.
    :ivar remedy: what to do.
    """

    status: int | None
    fields: dict[str, str]
    field: str | None
    value: str | None
    server_text: str
    processed: bool | None = None
    permanent: bool = False
    remedy: str = ""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        fields: Mapping[str, str] | None = None,
        field: str | None = None,
        value: str | None = None,
        server_text: str = "",
        processed: bool | None = None,
        permanent: bool | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fields = dict(fields or {})
        self.field = field
        self.value = value
        self.server_text = server_text
        if processed is not None:
            self.processed = processed
        if permanent is not None:
            self.permanent = permanent
        if remedy is not None:
            self.remedy = remedy


class RefusedError(DiffgramError):
    """The server refused; it would refuse the same request again."""

    permanent = True
    remedy = "Correct the request: the same would be refused again"


class CredentialError(RefusedError):
    """401 or 403: credential, project or role (server.md 1.2)."""

    processed = False
    remedy = "Check the client ID, client secret and project of the connection"


class WrongAddressError(RefusedError):
    """The answer is not from a Diffgram: a redirect, a web page, an unknown path."""

    processed = False
    remedy = "Check the host and port of the connection"


class TlsError(RefusedError):
    """The server's certificate is not trusted, or the server does not speak TLS."""

    processed = False
    remedy = (
        "Set the CA bundle of the connection, or its client certificate if the server asks for one, or write "
        "http:// before the host if it does not speak TLS"
    )


def tls_error(what: str, where: str, reason: object) -> TlsError:
    """Return the error for a failed handshake with ``where``."""
    words, remedy = cause_of(reason, TLS_CAUSES, TlsError.remedy)
    return TlsError(f"{what}: TLS with {where} failed: {words}. {remedy}", remedy=remedy)


class TooLargeError(RefusedError):
    """The body exceeds the server's limit (server.md 1.4)."""

    processed = False
    remedy = "Send fewer instances at once, or a smaller file; a proxy may allow less than Diffgram"


class NotProcessedError(DiffgramError):
    """The request was certainly not executed, so it may be sent again."""

    processed = False
    remedy = "Send it again"


class HostUnreachableError(NotProcessedError):
    """No connection to the host."""

    remedy = "Check the host and port of the connection"


class RateLimitedError(NotProcessedError):
    """429 (server.md 1.5).

    :ivar retry_after: seconds to wait before sending again.
    """

    remedy = "Send fewer requests at once: everyone behind this address shares the limit"
    retry_after: float = 1.0


class StorageError(NotProcessedError):
    """The storage of something to send failed, which may pass; Diffgram was not at fault."""

    remedy = "The fault is your storage's, not Diffgram's, and may pass: run it again"


class StorageRefusedError(RefusedError):
    """Something to send cannot be read: it is missing, forbidden, or a folder. It was not sent."""

    processed = False
    remedy = "Put it there, or let the worker read it"


def source_error(what: str, where: str, error: Exception) -> StorageError | StorageRefusedError:
    """Return the error for a storage that failed.

    :param what: the operation that failed, such as ``read``.
    :param where: the path; passwords and queries in it are left out.
    """
    told = f"cannot {what} {without_signatures(where)}: {words_of_fault(error)}"
    if is_passing(error):
        return StorageError(f"{told}. {StorageError.remedy}")
    return StorageRefusedError(f"{told}. {StorageRefusedError.remedy}")


class OutcomeUnknownError(DiffgramError):
    """The request may have been executed: check before you send a write again."""

    remedy = "Check whether it arrived before you send it again"


class UnexpectedReplyError(OutcomeUnknownError):
    """The server reported success in a form that docs/server.md does not describe."""

    remedy = "This may be another version of Diffgram, or a proxy that changes answers: please report it"


class ServerUnavailableError(OutcomeUnknownError):
    """503: the service is down, or an id in the request does not exist (quirk 6); 502 or 504 from a proxy.

    :ivar retry_after: seconds to wait before sending again, if a proxy in front of Diffgram says so, or 0.
    """

    remedy = "Check the ids. If they exist, wait until the service is back"
    proxy_remedy = "Wait until the service is back, or ask whoever runs the proxy"
    retry_after: float = 0.0


class ServerFaultError(OutcomeUnknownError):
    """500 and other faults of the server; on a read it often means "no such id" (quirk 39)."""

    remedy = "Check the ids and the medium. If they are right, look into the server's log"


class StoppedError(DiffgramError):
    """The caller asked to stop: nothing more is sent."""

    processed = False
    remedy = "Run it again"


class NoReplyError(OutcomeUnknownError):
    """No complete answer arrived: timeout, reset, malformed status line."""


def unreachable_error(what: str, where: str, reason: object) -> HostUnreachableError:
    """Return the error for a failed connection to ``where``."""
    words, remedy = cause_of(reason, CAUSES, HostUnreachableError.remedy)
    return HostUnreachableError(f"{what}: cannot connect to {where}: {words}. {remedy}", remedy=remedy)


def no_reply_error(what: str, where: str, reason: object) -> NoReplyError:
    """Return the error for an answer that did not arrive completely (quirk 7)."""
    return NoReplyError(
        f"{what}: the connection to {where} broke before a complete answer arrived: {reason}. Diffgram may "
        f"have executed the request; an id that does not exist can also cause this. {NoReplyError.remedy}"
    )
