"""The truth about completion: what inputs and files say, whatever statuses claim (server.md 3)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client.aio import AsyncDiffgramClient
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Receipt
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.live_diffgram import LiveDiffgram, box, settings
from tests.integration.ingest.raw_packets import image, instance, look_until, raw, rows_until
from tests.integration.ingest.served_media import Media

pytestmark = pytest.mark.usefixtures("queued")


def test_success_counts_only_once_the_instances_are_there(tmp_path: Path, media: Media):
    with EmulatorProcess.start(tmp_path / "late", rate_limit=False, settle_seconds=0.8) as emulator:
        diffgram = LiveDiffgram.of(emulator, delivery="queue")
        watch = Watch([diffgram.push([image(media, "a.png", box())])])
        rows_until(diffgram, lambda rows: rows[0].succeeded)
        receipt = diffgram.client.run(watch.look())
        assert (receipt.pending, receipt.succeeded, receipt.complete) == (1, 0, False)
        assert watch.settling
        receipt = look_until(diffgram, watch, lambda each: each.complete)
        assert receipt.succeeded == 1
        assert receipt.file_ids == [diffgram.file("a.png").id]
        assert len(diffgram.instances(receipt.file_ids[0])) == 1


def test_a_success_that_flips_to_failed_is_never_told_as_success_quirk_3(tmp_path: Path, media: Media):
    with EmulatorProcess.start(tmp_path / "flip", rate_limit=False, settle_seconds=0.8) as emulator:
        diffgram = LiveDiffgram.of(emulator, delivery="queue")
        bad = instance(diffgram, x_max=0)
        watch = Watch([raw(diffgram, media, {"instance_list": [bad]})])
        rows_until(diffgram, lambda rows: rows[0].succeeded)
        assert diffgram.client.run(watch.look()).succeeded == 0
        receipt = look_until(diffgram, watch, lambda each: each.complete)
        assert (receipt.succeeded, receipt.failed) == (0, 1)
        assert "less than 1" in receipt.failures[0].reason


@pytest.mark.parametrize(
    "change",
    [{"score": "high"}, {"number": 2**40}, {"creation_ref_id": "a\x00b"}],
    ids=["text", "beyond 32 bit", "NUL"],
)
def test_a_success_with_nothing_stored_is_a_failure_quirk_4(
    diffgram: LiveDiffgram, media: Media, change: dict[str, Any]
):
    receipt = diffgram.done(raw(diffgram, media, {"instance_list": [instance(diffgram, **change)]}))
    assert receipt.summary() == "1 expected: 1 failed"
    assert "0 of 1 instance" in receipt.failures[0].reason


@pytest.mark.parametrize(
    "body, words",
    [
        ({"media": {"url": "{media}/gone/a.png", "type": "image"}}, "404"),
        ({"media": {"url": "{media}/broken/a.png", "type": "image"}}, "Could not open file"),
        ({"media": {"url": "http://127.0.0.1:1/a.png", "type": "image"}}, "Error downloading media"),
        ({"original_filename": "noext"}, "not supported"),
        ({"media": {"url": "{media}/a.txt", "type": "text"}}, "Invalid media type"),
        (
            {
                "instance_list": [
                    {"type": "box", "label_file_id": 99999, "x_min": 1, "y_min": 1, "x_max": 9, "y_max": 9}
                ]
            },
            "99999",
        ),
    ],
)
def test_a_failure_is_told_with_name_input_and_the_servers_reason_3_3(
    diffgram: LiveDiffgram, media: Media, body: dict[str, Any], words: str
):
    if "media" in body:
        body = {"media": body["media"] | {"url": body["media"]["url"].format(media=media.base)}}
    handle = raw(diffgram, media, body, {"instance_list": [instance(diffgram)]})
    receipt = diffgram.done(handle)
    assert receipt.summary() == "2 expected: 1 succeeded, 1 failed"
    (failure,) = receipt.failures
    assert failure.name == body.get("original_filename", "0.png")
    assert words in failure.reason
    assert failure.input_id in {row.id for row in diffgram.inputs()}


def test_a_signed_url_is_not_shown_in_a_reason_quirk_38(diffgram: LiveDiffgram, media: Media):
    signed = media.url("gone/a.png?X-Amz-Signature=0123456789")
    receipt = diffgram.done(raw(diffgram, media, {"media": {"url": signed, "type": "image"}}))
    assert receipt.failed == 1
    assert "0123456789" not in receipt.model_dump_json()


def test_a_duplicate_of_a_complete_file_is_skipped_3_4(diffgram: LiveDiffgram, media: Media):
    one = {"original_filename": "same.png", "instance_list": [instance(diffgram)]}
    first = diffgram.done(raw(diffgram, media, one))
    again = diffgram.done(raw(diffgram, media, one))
    assert (first.succeeded, again.skipped, again.failed) == (1, 1, 0)
    bare = diffgram.done(raw(diffgram, media, {"original_filename": "same.png"}))
    assert bare.skipped == 1


def test_a_duplicate_of_a_file_that_lacks_its_predictions_is_a_failure_quirk_5(
    diffgram: LiveDiffgram, media: Media
):
    diffgram.done(raw(diffgram, media, {"original_filename": "same.png"}))
    again = raw(diffgram, media, {"original_filename": "same.png", "instance_list": [instance(diffgram)]})
    receipt = diffgram.done(again)
    assert (receipt.skipped, receipt.failed) == (0, 1)
    assert "without predictions" in receipt.failures[0].reason


@pytest.mark.parametrize("boxes", [0, 1])
def test_a_child_that_collides_with_a_root_file_is_not_there_quirk_18(
    diffgram: LiveDiffgram, media: Media, boxes: int
):
    parent = diffgram.compound()
    diffgram.pushed([image(media, "a.png", box())])
    body = {"original_filename": "a.png", "parent_file_id": parent, "ordinal": 0}
    handle = raw(diffgram, media, body | ({"instance_list": [instance(diffgram)]} if boxes else {}))
    sent = [handle.batches[0].model_copy(update={"parent_file_id": parent})]
    receipt = diffgram.done(handle.model_copy(update={"batches": sent}))
    assert diffgram.children(parent) == []
    assert receipt.summary() == "1 expected: 1 failed"


def test_an_input_archived_before_it_was_seen_is_archived(diffgram: LiveDiffgram, media: Media):
    handle = diffgram.push([image(media, "a.png", folder="wait/"), image(media, "b.png", folder="wait/")])
    diffgram.archive(*[row for row in diffgram.inputs() if row.original_filename == "a.png"])
    media.gate.set()
    assert diffgram.done(handle).summary() == "2 expected: 1 succeeded, 1 archived"


def test_an_update_counts_once_its_own_references_are_there(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([image(media, "a.png", box(1))])
    file_id = diffgram.file("a.png").id
    update = {"file_id": file_id, "mode": "update", "original_filename": None, "media": {}}
    mine = instance(diffgram, 3, creation_ref_id="mine")
    lost = instance(diffgram, 5, creation_ref_id="lost", score="high")
    assert diffgram.done(raw(diffgram, media, update | {"instance_list": [mine]})).succeeded == 1
    receipt = diffgram.done(raw(diffgram, media, update | {"instance_list": [lost]}))
    assert receipt.summary() == "1 expected: 1 failed"
    assert diffgram.lefts(file_id) == [1, 3]


def test_both_clients_tell_the_same(diffgram: LiveDiffgram, media: Media):
    good, bad = instance(diffgram), instance(diffgram, x_max=0)
    gone = {"media": {"url": media.url("gone/a.png"), "type": "image"}}
    again = {"original_filename": "0.png", "instance_list": [good]}
    first = raw(diffgram, media, {"instance_list": [good]}, {"instance_list": [bad]}, gone, {})
    diffgram.done(first)
    handles = [first, raw(diffgram, media, again), diffgram.push([image(media, "last.png", box())])]
    told = diffgram.done(*handles)

    async def triggerer() -> Receipt:
        client = AsyncDiffgramClient(settings(diffgram.emulator))
        try:
            return await client.run(Watch(handles).look())
        finally:
            await client.aclose()

    assert asyncio.run(triggerer()) == told
    assert told.summary() == "6 expected: 3 succeeded, 1 skipped, 2 failed"
