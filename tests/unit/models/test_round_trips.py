"""What was dumped is read back as it was; what was accepted satisfies the server."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from airflow_provider_diffgram.models import (
    Box,
    Child,
    CompoundFile,
    Handle,
    Instance,
    Packet,
    Polygon,
    Receipt,
    SentBatch,
)

INSTANCE: TypeAdapter[Any] = TypeAdapter(Instance)
MAX = 2**31 - 1

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
ids = st.integers(1, MAX)
pixels = st.integers(0, MAX)
numbers = st.floats(-1e6, 1e6) | st.integers(-MAX, MAX)
coordinates = st.floats(-1e6, 1e6) | st.integers(-(2**30) + 1, 2**30 - 1)
points = st.fixed_dictionaries({"x": coordinates, "y": coordinates})
values = st.recursive(
    st.booleans() | st.integers(-MAX, MAX) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)

steady = settings(max_examples=60)
common = {
    "score": st.floats(0, 1) | st.integers(0, 1),
    "machine_made": st.booleans(),
    "model_ref": texts,
    "number": st.integers(-MAX - 1, MAX),
    "creation_ref_id": texts,
    "attribute_groups": st.dictionaries(ids.map(str), values, max_size=3),
}
label = st.fixed_dictionaries({"label": texts}) | st.fixed_dictionaries({"label_file_id": ids})


def shaped(kind: str, **shape: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    body = st.fixed_dictionaries({"type": st.just(kind), **shape}, optional=common)
    return st.tuples(body, label).map(lambda pair: pair[0] | pair[1])


def ordered(pair: tuple[int, int]) -> tuple[int, int]:
    return (min(pair), max(pair))


def numbered(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [node | {"id": place} for place, node in enumerate(nodes)]


spans = st.tuples(pixels, pixels).map(ordered).filter(lambda pair: pair[0] < pair[1])
boxes = st.tuples(shaped("box"), spans, spans).map(
    lambda parts: (
        parts[0]
        | dict(zip(("x_min", "x_max"), parts[1], strict=True))
        | dict(zip(("y_min", "y_max"), parts[2], strict=True))
    )
)
instances = st.one_of(
    boxes,
    shaped("tag"),
    shaped("point", points=st.lists(points, min_size=1, max_size=1)),
    shaped("line", points=st.lists(points, min_size=2, max_size=2)),
    shaped("curve", p1=points, p2=points, cp=points),
    shaped("keypoints", nodes=st.lists(points, min_size=1, max_size=3).map(numbered)),
    shaped("geo_circle", lonlat=st.lists(numbers, min_size=2, max_size=2), radius=st.floats(0.1, 1e4)),
)
names = texts.map(lambda name: name + "a.png")


@steady
@given(instances)
def test_an_instance_survives_dump_json_and_validation(given_: dict[str, Any]):
    instance = INSTANCE.validate_python(given_)
    dumped = instance.model_dump(mode="json", by_alias=True, exclude_none=True)
    again = INSTANCE.validate_python(json.loads(json.dumps(dumped, allow_nan=False)))
    assert again == instance
    assert INSTANCE.validate_json(instance.model_dump_json(by_alias=True)) == instance


@steady
@given(st.lists(instances, max_size=4), names, ids, st.integers(0, MAX))
def test_packets_and_children_survive_dump_json_and_validation(
    given_: list[dict[str, Any]], name: str, parent: int, ordinal: int
):
    child = Child(
        media={"url": "https://h/a.png"}, ordinal=ordinal, original_filename=name, instance_list=given_
    )
    packet = child.to_packet(parent)
    for value in (packet, child, CompoundFile(name=name, instance_list=given_)):
        assert type(value).model_validate_json(value.model_dump_json(by_alias=True)) == value
        assert type(value).model_validate(value.model_dump()) == value


@steady
@given(st.dictionaries(st.integers(0, 35_999), st.lists(instances, max_size=2), max_size=3))
def test_frames_survive_dump_json_and_validation(frames: dict[int, list[dict[str, Any]]]):
    packet = Packet(media={"path": "v.mp4"}, frame_packet_map=frames)
    assert Packet.model_validate_json(packet.model_dump_json(by_alias=True)) == packet


anything = st.one_of(
    st.integers(-10, 10),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
)


@steady
@given(st.fixed_dictionaries(dict.fromkeys(("x_min", "y_min", "x_max", "y_max"), anything)))
def test_every_box_that_is_accepted_satisfies_the_server_5_3(corners: dict[str, Any]):
    try:
        box = Box(label="a", **corners)
    except ValidationError:
        return
    dumped = json.loads(box.model_dump_json())
    assert {key: dumped[key] for key in corners} == corners
    assert all(type(dumped[key]) is int and 0 <= dumped[key] <= MAX for key in corners)
    assert dumped["x_max"] - dumped["x_min"] >= 1
    assert dumped["y_max"] - dumped["y_min"] >= 1


floats = st.one_of(st.floats(), st.floats(0, 3), st.integers(), st.booleans(), st.none())


@steady
@given(st.lists(st.fixed_dictionaries({"x": floats, "y": floats}), max_size=5))
def test_every_polygon_that_is_accepted_satisfies_the_server_5_2(outline: list[dict[str, Any]]):
    try:
        polygon = Polygon(label="a", points=outline)
    except ValidationError:
        return
    sent = json.loads(json.dumps(polygon.model_dump(mode="json"), allow_nan=False))["points"]
    assert sent == outline
    for axis in ("x", "y"):
        held = [point[axis] for point in sent]
        assert round(max(held)) - round(min(held)) >= 1
        assert all(abs(value) <= MAX for value in held)


@steady
@given(st.lists(st.builds(SentBatch, id=ids, inputs=pixels, parent_file_id=st.none() | ids)), pixels)
def test_a_handle_survives_an_xcom(batches: list[SentBatch], count: int):
    handle = Handle(project="p", directory_id=2, batches=batches, expected=count, skipped=count)
    assert Handle.model_validate(json.loads(json.dumps(handle.to_xcom()))) == handle


@steady
@given(pixels, pixels)
def test_a_receipt_survives_an_xcom(one: int, other: int):
    receipt = Receipt(project="p", expected=one, pending=other, failures=[])
    assert Receipt.model_validate(json.loads(json.dumps(receipt.to_xcom()))) == receipt
    assert receipt.complete == (other == 0)
