"""Bytes that are no HTTP, or half of it, over a real socket: both transports raise a DiffgramError."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.client import DiffgramError, NoReplyError, Settings, WrongAddressError, routes
from tests.unit.client.both_clients import BOTH
from tests.unit.fuzz import steady

READ = routes.list_model_runs("p")
BODY = b'{"model_run_list": []}'


class RawServer:
    """Answers every request with ``answer``, whatever it is, and closes."""

    def __init__(self) -> None:
        self.answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, suppress(OSError):
                    self._read(connection)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)

    @staticmethod
    def _read(connection: socket.socket) -> None:
        connection.settimeout(5)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536) or b"\r\n\r\n"
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        left = length - len(head.partition(b"\r\n\r\n")[2])
        while left > 0:
            left -= len(connection.recv(65536)) or left

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def settings(self) -> Settings:
        url = f"http://127.0.0.1:{self.port}"
        return Settings(url, "p", "id", "very-secret", verify=False, read_timeout=5, retry_timeout=0)


@pytest.fixture(scope="module")
def raw() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()


def asked(transport: Any, server: RawServer, answer: bytes) -> Any:
    """Return the value or the error; anything else than a DiffgramError comes through."""
    server.answer = answer
    try:
        return transport(server.settings()).send(READ)
    except DiffgramError as error:
        return error


BROKEN = {
    "malformed status line, quirk 7": b"HTTP/1.1 0 gkpj\r\nContent-Type: application/json\r\n\r\n{}",
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "half a status line": b"HTTP/1.1 20",
    "status line alone": b"HTTP/1.1 200 OK\r\n",
    "status that is a word": b"HTTP/1.1 abc OK\r\n\r\n",
    "body cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + BODY[:9],
    "chunk cut off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n" + BODY[:9],
    "chunk length that is a word": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + BODY,
    "bad gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n" + BODY,
    "length that is a word": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n" + BODY[:9],
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n" + BODY[:9],
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 300 + b"\r\n" + BODY[:9],
    "header without a colon": b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n" + BODY[:9],
    "half JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + BODY[:9],
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("transport", BOTH)
def test_what_is_no_answer_is_a_diffgram_error(transport: Any, broken: str, raw: RawServer):
    error = asked(transport, raw, BROKEN[broken])
    assert isinstance(error, DiffgramError)
    assert "very-secret" not in f"{error!r}{error.server_text}"


@pytest.mark.parametrize("transport", BOTH)
def test_a_malformed_status_line_is_no_reply_whose_cause_may_be_an_id_quirk_7(transport: Any, raw: RawServer):
    error = asked(transport, raw, BROKEN["malformed status line, quirk 7"])
    assert type(error) is NoReplyError
    assert error.processed is None
    assert "does not exist" in str(error)


@pytest.mark.parametrize(
    "location",
    [b"http://[", b"\xff\xfe", b"http://\xc3\xbc.test:99999/", b"", b"//", b"mailto:x", b"http://a\x01b/"],
)
@pytest.mark.parametrize("transport", BOTH)
def test_a_redirect_to_nowhere_is_a_diffgram_error(transport: Any, location: bytes, raw: RawServer):
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    assert isinstance(asked(transport, raw, answer), WrongAddressError | NoReplyError)


@pytest.mark.parametrize("transport", BOTH)
def test_the_server_of_this_test_can_answer(transport: Any, raw: RawServer):
    assert asked(transport, raw, b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n" + BODY) == []


lines = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 0 gkpj",
        b"HTTP/1.0 503 x",
        b"HTTP/1.1 99999 x",
        b"HTTP/9 200",
        b"HTTP/1.1 302",
    ]
)
fields = st.sampled_from(
    [
        b"Content-Length: 22",
        b"Content-Length: -1",
        b"Content-Length: 22, 23",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: deflate",
        b"Content-Type: text/html; charset=quantum",
        b"Set-Cookie: \xff=\x00; expires=never",
        b"Location: \xf0\x9f",
        b"X-RateLimit-Reset: soon",
        b": empty",
        b" folded",
    ]
) | st.binary(max_size=12)
ends = st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n", b""])
contents = st.sampled_from([BODY, BODY[:9], b"16\r\n" + BODY + b"\r\n0\r\n\r\n"]) | st.binary(max_size=30)
replies = st.builds(
    lambda line, head, end, body: b"\r\n".join([line, *head]) + end + body,
    lines | st.binary(max_size=12),
    st.lists(fields, max_size=3),
    ends,
    contents,
)


@pytest.mark.parametrize("transport", BOTH)
@steady(150)
@given(answer=replies)
def test_any_bytes_are_a_value_or_a_diffgram_error(transport: Any, raw: RawServer, answer: bytes):
    outcome = asked(transport, raw, answer)
    assert outcome == [] or isinstance(outcome, DiffgramError)
