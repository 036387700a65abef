"""The storage of chaos: what fsspec reads of it, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from airflow_provider_diffgram.storage_faults import is_passing
from chaos.store import SCHEME, Fault, Store


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as served:
        yield served


@pytest.fixture
def files(store: Store) -> Any:
    host, _, port = store.address.partition(":")
    return fsspec.filesystem(SCHEME, host=host, port=int(port), skip_instance_cache=True)


def test_files_are_there_with_their_size_and_content(tmp_path: Path, files: Any):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 99)
    path = str(tmp_path / "a.bin")
    assert (files.info(path)["size"], files.info(path)["type"]) == (25344, "file")
    assert files.cat_file(path, start=1, end=3) == b"\x01\x02"
    with files.open(path, "rb") as file:
        assert file.read() == (tmp_path / "a.bin").read_bytes()
    assert files.ls(str(tmp_path), detail=False) == [path]
    with pytest.raises(FileNotFoundError):
        files.info(str(tmp_path / "b.bin"))


@pytest.mark.parametrize("kind", ["busy", "reset", "cut"])
def test_it_fails_as_told_below_a_folder_and_no_more_often(
    tmp_path: Path, store: Store, files: Any, kind: Any
):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.bin").write_bytes(b"x" * 100_000)
    fault = store.fail(Fault(kind, str(tmp_path / "one"), "OPEN", times=2, skip=1))
    assert len(files.cat_file(str(tmp_path / "one" / "a.bin"))) == 100_000
    for _ in range(2):
        assert len(files.cat_file(str(tmp_path / "two" / "a.bin"))) == 100_000
        with pytest.raises(OSError) as caught:  # noqa: PT011
            files.cat_file(str(tmp_path / "one" / "a.bin"))
        assert is_passing(caught.value)
    assert len(files.cat_file(str(tmp_path / "one" / "a.bin"))) == 100_000
    assert fault.seen == 2


def test_it_recovers_when_told(tmp_path: Path, store: Store, files: Any):
    (tmp_path / "a.bin").write_bytes(b"x")
    fault = store.fail(Fault("busy", str(tmp_path), times=None))
    with pytest.raises(OSError, match="503"):
        files.info(str(tmp_path / "a.bin"))
    store.recover(fault)
    assert files.info(str(tmp_path / "a.bin"))["size"] == 1
