"""What somebody does on the emulator's own page is what a pull and a comparison tell.

The requests are those of the page's scripts; ``e2e`` has a browser send them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_diffgram.review.comparison import Outputs, compare
from airflow_provider_diffgram.review.pull import pull
from airflow_provider_diffgram.review.quality.finals import LiveFiles
from airflow_provider_diffgram.review.sets.stored import StoredFile
from tests.integration.ingest.served_media import png
from tests.integration.review.conftest import Desk

Row = dict[str, Any]


class Reviewer:
    """Somebody at the page, by its requests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._browser = requests.Session()
        self._browser.headers["User-Agent"] = "Mozilla/5.0"
        self._post(f"/studio/login/{desk.emulator.project}", None, headers={"X-Emulator-Page": "1"})

    def __enter__(self) -> Reviewer:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()

    def _post(self, path: str, body: Any, **more: Any) -> Any:
        answer = self._browser.post(self._desk.emulator.url + path, json=body, timeout=20, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def open(self, file_id: int) -> dict[str, Row]:
        """Return the rows of a file, by their references."""
        path = f"/api/project/{self._desk.emulator.project}/file/{file_id}/annotation/list"
        rows = self._post(path, {})["file_serialized"]["instance_list"]
        return {row["creation_ref_id"]: row for row in rows}

    def save(self, task_id: int, rows: list[Row]) -> Any:
        """Save through a task."""
        body = {"instance_list": rows, "and_complete": False, "gold_standard_file": None, "video_data": None}
        return self._post(f"/api/v1/task/{task_id}/annotation/update", body)

    def work(self, task_id: int, kind: str, body: Row) -> None:
        """Complete or review a task."""
        self._post(f"/api/v1/task/{task_id}/{kind}", body)

    def create_job(self, name: str, dataset_id: int) -> int:
        """Make and launch a job with a second look."""
        project = self._desk.emulator.project
        datasets = [{"directory_id": dataset_id, "selected": "sync"}]
        body = {
            "name": name,
            "instance_type": "box",
            "allow_reviews": True,
            "review_chance": 100,
            "attached_directories_dict": {"attached_directories_list": datasets},
        }
        made = self._post(f"/api/v1/project/{project}/job/new", body)
        self._post("/api/v1/job/launch", {"job_id": made["job"]["id"]})
        return int(made["job"]["id"])


@pytest.fixture
def reviewer(desk: Desk) -> Iterator[Reviewer]:
    """Somebody who has opened the page."""
    with Reviewer(desk) as found:
        yield found


def placed(x: int, y: int, side: int = 20) -> dict[str, int]:
    return {"x_min": x, "y_min": y, "x_max": x + side, "y_max": y + side}


def resized(row: Row, **sides: int) -> None:
    row |= sides
    row |= {"width": row["x_max"] - row["x_min"], "height": row["y_max"] - row["y_min"]}


def sent(desk: Desk, folder: Path) -> str:
    """Push two pictures with five boxes each, and return the record."""
    packets = []
    for name in ("a", "b"):
        (folder / f"{name}.png").write_bytes(png())
        boxes = [
            {
                "type": "box",
                "label": "cat",
                "score": 0.9,
                "creation_ref_id": f"{name}{n}",
                **placed(30 * n, 5),
            }
            for n in range(5)
        ]
        media = {"path": str(folder / f"{name}.png")}
        packets.append({"media": media, "original_filename": f"{name}.png", "instance_list": boxes})
    record = folder / "record.jsonl"
    desk.diffgram.pushed(packets, record=str(record), origin=("detector", "night"))
    return str(record)


def corrected(desk: Desk, reviewer: Reviewer, file_id: int, task_id: int) -> None:
    """Do one of each: move, resize, relabel, delete, draw; leave the fifth box alone."""
    rows = reviewer.open(file_id)
    resized(rows["a0"], **placed(3, 8))
    resized(rows["a1"], x_max=rows["a1"]["x_max"] + 7)
    rows["a2"] |= {"label_file_id": desk.diffgram.labels["dog"]}
    rows["a3"] |= {"soft_delete": True}
    drawn = {"type": "box", "label_file_id": desk.diffgram.labels["dog"], "creation_ref_id": "0f" * 16}
    resized(drawn, **placed(40, 60))
    drawn["change_source"] = "ui_diffgram_frontend"
    saved = reviewer.save(task_id, [*rows.values(), drawn])
    assert "warning" not in saved["log"]
    assert len(saved["added_instances"]) == 5
    again = reviewer.save(task_id, list(reviewer.open(file_id).values()))
    assert again["added_instances"] == []


def test_a_pull_and_a_comparison_tell_what_was_done_on_the_page(
    desk: Desk, reviewer: Reviewer, tmp_path: Path
) -> None:
    record = sent(desk, tmp_path)
    files = {file.original_filename: file.id for file in desk.diffgram.files()}
    job = reviewer.create_job("night", desk.diffgram.directory_id)
    while len(desk.tasks(job)) < 2:
        desk.client.clock.sleep(0.2)
    tasks = desk.tasks(job)
    task = tasks[files["a.png"]]
    corrected(desk, reviewer, files["a.png"], task)
    reviewer.work(task, "complete", {})
    reviewer.work(task, "review", {"action": "request_change", "comment": "look again"})
    reviewer.work(task, "complete", {})
    reviewer.work(task, "review", {"action": "approve"})

    report = tmp_path / "report.jsonl"
    outputs = Outputs(report=str(report))
    compare([record], LiveFiles(desk.client, job_id=job), run="night", project="test", outputs=outputs)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    told = {line["reference"]: line["outcome"] for line in lines if line["name"] == "a.png"}
    assert told == {
        "a0": "moved",
        "a1": "moved",
        "a2": "relabelled",
        "a3": "deleted",
        "a4": "kept",
        "0f" * 16: "added",
    }
    assert {line["outcome"] for line in lines if line["name"] == "b.png"} == {"not_reviewed"}

    pulled = pull(desk.client, str(tmp_path / "set"), job=job)
    with gzip.open(Path(pulled.path) / "files.jsonl.gz") as told_files:
        (file,) = map(StoredFile.from_json, told_files)
    assert file.name == "a.png"
    final = {row["creation_ref_id"]: row for row in file.instances}
    assert final.keys() == {"a0", "a1", "a2", "a4", "0f" * 16}
    assert [final["a1"][side] for side in ("x_min", "x_max")] == [30, 57]
    assert (final["a2"]["label"], final["a2"]["version"]) == ("dog", 2)
