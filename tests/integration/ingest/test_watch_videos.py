"""Videos and uploads: what a success of theirs is worth (wire contract 3.2, 5.6; quirk 52)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_diffgram.ingest.watch.watch import Watch
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import instance, raw, rows_until
from tests.integration.ingest.served_media import VIDEO, Media


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


def test_a_video_that_failed_stays_pending_for_a_while_quirk_52(diffgram: LiveDiffgram, media: Media):
    clock = [0.0]
    unknown = instance(diffgram) | {"label_file_id": 99999}
    watch = Watch([raw(diffgram, media, video(media, f0=[unknown]))], lambda: clock[0])
    rows_until(diffgram, lambda rows: rows[0].failed)
    assert diffgram.client.run(watch.look()).pending == 1
    clock[0] = 4.9
    assert diffgram.client.run(watch.look()).pending == 1
    clock[0] = 5.1
    assert diffgram.client.run(watch.look()).failed == 1


def test_local_media_are_done_when_the_push_returns(diffgram: LiveDiffgram, tmp_path: Path):
    (tmp_path / "v.mp4").write_bytes(VIDEO)
    handle = diffgram.push([{"media": {"path": tmp_path / "v.mp4"}, "frame_packet_map": {"0": [box()]}}])
    assert (handle.batches, handle.done_at_send) == ([], 1)
    assert diffgram.client.run(Watch([handle]).look()).summary() == "1 expected: 1 succeeded"
