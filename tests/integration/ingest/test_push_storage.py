"""The storage of the media fails while a push is at it: what passes is outlived, the culprit is named."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient, StorageError
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.read.jsonlines import candidates
from airflow_provider_diffgram.ingest.read.paths import universal_path
from airflow_provider_diffgram.ingest.send.compound import upload_children
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import InvalidValueError
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.served_media import png
from tests.storage import Fault, reset


def stored(folder: Path, *names: str, size: int = 0) -> list[dict[str, Any]]:
    """Return packets of pictures in the storage that fails."""
    for name in names:
        (folder / name).write_bytes(png() + bytes(size))
    return [
        {"media": {"path": f"flaky://{name}"}, "original_filename": name, "instance_list": [box(3)]}
        for name in names
    ]


CHECK = 1
"""So often a picture is opened, and read from, before anything is sent: for its size."""


def impatient(diffgram: LiveDiffgram) -> DiffgramClient:
    return DiffgramClient(settings(diffgram.emulator, retry_timeout=0.2), FastTime())


def timed_out() -> Exception:
    return TimeoutError("timed out")


@pytest.mark.parametrize("operation", ["info", "open", "read"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_storage_that_fails_once_changes_nothing(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault], operation: Any, skip: int
):
    packets = stored(tmp_path, "a.png", "b.png", "c.png", size=100_000)
    faults.append(fault := Fault(operation, timed_out, skip=skip))
    assert diffgram.pushed(packets).summary() == "3 expected: 3 succeeded"
    assert fault.seen > 1
    assert sorted(map(str, diffgram.names())) == ["a.png", "b.png", "c.png"]
    assert [diffgram.lefts(file.id) for file in diffgram.files()] == [[3]] * 3
    assert not any(row.failed for row in diffgram.inputs())


@pytest.mark.parametrize("operation", ["open", "read"])
def test_a_storage_that_stays_away_stops_the_push_and_may_be_tried_again(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault], operation: Any
):
    packets = stored(tmp_path, "a.png", "b.png", "c.png", size=100_000)
    faults.append(Fault(operation, reset, name="b.png", times=None, skip=CHECK))
    report = tmp_path / "report.jsonl"
    with pytest.raises(PushError) as caught:
        push(impatient(diffgram), packets, dataset=DATASET, report=str(report), concurrency=1)
    told = str(caught.value)
    assert not caught.value.permanent
    assert told.startswith("stopped: cannot read flaky://b.png: Connection reset by peer.")
    assert "not Diffgram's" in told
    assert "3 packets: 1 sent, 0 failed, 0 skipped, 2 not sent" in told
    assert "answer" not in told, "Diffgram is not to blame"
    assert [json.loads(line)["name"] for line in report.read_text().splitlines()] == ["a.png"]
    faults.clear()
    assert diffgram.pushed(packets).summary() == "3 expected: 2 succeeded, 1 skipped"
    assert sorted(map(str, diffgram.names())) == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    "operation, error",
    [
        ("open", PermissionError(errno.EACCES, "no entry")),
        ("read", PermissionError(errno.EACCES, "no entry")),
        ("read", OSError("the object is encrypted, no entry")),
    ],
)
def test_a_medium_that_cannot_be_read_for_good_is_one_packet_that_failed(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault], operation: Any, error: OSError
):
    packets = stored(tmp_path, "a.png", "b.png", "c.png", size=100_000)
    faults.append(fault := Fault(operation, lambda: error, name="b.png", times=None, skip=CHECK))
    with pytest.raises(PushError) as caught:
        diffgram.push(packets)
    assert caught.value.permanent
    (line,) = str(caught.value).splitlines()
    assert line.startswith("3 packets: 2 sent, 1 failed, 0 skipped. b.png: cannot read flaky://b.png: ")
    assert "no entry" in line
    assert fault.seen == CHECK + 1, "a no is not asked for twice"
    assert sorted(map(str, diffgram.names())) == ["a.png", "c.png"]


def test_a_storage_that_is_away_while_the_packets_are_checked_is_no_missing_file(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault]
):
    packets = stored(tmp_path, "a.png")
    faults.append(Fault("info", timed_out, times=None))
    told = r"cannot look at flaky://a.png: TimeoutError: timed out(?s:.*)\. Nothing was sent$"
    with pytest.raises(StorageError, match=told):
        push(impatient(diffgram), packets, dataset=DATASET)
    with pytest.raises(PushError, match=r"stopped: cannot look at flaky://a.png") as caught:
        push(impatient(diffgram), iter(packets), dataset=DATASET)
    assert not caught.value.permanent
    assert diffgram.content() == ([], [], [])
    with pytest.raises(
        InvalidValueError, match=r"packets: packet 0 \(.*\): no such file.*; nothing was sent"
    ):
        diffgram.push([{"media": {"path": "/nowhere/a.png"}}])


def test_a_file_of_packets_whose_storage_fails_in_the_middle_is_read_on(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault]
):
    lines = [
        json.dumps({"media": {"text_data": "x" * 40_000}, "original_filename": f"{number}.txt"})
        for number in range(30)
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    faults += [Fault("read", reset, name="p.jsonl", skip=skip) for skip in (1, 3, 7)]
    found = candidates("flaky://p.jsonl", "packet", universal_path)
    handle = push(diffgram.client, found, dataset=DATASET)
    assert diffgram.done(handle).summary() == "30 expected: 30 succeeded"
    assert faults[-1].seen > 8
    assert sorted(map(str, diffgram.names())) == sorted(f"{number}.txt" for number in range(30))


def test_a_medium_in_chunks_outlives_its_storage(diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault]):
    diffgram.limits = replace(diffgram.limits, upload=2**20)
    packets = stored(tmp_path, "a.png", size=3_000_000)
    faults.append(Fault("read", reset, skip=5))
    assert diffgram.pushed(packets).summary() == "1 expected: 1 succeeded"
    (file,) = diffgram.files()
    assert diffgram.lefts(file.id) == [3]


def test_chunks_of_a_storage_that_stays_away_leave_nothing_behind(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault]
):
    limits = replace(LIMITS, upload=2**20, upload_chunk=5 * 2**20)
    diffgram.limits = limits
    packets = stored(tmp_path, "a.png", size=12 * 2**20)
    reads_of_a_chunk = 5 * 2**20 // 2**18
    faults.append(Fault("read", reset, skip=CHECK + reads_of_a_chunk + 5, times=None))
    with pytest.raises(PushError, match=r"cannot read flaky://a.png: Connection reset"):
        push(impatient(diffgram), packets, dataset=DATASET, limits=limits)
    assert [row.archived for row in diffgram.inputs()] == [True]
    faults.clear()
    assert diffgram.pushed(packets).summary() == "1 expected: 1 succeeded"
    assert diffgram.names() == ["a.png"]


def test_children_of_a_storage_that_fails_once_are_complete(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault]
):
    parent = diffgram.compound()
    packets = stored(tmp_path, *(f"{number}.png" for number in range(4)), size=50_000)
    children = [{**each, "ordinal": number} for number, each in enumerate(packets)]
    faults += [Fault("open", timed_out, name="1.png"), Fault("read", reset, name="2.png", skip=1)]
    upload_children(diffgram.client, parent, children, dataset=DATASET)
    assert [child.original_filename for child in diffgram.children(parent)] == [f"{n}.png" for n in range(4)]


@pytest.mark.parametrize("operation", ["open", "write"])
def test_a_report_whose_storage_fails_costs_no_packet_and_is_told_beside_what_arrived(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault], operation: Any
):
    packets = stored(tmp_path, "a.png", "b.png")
    faults.append(Fault(operation, reset, name="r.jsonl", times=None))
    if operation == "open":
        with pytest.raises(StorageError, match=r"cannot write flaky://r.jsonl"):
            push(impatient(diffgram), packets, dataset=DATASET, report="flaky://r.jsonl")
        assert diffgram.files() == []
        return
    with pytest.raises(PushError) as caught:
        diffgram.push(packets, report="flaky://r.jsonl")
    told = str(caught.value)
    assert (
        "the report flaky://r.jsonl is not complete: cannot write flaky://r.jsonl: Connection reset" in told
    )
    assert "The packets themselves are not affected: 2 sent, 0 failed, 0 skipped" in told
    assert not caught.value.permanent
    assert len(diffgram.files()) == 2


def test_a_report_that_is_not_complete_hides_no_refusal(
    diffgram: LiveDiffgram, tmp_path: Path, faults: list[Fault]
):
    packets = stored(tmp_path, "a.png", "b.png")
    faults.append(Fault("write", reset, name="r.jsonl", times=None))
    no_entry = PermissionError(errno.EACCES, "no entry")
    faults.append(Fault("open", lambda: no_entry, name="b.png", times=None, skip=CHECK))
    with pytest.raises(PushError) as caught:
        diffgram.push(packets, report="flaky://r.jsonl")
    told = str(caught.value)
    line, unwritten = told.splitlines()
    assert line.startswith(
        "2 packets: 1 sent, 1 failed, 0 skipped. b.png: cannot read flaky://b.png: no entry"
    )
    assert "the report flaky://r.jsonl is not complete" in unwritten
    assert caught.value.permanent
