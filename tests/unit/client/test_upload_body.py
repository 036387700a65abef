"""A form of known length that never holds its file in memory (server.md 2.8)."""

from __future__ import annotations

import io
from email import message_from_bytes
from email.message import Message

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.client.request import Upload
from airflow_provider_diffgram.client.upload_body import MultipartBody

steady = settings(max_examples=60)


class Watched(io.BytesIO):
    """Bytes that remember how they were read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads: list[int | None] = []

    def read(self, size: int | None = -1) -> bytes:
        self.reads.append(size)
        return super().read(size)


def form(content: bytes, name: str = "a.png", **fields: str) -> tuple[MultipartBody, Watched]:
    source = Watched(content)
    upload = Upload(name, len(content), lambda: source, fields)
    return MultipartBody(upload, upload.open()), source


def parsed(body: MultipartBody, raw: bytes) -> dict[str, Message]:
    message = message_from_bytes(f"Content-Type: {body.content_type}\r\n\r\n".encode() + raw)
    parts = message.get_payload()
    assert isinstance(parts, list)
    return {str(part.get_param("name", header="content-disposition")): part for part in parts}


def read_all(body: MultipartBody, sizes: list[int]) -> bytes:
    pieces = []
    turn = 0
    while piece := body.read(sizes[turn % len(sizes)]):
        assert len(piece) <= sizes[turn % len(sizes)]
        pieces.append(piece)
        turn += 1
    assert body.read(1) == b""
    return b"".join(pieces)


@steady
@given(st.binary(max_size=5000), st.lists(st.integers(1, 700), min_size=1, max_size=5), st.text(max_size=20))
def test_length_is_that_of_the_bytes_and_the_parts_come_out_whole(
    content: bytes, sizes: list[int], text: str
):
    text = text.replace("\r", "").replace("\n", "")
    body, source = form(content, json=text)
    raw = read_all(body, sizes)
    assert len(raw) == len(body)
    assert set(source.reads) <= set(sizes)
    assert content in raw
    assert text.encode() in raw
    assert set(parsed(body, raw)) == {"json", "file"}


def test_the_file_is_read_in_pieces_of_the_asked_size():
    body, source = form(b"x" * 100_000)
    read_all(body, [8192])
    assert source.reads
    assert set(source.reads) == {8192}


@pytest.mark.parametrize("name", ["a.png", "my_cat-1.v2.PNG"])
def test_the_part_of_the_file_has_its_name(name: str):
    body, _ = form(b"\x00\xff", name)
    part = parsed(body, body.read() + body.read() + body.read())["file"]
    assert part.get_filename() == name
    assert part.get_payload(decode=True) == b"\x00\xff"


def test_an_empty_file_has_its_length_too():
    body, _ = form(b"")
    assert len(read_all(body, [64])) == len(body)


def test_closing_the_form_closes_the_file():
    body, source = form(b"abc")
    body.close()
    assert source.closed
