"""What a push records: each packet as it was sent, and its file; the whole, however often it is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.ingest import read_record
from airflow_provider_diffgram.ingest.send.push import PushError, push
from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.recorded import Recorded
from tests.integration.ingest.fast_time import FastTime
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box, settings
from tests.integration.ingest.raw_packets import image
from tests.integration.ingest.served_media import Media, png
from tests.storage import Fault, reset

ORIGIN = ("a-dag", "run-1")


@pytest.fixture
def record(tmp_path: Path) -> str:
    return str(tmp_path / "record.jsonl.gz")


def lines(record: str) -> dict[str, Recorded]:
    """Return the lines of a record by name; each name is there once."""
    read = list(read_record(record))
    found = {line.name: line for line in read}
    assert len(found) == len(read)
    return found


def local(folder: Path, name: str, *boxes: dict[str, Any], **more: Any) -> dict[str, Any]:
    (folder / name).write_bytes(png())
    return {"media": {"path": folder / name}, "original_filename": name, "instance_list": boxes, **more}


def told(line: Recorded) -> list[Any]:
    """Return label, model, run and reference of each instance."""
    return [
        (each.label, each.model_ref, each.model_run_ref, each.creation_ref_id)
        for each in line.packet.instance_list
    ]


@pytest.mark.parametrize("kind", [list, iter])
def test_each_packet_is_recorded_as_it_was_sent(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, record: str, kind: Any
):
    by_id = {key: value for key, value in box(30).items() if key != "label"}
    boxes = [box(1, score=0.5), box(1, score=0.4), {**by_id, "label_file_id": diffgram.labels["dog"]}]
    packets = [
        image(media, "a.png", *boxes, box(60, label="bird")),
        local(tmp_path, "b.png", box(1, score=0.5)),
        {"media": {"text_data": "A cat."}, "original_filename": "c.txt"},
    ]
    handle = push(
        diffgram.client,
        kind(packets),
        dataset=DATASET,
        record=record,
        origin=ORIGIN,
        unknown_labels="drop",
    )
    assert handle.record == record
    assert handle.to_xcom()["record"] == record
    diffgram.done(handle)
    found = lines(record)
    assert sorted(found) == ["a.png", "b.png", "c.txt"]
    stored = diffgram.instances(diffgram.file("a.png").id)
    assert told(found["a.png"]) == [
        ("cat", *ORIGIN, stored[0]["creation_ref_id"]),
        ("dog", None, None, stored[1]["creation_ref_id"]),
    ]
    assert found["b.png"].file_id == diffgram.file("b.png").id
    assert {line.directory_id for line in found.values()} == {diffgram.directory_id}
    assert [found[name].delivery is not None for name in sorted(found)] == [True] * 3
    again = push(
        diffgram.client,
        [line.packet for line in found.values()],
        dataset=DATASET,
        if_exists="append",
    )
    assert diffgram.done(again).skipped == 3


def test_a_push_that_finds_all_there_records_all_again(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, record: str
):
    packets = [image(media, "a.png", box(1)), local(tmp_path, "b.png", box(1))]
    diffgram.pushed(packets, record=record)
    before = lines(record)
    handle = diffgram.push(packets, record=record)
    assert (handle.skipped, handle.expected) == (2, 2)
    found = lines(record)
    assert {name: told(line) for name, line in found.items()} == {
        name: told(line) for name, line in before.items()
    }
    assert {line.delivery for line in found.values()} == {None}
    assert {name: line.file_id for name, line in found.items()} == {
        name: diffgram.file(name).id for name in ("a.png", "b.png")
    }


def test_updates_and_children_name_their_files(diffgram: LiveDiffgram, media: Media, record: str):
    diffgram.pushed([image(media, "a.png", box(1))])
    file_id = diffgram.file("a.png").id
    parent = diffgram.compound()
    packets = [
        {"file_id": file_id, "mode": "update", "instance_list": [box(3)]},
        image(media, "0.png", box(1), parent_file_id=parent, ordinal=0),
    ]
    diffgram.pushed(packets, record=record)
    found = lines(record)
    update, child = found[f"file {file_id}"], found["0.png"]
    assert (update.file_id, update.directory_id, update.parent_file_id) == (file_id, None, None)
    assert child.parent_file_id == parent
    (stored,) = diffgram.instances(diffgram.children(parent)[0].id)
    assert told(child) == [("cat", None, None, stored["creation_ref_id"])]


def test_what_was_sent_is_recorded_when_the_rest_cannot_be(diffgram: LiveDiffgram, media: Media, record: str):
    packets = [image(media, f"{number}.png", box(1)) for number in range(4)]
    diffgram.emulator.fault("input/packet", "reset_before", text="2.png", times=None)
    impatient = DiffgramClient(settings(diffgram.emulator, retry_timeout=0.1), FastTime())
    with pytest.raises(PushError, match="2 sent, 0 failed, 1 unknown"):
        push(impatient, packets, dataset=DATASET, record=record, concurrency=1, delivery="queue")
    assert sorted(lines(record)) == ["0.png", "1.png"]


def test_what_a_generator_yielded_before_it_raised_is_recorded(
    diffgram: LiveDiffgram, media: Media, record: str
):
    def packets() -> Iterator[dict[str, Any]]:
        yield image(media, "a.png", box(1))
        raise KeyError("model")

    with pytest.raises(KeyError):
        push(diffgram.client, packets(), dataset=DATASET, record=record)
    assert sorted(lines(record)) == ["a.png"]


def test_what_was_refused_or_lacks_its_predictions_is_not_recorded(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path, record: str
):
    diffgram.push([local(tmp_path, "before.png", box())])
    refusal = {"log": {"error": {"media": "no such thing"}, "info": {}, "success": False}}
    diffgram.emulator.fault("input/packet", "status", status=400, body=refusal, times=None)
    lost = {"id": diffgram.file("before.png").id + 1, "type": "image", "original_filename": "lost.png"}
    listing = {"file_list": [{**lost, "count_instances_changed": None}], "metadata": {"next_page": None}}
    diffgram.emulator.fault("file/list", "status", status=200, body=listing, skip=2)
    packets = [local(tmp_path, "lost.png", box()), {**image(media, "no.txt"), "media": {"text_data": "x"}}]
    with pytest.raises(PushError, match="0 sent, 2 failed"):
        diffgram.push(packets, record=record)
    assert lines(record) == {}


def test_a_record_that_cannot_be_written_is_told_before_anything_is_sent(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    path = f"{tmp_path}/no/such/folder.jsonl"
    with pytest.raises(InvalidValueError, match=f"record: cannot write {path}"):
        diffgram.push([image(media, "a.png")], record=path)
    with pytest.raises(InvalidValueError, match="record and report are both"):
        diffgram.push([image(media, "a.png")], record=path, report=path)
    assert diffgram.inputs() == []


def test_a_record_that_breaks_off_is_told_and_the_packets_go_on(
    diffgram: LiveDiffgram, media: Media, faults: list[Fault]
):
    faults.append(Fault("write", reset, name="r.jsonl", times=None))
    packets = [image(media, f"{number}.png", box(1)) for number in range(3)]
    with pytest.raises(PushError, match=r"the record flaky://r\.jsonl is not complete") as caught:
        diffgram.push(packets, record="flaky://r.jsonl")
    assert "The packets themselves are not affected: 3 sent" in str(caught.value)
    diffgram.pushed(packets)
    assert len(diffgram.inputs()) == 3
