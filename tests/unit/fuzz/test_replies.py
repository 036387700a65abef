"""Whatever answers, and however: a value or a DiffgramError, and no signed URL in what is said of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.client import DiffgramError, UnexpectedReplyError
from airflow_provider_diffgram.client.replies import value_of
from airflow_provider_diffgram.client.request import Request
from tests.unit.client.every_route import EVERY
from tests.unit.fuzz import steady
from tests.unit.recorded import NAMES, recording

SIGNATURE = "0123456789abcdef"
SIGNED = f"http://storage.test/a.jpg?X-Amz-Signature={SIGNATURE}&X-Amz-Expires=60"
SECRET = "the-client-secret"
RECORDED = [recording(name).answer for name in NAMES]

words = st.text(max_size=8) | st.sampled_from(
    [
        SIGNED,
        f"see {SIGNED} for more",
        SECRET,
        "None",
        "True",
        "index.html",
        "per 1 day",
        "Can't find project",
    ]
)
keys = words | st.sampled_from(
    [
        "error",
        "log",
        "input",
        "message",
        "success",
        "id",
        "status",
        "file",
        "service",
        "metadata",
        "file_list",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
pages = words.map(lambda text: f"<html><a href='{SIGNED}'>{text}</a></html>".encode())
statuses = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 405, 413, 429, 500, 502, 503, 504])
headers = st.dictionaries(
    st.sampled_from(
        ["content-type", "location", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "x"]
    ),
    words | st.sampled_from(["text/html", "1", "nan", "inf", "-1", "1e300", "https://[", "//"]),
)


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def cut(body: bytes, at: int) -> bytes:
    return body[: len(body) * at // 100]


@st.composite
def mutated(draw: st.DrawFn, bodies: list[Any]) -> Any:
    """Draw a good body in which one value, however deep, is another."""
    body = json.loads(json.dumps(draw(st.sampled_from(bodies))))
    place: Any = None
    inner = body
    key: Any = None
    while isinstance(inner, dict | list) and inner and (place is None or draw(st.integers(0, 3))):
        place = inner
        key = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        inner = inner[key]
    other = draw(json_values)
    if place is None:
        return other
    if isinstance(place, dict) and draw(st.booleans()):
        del place[key]
        place[draw(keys)] = other
    else:
        place[key] = other
    return body


good = [body for _, body in EVERY.values()]
bodies = st.one_of(
    st.binary(max_size=60),
    json_values.map(dumped),
    mutated(RECORDED).map(dumped),
    mutated(good).map(dumped),
    pages,
    st.builds(cut, mutated(RECORDED).map(dumped), st.integers(0, 100)),
)


def judge(request: Request[Any], status: int, head: dict[str, str], body: bytes) -> None:
    error = error_of(request, status, head, body)
    if error is None:
        assert 200 <= status < 300 or (status == 400 and request.upload is not None)
        return
    said = f"{error} {error!r} {error.fields} {error.server_text} {error.field} {error.value} {error.remedy}"
    assert SIGNATURE not in said
    assert SECRET not in said
    assert len(str(error)) < 2000
    assert str(error).encode()
    assert error.remedy
    assert error.processed in (True, False, None)
    assert 0 <= getattr(error, "retry_after", 0) <= 3600


def error_of(request: Request[Any], status: int, head: dict[str, str], body: bytes) -> DiffgramError | None:
    """Return the error that the answer means, or None if it is a value; nothing else is caught."""
    try:
        value_of(request, status, head, body, secrets=(SECRET,))
    except DiffgramError as error:
        return error
    return None


def test_recorded_answers_are_found():
    assert len(RECORDED) >= 84


@pytest.mark.parametrize("name", EVERY)
@steady(20)
@given(statuses, headers, bodies)
def test_any_answer_is_a_value_or_a_typed_error(name: str, status: int, head: dict[str, str], body: bytes):
    judge(EVERY[name][0], status, head, body)


@pytest.mark.parametrize("name", EVERY)
@steady(20)
@given(data=st.data())
def test_a_good_answer_with_one_wrong_value_is_a_value_or_a_typed_error(name: str, data: st.DataObject):
    request, body = EVERY[name]
    judge(request, data.draw(st.sampled_from([200, 400])), {}, dumped(data.draw(mutated([body]))))


@steady(150)
@given(st.sampled_from(sorted(EVERY)), st.integers(-1, 1200), headers, bodies)
def test_any_status_is_a_value_or_a_typed_error(name: str, status: int, head: dict[str, str], body: bytes):
    judge(EVERY[name][0], status, head, body)


@pytest.mark.parametrize(
    "said", ["nan", "inf", "-inf", "-1", "1e300", "", "soon", "Sun, 22 Nov 2026 02:00:00 GMT"]
)
@pytest.mark.parametrize("header", ["retry-after", "x-ratelimit-reset"])
def test_no_header_makes_us_wait_for_ever(header: str, said: str):
    judge(EVERY["send_packet"][0], 429, {header: said}, b"{}")


class ReadErrors:
    """A reader that fails as no reader should."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, body: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "kind", [KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError]
)
def test_a_reader_that_fails_means_an_unexpected_reply(kind: type[Exception]):
    request: Request[Any] = Request("read", "GET", "/api/x", ReadErrors(kind(SIGNED)))
    assert isinstance(error_of(request, 200, {}, b"{}"), UnexpectedReplyError)
    judge(request, 200, {}, b"{}")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"log":{"error":{"a":' + b"[" * 900 + b"]" * 900 + b"}}}",
        b'{"input_id":' + b"9" * 5000 + b"}",
        b'{"input_id":1e999}',
        b'"\\ud800"',
        b'{"error":"\\ud800"}',
        b'{"error":{"\\ud800":"x"}}',
        "{}".encode("utf-16"),
        b"\xff\xfe",
        b"\x00",
    ],
    ids=range(11),
)
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("name", ["send_packet", "list_inputs", "upload_local", "update_annotations"])
def test_json_at_its_limits_is_a_value_or_a_typed_error(name: str, status: int, body: bytes):
    judge(EVERY[name][0], status, {}, body)
