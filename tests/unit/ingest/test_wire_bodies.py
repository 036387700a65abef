"""What a packet becomes on its way: no null, nothing empty, equal instances once, references of their own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_diffgram.client import DiffgramClient
from airflow_provider_diffgram.ingest.check.labels import Labels
from airflow_provider_diffgram.ingest.check.wire import (
    instance_keys,
    instances_of_body,
    instances_on_wire,
    packet_body,
    update_body,
    upload_body,
)
from airflow_provider_diffgram.models import Packet
from tests.unit.client.scripted_server import Answer, answering
from tests.unit.recorded import recording

steady = settings(max_examples=60)

BOX = {"type": "box", "label": "cat", "x_min": 1, "y_min": 2, "x_max": 30, "y_max": 40}
URL = {"url": "http://media.test/cat.jpg"}
VIDEO = {"url": "http://media.test/v.mp4", "type": "video"}


@pytest.fixture(scope="module")
def labels() -> Iterator[Labels]:
    """The labels of the recorded project, and the attributes of another."""
    schemas, listed = recording("labels_schema_list").answer, recording("labels_list").answer
    attributes = recording("probe_attr_list_all_kinds").answer
    with answering(*[Answer(body=each) for each in (schemas, listed, attributes, attributes)]) as server:
        yield Labels(DiffgramClient(server.settings()), None)


def body_of(labels: Labels, **packet: Any) -> dict[str, Any]:
    value = Packet.model_validate({"original_filename": "cat-1.jpg", **packet})
    name = value.original_filename or "?"
    keys = instance_keys(value, labels, name)
    return packet_body(value, keys, name=name, directory_id=2, batch_id=1, connection_id=3)


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(nulls(each) for each in value.values())
    if isinstance(value, list):
        return any(nulls(each) for each in value)
    return value is None


RECORDED_BOX = {"type": "box", "label_file_id": 1, "x_min": 10, "y_min": 20, "x_max": 110, "y_max": 220}


@pytest.mark.parametrize(
    "name, place",
    [
        ("packet_from_url_box", {"original_filename": "cat-1.jpg"}),
        ("packet_child_of_compound", {"original_filename": "child-0.jpg", "parent_file_id": 6, "ordinal": 0}),
    ],
)
def test_packets_are_the_recorded_ones_and_hold_a_batch_and_references(
    labels: Labels, name: str, place: dict[str, Any]
):
    body = body_of(labels, media=URL, instance_list=[RECORDED_BOX], **place)
    (instance,) = body["instance_list"]
    assert len(instance.pop("creation_ref_id")) == 24
    assert body == {"type": "from_url", "batch_id": 1, **recording(name).sent}


@pytest.mark.parametrize(
    "packet, keys",
    [
        ({"media": URL}, {"type": "from_url", "media": {"url": URL["url"], "type": "image"}}),
        (
            {"media": VIDEO, "original_filename": "v.mp4"},
            {"type": "from_url", "media": VIDEO, "video_split_duration": 0},
        ),
        (
            {"media": {"text_data": "t"}},
            {"type": "from_text_data", "media": {"type": "text"}, "text_data": "t"},
        ),
        (
            {"media": {"connection_id": 3, "bucket_name": "b", "raw_data_blob_path": "k"}},
            {
                "type": "from_blob_path",
                "media": {"type": "image"},
                "connection_id": 3,
                "bucket_name": "b",
                "raw_data_blob_path": "k",
            },
        ),
    ],
)
def test_raw_media_have_no_key_of_instances_quirk_8(
    labels: Labels, packet: dict[str, Any], keys: dict[str, Any]
):
    body = body_of(labels, **packet)
    name = packet.get("original_filename", "cat-1.jpg")
    assert body == {"directory_id": 2, "batch_id": 1, "original_filename": name, **keys}


def test_an_update_has_neither_name_nor_media(labels: Labels):
    packet = Packet.model_validate({"file_id": 159, "mode": "update", "instance_list": [BOX]})
    body = update_body(159, "update", instance_keys(packet, labels, "file 159"), directory_id=2, batch_id=1)
    assert set(body) == {"directory_id", "batch_id", "file_id", "mode", "instance_list"}
    assert (body["file_id"], body["mode"]) == (159, "update")


def test_an_upload_has_no_batch_2_8(labels: Labels):
    packet = Packet.model_validate(
        {"media": {"path": "a.png"}, "parent_file_id": 6, "ordinal": 2, "instance_list": [BOX]}
    )
    body = upload_body(packet, instance_keys(packet, labels, "a.png"), directory_id=2)
    assert set(body) == {"directory_id", "parent_file_id", "ordinal", "instance_list"}
    assert len(instances_of_body(body)) == 1
    with pytest.raises(TypeError):
        packet_body(packet, {}, name="a.png", directory_id=2, batch_id=1)


def test_labels_travel_as_ids_only_5_1(labels: Labels):
    (instance,) = body_of(labels, media=URL, instance_list=[BOX | {"label": "dog"}])["instance_list"]
    assert instance["label_file_id"] == recording("labels_name_to_file_id").answer["name_to_file_id"]["dog"]
    assert "label" not in instance


@pytest.mark.parametrize(
    "change",
    [
        {"score": 0.25},
        {"model_ref": "m"},
        {"model_ref": "m", "model_run_ref": "r"},
        {"creation_ref_id": "x"},
        {"machine_made": True},
    ],
)
def test_instances_that_are_one_to_the_server_are_sent_once_the_first_of_them_5_3(
    labels: Labels, change: dict[str, Any]
):
    first, second = BOX | {"score": 0.75}, BOX | change
    (instance,) = body_of(labels, media=URL, instance_list=[first, first, second])["instance_list"]
    assert instance["score"] == 0.75


def test_label_by_name_and_by_id_is_the_same_label(labels: Labels):
    by_id = {key: value for key, value in BOX.items() if key != "label"} | {
        "label_file_id": labels.ids["cat"]
    }
    assert len(body_of(labels, media=URL, instance_list=[BOX, by_id])["instance_list"]) == 1


@pytest.mark.parametrize("change", [{"label": "dog"}, {"x_max": 31}, {"attribute_groups": {"6": "a"}}])
def test_what_differs_in_label_geometry_or_attributes_is_sent_twice(labels: Labels, change: dict[str, Any]):
    assert len(body_of(labels, media=URL, instance_list=[BOX, BOX | change])["instance_list"]) == 2


def references(labels: Labels, name: str = "cat-1.jpg", **change: Any) -> list[str]:
    body = body_of(labels, media=URL, original_filename=name, instance_list=[BOX | change])
    return [each["creation_ref_id"] for each in body["instance_list"]]


def test_a_reference_is_deterministic_and_of_file_run_and_instance(labels: Labels):
    run = {"model_ref": "m", "model_run_ref": "r"}
    plain = references(labels)
    assert plain == references(labels) == references(labels, score=0.5)
    others = [
        references(labels, name="dog-1.jpg"),
        references(labels, **run),
        references(labels, **run | {"model_run_ref": "s"}),
        references(labels, x_max=31),
        references(labels, label="dog"),
    ]
    assert len({each[0] for each in [plain, *others]}) == 6
    assert references(labels, creation_ref_id="mine") == ["mine"]


def test_frames_travel_under_their_numbers_as_text_and_differ_in_references_5_6(labels: Labels):
    frames = {24: [BOX], 0: [BOX, BOX]}
    body = body_of(labels, media=VIDEO, original_filename="v.mp4", frame_packet_map=frames)
    assert {frame: len(each) for frame, each in body["frame_packet_map"].items()} == {"0": 1, "24": 1}
    (first,), (second,) = body["frame_packet_map"].values()
    assert first["creation_ref_id"] != second["creation_ref_id"]
    assert "instance_list" not in body


@steady
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(4, 6), st.none() | st.floats(0, 1)), max_size=6))
def test_no_null_travels_and_the_callers_packet_stays_as_it_was(
    labels: Labels, drawn: list[tuple[int, int, float | None]]
):
    boxes = [BOX | {"x_min": low, "x_max": high, "score": score} for low, high, score in drawn]
    packet = Packet.model_validate({"media": URL, "original_filename": "a.jpg", "instance_list": boxes})
    before = copy.deepcopy(packet)
    keys = instance_keys(packet, labels, "a.jpg")
    body = packet_body(packet, keys, name="a.jpg", directory_id=2, batch_id=1)
    assert not nulls(body)
    assert ("instance_list" in body) == bool(drawn)
    assert len(instances_of_body(body)) == len({(low, high) for low, high, _ in drawn})
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert packet == before
    assert instances_on_wire(packet.instance_list, labels, "a.jpg") == body.get("instance_list", [])
