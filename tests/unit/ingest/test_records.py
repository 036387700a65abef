"""Records are read line by line; what is no whole record is refused, not passed over."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_diffgram.ingest import read_record
from airflow_provider_diffgram.models import InvalidValueError, Packet
from airflow_provider_diffgram.models.recorded import Recorded

PACKET = Packet.model_validate(
    {
        "media": {"url": "http://h/a.png"},
        "original_filename": "a.png",
        "instance_list": [{"type": "tag", "label": "cat", "attributes": {"colour": None}}],
    }
)
LINE = Recorded(name="a.png", file_id=3, delivery="queue", sent_at=datetime.now(UTC), packet=PACKET)


def written(path: Path, *lines: str) -> str:
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_what_was_written_is_read(tmp_path: Path, name: str):
    path = written(tmp_path / name, LINE.model_dump_json(by_alias=True, exclude_none=True))
    assert list(read_record(path)) == [LINE]


def test_lines_are_read_one_by_one(tmp_path: Path):
    path = written(tmp_path / "r.jsonl", LINE.model_dump_json(by_alias=True), "no JSON")
    lines = read_record(path)
    assert next(lines) == LINE
    with pytest.raises(InvalidValueError, match=r"record in line 2 of .*r\.jsonl: not JSON"):
        next(lines)


@pytest.mark.parametrize(
    "line, told",
    [
        ("[1]", "record in line 1 of .*: must be an object"),
        ('{"name": "a.png"}', r"record .*: 2 problems. The first: line 1: sent_at: .*\nline 1: packet: "),
        (
            PACKET.model_dump_json(by_alias=True, exclude_none=True),
            "line 1: media: there is no such field here",
        ),
    ],
)
def test_a_line_of_something_else_is_refused(tmp_path: Path, line: str, told: str):
    with pytest.raises(InvalidValueError, match=told):
        list(read_record(written(tmp_path / "r.jsonl", line)))


def test_a_record_that_was_cut_off_is_refused(tmp_path: Path):
    path = tmp_path / "r.jsonl.gz"
    written(path, *[LINE.model_dump_json(by_alias=True)] * 100)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InvalidValueError, match="not a complete gzip file"):
        list(read_record(str(path)))


def test_a_record_that_is_not_there_is_told_before_the_first_line(tmp_path: Path):
    with pytest.raises(InvalidValueError, match="no such file"):
        read_record(str(tmp_path / "none.jsonl"))
