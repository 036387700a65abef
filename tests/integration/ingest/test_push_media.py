"""Media of every kind arrive with their predictions, and a second push sends nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_diffgram.client import routes
from airflow_provider_diffgram.ingest.check.names import name_of
from airflow_provider_diffgram.ingest.limits import LIMITS
from airflow_provider_diffgram.ingest.send.push import PushError
from airflow_provider_diffgram.ingest.send.queue import batches
from airflow_provider_diffgram.models import InvalidValueError, Packet
from tests.integration.ingest.live_diffgram import LiveDiffgram, box
from tests.integration.ingest.served_media import VIDEO, Media, png


def url(media: Media, name: str, **more: Any) -> dict[str, Any]:
    return {"media": {"url": media.url(name)}, "original_filename": name, **more}


def path(folder: Path, name: str, content: bytes | None = None, **more: Any) -> dict[str, Any]:
    (folder / name).write_bytes(png() if content is None else content)
    return {"media": {"path": folder / name}, **more}


def of_kind(kind: str, diffgram: LiveDiffgram, media: Media, folder: Path) -> dict[str, Any]:
    boxes = [box(1), box(3, "dog")]
    if kind == "blob":
        body = {"project": diffgram.client.project, "integration_name": "amazon_aws"}
        connection = diffgram.emulator.control("connections", body)["id"]
        blob = {"connection_id": connection, "bucket_name": "b", "raw_data_blob_path": "dir/a"}
        return {"media": blob, "original_filename": "blob", "instance_list": boxes}
    if kind == "text":
        token = {"type": "text_token", "label": "cat", "start_token": 0, "end_token": 1}
        return {"media": {"text_data": "hello world"}, "original_filename": "t.txt", "instance_list": [token]}
    if kind == "video":
        video = {"url": media.url("v.mp4"), "type": "video"}
        return {"media": video, "original_filename": "v.mp4", "frame_packet_map": {"0": boxes, "5": boxes}}
    if kind == "local":
        return path(folder, "local.png", instance_list=boxes)
    if kind == "local video":
        return path(folder, "local.mp4", VIDEO, frame_packet_map={"1": boxes})
    if kind == "local text":
        return path(folder, "local.txt", b"hello")
    if kind == "derived name":
        return {"media": {"url": media.url("dir/derived.png")}, "instance_list": boxes}
    return url(media, "url.png", instance_list=boxes)


KINDS = ["url", "derived name", "video", "text", "blob", "local", "local video", "local text"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_medium_arrives_once_with_its_predictions(
    kind: str, diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    packet = of_kind(kind, diffgram, media, tmp_path)
    receipt = diffgram.pushed([packet])
    assert receipt.summary().startswith("1 expected: 1 succeeded")
    assert receipt.unchecked == (kind == "blob"), "no library for s3:// is installed"
    (file,) = diffgram.files()
    assert file.original_filename == name_of(Packet.model_validate(packet))
    held = diffgram.instances(file.id)
    assert len(held) == len(packet.get("instance_list", []))
    assert {each["label_file_id"] for each in held} <= set(diffgram.labels.values())
    before = diffgram.content()
    assert diffgram.pushed([packet]).summary().startswith("1 expected: 1 skipped")
    assert diffgram.content() == before


def test_frames_of_a_video_are_stored_under_their_numbers_5_6(diffgram: LiveDiffgram, media: Media):
    packet = of_kind("video", diffgram, media, Path())
    diffgram.pushed([packet])
    (row,) = diffgram.inputs()
    seen = diffgram.ask(routes.view_input, row.id)
    assert seen.succeeded
    body = {"directory_id": diffgram.directory_id}
    (file,) = diffgram.files()
    path_ = f"/api/project/{diffgram.client.project}/video/{file.id}/instance/buffer/start/0/end/9/list"
    request = routes.probe_write(diffgram.client.project)
    buffer = diffgram.client.send(type(request)("buffer", "POST", path_, lambda answer: answer, json=body))
    counts = {frame: len(each) for frame, each in buffer["instance_buffer_dict"].items() if each}
    assert counts == {"0": 2, "5": 2}


def test_raw_media_with_an_empty_list_arrive_quirk_8(diffgram: LiveDiffgram, media: Media, tmp_path: Path):
    packets = [url(media, "a.png", instance_list=[]), path(tmp_path, "b.png", instance_list=[])]
    assert diffgram.pushed(packets).summary() == "2 expected: 2 succeeded"
    assert [diffgram.instances(file.id) for file in diffgram.files()] == [[], []]
    before = diffgram.content()
    assert diffgram.pushed(packets).summary() == "2 expected: 2 skipped"
    assert diffgram.content() == before


def test_every_kind_of_instance_is_stored_5_2(diffgram: LiveDiffgram, media: Media):
    p, q = {"x": 1, "y": 2}, {"x": 8, "y": 9}
    face = {"top_left": p, "top_right": q, "bot_left": p, "bot_right": q}
    shapes: list[dict[str, Any]] = [
        {"type": "polygon", "points": [p, q, {"x": 1.5, "y": 9.25}]},
        {"type": "point", "points": [p]},
        {"type": "line", "points": [p, q]},
        {"type": "tag"},
        {"type": "ellipse", "center_x": 8, "center_y": 8, "width": 3, "height": 2},
        {"type": "curve", "p1": p, "p2": q, "cp": p},
        {"type": "cuboid", "front_face": face, "rear_face": face},
        {"type": "keypoints", "nodes": [{"id": 1, **p}, {"id": 2, **q}], "edges": [{"from": 1, "to": 2}]},
    ]
    instances = [box(), {"type": "global"}, *({"label": "cat", **shape} for shape in shapes)]
    assert diffgram.pushed([url(media, "a.png", instance_list=instances)]).succeeded == 1
    stored = {each["type"] for each in diffgram.instances(diffgram.files()[0].id)}
    assert stored == {each["type"] for each in instances}


def test_score_and_own_reference_come_back_and_equal_instances_are_stored_once(
    diffgram: LiveDiffgram, media: Media
):
    boxes = [box(1, score=0.5, creation_ref_id="mine", machine_made=True), box(1, score=0.25), box(3)]
    assert diffgram.pushed([url(media, "a.png", instance_list=boxes)]).succeeded == 1
    first, second = diffgram.instances(diffgram.files()[0].id)
    assert (first["score"], first["creation_ref_id"], first["machine_made"]) == (0.5, "mine", True)
    assert len(second["creation_ref_id"]) == 24


def test_a_local_name_beyond_ascii_is_found_again_3_6(diffgram: LiveDiffgram, tmp_path: Path):
    packet = path(tmp_path, "a.png", original_filename="my dir/ä b.PNG", instance_list=[box()])
    assert diffgram.pushed([packet]).succeeded == 1
    assert diffgram.names() == ["my_dir_a_b.PNG"]
    assert diffgram.pushed([packet]).skipped == 1


def test_if_exists_fail_names_all_that_is_there_and_sends_nothing(
    diffgram: LiveDiffgram, media: Media, tmp_path: Path
):
    there = [url(media, "a.png", instance_list=[box()]), path(tmp_path, "b.png", original_filename="b.png")]
    diffgram.pushed(there)
    before = diffgram.content()
    with pytest.raises(InvalidValueError) as caught:
        diffgram.push([url(media, "new.png"), *there], if_exists="fail")
    assert caught.value.problems == ["'a.png' is in the dataset already", "'b.png' is in the dataset already"]
    assert diffgram.content() == before


@pytest.mark.parametrize(
    "option, problem",
    [
        (
            {"if_exists": "overwrite"},
            "one of 'skip', 'fail', 'append', 'replace', 'refresh', not 'overwrite'",
        ),
        ({"max_failed": -1}, "max_failed must be 0 or more, not -1"),
        ({"concurrency": 0}, "concurrency must be 1 to 32, not 0"),
        ({"max_failed": "2"}, "max_failed must be 0 or more, not '2'"),
        ({"max_failed": True}, "max_failed must be 0 or more, not True"),
        ({"concurrency": True}, "concurrency must be 1 to 32, not True"),
        ({"concurrency": 33}, "concurrency must be 1 to 32, not 33"),
    ],
)
def test_an_option_that_means_nothing_is_refused(
    diffgram: LiveDiffgram, media: Media, option: dict[str, Any], problem: str
):
    before = diffgram.content()
    with pytest.raises(InvalidValueError, match=problem):
        diffgram.push([url(media, "a.png")], **option)
    assert diffgram.content() == before


def test_a_file_of_that_name_in_another_dataset_is_another_file_3_5(diffgram: LiveDiffgram, media: Media):
    diffgram.ask(routes.create_dataset, "other")
    packet = url(media, "a.png", instance_list=[box()])
    assert diffgram.pushed([packet]).succeeded == 1
    assert diffgram.pushed([packet], dataset="other").succeeded == 1
    assert diffgram.names() == ["a.png"]


def test_a_name_that_is_part_of_another_is_not_that_one_2_6(diffgram: LiveDiffgram, media: Media):
    diffgram.pushed([url(media, "xcat.png"), url(media, "CAT.png")])
    assert diffgram.pushed([url(media, "cat.png")]).succeeded == 1
    assert sorted(map(str, diffgram.names())) == ["CAT.png", "cat.png", "xcat.png"]


def test_a_file_that_was_archived_is_sent_anew_3_5(diffgram: LiveDiffgram, media: Media):
    packet = url(media, "a.png", instance_list=[box()])
    diffgram.pushed([packet])
    diffgram.archive(*diffgram.inputs())
    assert diffgram.pushed([packet]).succeeded == 1
    assert diffgram.names() == ["a.png"]


def test_more_packets_than_a_batch_holds_quirk_13(diffgram: LiveDiffgram, media: Media):
    limits = replace(LIMITS, batch=3)
    diffgram.limits = limits
    packets = [url(media, f"{n}.png", instance_list=[box(n + 1)]) for n in range(7)]
    handle = diffgram.push(packets, delivery="queue")
    assert [batch.inputs for batch in handle.batches] == [3, 3, 1]
    assert diffgram.done(handle).summary() == "7 expected: 7 succeeded"
    assert [diffgram.lefts(diffgram.file(f"{n}.png").id) for n in range(7)] == [[n + 1] for n in range(7)]


def test_batches_are_told_oldest_first_whatever_arrived_first(diffgram: LiveDiffgram):
    opened = batches.Batches(diffgram.client)
    older, newer = opened.assign(1, "page.png"), opened.assign(1, "page.png")
    opened.count(newer, 1)
    opened.count(older, 1)
    assert [batch.id for batch in opened.sent()] == [older, newer]


def test_more_names_than_are_searched_one_by_one(diffgram: LiveDiffgram, media: Media):
    packets = [url(media, f"{n}.png") for n in range(25)]
    assert diffgram.pushed(packets[:24]).succeeded == 24
    assert diffgram.pushed(packets).summary() == "25 expected: 1 succeeded, 24 skipped"
    assert len(diffgram.files()) == 25


def test_a_file_that_is_no_image_fails_alone_and_says_which_2_8(diffgram: LiveDiffgram, tmp_path: Path):
    bad = path(tmp_path, "bad.png", b"this is no picture", original_filename="bad.png")
    good = path(tmp_path, "good.png", original_filename="good.png", instance_list=[box()])
    with pytest.raises(PushError, match=r"bad\.png: .*readable medium") as caught:
        diffgram.push([bad, good])
    assert caught.value.permanent
    assert "bad.png" not in diffgram.names()
    assert diffgram.lefts(diffgram.file("good.png").id) == [1]
