"""What became of each packet: the report, and how many may fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media, png

REFUSAL = {"log": {"error": {"media": "no such thing"}, "info": {}, "success": False}}

pytestmark = pytest.mark.usefixtures("queued")


def lines(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def refuse(diffgram: LiveDiffgram, *names: str) -> None:
    """Let the server refuse packets of these names."""
    for name in names:
        diffgram.emulator.fault("input/packet", "status", status=400, body=REFUSAL, text=name, times=None)


def test_each_outcome_has_its_line(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    names = ["skipped.png", "waiting.png", "sent.png", "failed.png", "unknown.png", "never.png"]
    packets = [image(media, name, box(), folder="wait/" if "waiting" in name else "") for name in names]
    diffgram.pushed(packets[:1])
    diffgram.push(packets[1:2])
    (waiting,) = [row for row in diffgram.inputs() if row.original_filename == "waiting.png"]
    refuse(diffgram, "failed.png")
    diffgram.emulator.fault("input/packet", "reset_before", text="unknown.png", times=None)
    report = tmp_path / "report.jsonl"
    impatient = DiffgramClient(settings(diffgram.emulator, retry_timeout=0.1), FastTime())
    with pytest.raises(PushError, match="1 unknown, 1 skipped, 1 not sent"):
        push(impatient, packets, dataset=DATASET, report=str(report), concurrency=1, delivery="queue")
    skipped, adopted, sent, failed, unknown = lines(report)
    file_id = diffgram.file("skipped.png").id
    assert skipped == {"name": "skipped.png", "outcome": "skipped", "file_id": file_id}
    assert adopted == {
        "name": "waiting.png",
        "outcome": "sent",
        "delivery": "queue",
        "reason": "by an earlier attempt",
        "input_id": waiting.id,
    }
    assert sent == {"name": "sent.png", "outcome": "sent", "delivery": "queue"}
    assert (failed["name"], failed["outcome"]) == ("failed.png", "failed")
    assert "media: no such thing" in failed["reason"]
    assert (unknown["name"], unknown["outcome"]) == ("unknown.png", "unknown")
    assert "before a complete answer arrived" in unknown["reason"]


def test_an_update_is_named_by_its_file(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    diffgram.pushed([image(media, "a.png", box(1))])
    file_id = diffgram.file("a.png").id
    update = {"file_id": file_id, "mode": "update", "instance_list": [box(3)]}
    report = tmp_path / "report.jsonl"
    for outcome, how in (("sent", {"delivery": "queue"}), ("skipped", {})):
        diffgram.done(diffgram.push([update], report=str(report)))
        told = {"name": f"file {file_id}", "outcome": outcome, "file_id": file_id}
        assert lines(report) == [told | how]


def test_a_child_has_its_line(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    parent = diffgram.compound()
    report = tmp_path / "report.jsonl"
    children = [image(media, f"{n}.png", parent_file_id=parent, ordinal=n) for n in range(2)]
    diffgram.push(children, report=str(report))
    found = {(line["name"], line["outcome"]) for line in lines(report)}
    assert found == {("0.png", "sent"), ("1.png", "sent")}


def test_an_upload_proved_wrong_gets_a_second_line_and_counts_as_failed_quirk_4(
    diffgram: LiveDiffgram, tmp_path: Path
):
    for name in ("before.png", "lost.png"):
        (tmp_path / name).write_bytes(png())
    packets = [
        {"media": {"path": tmp_path / name}, "original_filename": name, "instance_list": [box()]}
        for name in ("before.png", "lost.png")
    ]
    diffgram.push(packets[:1])
    lost = {"id": diffgram.file("before.png").id + 1, "type": "image", "original_filename": "lost.png"}
    listing = {"file_list": [{**lost, "count_instances_changed": None}], "metadata": {"next_page": None}}
    diffgram.emulator.fault("file/list", "status", status=200, body=listing, skip=1)
    report = tmp_path / "report.jsonl"
    with pytest.raises(PushError, match=r"1 packet: 0 sent, 1 failed, 0 skipped\. lost\.png: ") as caught:
        diffgram.push(packets[1:], report=str(report))
    assert "holds 0 of 1 instance although the server said success" in str(caught.value)
    assert [(line["name"], line["outcome"]) for line in lines(report)] == [
        ("lost.png", "sent"),
        ("lost.png", "failed"),
    ]


@pytest.mark.parametrize("place", ["no/such/folder/report.jsonl", "", "nowhere://bucket/report.jsonl"])
def test_a_report_that_cannot_be_written_is_told_before_anything_is_sent(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, place: str
):
    path = place if "://" in place else f"{tmp_path}/{place}"
    with pytest.raises(InvalidValueError, match=f"report: cannot write {path}"):
        diffgram.push([image(media, "a.png")], report=path)
    assert diffgram.inputs() == []


def test_packets_that_are_refused_before_anything_is_sent_leave_an_earlier_report_alone(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    report = tmp_path / "report.jsonl"
    diffgram.push([image(media, "a.png")], report=str(report))
    with pytest.raises(InvalidValueError):
        diffgram.push([{}], report=str(report))
    assert [line["name"] for line in lines(report)] == ["a.png"]


@pytest.mark.parametrize("what", ["report", "record"])
def test_where_nothing_may_be_there_the_files_are_written_once_nothing_is(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, what: str
):
    path = tmp_path / "lines.jsonl"
    names = ["a.png", "b.png"]
    diffgram.pushed([image(media, "a.png")], if_exists="fail", **{what: str(path)})
    assert [line["name"] for line in lines(path)] == ["a.png"]
    with pytest.raises(InvalidValueError, match="in the dataset already"):
        diffgram.push([image(media, name) for name in names], if_exists="fail", **{what: str(path)})
    assert [line["name"] for line in lines(path)] == ["a.png"]
    before = diffgram.content()
    with pytest.raises(InvalidValueError, match=f"{what}: cannot write .*; nothing was sent"):
        diffgram.push([image(media, "c.png")], if_exists="fail", **{what: f"{tmp_path}/no/such/l.jsonl"})
    assert diffgram.content() == before


@pytest.mark.parametrize(
    "max_failed, fails",
    [(0, True), (1, True), (2, False), (5, False), (0.39, True), (0.4, False), (0.99, False)],
)
def test_as_many_packets_may_be_refused_as_allowed(
    diffgram: LiveDiffgram, media: Media, max_failed: float, fails: bool
):
    packets = [image(media, f"{number}.png", box(number + 1)) for number in range(5)]
    refuse(diffgram, "1.png", "3.png")
    if fails:
        with pytest.raises(
            PushError, match=r"5 packets: 3 sent, 2 failed, 0 skipped\. The first: "
        ) as caught:
            diffgram.push(packets, max_failed=max_failed)
        assert caught.value.permanent
        assert {
            name for name in ("0.png", "1.png", "2.png", "3.png", "4.png") if name in str(caught.value)
        } == {
            "1.png",
            "3.png",
        }
    else:
        handle = diffgram.push(packets, max_failed=max_failed)
        assert (handle.expected, handle.not_sent) == (5, 2)
        receipt = diffgram.done(handle)
        assert receipt.summary() == "5 expected: 3 succeeded, 2 not sent"
    diffgram.emulator.control("faults", method="DELETE")
    assert diffgram.pushed(packets).failed == 0
    assert sorted(map(str, diffgram.names())) == [f"{number}.png" for number in range(5)]
    assert len(diffgram.inputs()) == 5


def test_failures_of_one_cause_are_one_line_in_the_error_and_few_in_the_log(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    refuse(diffgram, "image")
    report = tmp_path / "report.jsonl"
    with pytest.raises(PushError) as caught:
        diffgram.push([image(media, f"{number}.png") for number in range(25)], report=str(report))
    head, line = str(caught.value).splitlines()
    assert head.startswith("25 packets: 0 sent, 25 failed, 0 skipped. The first: ")
    assert line.startswith("25 alike: ")
    assert line.endswith(" and 19 more")
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 3 + 1
    assert told[-1] == line
    assert {each["name"] for each in lines(report)} == {f"{number}.png" for number in range(25)}
