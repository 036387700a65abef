"""Videos are sent one at a time, with nothing of ours beside them (quirk 62)."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.ingest.send.outcomes.errors import PushError
from airflow_provider_diffgram.ingest.send.push import push
from airflow_provider_diffgram.ingest.send.queue import videos
from airflow_provider_diffgram.models import Handle, Input, InputStatus
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import DATASET, LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, instance, raw, rows_until
from tests.integration.ingest.served_media import VIDEO, Media

pytestmark = pytest.mark.usefixtures("queued")

ENDED = (InputStatus.SUCCESS, InputStatus.FAILED)


def video(media: Media, name: str, **more: Any) -> dict[str, Any]:
    medium = {"url": media.url(name), "type": "video"}
    return {
        "original_filename": name,
        "media": medium,
        "frame_packet_map": {"0": [box()], "2": [box(3)]},
        **more,
    }


def mixed(media: Media, videos: int = 3, images: int = 12) -> list[dict[str, Any]]:
    """Return videos and images in a random order that is always the same."""
    packets = [video(media, f"v{number}.mp4") for number in range(videos)]
    packets += [image(media, f"{number}.png", box()) for number in range(images)]
    random.Random(62).shuffle(packets)
    return packets


@pytest.fixture(autouse=True)
def busy_server(diffgram: LiveDiffgram) -> None:
    """Let one process of the server hold many rows at once, so that any two that are sent together meet."""
    diffgram.emulator.tune(workers=1, rows_per_cycle=30, image_seconds=0.05)


def pushed_lazily(diffgram: LiveDiffgram, packets: Iterable[Any], **more: Any) -> Handle:
    return push(diffgram.client, iter(packets), **{"dataset": DATASET, "delivery": "queue", **more})


def hanging(rows: Iterable[Input]) -> list[str | None]:
    return [row.original_filename for row in rows if row.hangs]


@pytest.mark.parametrize("lazily", [False, True], ids=["list", "generator"])
def test_videos_beside_images_are_all_read_whatever_their_order(
    diffgram: LiveDiffgram, media: Media, lazily: bool
):
    packets = mixed(media)
    handle = pushed_lazily(diffgram, packets) if lazily else diffgram.push(packets)
    assert diffgram.done(handle).summary() == "15 expected: 15 succeeded"
    assert sorted(diffgram.names(), key=str) == sorted(packet["original_filename"] for packet in packets)
    again = pushed_lazily(diffgram, packets) if lazily else diffgram.push(packets)
    assert (again.skipped, again.batches) == (15, [])


def test_sent_in_any_order_some_would_hang(diffgram: LiveDiffgram, media: Media):
    """Without the rule the server loses videos, so that the tests around it prove something."""
    frames = {"0": [instance(diffgram)]}
    videos = [
        {
            "original_filename": f"v{n}.mp4",
            "media": video(media, "v.mp4")["media"],
            "frame_packet_map": frames,
        }
        for n in range(4)
    ]
    images = [{"original_filename": f"{n}.png"} for n in range(16)]
    raw(diffgram, media, *videos, *images)
    rows_until(diffgram, lambda rows: hanging(rows) != [])


def test_a_video_waits_for_what_the_push_sent_before_it(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.pause_queue()
    thread = threading.Thread(target=diffgram.push, args=(mixed(media, videos=1, images=4),))
    thread.start()
    rows_until(diffgram, lambda rows: len(rows) == 4)
    assert all(row.media_type == "image" for row in diffgram.inputs())
    diffgram.emulator.pause_queue(False)
    thread.join()
    (sent,) = [row for row in diffgram.inputs() if row.media_type == "video"]
    assert sent.succeeded


def test_a_push_that_is_stopped_while_videos_wait_ends(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.pause_queue()
    stop = threading.Event()

    def packets() -> Iterator[dict[str, Any]]:
        yield from mixed(media, videos=1, images=2)

    def stop_then() -> None:
        rows_until(diffgram, lambda rows: len(rows) == 2)
        stop.set()

    stopper = threading.Thread(target=stop_then)
    stopper.start()
    with pytest.raises(PushError, match=r"3 packets: 2 sent, 0 failed, 0 skipped, 1 not sent"):
        pushed_lazily(diffgram, packets(), stop=stop)
    stopper.join()
    assert len(diffgram.inputs()) == 2


def test_a_retry_lets_the_video_of_the_first_attempt_end_before_it_sends_images(
    diffgram: LiveDiffgram, media: Media, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    diffgram.emulator.pause_queue()
    packets = [video(media, "v.mp4"), *(image(media, f"{number}.png") for number in range(4))]
    stop = threading.Event()

    def stop_once_sent() -> None:
        rows_until(diffgram, lambda rows: len(rows) == 1)
        stop.set()

    stopper = threading.Thread(target=stop_once_sent)
    stopper.start()
    with pytest.raises(PushError):
        diffgram.push(packets[:1], stop=stop)
    stopper.join()
    retry = threading.Thread(target=diffgram.push, args=(packets,))
    retry.start()
    deadline = time.monotonic() + 10
    while "of an earlier push, is read first" not in caplog.text:
        until(caplog.text, deadline)
    assert len(diffgram.inputs()) == 1
    diffgram.emulator.pause_queue(False)
    retry.join()
    rows = rows_until(diffgram, lambda rows: all(row.status in ENDED for row in rows))
    assert [row.succeeded for row in rows] == [True] * 5


def test_a_push_whose_inputs_stand_still_ends_without_the_video_and_may_be_retried(
    diffgram: LiveDiffgram, media: Media, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(videos, "STALL_TIMEOUT", 4.0)
    diffgram.emulator.pause_queue()
    packets = mixed(media, videos=1, images=3)
    with pytest.raises(PushError, match=r"nothing has moved for .* in 3 inputs of this push") as caught:
        diffgram.push(packets)
    assert not caught.value.permanent
    assert len(diffgram.inputs()) == 3
    diffgram.emulator.pause_queue(False)
    receipt = diffgram.pushed(packets)
    assert receipt.succeeded + receipt.skipped == 4
    assert len(diffgram.files()) == 4


def test_an_image_that_the_server_has_left_is_not_waited_for(
    diffgram: LiveDiffgram, media: Media, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(videos, "LOST_AFTER", 4.0)
    diffgram.emulator.row_fault("0.png", "stuck")
    diffgram.push(mixed(media, videos=1, images=3))
    (sent,) = [row for row in diffgram.inputs() if row.media_type == "video"]
    assert sent.succeeded
    assert ", then sending 1 video" in caplog.text
    assert "sent 1 video one at a time, after" in caplog.text


def test_a_video_that_is_lost_all_the_same_is_sent_once_more(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("v0", "hang")
    assert diffgram.pushed(mixed(media)).summary() == "15 expected: 15 succeeded"
    lost = [row for row in diffgram.inputs() if row.archived]
    assert hanging(lost) == ["v0.mp4"]


def test_a_video_that_is_lost_twice_has_failed_and_the_next_push_sends_it_anew(
    diffgram: LiveDiffgram, media: Media
):
    diffgram.emulator.row_fault("v0", "hang", times=2)
    receipt = diffgram.pushed(mixed(media))
    assert receipt.summary() == "15 expected: 14 succeeded, 1 failed"
    assert "the server lost this video" in receipt.failures[0].reason
    again = diffgram.push(mixed(media))
    assert again.skipped == 14
    assert diffgram.done(again).succeeded == 1
    assert diffgram.names().count("v0.mp4") == 1


def test_a_lost_video_on_which_somebody_has_worked_stays(diffgram: LiveDiffgram, media: Media):
    diffgram.emulator.row_fault("v0", "hang", times=2)
    diffgram.pushed([video(media, "v0.mp4")])
    file = diffgram.file("v0.mp4")
    drawn = {"file_id": file.id, "frame_packet_map": {"0": [box(50)]}, "mode": "update"}
    diffgram.pushed([drawn])
    with pytest.raises(PushError, match="somebody has worked on"):
        diffgram.push([video(media, "v0.mp4")])
    assert diffgram.file("v0.mp4").id == file.id


def test_videos_as_children_and_updates_of_videos_go_alone_too(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound("scene")
    children = [
        video(media, f"c{number}.mp4", parent_file_id=parent, ordinal=number)
        if number % 2
        else image(media, f"c{number}.png", box(), parent_file_id=parent, ordinal=number)
        for number in range(6)
    ]
    assert diffgram.pushed(children).summary() == "6 expected: 6 succeeded"
    assert [child.original_filename for child in diffgram.children(parent)] == [
        child["original_filename"] for child in children
    ]
    updates = [
        {"file_id": child.id, "mode": "update", "frame_packet_map": {"1": [box(9)]}}
        for child in diffgram.children(parent)
        if child.type == "video"
    ]
    more = [*updates, *(image(media, f"x{number}.png", box()) for number in range(6))]
    assert diffgram.pushed(more).summary() == "9 expected: 9 succeeded"
    again = diffgram.push([*children, *more])
    assert (again.skipped, again.batches) == (15, [])


def test_local_videos_go_alone_too(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    (tmp_path / "v.mp4").write_bytes(VIDEO)
    local = {"media": {"path": tmp_path / "v.mp4"}, "frame_packet_map": {"0": [box()]}}
    diffgram.emulator.pause_queue()
    packets = [local, *(image(media, f"{number}.png", box()) for number in range(3))]
    handles: list[Handle] = []
    thread = threading.Thread(target=lambda: handles.append(diffgram.push(packets)))
    thread.start()
    rows_until(diffgram, lambda rows: len(rows) == 3)
    assert not any(row.media_type == "video" for row in diffgram.inputs())
    diffgram.emulator.pause_queue(False)
    thread.join()
    assert diffgram.done(*handles).summary() == "4 expected: 4 succeeded"


def test_what_a_generator_yields_before_a_bad_packet_is_sent_videos_included(
    diffgram: LiveDiffgram, media: Media
):
    def packets() -> Iterator[dict[str, Any]]:
        yield from mixed(media, videos=2, images=2)
        raise ValueError("the model broke")

    with pytest.raises(ValueError, match="the model broke"):
        pushed_lazily(diffgram, packets())
    rows_until(diffgram, lambda rows: len(rows) == 4 and all(row.status in ENDED for row in rows))
    assert len(diffgram.files()) == 4
