"""One typed error per meaning of a failed call, grouped by what the caller may do next."""

from __future__ import annotations

from collections.abc import Mapping


class DiffgramError(Exception):
    """A call to Diffgram failed.

    :ivar status: HTTP status, if there was an answer.
    :ivar fields: what the server says of each field.
    :ivar server_text: the server's own words, cut and without signed URLs.
    """

    status: int | None
    fields: dict[str, str]
    server_text: str

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        fields: Mapping[str, str] | None = None,
        server_text: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fields = dict(fields or {})
        self.server_text = server_text


class RefusedError(DiffgramError):
    """The server refused; sending the same again is refused again."""


class CredentialError(RefusedError):
    """401 or 403: credential, project or role (wire contract 1.2)."""


class WrongAddressError(RefusedError):
    """Whatever answered is not a Diffgram at this address: a redirect, a web page, an unknown path."""


class TlsError(RefusedError):
    """The server's certificate is not trusted, or it does not speak TLS."""


def tls_error(what: str, where: str, reason: object) -> TlsError:
    """Return the error of a failed handshake with ``where``."""
    return TlsError(
        f"{what}: TLS with {where} failed: {reason}. Set the CA bundle of the connection, or write http:// "
        "before the host if it does not speak TLS"
    )


class TooLargeError(RefusedError):
    """The body is beyond the server's limit (wire contract 1.4)."""


class NotProcessedError(DiffgramError):
    """The request was certainly not executed: it may be sent again."""


class HostUnreachableError(NotProcessedError):
    """No connection to the host."""


class RateLimitedError(NotProcessedError):
    """429 (wire contract 1.5).

    :ivar retry_after: seconds to wait before sending again.
    """

    retry_after: float = 1.0


class OutcomeUnknownError(DiffgramError):
    """The request may have been executed: look before sending a write again."""


class UnexpectedReplyError(OutcomeUnknownError):
    """The server answered success, in a form that is not in the wire contract."""


class ServerUnavailableError(OutcomeUnknownError):
    """503: the service is down, or an id in the request does not exist (quirk 6)."""


class ServerFaultError(OutcomeUnknownError):
    """500 and other server faults; for a look-up it often means "no such id" (quirk 39)."""


class NoReplyError(OutcomeUnknownError):
    """The connection ended without a whole answer: timeout, reset, malformed status line."""
