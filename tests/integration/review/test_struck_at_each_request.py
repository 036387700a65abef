"""Whatever request of the loop fails, and however: nothing is doubled or lost, and a retry ends well."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from airflow_provider_diffgram.client import DiffgramClient, DiffgramError, routes
from airflow_provider_diffgram.review.comparison import Outputs, compare_in
from airflow_provider_diffgram.review.jobs import MadeJob, ensure_job
from airflow_provider_diffgram.review.progress import ReviewReceipt
from airflow_provider_diffgram.review.pull import Options, pull
from airflow_provider_diffgram.review.tasks import add_tasks
from airflow_provider_diffgram.review.wait import wait_for_review
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import settings
from tests.integration.review.conftest import Desk

T = TypeVar("T")

ATTEMPTS = 6
MOST_REQUESTS = 60
WAYS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500, "body": {"error": "down"}, "times": 3},
    "502": {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"},
    "503": {"kind": "status", "status": 503, "times": 3},
    "504": {"kind": "status", "status": 504, "processed": True},
    "429": {"kind": "status", "status": 429, "body": {"message": "5 per 1 second"}},
    "reset_before": {"kind": "reset_before"},
    "reset_after": {"kind": "reset_after"},
    "truncate": {"kind": "truncate"},
    "malformed": {"kind": "malformed", "processed": True},
    "timeout_before": {"kind": "timeout_before"},
    "timeout_after": {"kind": "timeout_after"},
}
_SHORT = 0.3
"""Seconds that an answer is waited for where none comes."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, desk: Desk) -> dict[str, Any]:
    if request.param.startswith("timeout"):
        desk.diffgram.client = DiffgramClient(settings(desk.emulator, read_timeout=_SHORT), FastTime())
    return WAYS[request.param]


def ended(do: Callable[[], T]) -> T:
    """Do as Airflow does: again after an error that may pass, and never after another."""
    for _ in range(ATTEMPTS):
        try:
            return do()
        except DiffgramError as error:
            if error.permanent:
                raise
    raise AssertionError(f"failed {ATTEMPTS} times")


def struck_at_each(
    desk: Desk, way: dict[str, Any], do: Callable[[int], T], check: Callable[[T], None]
) -> int:
    """Do something once for each of its requests, which is struck; return how many they are.

    :param do: told the number of the request.
    :param check: told what came of it.
    """
    for number in range(MOST_REQUESTS):
        desk.emulator.fault("/api/", by="program", **{**way, "skip": number})
        found = do(number)
        left = desk.emulator.control("state")["faults"]
        desk.emulator.control("faults", method="DELETE")
        check(found)
        if left:
            return number
    raise AssertionError("no end of requests")


def tasks_of_files(desk: Desk, job_id: int) -> Counter[int]:
    page = desk.client.send(routes.list_job_tasks(desk.client.project, job_id, limit=1000))
    return Counter(task.file.id for task in page.task_list if task.file)


def test_a_job_and_its_tasks(desk: Desk, way: dict[str, Any]):
    files = desk.files(3)

    def make(number: int) -> MadeJob:
        plan = desk.plan(f"night {number}.", attach=False)
        made = ended(lambda: desk.run(ensure_job(desk.client.project, plan)))
        ended(lambda: desk.run(add_tasks(desk.client.project, made.id, files)))
        return made

    def check(made: MadeJob) -> None:
        jobs = desk.client.send(routes.list_jobs(desk.client.project, search=made.name)).jobs
        assert [(job.id, job.status) for job in jobs] == [(made.id, "active")]
        assert tasks_of_files(desk, made.id) == Counter(files)

    assert struck_at_each(desk, way, make, check) >= 6


def test_a_wait(desk: Desk, way: dict[str, Any]):
    files = desk.files(4)
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, files))
    tasks = desk.tasks(job.id)
    for file_id in files[:2]:
        desk.person.complete(tasks[file_id])
    desk.person.archive(tasks[files[2]])
    gone = {"project": desk.client.project, "file_id": files[3], "state": "removed"}
    desk.emulator.control("files", gone)

    def wait(job_id: int | None) -> ReviewReceipt:
        pace = {"timeout": 300.0, "poll_interval": 2.0}
        return ended(lambda: wait_for_review(desk.client, job_id=job_id, file_ids=files, **pace))

    def check(receipt: ReviewReceipt) -> None:
        stands = (receipt.complete, receipt.archived, receipt.removed, receipt.expected)
        assert stands == (2, 1, 1, 4)

    for job_id in (job.id, None):
        assert struck_at_each(desk, way, lambda _, job_id=job_id: wait(job_id), check) >= 3


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return what the newest version of a set holds, but for the moment at which it was made."""
    version = json.loads((folder / "manifest.json").read_text())["version"]
    found = {}
    for path in sorted((folder / version).rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


@pytest.mark.parametrize("of", ["dataset", "job", "file_ids"])
def test_a_pull(desk: Desk, way: dict[str, Any], of: str, tmp_path: Path):
    files = desk.files(4)
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, files))
    for task in list(desk.tasks(job.id).values())[:3]:
        desk.person.complete(task)
    source = {"dataset": desk.diffgram.directory_id, "job": job.id, "file_ids": files}[of]

    def pulled(name: object) -> dict[str, bytes]:
        folder = tmp_path / f"set {name}"
        ended(lambda: pull(desk.client, str(folder), options=Options(format="coco"), **{of: source}))  # type: ignore[arg-type]
        return bytes_of(folder)

    right = pulled("right")

    def check(found: dict[str, bytes]) -> None:
        assert found == right

    assert struck_at_each(desk, way, pulled, check) >= 4


def test_a_comparison(desk: Desk, way: dict[str, Any], tmp_path: Path):
    record = tmp_path / "record.jsonl"
    token = {"type": "text_token", "label": "cat", "start_token": 0, "end_token": 1, "machine_made": True}
    packets = [
        {"media": {"text_data": "a b c"}, "original_filename": f"{n}.txt", "instance_list": [token]}
        for n in range(3)
    ]
    desk.diffgram.pushed(packets, record=str(record))
    files = [file.id for file in desk.diffgram.files()]
    job = desk.job(attach=False)
    desk.run(add_tasks(desk.client.project, job.id, files))
    page = desk.person.open(files[0])
    page.delete(0)
    desk.person.save(page)
    for task in desk.tasks(job.id).values():
        desk.person.complete(task)

    def compared(name: object) -> tuple[Any, list[bytes]]:
        report = tmp_path / f"report {name}"
        outputs = Outputs(report=str(report))
        found = ended(lambda: compare_in(desk.client, [str(record)], run="r", job_id=job.id, outputs=outputs))
        return found.headline, sorted(report.read_bytes().splitlines())

    right = compared("right")

    def check(found: tuple[Any, list[bytes]]) -> None:
        assert found == right

    assert struck_at_each(desk, way, compared, check) >= 5
