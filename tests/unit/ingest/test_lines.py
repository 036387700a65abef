"""Files of JSON Lines that a push writes: packed or not, given up at the first fault, which is told."""

from __future__ import annotations

import errno
import gzip
from pathlib import Path
from secrets import token_hex

import pytest

from airflow_provider_diffgram.client import StorageError
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.outcomes.lines import Lines
from airflow_provider_diffgram.models import InvalidValueError
from tests.storage import Fault, reset


def denied() -> OSError:
    return PermissionError(errno.EACCES, "Permission denied")


def test_each_line_is_there_once_it_is_closed(tmp_path: Path):
    lines = Lines("record", str(tmp_path / "r.jsonl"), universal_path)
    lines.write("{}")
    lines.write('{"a": "ä"}')
    assert lines.close() is None
    assert (tmp_path / "r.jsonl").read_text("utf-8") == '{}\n{"a": "ä"}\n'


def test_a_path_that_ends_so_is_packed(tmp_path: Path):
    lines = Lines("record", str(tmp_path / "r.jsonl.gz"), universal_path)
    lines.write("{}")
    assert lines.close() is None
    assert gzip.decompress((tmp_path / "r.jsonl.gz").read_bytes()) == b"{}\n"


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_path_nothing_is_written(path: str | None):
    lines = Lines("record", path, universal_path)
    lines.write("{}")
    assert (lines.path, lines.close()) == (None, None)


@pytest.mark.parametrize("path", ["no/such/folder/r.jsonl", "nowhere://bucket/r.jsonl"])
def test_what_cannot_be_written_is_told_at_once(tmp_path: Path, path: str):
    path = path if "://" in path else f"{tmp_path}/{path}"
    with pytest.raises(InvalidValueError, match=f"record: cannot write {path}: "):
        Lines("record", path, universal_path)


def test_a_storage_that_stays_away_may_be_back(tmp_path: Path, faults: list[Fault], monkeypatch):
    monkeypatch.setattr("airflow_provider_diffgram.ingest.read.storage.PATIENCE", 0.0)
    faults.append(Fault("open", reset, times=None))
    with pytest.raises(StorageError, match=r"cannot write flaky://r\.jsonl"):
        Lines("record", "flaky://r.jsonl", universal_path)


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
@pytest.mark.parametrize("error, permanent", [(denied, True), (reset, False)])
def test_a_fault_is_told_once_and_at_the_end(
    tmp_path: Path, faults: list[Fault], name: str, error, permanent: bool, caplog
):
    lines = Lines("record", f"flaky://{name}", universal_path)
    faults.append(Fault("write", error, times=1))
    for _ in range(3):
        lines.write(token_hex(2**18))
    told = lines.close()
    assert told is not None
    assert str(told).startswith(f"the record flaky://{name} is not complete: ")
    assert told.permanent is permanent
    assert caplog.messages == [str(told)]
