"""Annotations come back: whole, once, and only what changed is read again."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pytest
from PIL import Image

from airflow_provider_diffgram.models import Handle, InvalidValueError, Packet
from airflow_provider_diffgram.review.errors import JobStateError
from airflow_provider_diffgram.review.jobs import ensure_job
from airflow_provider_diffgram.review.pull import Options, Pulled, pull
from airflow_provider_diffgram.review.sets.stored import StoredFile
from airflow_provider_diffgram.review.tasks import add_tasks
from tests.integration.ingest.live_diffgram import DATASET, box
from tests.integration.ingest.served_media import Media
from tests.integration.review.conftest import Desk

Pull = Callable[..., Pulled]


@pytest.fixture
def pictures(desk: Desk, media: Media) -> list[int]:
    """Six pictures with a box each, of a model; their ids, oldest first."""
    packets = [
        {
            "media": {"url": media.url("a.png")},
            "original_filename": f"{number}.png",
            "instance_list": [box(number, score=0.5, model_ref="finder", model_run_ref="night")],
        }
        for number in range(1, 7)
    ]
    desk.diffgram.pushed(packets)
    return [file.id for file in desk.diffgram.files()]


@pytest.fixture
def pulled(desk: Desk, tmp_path: Path) -> Pull:
    """Pulls the dataset into one folder."""

    def again(**more: Any) -> Pulled:
        what = {"dataset": DATASET, "only": "all", **more}
        options = Options(**{key: what.pop(key) for key in ("format", "unsupported", "media") if key in what})
        return pull(desk.client, str(tmp_path / "set"), options=options, **what)

    return again


def reviewed_in(desk: Desk, files: list[int]) -> tuple[int, dict[int, int]]:
    """Return a job with tasks for files, and the task of each."""
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, files))
    return job.id, desk.tasks(job.id)


def files_of(version: Pulled) -> dict[int, StoredFile]:
    with gzip.open(Path(version.path) / "files.jsonl.gz") as lines:
        return {file.id: file for file in map(StoredFile.from_json, lines)}


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return what tells whether a file was written again."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def counts(version: Pulled) -> tuple[int, int, int, int]:
    return version.added, version.changed, version.kept, version.removed


def test_everything_the_server_tells_is_in_the_set_but_who_made_it(
    desk: Desk, pictures: list[int], pulled: Pull
):
    version = pulled()
    assert (version.files, version.instances, version.is_new) == (6, 6, True)
    files = files_of(version)
    assert list(files) == pictures
    (row,) = files[pictures[0]].instances
    (stored,) = desk.diffgram.instances(pictures[0])
    assert {row["label"], row["model_ref"], row["model_run_ref"]} == {"cat", "finder", "night"}
    for key in ("id", "creation_ref_id", "score", "version", "x_min", "model_id", "model_run_id"):
        assert row[key] == stored[key]
    assert not {key for key in row if "member" in key}


def test_progress_counts_what_is_read(pictures: list[int], pulled: Pull):
    seen: list[tuple[int, int | None, int]] = []
    pulled(progress=lambda *counts: seen.append(counts))
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert {total for _, total, _ in seen} <= {None, 6}


def test_nothing_changed_writes_nothing(desk: Desk, pictures: list[int], pulled: Pull, tmp_path: Path):
    first = pulled()
    before = tree(tmp_path / "set")
    asked = desk.requests("/annotation/list")
    second = pulled()
    assert (second.version, second.is_new, second.path) == (first.version, False, first.path)
    assert counts(second) == (0, 0, 6, 0)
    assert tree(tmp_path / "set") == before
    assert desk.requests("/annotation/list") == asked


def test_only_what_changed_is_read_again(desk: Desk, pictures: list[int], pulled: Pull):
    first = pulled()
    page = desk.person.open(pictures[2])
    page.move(0, 3)
    desk.person.save(page)
    asked = desk.requests("/annotation/list")
    second = pulled()
    assert desk.requests("/annotation/list") - asked == 1
    assert (second.previous, second.is_new, counts(second)) == (first.version, True, (0, 1, 5, 0))
    before, after = files_of(first), files_of(second)
    assert after[pictures[2]].instances[0]["x_min"] == before[pictures[2]].instances[0]["x_min"] + 3
    assert after[pictures[2]].instances[0]["version"] == 2
    assert {key: after[key] for key in after if key != pictures[2]} == {
        key: before[key] for key in before if key != pictures[2]
    }


def test_a_save_that_changes_nothing_makes_no_version(desk: Desk, pictures: list[int], pulled: Pull):
    first = pulled()
    desk.person.save(desk.person.open(pictures[0]))
    assert pulled().version == first.version
    asked = desk.requests("/annotation/list")
    assert pulled().version == first.version
    assert desk.requests("/annotation/list") == asked, "the mark of the file is known now"


def test_what_came_and_went_is_told(desk: Desk, pictures: list[int], pulled: Pull, media: Media):
    pulled()
    gone = desk.diffgram.file("2.png").id
    body = {"project": desk.client.project, "file_id": gone, "state": "removed"}
    desk.emulator.control("files", body)
    desk.diffgram.pushed([{"media": {"url": media.url("a.png")}, "original_filename": "new.png"}])
    second = pulled()
    assert counts(second) == (1, 0, 5, 1)
    manifest = json.loads(Path(second.manifest).read_text())
    assert manifest["removed_files"] == [{"id": gone, "name": "2.png"}]
    assert gone not in files_of(second)


def test_a_label_that_is_called_otherwise_is_a_change(desk: Desk, pictures: list[int], pulled: Pull):
    first = pulled()
    with closing(sqlite3.connect(desk.emulator.data_dir / "emulator.sqlite")) as database, database:
        label = "SELECT label_id FROM file WHERE id = ?"
        database.execute(
            f"UPDATE label SET name = 'tiger' WHERE id = ({label})", (desk.diffgram.labels["cat"],)
        )
    second = pulled()
    assert second.version != first.version
    assert {row["label"] for file in files_of(second).values() for row in file.instances} == {"tiger"}


def test_a_set_as_it_once_was_is_the_version_of_then(desk: Desk, pictures: list[int], pulled: Pull):
    first = pulled()
    assert pulled(format="coco").version != first.version
    third = pulled()
    assert (third.version, third.is_new) == (first.version, True)
    assert json.loads(Path(third.path, "manifest.json").read_text())["version"] == first.version


def test_packets_bring_back_what_another_push_replaced(desk: Desk, pictures: list[int], pulled: Pull):
    version = pulled()
    before = {file: desk.diffgram.instances(file) for file in pictures}
    other = {"file_id": pictures[0], "mode": "update_with_existing", "instance_list": [box(3, "dog")]}
    assert desk.diffgram.pushed([other]).succeeded == 1
    assert (
        desk.diffgram.instances(pictures[0])[0]["creation_ref_id"]
        != before[pictures[0]][0]["creation_ref_id"]
    )
    lines = (Path(version.path) / "packets.jsonl").read_text().splitlines()
    packets = [Packet.model_validate_json(line) for line in lines]
    assert desk.diffgram.pushed(packets).problems == 0
    keys = ("x_min", "x_max", "label_file_id", "score", "creation_ref_id", "model_id", "model_run_id")
    for file in pictures:
        assert [[each[key] for key in keys] for each in desk.diffgram.instances(file)] == [
            [each[key] for key in keys] for each in before[file]
        ]


def test_a_job_gives_what_people_finished(desk: Desk, pictures: list[int], pulled: Pull):
    job, tasks = reviewed_in(desk, pictures)
    with pytest.raises(InvalidValueError, match="give one of"):
        pulled(job=job)
    nothing = pulled(dataset=None, job=job, only="complete")
    assert nothing.files == 0
    for file in pictures[:2]:
        desk.person.complete(tasks[file])
    done = pulled(dataset=None, job=job, only="complete")
    assert sorted(files_of(done)) == pictures[:2]
    assert {file.task_status for file in files_of(done).values()} == {"complete"}
    desk.person.reopen(tasks[pictures[0]])
    again = pulled(dataset=None, job=job, only="complete")
    assert counts(again) == (0, 0, 1, 1)


def test_a_job_in_which_nobody_can_review_is_refused(desk: Desk, pulled: Pull):
    draft = desk.run(ensure_job(desk.client.project, desk.plan("draft"), launch=False))
    with pytest.raises(JobStateError, match="is a draft"):
        pulled(dataset=None, job=draft.id)
    with pytest.raises(JobStateError, match="is archived, or does not exist"):
        pulled(dataset=None, job=10**6)


def test_a_dataset_gives_what_people_finished_in_any_job(
    desk: Desk, pictures: list[int], pulled: Pull, tmp_path: Path
):
    _, tasks = reviewed_in(desk, pictures)
    desk.person.complete(tasks[pictures[3]])
    assert sorted(files_of(pulled(only="complete"))) == [pictures[3]]
    files = pull(desk.client, str(tmp_path / "few"), file_ids=pictures[2:5])
    assert sorted(files_of(files)) == [pictures[3]]


def test_a_folder_holds_one_set(desk: Desk, pictures: list[int], pulled: Pull):
    pulled()
    with pytest.raises(InvalidValueError, match="holds another set"):
        pulled(dataset=None, file_ids=pictures)


def test_a_manifest_of_something_else_is_refused(
    desk: Desk, pictures: list[int], pulled: Pull, tmp_path: Path
):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "manifest.json").write_text('{"name": "my app"}')
    with pytest.raises(InvalidValueError, match="does not belong to a pulled set"):
        pulled()


@pytest.mark.parametrize("lost", ["marks-*", "{version}/manifest.json"])
def test_what_was_lost_is_read_anew(desk: Desk, pictures: list[int], pulled: Pull, tmp_path: Path, lost: str):
    first = pulled()
    content = files_of(first)
    for path in (tmp_path / "set").glob(lost.format(version=first.version)):
        path.unlink()
    again = pulled()
    assert again.version == first.version
    assert files_of(again) == content
    assert not pulled().is_new


def test_a_version_that_somebody_cut_is_told(desk: Desk, pictures: list[int], pulled: Pull, tmp_path: Path):
    first = pulled()
    path = Path(first.path) / "files.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))
    page = desk.person.open(pictures[0])
    page.move(0, 1)
    desk.person.save(page)
    with pytest.raises(InvalidValueError, match=f"lacks file {pictures[-1]}"):
        pulled()


@pytest.mark.parametrize("only", ["all", "complete"])
def test_files_of_another_project_are_refused(desk: Desk, pulled: Pull, tmp_path: Path, only: str):
    with pytest.raises(InvalidValueError, match="cannot be read"):
        pulled(dataset=None, file_ids=[10**6], only=only)
    assert not (tmp_path / "set").exists()


def test_named_files_that_nobody_has_reviewed_are_counted_in_the_log(
    desk: Desk, pictures: list[int], pulled: Pull, caplog: pytest.LogCaptureFixture
):
    assert pulled(dataset=None, file_ids=pictures, only="complete").files == 0
    told = [each.getMessage() for each in caplog.records if "left out" in each.getMessage()]
    count = len(pictures)
    assert told == [
        f"{count} files left out: {count} without a task, 0 with one that is not complete. "
        "only='all' takes them"
    ]


def test_compound_files_come_with_their_children_in_order(desk: Desk, media: Media, pulled: Pull):
    compound = desk.diffgram.compound("scene")
    children = [
        {
            "media": {"url": media.url("a.png")},
            "original_filename": f"page-{ordinal}.png",
            "parent_file_id": compound,
            "ordinal": ordinal,
            "instance_list": [box(ordinal + 1)],
        }
        for ordinal in (2, 0, 1)
    ]
    desk.diffgram.pushed(children)
    first = pulled()
    found = list(files_of(first).values())
    assert [(file.name, file.ordinal) for file in found] == [
        ("scene", None),
        ("page-0.png", 0),
        ("page-1.png", 1),
        ("page-2.png", 2),
    ]
    assert {file.group for file in found} == {"scene"}
    assert pulled().version == first.version
    page = desk.person.open(found[2].id)
    page.move(0, 2)
    desk.person.save(page)
    assert counts(pulled()) == (0, 1, 3, 0)


def test_a_video_comes_by_frame(desk: Desk, media: Media, pulled: Pull, tmp_path: Path):
    packet = {
        "original_filename": "v.mp4",
        "media": {"url": media.url("v.mp4"), "type": "video"},
        "frame_packet_map": {"0": [box()], "2": [box(3), box(4)]},
    }
    desk.diffgram.pushed([packet])
    version = pulled()
    (file,) = files_of(version).values()
    assert file.frames is not None
    assert {frame: len(rows) for frame, rows in file.frames.items()} == {0: 1, 2: 2}
    assert version.instances == 3
    assert pulled().version == version.version
    alone = pull(desk.client, str(tmp_path / "alone"), file_ids=[file.id], only="all")
    assert files_of(alone) == {file.id: file}
    line = (Path(version.path) / "packets.jsonl").read_text()
    assert {frame: len(rows) for frame, rows in json.loads(line)["frame_packet_map"].items()} == {
        "0": 1,
        "2": 2,
    }


def test_what_a_format_cannot_hold_is_counted_or_refused(
    desk: Desk, media: Media, pulled: Pull, tmp_path: Path
):
    ellipse = {
        "type": "ellipse", "label": "cat", "center_x": 8, "center_y": 6, "width": 3, "height": 2, "angle": 0,
    }  # fmt: skip
    packet = {
        "media": {"url": media.url("a.png")},
        "original_filename": "a.png",
        "instance_list": [box(), ellipse],
    }
    desk.diffgram.pushed([packet])
    assert pulled(format="yolo").left_out == {"ellipse": 1}
    before = tree(tmp_path)
    with pytest.raises(InvalidValueError, match="1 x ellipse"):
        pulled(format="coco", unsupported="fail")
    assert tree(tmp_path) == before
    assert pulled(format="packets", unsupported="fail").left_out == {}


@pytest.mark.parametrize(
    "format", ["packets", "coco", "yolo", "yolo-segment", "yolo-obb", "yolo-pose", "voc"]
)
def test_media_are_copied_once(desk: Desk, pictures: list[int], pulled: Pull, tmp_path: Path, format: str):
    version = pulled(format=format, media="copy")
    found = {path.name for path in Path(version.path).rglob("*.png")}
    assert found == {f"{number}.png" for number in range(1, 7)}
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in Path(version.path).rglob("*.png"))
    asked = desk.requests("/file/view")
    page = desk.person.open(pictures[0])
    page.move(0, 2)
    desk.person.save(page)
    assert pulled(format=format, media="copy").is_new
    assert desk.requests("/file/view") == asked


def test_a_set_in_object_storage_has_copies_of_its_media(desk: Desk, pictures: list[int]):
    storage = fsspec.filesystem("memory")
    where = f"memory://{desk.client.project}/set"
    options = Options(format="yolo", media="copy", split={"train": 1})

    def again() -> Pulled:
        return pull(desk.client, where, dataset=DATASET, only="all", options=options)

    first = again()
    names = {f"{number}" for number in range(1, 7)}
    found = storage.find(first.path.removeprefix("memory:/"))
    assert {Path(path).stem for path in found if "/images/train/" in path} == names
    assert {Path(path).stem for path in found if "/labels/train/" in path} == names
    assert all(storage.cat_file(path)[:4] == b"\x89PNG" for path in found if path.endswith(".png"))
    assert not again().is_new
    page = desk.person.open(pictures[0])
    page.move(0, 1)
    desk.person.save(page)
    second = again()
    assert (second.previous, second.changed) == (first.version, 1)
    assert sorted(storage.ls(where.removeprefix("memory:/"), detail=False)) == sorted(
        f"/{desk.client.project}/set/{name}"
        for name in ("manifest.json", "media", first.version, second.version, marks_of(storage, second))
    )


def marks_of(storage: Any, version: Pulled) -> str:
    """Return the file that the next pull compares with."""
    folder = version.path.removeprefix("memory:/").rpartition("/")[0]
    return str(json.loads(storage.cat_file(f"{folder}/manifest.json"))["marks"])


def test_media_are_told_as_addresses(pictures: list[int], pulled: Pull):
    version = pulled(media="link")
    lines = [json.loads(line) for line in (Path(version.path) / "media.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == pictures
    assert all(line["url"].startswith("http") for line in lines)


def test_what_still_moves_is_named(
    desk: Desk, pictures: list[int], pulled: Pull, monkeypatch: pytest.MonkeyPatch
):
    first = pulled()

    def edited(client: Any, ids: Any) -> Any:
        for file in read(client, ids):
            page = desk.person.open(file.id)
            page.move(0, 1)
            desk.person.save(page)
            yield file

    from airflow_provider_diffgram.review.sets import reading

    read = reading.read_singly
    monkeypatch.setattr(reading, "read_singly", edited)
    page = desk.person.open(pictures[0])
    page.move(0, 1)
    desk.person.save(page)
    second = pulled()
    assert (second.is_new, second.moved) == (True, 1)
    assert json.loads(Path(second.manifest).read_text())["moved"] == [pictures[0]]
    monkeypatch.undo()
    third = pulled()
    assert (third.moved, third.changed) == (0, 1)
    assert first.version != second.version != third.version


def test_what_a_push_brought_is_pulled_children_with_their_compound_file(
    desk: Desk, pulled: Pull, media: Media, tmp_path: Path
):
    parent = desk.diffgram.compound("p")
    Image.new("RGB", (40, 30)).save(tmp_path / "local.png")
    packets: list[dict[str, Any]] = [
        {"media": {"url": media.url("a.png")}, "original_filename": "a.png", "instance_list": [box()]},
        {"media": {"path": tmp_path / "local.png"}, "original_filename": "b.png", "instance_list": [box()]},
        {"media": {"url": media.url("c.png")}, "original_filename": "c.png", "parent_file_id": parent},
    ]
    handle = desk.diffgram.push(packets, record=str(tmp_path / "record.jsonl"))
    desk.diffgram.done(handle)
    names = {file.name for file in files_of(pulled(dataset=None, handle=handle)).values()}
    assert names == {"a.png", "b.png", "c.png", "p"}


def test_a_push_that_is_not_in_yet_is_not_pulled(desk: Desk, pulled: Pull, tmp_path: Path):
    desk.emulator.pause_queue()
    handle = desk.diffgram.push([{"media": {"text_data": "hello"}, "original_filename": "a.txt"}])
    with pytest.raises(InvalidValueError, match="1 input of the handle not in yet"):
        pulled(dataset=None, handle=handle)
    assert not (tmp_path / "set").exists()
    desk.emulator.pause_queue(False)
    desk.diffgram.done(handle)
    assert pulled(dataset=None, handle=handle).files == 1


def test_a_handle_that_does_not_tell_its_files_is_not_pulled(desk: Desk, pulled: Pull, tmp_path: Path):
    handle = Handle(
        project=desk.client.project, directory_id=desk.diffgram.directory_id, expected=3, skipped=2
    )
    with pytest.raises(InvalidValueError, match="the handle does not name 2 of 3 files"):
        pulled(dataset=None, handle=handle)
