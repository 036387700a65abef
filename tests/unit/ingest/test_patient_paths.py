"""A storage that fails for a moment is waited for; one that says no is believed at once."""

from __future__ import annotations

import errno
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_diffgram.client import StorageError
from airflow_provider_diffgram.client.clock import Clock
from airflow_provider_diffgram.ingest.check.video_length import frame_problems
from airflow_provider_diffgram.ingest.read.children import children_of
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.pages import Documents
from airflow_provider_diffgram.ingest.read.paths import confined, measured, universal_path
from airflow_provider_diffgram.ingest.read.scenes import pictures_in
from airflow_provider_diffgram.ingest.read.storage import PatientPath, kind_of, patient
from airflow_provider_diffgram.ingest.send.outcomes.lines import Lines
from airflow_provider_diffgram.ingest.watch.ending import Report
from airflow_provider_diffgram.ingest.watch.verdicts import Verdict
from airflow_provider_diffgram.models import InvalidValueError, Packet, PageMedia, PathMedia
from tests.storage import Fault, reset

PILLOW = pytest.importorskip("PIL.Image")


class Pausing(Clock):
    """A clock that keeps the pauses, and makes none."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.pauses: list[float] = []
        self._act = act

    def sleep(self, seconds: float) -> None:
        self._act()
        self.pauses.append(seconds)


def opener(seconds: float = 30.0) -> tuple[Callable[[str], PatientPath], list[float]]:
    """Return what opens patient paths, and the pauses that they made."""
    clock = Pausing()
    return patient(universal_path, seconds, clock), clock.pauses


def tiff(folder: Path) -> None:
    first, *more = [PILLOW.new("L", (9, 9), shade) for shade in (0, 9)]
    first.save(folder / "d.tif", save_all=True, append_images=more)


def packets(path_of: Any, suffix: str = "") -> list[Any]:
    return list(candidates(f"flaky://p.jsonl{suffix}", "packet", path_of))


def media(path_of: Any) -> Any:
    return measured(PathMedia(path="flaky://a.png"), path_of)


def document(path_of: Any) -> Any:
    with Documents(path_of) as documents:
        return documents.problems(PageMedia(path="flaky://d.tif", page=1))


def folder(path_of: Any) -> Any:
    return children_of({"folder": "flaky://cams", "glob": "**/*.png"}, path_of)


def scenes(path_of: Any) -> Any:
    return pictures_in("flaky://cams", path_of)


def video(path_of: Any) -> Any:
    box = {"type": "box", "label": "cat", "x_min": 1, "y_min": 1, "x_max": 5, "y_max": 5}
    packet = {"media": {"path": "flaky://v.mp4"}, "frame_packet_map": {0: [box]}}
    return frame_problems(Packet.model_validate(packet), path_of)


def blob(path_of: Any) -> Any:
    return path_of("flaky://a.png").head(4)


def report(path_of: Any) -> Any:
    verdict = Verdict("failed", 1, "a.png", None, "why")
    written = Report("flaky://r.jsonl", path_of)
    written.check()
    error = written.write(lambda: iter([verdict]))
    if error is not None:
        raise error
    return None


def lines(path_of: Any) -> Any:
    written = Lines("report", "flaky://t.jsonl", path_of)
    written.write("{}")
    unwritten = written.close()
    return None if unwritten is None else str(unwritten)


PLACES: list[tuple[Any, str]] = [
    (media, "info"),
    (packets, "info"),
    (packets, "open"),
    (packets, "read"),
    (document, "open"),
    (document, "read"),
    (folder, "ls"),
    (folder, "info"),
    (scenes, "ls"),
    (video, "open"),
    (video, "read"),
    (blob, "open"),
    (blob, "read"),
    (report, "open"),
    (report, "write"),
    (lines, "open"),
]


@pytest.fixture
def stocked(tmp_path: Path, faults: list[Fault]) -> list[Fault]:
    (tmp_path / "a.png").write_bytes(b"abcdefg")
    (tmp_path / "v.mp4").write_bytes(b"abcdefghijklmnopqrstuvwxyz")
    (tmp_path / "p.jsonl").write_text(
        "".join(json.dumps({"n": n, "fill": "x" * 99}) + "\n" for n in range(9999))
    )
    tiff(tmp_path)
    for number in range(3):
        (tmp_path / "cams" / str(number)).mkdir(parents=True)
        (tmp_path / "cams" / str(number) / "front.png").write_bytes(b"x")
    return faults


@pytest.mark.parametrize("place, operation", PLACES, ids=lambda each: getattr(each, "__name__", each))
@pytest.mark.parametrize("skip", [0, 1])
def test_wherever_a_storage_fails_for_a_moment_nothing_is_different_in_the_end(
    stocked: list[Fault], place: Any, operation: Any, skip: int
):
    path_of, pauses = opener()
    right = place(path_of)
    assert pauses == []
    stocked.append(fault := Fault(operation, reset, times=2, skip=skip))
    assert place(path_of) == right
    assert fault.seen, "the place does this at all"
    assert len(pauses) == min(2, max(0, fault.seen - skip))


@pytest.mark.parametrize("place, operation", PLACES, ids=lambda each: getattr(each, "__name__", each))
def test_wherever_a_storage_stays_away_it_is_named_and_may_be_tried_again(
    stocked: list[Fault], place: Any, operation: Any
):
    path_of, _ = opener(seconds=0.05)
    stocked.append(Fault(operation, reset, times=None))
    with pytest.raises(StorageError) as caught:
        place(path_of)
    told = str(caught.value)
    assert "flaky://" in told or "flaky:/" in told
    assert "Connection reset by peer" in told
    assert "not Diffgram's" in told


@pytest.mark.parametrize(
    "place, operation, error",
    [
        (media, "info", PermissionError(errno.EACCES, "no entry")),
        (packets, "info", PermissionError(errno.EACCES, "no entry")),
        (packets, "open", PermissionError(errno.EACCES, "no entry")),
        (document, "open", PermissionError(errno.EACCES, "no entry")),
        (folder, "ls", PermissionError(errno.EACCES, "no entry")),
        (report, "open", PermissionError(errno.EACCES, "no entry")),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_what_is_forbidden_is_told_at_once(stocked: list[Fault], place: Any, operation: Any, error: OSError):
    path_of, pauses = opener()
    stocked.append(fault := Fault(operation, lambda: error, times=None))
    try:
        told = str(place(path_of))
    except (InvalidValueError, OSError) as raised:
        told = str(raised)
    assert "no entry" in told
    assert (pauses, fault.seen) == ([], 1)


def test_a_folder_that_could_be_listed_in_part_only_is_no_folder_with_fewer_children(stocked: list[Fault]):
    """Fsspec's own glob leaves out what it cannot list, without a word."""
    path_of, _ = opener(seconds=0.05)
    stocked.append(Fault("ls", reset, name="cams/1", times=None))
    with pytest.raises(StorageError, match="cannot list flaky://cams/1"):
        folder(path_of)


