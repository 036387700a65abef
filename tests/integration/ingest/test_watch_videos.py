"""Videos and uploads: what a success of theirs is worth (server.md 3.2, 5.6; quirk 52)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.watch.rules import Rules
from airflow_provider_diffgram.ingest.watch.watch import Watch
from airflow_provider_diffgram.models import Input, SentBatch
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, instance, look_until, raw, rows_until
from tests.integration.ingest.served_media import VIDEO, Media

pytestmark = pytest.mark.usefixtures("queued")


def video(media: Media, **frames: list[dict[str, Any]]) -> dict[str, Any]:
    medium = {"url": media.url("v.mp4"), "type": "video"}
    return {
        "original_filename": "v.mp4",
        "media": medium,
        "frame_packet_map": {key[1:]: value for key, value in frames.items()},
    }


def test_a_video_succeeds_with_an_empty_log_only_quirk_52(diffgram: LiveDiffgram, media: Media):
    good = instance(diffgram)
    bad = diffgram.done(raw(diffgram, media, video(media, f0=[good], f5=[good | {"x_max": 0}])))
    assert bad.summary() == "1 expected: 1 failed"
    assert bad.failures[0].reason
    diffgram.archive(*diffgram.inputs())
    assert diffgram.done(raw(diffgram, media, video(media, f0=[good]))).succeeded == 1


def hanging(diffgram: LiveDiffgram, rows: list[Input]) -> list[int | None]:
    return [row.id for row in rows if row.hangs]


def test_a_video_that_the_server_lost_has_failed_at_once_quirk_62(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("v.mp4", "hang")
    watch = Watch([raw(diffgram, media, video(media, f0=[instance(diffgram)]))])
    (lost,) = hanging(diffgram, rows_until(diffgram, lambda rows: hanging(diffgram, rows) != []))
    receipt = diffgram.client.run(watch.look())
    assert (receipt.summary(), receipt.complete) == ("1 expected: 1 failed", True)
    assert receipt.failures[0].input_id == lost
    assert "the server lost this video" in receipt.failures[0].reason


def test_a_lost_video_has_failed_while_hundreds_of_others_wait_quirk_62(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("v.mp4", "hang")
    diffgram.emulator.tune(workers=1, rows_per_cycle=1)
    sent = raw(diffgram, media, video(media, f0=[instance(diffgram)]))
    rows_until(diffgram, lambda rows: hanging(diffgram, rows) != [])
    diffgram.emulator.pause_queue()
    batch = sent.batches[0].id
    for number in range(150):
        packet = image(media, f"{number}.png")
        body = {"directory_id": diffgram.directory_id, "batch_id": batch, **packet, "instance_list": None}
        body["media"] = {**body["media"], "type": "image"}
        diffgram.ask(routes.send_packet, body, "raw")
    many = sent.model_copy(update={"batches": [SentBatch(id=batch, inputs=151)], "expected": 151})
    watch = Watch([many])
    receipt = look_until(diffgram, watch, lambda receipt: receipt.failed > 0)
    assert (receipt.failed, receipt.pending) == (1, 150)


@pytest.mark.parametrize("kind", ["hang", "stay_failed"])
def test_a_video_that_never_succeeds_is_an_end_and_no_retry_is_asked_for_quirks_52_62(
    diffgram: LiveDiffgram, media: Media, kind: str
):
    diffgram.emulator.row_fault("v.mp4", kind)
    good = instance(diffgram)
    handle = raw(diffgram, media, video(media, f0=[good], f5=[good | {"x_max": 0}]))
    watch = Watch([handle], Rules(on_stuck="retry", stall_timeout=60.0))
    receipt = look_until(diffgram, watch, lambda receipt: receipt.complete)
    assert (receipt.summary(), receipt.failures[0].reason != "") == ("1 expected: 1 failed", True)
    assert watch.to_retry(3) == []


def test_local_media_are_done_when_the_push_returns(diffgram: LiveDiffgram, tmp_path: Path):
    (tmp_path / "v.mp4").write_bytes(VIDEO)
    handle = diffgram.push([{"media": {"path": tmp_path / "v.mp4"}, "frame_packet_map": {"0": [box()]}}])
    assert (handle.batches, handle.done_at_send) == ([], 1)
    assert diffgram.client.run(Watch([handle]).look()).summary() == "1 expected: 1 succeeded"
