"""Whole waits without Airflow: how they end, and what they do on the way (server.md 3.2, 2.14; quirk 50)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_diffgram.client import RefusedError
from airflow_provider_diffgram.ingest.watch.ending import Report
from airflow_provider_diffgram.ingest.watch.errors import (
    InputsFailedError,
    ReportNotWrittenError,
    WaitTimeoutError,
)
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.wait import archive_pending, wait
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import InvalidValueError, Receipt
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, instance, look_until, raw
from tests.integration.ingest.served_media import Media

pytestmark = pytest.mark.usefixtures("queued")


def outcomes(report: Path) -> dict[str, str]:
    lines = map(json.loads, report.read_text().splitlines())
    return {each["name"]: each["outcome"] for each in lines}


def test_it_returns_the_receipt_tells_its_progress_and_writes_its_report(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    handle = diffgram.push([image(media, "a.png", box()), image(media, "b.png")])
    told: list[Receipt] = []
    report = Report(str(tmp_path / "report.jsonl"))
    receipt = wait(diffgram.client, [handle], report=report, progress=told.append)
    assert receipt.summary() == "2 expected: 2 succeeded"
    assert told[-1] == receipt
    assert outcomes(tmp_path / "report.jsonl") == {"a.png": "succeeded", "b.png": "succeeded"}


def test_it_ends_as_soon_as_more_failed_than_may_with_a_report_of_all(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    waiting = image(media, "wait.png", folder="wait/")
    handle = diffgram.push([image(media, "x.png", folder="gone/"), waiting])
    with pytest.raises(InputsFailedError, match=r"x.png .*404") as caught:
        wait(diffgram.client, [handle], report=Report(str(tmp_path / "report.jsonl")))
    assert caught.value.receipt.failed == 1
    assert outcomes(tmp_path / "report.jsonl") == {"x.png": "failed", "wait.png": "pending"}
    media.gate.set()
    assert wait(diffgram.client, [handle], rules=Rules(max_failed=1)).succeeded == 1


def test_time_that_is_over_names_what_is_pending(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    handle = diffgram.push([image(media, "wait.png", folder="wait/")])
    with pytest.raises(WaitTimeoutError, match="not settled in time: 1 expected: 1 pending"):
        wait(diffgram.client, [handle], timeout=2, report=Report(str(tmp_path / "report.jsonl")))
    assert outcomes(tmp_path / "report.jsonl") == {"wait.png": "pending"}


def test_of_many_that_are_pending_the_first_are_named_and_the_others_counted(
    diffgram: LiveDiffgram, media: Media
):
    handle = diffgram.push([image(media, f"{n}.png", folder="wait/") for n in range(23)], delivery="queue")
    with pytest.raises(WaitTimeoutError, match="23 expected: 23 pending") as caught:
        wait(diffgram.client, [handle], timeout=2)
    assert len(caught.value.receipt.waiting) == 20
    assert str(caught.value).endswith("\nand 3 more")


def test_a_report_that_cannot_be_written_is_told_before_anything_is_asked(
    diffgram: LiveDiffgram, media: Media
):
    handle = diffgram.push([image(media, "a.png")])
    with pytest.raises(InvalidValueError, match="cannot write"):
        wait(diffgram.client, [handle], report=Report("/nowhere/report.jsonl"))


def test_a_report_that_cannot_be_written_in_the_end_hides_no_failure(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    folder = tmp_path / "folder"
    folder.mkdir()

    def remove_folder(_: Receipt) -> None:
        (folder / "report.jsonl").unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()

    failing, well = (
        diffgram.push([image(media, "x.png", folder="gone/")]),
        diffgram.push([image(media, "a.png")]),
    )
    report = Report(str(folder / "report.jsonl"))
    with pytest.raises(InputsFailedError) as failed:
        wait(diffgram.client, [failing], report=report, progress=remove_folder)
    assert "x.png" in str(failed.value)
    assert "The report was not written" in str(failed.value)
    folder.mkdir()
    with pytest.raises(ReportNotWrittenError, match="Only the report was not written") as unwritten:
        wait(diffgram.client, [well], report=report, progress=remove_folder)
    assert unwritten.value.permanent


def test_what_is_stuck_is_retried_and_comes_in(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("a.png", "stuck")
    handle = diffgram.push([image(media, "a.png", box())])
    receipt = wait(diffgram.client, [handle], rules=Rules(on_stuck="retry", stall_timeout=2.0))
    assert receipt.summary() == "1 expected: 1 succeeded"
    assert len(diffgram.instances(diffgram.file("a.png").id)) == 1


def test_what_gets_stuck_again_and_again_is_given_up(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("a.png", "stuck", times=3)
    handle = diffgram.push([image(media, "a.png", box())])
    with pytest.raises(InputsFailedError, match="retried 2 time"):
        wait(diffgram.client, [handle], rules=Rules(on_stuck="retry", stall_timeout=2.0, max_retries=2))


@pytest.mark.parametrize("mode", ["update", "update_with_existing"])
def test_an_update_that_is_stuck_is_judged_by_what_its_file_holds_and_not_retried(
    diffgram: LiveDiffgram, media: Media, mode: str
):
    diffgram.pushed([image(media, "a.png", box(1))])
    (stored,) = diffgram.instances(diffgram.file("a.png").id)
    update = {"file_id": stored["file_id"], "mode": mode, "original_filename": None, "media": {}}
    diffgram.emulator.pause_queue()
    rules = Rules(on_stuck="retry", stall_timeout=2.0)
    there = instance(diffgram, 1, creation_ref_id=stored["creation_ref_id"])
    there_already = raw(diffgram, media, update | {"instance_list": [there]})
    assert wait(diffgram.client, [there_already], rules=rules).summary() == "1 expected: 1 succeeded"
    lacking = raw(diffgram, media, update | {"instance_list": [instance(diffgram, 9, creation_ref_id="x")]})
    with pytest.raises(InputsFailedError, match="stuck") as caught:
        wait(diffgram.client, [lacking], rules=rules)
    assert caught.value.receipt.stuck == 1
    assert all(row.retry_count == 0 for row in diffgram.inputs())


def test_a_refusal_of_the_server_is_raised(diffgram: LiveDiffgram, media: Media):
    handle = diffgram.push([image(media, "wait.png", folder="wait/")])
    diffgram.emulator.fault("view/list", "status", status=403, times=1)
    with pytest.raises(RefusedError):
        wait(diffgram.client, [handle])


def test_what_is_archived_when_a_wait_is_killed_is_new_and_pending(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "there.png", box(1))])
    done = diffgram.push([image(media, "done.png")])
    diffgram.done(done)
    diffgram.emulator.pause_queue()
    file_id = diffgram.file("there.png").id
    update = {"file_id": file_id, "mode": "update", "original_filename": None, "media": {}}
    updating = raw(diffgram, media, update | {"instance_list": [instance(diffgram, 9)]})
    waiting = diffgram.push([image(media, "waiting.png")])
    assert len(archive_pending(diffgram.client, [done, updating, waiting])) == 1
    diffgram.emulator.pause_queue(False)
    receipt = look_until(diffgram, Watch([done, updating, waiting]), lambda each: each.complete)
    assert receipt.summary() == "3 expected: 2 succeeded, 1 archived"
    assert diffgram.names() == ["there.png", "done.png"]
