"""What a comparison makes of records and files that are not as one expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import StorageError
from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.quality.finals import LiveFiles
from airflow_provider_diffgram.review.quality.limits import QualityLimits
from airflow_provider_diffgram.review.quality.verdict import Comparison
from tests.integration.ingest.served_media import png
from tests.storage import Fault, reset

SHEET = png(size=(2200, 2200))
"""A picture with room for all predictions."""


def box(left: int, reference: str, **more: Any) -> dict[str, Any]:
    sides = {"x_min": left, "y_min": 5, "x_max": left + 30, "y_max": 45}
    told = {"type": "box", "label": "cat", "machine_made": True, "creation_ref_id": reference}
    return told | sides | more


def compared(desk: Any, record: Path, job_id: int | None, **more: Any) -> Comparison:
    finals = LiveFiles(desk.client, job_id=job_id)
    return compare([str(record)], finals, run="night", project="test", **more)


def packet(path: Path, *instances: dict[str, Any]) -> dict[str, Any]:
    path.write_bytes(SHEET)
    return {"media": {"path": str(path)}, "original_filename": path.name, "instance_list": list(instances)}


def all_tasks(desk: Any, job_id: int, amount: int) -> dict[int, int]:
    while len(desk.tasks(job_id)) < amount:
        desk.client.clock.sleep(0.5)
    return desk.tasks(job_id)


def test_a_record_of_nothing_says_too_little(desk: Any, tmp_path: Path):
    record = tmp_path / "record.jsonl"
    record.write_text("")
    found = compared(desk, record, None, outputs=Outputs(page=str(tmp_path / "page.html")))
    assert found.headline["files"] == found.headline["predictions"] == 0
    assert found.headline["acceptance"] is None
    assert found.too_few is not None
    assert "What these figures cannot say" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("what", ["metrics", "report", "page", "history"])
def test_a_file_that_cannot_be_written_in_the_end_hides_no_verdict(
    desk: Any, tmp_path: Path, faults: list[Fault], what: str
):
    record = tmp_path / "record.jsonl"
    desk.diffgram.pushed([packet(tmp_path / "a.png", box(1, "a"))], record=str(record))
    job = desk.job()
    desk.person.complete(*all_tasks(desk, job.id, 1).values())
    faults.append(Fault("write", reset, name="out"))
    limits = QualityLimits(min_precision={"cat": 0.9}, min_reviewed=2)
    with pytest.raises(StorageError) as caught:
        compared(desk, record, job.id, limits=limits, outputs=Outputs(**{what: "flaky://out"}))
    told = str(caught.value)
    assert "The comparison itself is done: people have reviewed 1 of 1 files, fewer than min_reviewed" in told
    assert "people kept 1 of 1 predictions that they judged" in told


def test_scores_at_the_ends_and_none_polygons_that_cross_themselves_and_files_without_predictions(
    desk: Any, tmp_path: Path
):
    bow_tie = [
        {"x": 200.0, "y": 0.0},
        {"x": 260.0, "y": 60.0},
        {"x": 260.0, "y": 0.0},
        {"x": 200.0, "y": 60.0},
    ]
    crossed = {**box(0, "crossed"), "type": "polygon", "points": bow_tie, "score": 0.5}
    for side in ("x_min", "y_min", "x_max", "y_max"):
        del crossed[side]
    shapes = (box(0, "zero", score=0.0), box(50, "one", score=1.0), box(100, "none"), crossed)
    record = tmp_path / "record.jsonl"
    packets = [
        packet(tmp_path / "a.png", *shapes),
        packet(tmp_path / "bare.png"),
        packet(tmp_path / "open.png"),
    ]
    desk.diffgram.pushed(packets, record=str(record))
    job = desk.job()
    tasks = all_tasks(desk, job.id, 3)
    for name in ("a.png", "bare.png"):
        file_id = desk.diffgram.file(name).id
        page = desk.person.open(file_id)
        for row in page.rows:
            if row["type"] == "polygon":
                row["points"] = [{**each, "x": each["x"] + 3} for each in row["points"]]
        page.draw(desk.diffgram.labels["cat"], (300, 5, 330, 45))
        desk.person.save(page)
        desk.person.complete(tasks[file_id])
    found = compared(desk, record, job.id)
    every = found.figures["all"]
    assert every["outcomes"] == {"added": 2, "kept": 3, "moved": 1}
    assert 0.5 < every["moved"]["mean_iou"] < 1
    assert [each["from"] for each in every["calibration"]] == [0.0, 0.5, 0.95]
    assert found.figures["without_score"] == 1
    assert every["ap"]["polygon"]["ap50"] == pytest.approx(1.0)
    assert found.figures["files"] | {"corrections_per_file": None} == {
        "recorded": 3,
        "reviewed": 2,
        "corrected": 2,
        "corrections": 3,
        "corrections_per_file": None,
    }


def test_two_runs_that_say_the_same(desk: Any, tmp_path: Path):
    records = [tmp_path / f"{run}.jsonl" for run in (1, 2)]
    for run, record in enumerate(records, start=1):
        shapes = [box(0, f"same {run}"), box(100 * run, f"own {run}")]
        for each in shapes:
            each |= {"model_ref": "detector", "model_run_ref": str(run)}
        one = packet(tmp_path / "a.png", *shapes)
        if run == 2:
            one = {"file_id": desk.diffgram.file("a.png").id, "mode": "update", "instance_list": shapes}
        desk.diffgram.pushed([one], record=str(record))
    job = desk.job()
    for task in all_tasks(desk, job.id, 1).values():
        desk.person.complete(task)
    finals = LiveFiles(desk.client, job_id=job.id)
    found = compare([str(each) for each in records], finals, run="night", project="test")
    assert {name: each["outcomes"] for name, each in found.figures["runs"].items()} == {
        "detector/1": {"kept": 2},
        "detector/2": {"kept": 2},
    }
    alone = compared(desk, records[1], job.id)
    outcomes = alone.figures["all"]["outcomes"]
    assert outcomes == {
        "kept": 2,
        "added_by_push": len(desk.diffgram.instances(desk.diffgram.file("a.png").id)) - 2,
    }


def test_a_reference_given_twice_is_counted_and_the_last_one_judged(desk: Any, tmp_path: Path):
    record = tmp_path / "record.jsonl"
    desk.diffgram.pushed([packet(tmp_path / "a.png", box(0, "a"), box(100, "b"))], record=str(record))
    line = json.loads(record.read_text())
    first, second = line["packet"]["instance_list"]
    line["packet"]["instance_list"] = [first, second, {**first, "x_max": 31}]
    record.write_text(json.dumps(line) + "\n")
    job = desk.job()
    for task in all_tasks(desk, job.id, 1).values():
        desk.person.complete(task)
    found = compared(desk, record, job.id)
    assert found.figures["references_given_twice"] == 1
    assert found.figures["all"]["outcomes"] == {"kept": 1, "moved": 1}


def test_pages_of_a_compound_file_are_reviewed_with_it(desk: Any, tmp_path: Path):
    scans = [desk.diffgram.compound(name) for name in ("scan", "other")]
    pages = [
        {**packet(tmp_path / f"{name}.png", box(0, name)), "parent_file_id": scan, "ordinal": ordinal}
        for scan, ordinal, name in ((scans[0], 0, "one"), (scans[0], 1, "two"), (scans[1], 0, "three"))
    ]
    record, updates = tmp_path / "record.jsonl", tmp_path / "updates.jsonl"
    desk.diffgram.pushed(pages, record=str(record))
    ids = {child.original_filename: child.id for scan in scans for child in desk.diffgram.children(scan)}
    update = {"file_id": ids["two.png"], "mode": "update", "instance_list": [box(200, "later")]}
    desk.diffgram.pushed([update], record=str(updates))  # an update names no compound file
    job = desk.job()
    tasks = all_tasks(desk, job.id, 2)
    assert tasks.keys() == set(scans)
    page = desk.person.open(ids["two.png"])
    page.delete(next(n for n, row in enumerate(page.rows) if row["creation_ref_id"] == "two"))
    desk.person.save(page)
    desk.person.complete(tasks[scans[0]])
    finals = LiveFiles(desk.client, job_id=job.id)
    report = tmp_path / "report.jsonl"
    compare([str(record), str(updates)], finals, run="n", project="test", outputs=Outputs(report=str(report)))
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert {line["reference"]: line["outcome"] for line in lines} == {
        "one": "kept",
        "two": "deleted",
        "later": "kept",
        "three": "not_reviewed",
    }
    without_job = compared(desk, record, None)
    assert without_job.headline["kept"] == 1
    assert without_job.headline["not_reviewed"] == 1


def test_limits_count_what_no_history_explains_as_deleted(desk: Any, tmp_path: Path):
    record = tmp_path / "record.jsonl"
    places = [(40 * column, 60 * row) for row in range(4) for column in range(10)]
    shapes = [box(x, f"{x},{y}", y_min=y, y_max=y + 40) for x, y in places]
    desk.diffgram.pushed([packet(tmp_path / "a.png", *shapes)], record=str(record))
    job = desk.job()
    ((file_id, task_id),) = all_tasks(desk, job.id, 1).items()
    page = desk.person.open(file_id)
    for place in range(10):
        page.delete(place)
    desk.person.save(page)
    desk.person.complete(task_id)
    finals = LiveFiles(desk.client, job_id=job.id, proofs=0)
    limits = QualityLimits(min_acceptance=0.9)
    found = compare([str(record)], finals, run="n", project="test", limits=limits)
    assert found.headline["unknown"] == 10
    assert found.headline["acceptance"] == 1.0
    (missed,) = found.missed
    assert "acceptance (10 that are gone without a known reason count as deleted) is 75.0 %" in missed
    assert compared(desk, record, job.id).headline["deleted"] == 10
