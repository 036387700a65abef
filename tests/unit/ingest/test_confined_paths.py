"""Local paths outside the folder that a connection allows are refused, whatever they are written like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_diffgram.ingest.read.children import children_of
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.paths import confined, measured, universal_path
from airflow_provider_diffgram.ingest.watch.ending import Report
from airflow_provider_diffgram.models import InvalidValueError, PathMedia

OPENERS = [universal_path, ObjectStoragePath]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.jpg").write_bytes(b"secret")
    folder = tmp_path / "root"
    (folder / "day").mkdir(parents=True)
    (folder / "day" / "a.jpg").write_bytes(b"picture")
    (folder / "to-outside.jpg").symlink_to(tmp_path / "outside.jpg")
    (tmp_path / "root-2").mkdir()
    (tmp_path / "root-2" / "a.jpg").write_bytes(b"secret")
    return folder


@pytest.mark.parametrize("path_of", OPENERS)
@pytest.mark.parametrize(
    "written", ["{root}/day/a.jpg", "file://{root}/day/a.jpg", "{root}/../root/day/a.jpg"]
)
def test_what_is_below_is_opened(root: Path, path_of: Callable[[str], object], written: str):
    opened = confined(path_of, str(root))(written.format(root=root))  # type: ignore[arg-type]
    with opened.open("rb") as file:
        assert file.read() == b"picture"


@pytest.mark.parametrize("path_of", OPENERS)
@pytest.mark.parametrize(
    "written",
    [
        "{root}/../outside.jpg",
        "{root}/day/../../outside.jpg",
        "{root}/to-outside.jpg",
        "{root}-2/a.jpg",
        "file://{root}/../outside.jpg",
        "file:{root}/../outside.jpg",
        "local://{root}/../outside.jpg",
        "simplecache::file://{root}/../outside.jpg",
        "zip://x::file://{root}/../a.jpg",
        "dir://{root}-2/a.jpg",
        "outside.jpg",
    ],
)
def test_what_is_outside_is_refused_before_it_is_read(
    root: Path, path_of: Callable[[str], object], written: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(root.parent)
    opener = confined(path_of, str(root))  # type: ignore[arg-type]
    path = written.format(root=root)
    with pytest.raises(ValueError, match="local_root"):
        opener(path)
    _, (problem,) = measured(PathMedia(path=path), opener)
    assert path in problem
    with pytest.raises(InvalidValueError, match="cannot read"):
        candidates(path, "packet", opener)


def test_object_storage_is_not_concerned(root: Path):
    opened = confined(universal_path, str(root))("memory://bucket/a.jpg")
    assert not opened.is_file()


@pytest.mark.parametrize("path_of", OPENERS)
@pytest.mark.parametrize(
    "children", [{"folder": "{root}-2"}, {"folder": "{root}/../root-2"}, {"pages": "{root}-2/a.pdf"}]
)
def test_children_of_a_folder_or_a_document_outside_are_refused(
    root: Path, path_of: Callable[[str], object], children: dict[str, str]
):
    (root.parent / "root-2" / "a.pdf").write_bytes(b"%PDF-1.4 secret")
    written = {key: value.format(root=root) for key, value in children.items()}
    ((problem,),) = children_of(written, confined(path_of, str(root)))  # type: ignore[arg-type]
    assert problem.startswith("child 0: ")
    assert "local_root" in problem


@pytest.mark.parametrize("path_of", OPENERS)
def test_a_report_outside_is_refused_and_not_written(root: Path, path_of: Callable[[str], object]):
    report = root.parent / "report.jsonl"
    with pytest.raises(InvalidValueError, match="local_root"):
        Report(str(report), confined(path_of, str(root))).check()  # type: ignore[arg-type]
    assert not report.exists()