def test_lines_that_were_read_are_not_read_again_and_none_is_left_out(stocked: list[Fault], tmp_path: Path):
    path_of, pauses = opener()
    with gzip.open(tmp_path / "p.jsonl.gz", "wb") as packed:
        packed.write((tmp_path / "p.jsonl").read_bytes())
    for suffix in ("", ".gz"):
        stocked[:] = [Fault("read", reset, skip=skip) for skip in (0, 1, 2)]
        assert [each["n"] for each in packets(path_of, suffix)] == list(range(9999))
    assert len(pauses) > 3


def test_a_file_that_was_changed_while_the_storage_was_away_is_not_read_on(
    stocked: list[Fault], tmp_path: Path
):
    def change() -> None:
        (tmp_path / "p.jsonl").write_text('{"n": 0}\n')

    stocked.append(Fault("read", reset, skip=1))
    with pytest.raises(OSError, match="changed while it was read"):
        packets(patient(universal_path, 30.0, Pausing(change)))


@pytest.mark.parametrize(
    "glob, found", [("*", []), ("*/*.png", ["0", "1", "2"]), ("**/f*.png", ["0", "1", "2"]), ("1/*", ["1"])]
)
@pytest.mark.parametrize("local", [True, False])
def test_files_of_a_folder(stocked: list[Fault], tmp_path: Path, glob: str, found: list[str], local: bool):
    root = str(tmp_path / "cams") if local else "flaky://cams"
    path_of, _ = opener()
    matched = [path for path in path_of(root).glob(glob) if path.is_file()]
    assert [path.parent.name for path in matched] == found


