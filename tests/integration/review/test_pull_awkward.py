"""Pulls of what a tidy example does not have: odd names, empty datasets, files that come again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from airflow_provider_diffgram.client import StorageError, StorageRefusedError, routes
from airflow_provider_diffgram.review.errors import JobStateError
from airflow_provider_diffgram.review.pull import Options, Pulled, pull
from airflow_provider_diffgram.review.tasks import add_tasks
from tests.integration.ingest.live_diffgram import DATASET, box
from tests.integration.ingest.served_media import Media, png
from tests.integration.review.conftest import Desk

NAMES = (
    "a.png",
    "A.png",
    "a.jpg",
    "a.2.png",
    "scan of 猫.png",
    "..png",
    "c:con.png",
    "猫" * 90 + ".png",
    "x y+%41.png",
)


def pulled(desk: Desk, folder: Path, *, format: str = "coco", **more: Any) -> Pulled:
    what = {"only": "all", **({} if "job" in more else {"dataset": DATASET}), **more}
    return pull(desk.client, str(folder), options=Options(format=format, media="copy"), **what)


def pushed(desk: Desk, media: Media, *names: str, label: str = "cat") -> list[int]:
    """Push a picture with a box for each name; return the ids."""
    for left, name in enumerate(names, 1):
        packet = {
            "media": {"url": media.url("a.png")},
            "original_filename": name,
            "instance_list": [box(left % 6, label=label, x_max=left % 6 + 9, score=0.5)],
        }
        assert desk.diffgram.pushed([packet]).failed == 0
    return [file.id for file in desk.diffgram.files()]


def labels_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("labels/*/*.txt"))


@pytest.mark.parametrize("format", ["coco", "yolo", "voc"])
def test_each_picture_has_a_place_of_its_own_whatever_it_is_called(
    desk: Desk, media: Media, tmp_path: Path, format: str
):
    pushed(desk, media, *NAMES)
    version = pulled(desk, tmp_path, format=format)
    assert (version.files, version.instances, version.left_out) == (len(NAMES), len(NAMES), {})
    folder = Path(version.path)
    pictures = [path for path in folder.rglob("images/**/*") if path.is_file()]
    assert len({str(path).casefold() for path in pictures}) == len(NAMES)
    if format == "coco":
        told = json.loads((folder / "annotations.json").read_text())
        assert {path.name for path in pictures} == {Path(each["file_name"]).name for each in told["images"]}
        return
    beside = labels_in(folder) if format == "yolo" else list(folder.rglob("*.xml"))
    assert {path.stem for path in beside} == {path.stem for path in pictures}
    for path in beside:
        if format == "yolo":
            assert len(path.read_text().splitlines()) == 1, path.name
        else:
            assert len(ElementTree.parse(path).getroot().findall("object")) == 1


def test_labels_that_differ_in_case_are_two_classes(desk: Desk, media: Media, tmp_path: Path):
    desk.client.send(routes.create_label(desk.client.project, "Cat", desk.schema_id))
    pushed(desk, media, "a.png")
    pushed(desk, media, "b.png", label="Cat")
    version = pulled(desk, tmp_path, format="yolo")
    names = yaml.safe_load((Path(version.path) / "data.yaml").read_text())["names"]
    assert names == {0: "Cat", 1: "cat"}
    assert sorted(path.read_text().split()[0] for path in labels_in(Path(version.path))) == ["0", "1"]


@pytest.mark.parametrize("format", ["packets", "coco", "yolo", "voc", "parquet"])
def test_an_empty_dataset_is_a_set_of_nothing(desk: Desk, tmp_path: Path, format: str):
    version = pulled(desk, tmp_path, format=format)
    assert (version.files, version.instances, version.is_new) == (0, 0, True)
    again = pulled(desk, tmp_path, format=format)
    assert (again.version, again.is_new) == (version.version, False)


def removed(desk: Desk, file_id: int) -> None:
    rows = desk.client.send(routes.list_inputs(desk.client.project, file_id=file_id))
    desk.diffgram.archive(*rows)


def test_a_file_that_is_deleted_and_made_again_is_another(desk: Desk, media: Media, tmp_path: Path):
    pushed(desk, media, "a.png", "b.png")
    before = pulled(desk, tmp_path, format="yolo")
    old = desk.diffgram.file("a.png").id
    removed(desk, old)
    packet = {
        "media": {"url": media.url("other.png")},
        "original_filename": "a.png",
        "instance_list": [box(5, label="dog", score=0.5)],
    }
    desk.diffgram.pushed([packet])
    assert desk.diffgram.file("a.png").id != old
    after = pulled(desk, tmp_path, format="yolo")
    assert (after.added, after.changed, after.kept, after.removed) == (1, 0, 1, 1)
    assert after.version != before.version
    assert sorted(path.stem for path in labels_in(Path(after.path))) == ["a", "b"]
    removed(desk, desk.diffgram.file("b.png").id)
    assert pulled(desk, tmp_path, format="yolo").files == 1
    removed(desk, desk.diffgram.file("a.png").id)
    assert pulled(desk, tmp_path, format="yolo").files == 0


def test_a_file_in_two_jobs_is_finished_in_the_one_that_is_asked(desk: Desk, media: Media, tmp_path: Path):
    files = pushed(desk, media, "a.png", "b.png")
    jobs = [desk.job(name, attach=False).id for name in ("first", "second")]
    for job_id in jobs:
        desk.run(add_tasks(desk.client.project, job_id, files))
    desk.person.complete(desk.tasks(jobs[0])[files[0]])
    found = [pulled(desk, tmp_path / str(n), job=job, only="complete").files for n, job in enumerate(jobs)]
    assert found == [1, 0]
    everywhere = pulled(desk, tmp_path / "all", only="complete")
    assert everywhere.files == 0, "the second job has not looked at it"
    for file_id in files:
        desk.person.complete(desk.tasks(jobs[1])[file_id])
    assert pulled(desk, tmp_path / "all", only="complete").files == 1


def test_an_archived_task_is_no_finished_one_and_an_archived_job_is_refused(
    desk: Desk, media: Media, tmp_path: Path
):
    files = pushed(desk, media, "a.png", "b.png", "c.png")
    job_id = desk.job("night", attach=False).id
    desk.run(add_tasks(desk.client.project, job_id, files))
    tasks = desk.tasks(job_id)
    for file_id in files[:2]:
        desk.person.complete(tasks[file_id])
    assert pulled(desk, tmp_path, job=job_id, only="complete").files == 2
    desk.person.archive(tasks[files[0]])
    removed(desk, files[2])
    version = pulled(desk, tmp_path, job=job_id, only="complete")
    assert (version.files, version.removed) == (1, 1)
    desk.emulator.control("jobs", {"project": desk.client.project, "job_id": job_id, "status": "archived"})
    with pytest.raises(JobStateError, match="archived"):
        pulled(desk, tmp_path, job=job_id, only="complete")


ILL: list[dict[str, Any]] = [
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "reset_before"},
]


@pytest.mark.parametrize("ill", ILL, ids=lambda each: str(each.get("status", each["kind"])))
def test_a_storage_that_is_ill_for_a_while_makes_no_set_without_sizes(
    desk: Desk, media: Media, tmp_path: Path, ill: dict[str, Any]
):
    """Of a picture so wide the server does not know the size, and YOLO needs it."""
    media.content["/wide.png"] = png(size=(7700, 20))
    packet = {"media": {"url": media.url("wide.png")}, "original_filename": "a.png"}
    desk.diffgram.pushed([{**packet, "instance_list": [box()]}], delivery="queue")
    desk.emulator.fault("/storage/", times=3, **ill)
    version = pulled(desk, tmp_path / "set", format="yolo")
    assert (version.left_out, version.instances) == ({}, 1)
    desk.emulator.fault("/storage/", "status", status=503, times=None)
    with pytest.raises(StorageError, match=r"size of a\.png") as failed:
        pulled(desk, tmp_path / "other", format="yolo")
    assert not failed.value.permanent
    assert not (tmp_path / "other").exists()
    desk.emulator.control("faults", method="DELETE")
    assert pulled(desk, tmp_path / "other", format="yolo").version == version.version


def test_a_medium_that_is_gone_is_not_asked_for_again(desk: Desk, media: Media, tmp_path: Path):
    pushed(desk, media, "a.png")
    desk.emulator.fault("/storage/", "status", status=404, times=None)
    with pytest.raises(StorageRefusedError, match=r"cannot read the medium of a.png .*HTTP 404"):
        pulled(desk, tmp_path)
    desk.emulator.control("faults", method="DELETE")
    assert pulled(desk, tmp_path).files == 1
