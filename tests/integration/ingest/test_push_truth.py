"""What a second push must see: files that lack something, other models' runs, other people's files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from airflow_provider_diffgram.client import ServerFaultError, routes
from airflow_provider_diffgram.models import InvalidValueError
from diffgram_emulator.process import EmulatorProcess
from tests.integration.ingest.fast_time import until
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.raw_packets import image, rows_until
from tests.integration.ingest.served_media import Media

pytestmark = pytest.mark.usefixtures("queued")


def test_a_run_of_that_name_may_be_another_models_quirk_48(tmp_path: Path, media: Media):
    with EmulatorProcess.start(tmp_path / "racing", rate_limit=False, model_race_seconds=0.3) as emulator:
        diffgram = LiveDiffgram.of(emulator, delivery="queue")
        threads = diffgram.state()["ingest_threads"]
        for model in ("detector-a", "detector-b"):
            refs = {"model_ref": model, "model_run_ref": "2026-11-21"}
            packets = [image(media, f"{model}-{n}.png", box(n + 1, **refs)) for n in range(8)]
            assert diffgram.pushed(packets).succeeded == 8
        assert diffgram.state()["ingest_threads"] == threads


def test_a_pending_introduction_of_an_earlier_attempt_is_waited_for(diffgram: LiveDiffgram, media: Media):
    refs = {"model_ref": "m", "model_run_ref": "r"}
    first = image(media, "0.png", box(1, **refs))
    diffgram.emulator.pause_queue()
    body = {
        "directory_id": diffgram.directory_id,
        "batch_id": diffgram.ask(routes.create_batch).id,
        "original_filename": "0.png",
        "media": {"url": media.url("0.png"), "type": "image"},
        "instance_list": [{**box(1, **refs), "label_file_id": diffgram.labels["cat"]}],
    }
    diffgram.ask(routes.send_packet, body, "0.png")
    seen: list[int] = []
    sleep = diffgram.client.clock.sleep

    def resume(seconds: float) -> None:
        seen.append(len(diffgram.inputs()))
        diffgram.emulator.pause_queue(False)
        sleep(seconds)

    diffgram.client.clock.sleep = resume
    assert (
        diffgram.pushed([first, *(image(media, f"{n}.png", box(n, **refs)) for n in (1, 2))]).succeeded == 3
    )
    assert seen[0] == 1, "nothing more was sent before the run was known"


def test_a_file_whose_input_failed_half_way_gets_what_it_lacks_5_3(diffgram: LiveDiffgram, media: Media):
    bad = [box(1), {**box(3), "label_file_id": 99999}, box(5)]
    body = {
        "directory_id": diffgram.directory_id,
        "original_filename": "a.png",
        "media": {"url": media.url("a.png"), "type": "image"},
        "instance_list": [{"label_file_id": diffgram.labels["cat"], **each} for each in bad],
    }
    diffgram.ask(routes.send_packet, body, "a.png")
    rows_until(diffgram, lambda rows: rows[0].failed)
    assert diffgram.file("a.png").count_instances_changed == 1
    packet = image(media, "a.png", box(1), box(3), box(5))
    assert diffgram.pushed([packet]).failed == 0
    assert sorted(set(diffgram.lefts(diffgram.file("a.png").id))) == [1, 3, 5]
    assert diffgram.pushed([packet]).skipped == 1


def video(media: Media, **more: object) -> dict[str, object]:
    source = {"url": media.url("v.mp4"), "type": "video"}
    return {"media": source, "original_filename": "v.mp4", **more}


def frames(diffgram: LiveDiffgram, file_id: int) -> list[int]:
    path = f"/api/project/{diffgram.client.project}/video/{file_id}/instance/buffer/start/0/end/9/list"
    body = {"directory_id": diffgram.directory_id}
    held = diffgram.client.send(routes.Request(path, "POST", path, lambda answer: answer, json=body))
    return sorted(int(frame) for frame, of in held["instance_buffer_dict"].items() for _ in of)


def test_an_update_of_a_video_is_appended_once_quirk_31(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([video(media, frame_packet_map={"0": [box(1)]})])
    file_id = diffgram.file("v.mp4").id
    packet = {"file_id": file_id, "mode": "update", "frame_packet_map": {"2": [box(4)]}}
    assert diffgram.pushed([packet]).succeeded == 1
    assert diffgram.pushed([packet]).skipped == 1
    assert frames(diffgram, file_id) == [0, 2]


def test_a_video_whose_input_failed_gets_its_frames(diffgram: LiveDiffgram, media: Media):
    body = {
        "directory_id": diffgram.directory_id,
        "original_filename": "v.mp4",
        "media": {"url": media.url("v.mp4"), "type": "video"},
        "frame_packet_map": {"0": [{**box(1), "label_file_id": 99999}]},
    }
    diffgram.ask(routes.send_packet, body, "v.mp4")
    rows_until(diffgram, lambda rows: rows[0].failed)
    diffgram.pushed([video(media, frame_packet_map={"0": [box(1)], "3": [box(2)]})])
    assert frames(diffgram, diffgram.file("v.mp4").id) == [0, 3]


def test_other_peoples_children_are_left_alone(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound()
    place = {"parent_file_id": parent, "ordinal": 0}
    body = {
        "directory_id": diffgram.directory_id,
        "original_filename": "scan.png",
        "media": {"url": media.url("a.png"), "type": "image"},
        **place,
    }
    for _ in range(2):
        diffgram.ask(routes.send_packet, body, "scan.png")
    deadline = time.monotonic() + 10
    while len(diffgram.children(parent)) < 2:
        until(diffgram.children(parent), deadline)
    diffgram.pushed([image(media, "mine.png", box(), parent_file_id=parent, ordinal=5)])
    assert [child.original_filename for child in diffgram.children(parent)] == [
        "scan.png",
        "scan.png",
        "mine.png",
    ]


def test_a_server_in_trouble_is_not_told_as_an_unknown_file(diffgram: LiveDiffgram, media: Media):
    parent = diffgram.compound()
    child = image(media, "a.png", parent_file_id=parent, ordinal=0)
    for endpoint in ("file/view", "annotation/list"):
        diffgram.emulator.fault(endpoint, "status", status=500, times=3)
    with pytest.raises(ServerFaultError):
        diffgram.push([child])
    diffgram.emulator.fault("file/view", "status", status=500, times=3)
    assert diffgram.done(diffgram.push([child])).succeeded == 1  # the annotations tell the file as well


def test_an_unknown_dataset_hides_nothing_of_children(diffgram: LiveDiffgram, tmp_path: Path):
    child = {"media": {"path": tmp_path / "missing.png"}, "parent_file_id": diffgram.compound(), "ordinal": 0}
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push([child], dataset="nowhere")
    assert "'nowhere'" in str(caught.value)
    assert "missing.png" in str(caught.value)


def test_a_file_that_a_person_removed_is_archived_not_lost(diffgram: LiveDiffgram, media: Media):
    handle = diffgram.push([image(media, "a.png", box())])
    rows = rows_until(diffgram, lambda rows: rows[0].succeeded)
    diffgram.archive(rows[0])
    receipt = diffgram.done(handle)
    assert (receipt.failed, receipt.archived) == (0, 1)
