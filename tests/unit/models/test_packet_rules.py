"""Packets, children and compound files: what may be said together (server.md 2.7, 3.6, 4.2, 5.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_diffgram.models import (
    BlobMedia,
    Child,
    CompoundFile,
    Packet,
    PathMedia,
    TextMedia,
    UrlMedia,
)
from airflow_provider_diffgram.models.packet import EXTENSIONS, MAX_FRAMES, media_type_of
from airflow_provider_diffgram.models.problems import describe

BOX = {"type": "box", "label": "cat", "x_min": 1, "y_min": 2, "x_max": 3, "y_max": 4}
URL = {"url": "http://media.test/cat.jpg"}
VIDEO = {"url": "http://media.test/v.mp4", "type": "video"}
BLOB = {"connection_id": 1, "bucket_name": "b", "raw_data_blob_path": "dir/a"}


def problems_of(model: Any = Packet, **value: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    return describe(caught.value)


@pytest.mark.parametrize(
    "media, kind, media_type",
    [
        (URL, UrlMedia, "image"),
        (VIDEO, UrlMedia, "video"),
        ({"path": "/data/a.PNG"}, PathMedia, "image"),
        ({"path": "s3://bucket/a.mp3"}, PathMedia, "audio"),
        ({"path": Path("/data/a.mov")}, PathMedia, "video"),
        ({"text_data": "hello"}, TextMedia, "text"),
        (BLOB, BlobMedia, "image"),
    ],
)
def test_media_are_told_apart_by_their_keys(media: Any, kind: type, media_type: str):
    packet = Packet.model_validate(
        {"media": media, "original_filename": None if kind is not TextMedia else "t.txt"}
    )
    assert isinstance(packet.media, kind)
    assert packet.media.type == media_type
    assert Packet(media=packet.media, original_filename=packet.original_filename) == packet


@pytest.mark.parametrize("media", [{}, {"type": "image"}, [], "http://media.test/a.jpg", 3])
def test_media_without_a_source_are_refused_quirk_9(media: Any):
    (problem,) = problems_of(media=media)
    assert "url, path, text_data, raw_data_blob_path" in problem


@pytest.mark.parametrize(
    "url", ["", "cat.jpg", "/cat.jpg", "ftp://h/cat.jpg", "s3://b/cat.jpg", "http://", "http:///a.jpg"]
)
def test_a_url_begins_with_http_and_names_a_host_3_3(url: str):
    (problem,) = problems_of(media={"url": url})
    assert problem.startswith("media.url.url")


@pytest.mark.parametrize("kind", ["text", "audio", "picture", None])
def test_only_images_and_videos_come_by_url_quirk_34(kind: Any):
    (problem,) = problems_of(media=URL | {"type": kind})
    assert problem.startswith("media.url.type")


@pytest.mark.parametrize(
    "change",
    [{"type": "video"}, {"type": "picture"}, {"raw_data_blob_path": "/dir/a"}, {"bucket_name": 1}],
)
def test_blobs_are_images_by_key_quirk_57(change: dict[str, Any]):
    (problem,) = problems_of(media=BLOB | change)
    assert problem.startswith(f"media.blob.{next(iter(change))}")


def test_connection_and_bucket_do_not_go_with_a_url_quirk_58():
    assert len(problems_of(media=URL | {"connection_id": 1, "bucket_name": "b"})) == 2


@pytest.mark.parametrize("path", ["a", "a.gif", "dir.png/a", ".png"])
def test_a_path_has_an_extension_that_diffgram_ingests_3_6(path: str):
    (problem,) = problems_of(media={"path": path})
    assert "extension" in problem


@pytest.mark.parametrize("suffix, kind", EXTENSIONS.items())
def test_the_extension_decides_whatever_its_case_3_6(suffix: str, kind: str):
    assert media_type_of("dir/a" + suffix) == media_type_of("A" + suffix.upper()) == kind


@pytest.mark.parametrize(
    "media, name, fine",
    [
        (URL, "noext", False),
        (URL, "cat.v2.jpg", True),
        (URL, "my dir/ä b.PNG", True),
        (URL, "cat.mp4", False),
        (URL, "", False),
        (VIDEO, "v.mov", True),
        (VIDEO, "v.jpg", False),
        ({"path": "/a.png"}, "b.jpg", True),
        ({"path": "/a.png"}, "b.txt", False),
        (BLOB, "no extension needed", True),
        ({"text_data": "a"}, "t", True),
        ({"text_data": "a"}, None, False),
        (URL, None, True),
    ],
)
def test_names_as_the_server_wants_them_quirks_35_to_37(media: Any, name: str | None, fine: bool):
    if fine:
        assert Packet.model_validate({"media": media, "original_filename": name}).original_filename == name
    else:
        assert problems_of(media=media, original_filename=name)[0].startswith("original_filename")


def test_nameless_text_is_refused_even_where_the_name_is_left_out_quirk_37():
    (problem,) = problems_of(media={"text_data": "a"})
    assert problem.startswith("original_filename: text needs a name")


@pytest.mark.parametrize(
    "value, words",
    [
        ({}, "neither media nor file_id"),
        ({"media": None, "file_id": None}, "neither media nor file_id"),
        ({"file_id": 5}, "needs mode"),
        ({"media": URL, "file_id": 5, "mode": "update"}, "ignore"),
        ({"media": URL, "mode": "update"}, "needs file_id"),
        ({"media": URL, "mode": "attach_to_job"}, "update"),
        ({"file_id": "5", "mode": "update"}, "whole number"),
        ({"file_id": 5, "mode": "update", "parent_file_id": 6}, "keeps its parent"),
        ({"media": URL, "ordinal": 1}, "needs parent_file_id"),
        ({"media": URL, "parent_file_id": 6, "ordinal": -1}, "greater than or equal to 0"),
        ({"media": URL, "parent_file_id": "6"}, "whole number"),
        ({"media": URL, "parent_file_id": None, "ordinal": "1"}, "whole number"),
        ({"media": URL, "parent_id": 6}, "there is no such field here (did you mean 'parent_file_id'?)"),
    ],
)
def test_what_does_not_go_together(value: dict[str, Any], words: str):
    assert any(words in problem for problem in problems_of(**value))


def test_null_instance_list_means_none():
    assert Packet(media=URL, instance_list=None).instance_list == []
    assert Child(media=URL, ordinal=0, instance_list=None).instance_list == []
    assert CompoundFile(name="c", instance_list=None).instance_list == []


@pytest.mark.parametrize("bad", [[None], [{}], ["box"], {}, "box"])
def test_a_list_holds_instances_only_quirk_30(bad: Any):
    assert problems_of(media=URL, instance_list=bad)


def test_frames_are_numbered_from_0_5_6():
    packet = Packet(media=VIDEO, frame_packet_map={"0": [BOX], 24: [BOX, BOX]})
    assert packet.frame_packet_map is not None
    assert {frame: len(boxes) for frame, boxes in packet.frame_packet_map.items()} == {0: 1, 24: 2}
    assert len(packet.instances) == 3


@pytest.mark.parametrize("frame", ["-1", -1, "x", 1.5, True, "", MAX_FRAMES, str(MAX_FRAMES), "1.0"])
def test_a_frame_that_is_no_number_or_beyond_the_end_is_refused_5_6(frame: Any):
    assert any("frame" in problem for problem in problems_of(media=VIDEO, frame_packet_map={frame: [BOX]}))


@pytest.mark.parametrize(
    "value",
    [
        {"media": URL, "frame_packet_map": {"0": [BOX]}},
        {"media": VIDEO, "instance_list": [BOX]},
        {"file_id": 1, "mode": "update", "instance_list": [BOX], "frame_packet_map": {"0": [BOX]}},
    ],
)
def test_frames_are_for_videos_and_lists_for_the_rest(value: dict[str, Any]):
    assert len(problems_of(**value)) == 1


@pytest.mark.parametrize(
    "seconds, fine", [(0, True), (1, False), (2, True), (180, True), (181, False), (-1, False), ("30", False)]
)
def test_a_video_is_split_after_2_to_180_seconds_or_never_2_7(seconds: Any, fine: bool):
    if fine:
        assert Packet(media=VIDEO, video_split_duration=seconds).video_split_duration == seconds
    else:
        assert problems_of(media=VIDEO, video_split_duration=seconds)


def test_a_packet_of_a_child_keeps_everything_of_the_child():
    child = Child(media=VIDEO, ordinal=3, original_filename="v.mp4", frame_packet_map={"1": [BOX]})
    packet = child.to_packet(6)
    assert (packet.parent_file_id, packet.ordinal, packet.original_filename) == (6, 3, "v.mp4")
    assert (packet.media, packet.frame_packet_map) == (child.media, child.frame_packet_map)
    image = Child(media=URL, ordinal=0, instance_list=[BOX])
    assert image.to_packet(6).instance_list == image.instance_list


def test_a_child_follows_the_rules_of_a_packet():
    value = {"media": VIDEO, "ordinal": "x", "original_filename": "v.jpg", "instance_list": [BOX]}
    places = [problem.split(":")[0] for problem in problems_of(Child, **value)]
    assert places == ["original_filename", "instance_list", "ordinal"]


@pytest.mark.parametrize(
    "kind, fine", [("compound", True), ("compound_conversational", True), ("whatever", False), ("", False)]
)
def test_only_types_that_begin_with_compound_hold_instances_quirk_20(kind: str, fine: bool):
    if fine:
        assert CompoundFile(name="c", type=kind).type == kind
    else:
        assert problems_of(CompoundFile, name="c", type=kind)