def test_a_folder_that_is_not_there_holds_nothing(stocked: list[Fault]):
    path_of, _ = opener()
    assert path_of("flaky://nowhere").glob("*") == []


def test_links_are_not_followed_round_and_round(stocked: list[Fault], tmp_path: Path):
    (tmp_path / "cams" / "0" / "up").symlink_to(tmp_path / "cams")
    path_of, _ = opener()
    assert len(path_of(str(tmp_path / "cams")).glob("**/*.png")) == 3


def test_links_to_folders_are_followed_and_hidden_folders_are_not(stocked: list[Fault], tmp_path: Path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "here").symlink_to(tmp_path / "cams")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "cams")
    (tmp_path / "set" / ".checkpoints").symlink_to(tmp_path / "cams")
    path_of, _ = opener()
    found = [str(path) for path in path_of(str(tmp_path / "set")).glob("**/*.png")]
    assert len(found) == 6
    assert len(path_of(str(tmp_path / "set")).glob(".checkpoints/*/*.png")) == 3


def test_a_path_keeps_its_patience_unless_given_another(tmp_path: Path):
    path_of, _ = opener(seconds=5)
    assert patient(path_of)("/a").seconds == 5
    assert patient(path_of, 7)("/a").seconds == 7
    with pytest.raises(ValueError, match="outside"):
        patient(confined(universal_path, str(tmp_path)))("/etc/passwd")


def test_secrets_of_an_address_are_not_told(stocked: list[Fault]):
    path_of, _ = opener(seconds=0)
    stocked.append(Fault("info", reset, times=None))
    with pytest.raises(StorageError) as caught:
        path_of("flaky://user:pass@bucket/a.png?X-Amz-Signature=abc123").stat()
    assert "abc123" not in str(caught.value) + repr(caught.value)
    assert "pass" not in str(caught.value).replace("may pass", "")
    assert "bucket/a.png" in str(caught.value)


def test_files_and_folders_by_whatever_opens_them(stocked: list[Fault], tmp_path: Path):
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "folder").symlink_to(tmp_path / "cams")
    os.mkfifo(tmp_path / "pipe.png")
    for path_of in (universal_path, patient(ObjectStoragePath)):
        found = {
            name: (path_of(str(tmp_path / name)).is_file(), path_of(str(tmp_path / name)).is_dir())
            for name in ("a.png", "cams", "link.png", "folder", "pipe.png", "nowhere.png", "a.png/b.png")
        }
        assert found == {
            "a.png": (True, False),
            "cams": (False, True),
            "link.png": (True, False),
            "folder": (False, True),
            "pipe.png": (False, False),
            "nowhere.png": (False, False),
            "a.png/b.png": (False, False),
        }


def test_a_mode_that_is_permissions_alone_does_not_hide_a_file():
    assert kind_of({"type": "file", "mode": 0o644, "size": 3}) == "file"
    assert kind_of({"type": "directory", "mode": "040000"}) == "directory"
    assert kind_of({"type": "other"}) is None
