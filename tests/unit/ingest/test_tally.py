"""What became of each packet: counts, words for the log, lines of a report."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.outcomes.lines import Lines
from airflow_provider_diffgram.ingest.send.outcomes.tally import Tally


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tally(clock: Clock, expected: int | None = None, report: Path | None = None) -> Tally:
    return Tally(expected, Lines("report", str(report) if report else None, universal_path), clock)


def words(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]


def test_progress_is_told_in_counts_rate_and_time_left(clock: Clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    told = tally(clock, expected=10_000)
    for outcome, times in (("sent", 512), ("failed", 5), ("skipped", 9)):
        for number in range(times):
            told.note(f"{outcome}-{number}", outcome, "why" if outcome == "failed" else None)
    clock.seconds += 26.6
    told.note("last", "skipped")
    assert words(caplog) == []
    clock.seconds += 3.4
    told.note("one more", "sent")
    assert words(caplog) == [
        "523 of 10,000 sent, 10 of them there already, 5 failed · 17.6/s · about 9 min left"
    ]


def test_progress_is_told_every_half_minute_and_at_the_end(clock: Clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    told = tally(clock, expected=40)
    for number in range(35):
        clock.seconds += 2
        told.note(str(number), "sent")
    assert words(caplog) == [
        "15 of 40 sent · 30.0/min · about 50 s left",
        "30 of 40 sent · 30.0/min · about 20 s left",
    ]
    told.close()
    assert words(caplog)[-1] == "35 of 40 sent · 30.0/min"


def test_what_is_not_known_is_not_told(clock: Clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    told = tally(clock)
    clock.seconds += 2
    told.note("a", "sent")
    told.close()
    assert words(caplog) == ["1 sent · 30.0/min"]


def test_nothing_at_all_is_no_error(clock: Clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    tally(clock, expected=0).close()
    assert words(caplog) == ["nothing to send: no packet was given"]


def test_unknown_is_named_where_there_is_one(clock: Clock):
    told = tally(clock)
    assert told.counts() == "0 sent, 0 failed, 0 skipped"
    told.note("a", "unknown", "silence")
    assert (told.counts(), told.done) == ("0 sent, 0 failed, 1 unknown, 0 skipped", 1)


def test_all_are_counted_and_alike_failures_are_one_line(clock: Clock):
    told = tally(clock)
    for number in range(25):
        told.note(f"{number}.png", "failed", "too dark")
        told.note(f"{number}.jpg", "sent")
    assert str(told.incomplete(50)).splitlines() == [
        "50 packets: 25 sent, 25 failed, 0 skipped. The first: 0.png: too dark",
        "25 alike: 0.png: too dark; also 1.png, 2.png, 3.png, 4.png, 5.png and 19 more",
    ]
    assert (told["failed"], told["sent"], told.done) == (25, 25, 50)


def lines(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def test_a_report_has_a_line_for_each_packet_with_what_is_known(clock: Clock, tmp_path: Path):
    report = tmp_path / "report.jsonl"
    told = tally(clock, report=report)
    told.note("a.png", "sent", "by an earlier attempt", delivery="queue", input_id=7)
    told.note("ä.png", "skipped", file_id=3)
    told.note("c.png", "failed", ValueError("too dark"))
    told.note("d.png", "sent", delivery="upload", file_id=4)
    told.retract("d.png", "holds 0 of 1 instances", 4)
    told.close()
    assert lines(report) == [
        {
            "name": "a.png",
            "outcome": "sent",
            "delivery": "queue",
            "reason": "by an earlier attempt",
            "input_id": 7,
        },
        {"name": "ä.png", "outcome": "skipped", "file_id": 3},
        {"name": "c.png", "outcome": "failed", "reason": "too dark"},
        {"name": "d.png", "outcome": "sent", "delivery": "upload", "file_id": 4},
        {"name": "d.png", "outcome": "failed", "reason": "holds 0 of 1 instances", "file_id": 4},
    ]
    assert (told["sent"], told["failed"], told["skipped"]) == (1, 2, 1)
    assert (told.delivered(), told.file_ids()) == ({"queue": 1}, [3])


def test_the_log_tells_how_packets_went_and_why(clock: Clock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    told = tally(clock, expected=30)
    for number in range(15):
        told.note(f"{number}.png", "sent", delivery="upload", file_id=number)
    told.note("u", "sent", delivery="update", file_id=99)
    for why, count in (("cannot be read here (HTTP 403)", 10), ("is video", 2), ("was elsewhere", 1)):
        for number in range(count):
            told.note(f"{why}-{number}", "sent", delivery="queue")
            told.note_queued(why)
    told.close()
    assert words(caplog)[-1] == (
        "29 of 30 sent · 15 uploaded, 1 written into their files, 13 by the queue: 10 cannot be read here "
        "(HTTP 403), 2 are video, 1 was elsewhere"
    )
    assert told.delivered() == {"upload": 15, "update": 1, "queue": 13}


def test_ids_of_files_are_told_while_they_are_few(clock: Clock):
    told = tally(clock)
    for number in range(1000):
        told.note(f"{number}.png", "sent", delivery="upload", file_id=number + 1)
    told.note("again", "skipped", file_id=1)
    told.note("in the queue", "sent", delivery="queue", file_id=5000)
    told.note("refused", "failed", "why", file_id=5001)
    assert told.file_ids() == list(range(1, 1001))
    told.note("more", "skipped", file_id=5002)
    assert told.file_ids() == []


def test_a_report_tells_no_signature_of_a_url(clock: Clock, tmp_path: Path):
    report = tmp_path / "report.jsonl"
    told = tally(clock, report=report)
    told.note(
        "a.png", "failed", "404 from https://b.test/a.png?X-Amz-Signature=abcdef0123&X-Amz-Credential=me"
    )
    told.close()
    assert "abcdef0123" not in report.read_text() + str(told.incomplete(1))
    assert "https://b.test/a.png" in report.read_text()


def test_threads_lose_no_count_and_tear_no_line(clock: Clock, tmp_path: Path):
    report = tmp_path / "report.jsonl"
    told = tally(clock, report=report)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: told.note(f"{number}.png", "sent"), range(2000)))
    told.close()
    assert told["sent"] == 2000
    assert {line["name"] for line in lines(report)} == {f"{number}.png" for number in range(2000)}


@pytest.mark.parametrize("length", [1, 100_000], ids=["at the end", "in the middle"])
def test_a_report_that_cannot_be_written_is_told_at_the_end_and_stops_nothing(clock: Clock, length: int):
    told = tally(clock, report=Path("/dev/full"))
    for name in "abc":
        told.note(name * length, "sent")
    unwritten = told.close()
    assert "the report /dev/full is not complete: cannot write /dev/full: No space left" in str(unwritten)
    assert getattr(unwritten, "permanent", None) is False, "another worker may have room"
    assert (told["sent"], told.close()) == (3, unwritten)


def test_bytes_are_told_with_their_rate_even_while_one_large_file_is_uploaded(
    clock: Clock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    told = tally(clock, expected=2)
    told.note("a.png", "sent")
    for _ in range(4):
        clock.seconds += 15
        told.note_bytes(75 * 2**20)
    assert words(caplog) == [
        "1 of 2 sent · 2.0/min · about 30 s left · 150.0 MiB, 5.0 MiB/s",
        "1 of 2 sent · 1.0/min · about 60 s left · 300.0 MiB, 5.0 MiB/s",
    ]


def test_progress_is_handed_on_after_each_outcome(clock: Clock):
    seen: list[tuple[int, int | None, int]] = []
    told = Tally(
        4, Lines("report", None, universal_path), clock, progress=lambda *counts: seen.append(counts)
    )
    for name, result in (("a", "sent"), ("b", "failed"), ("c", "skipped"), ("d", "unknown")):
        told.note(name, result, "why")
    assert seen == [(1, 4, 0), (2, 4, 1), (3, 4, 1), (4, 4, 2)]
