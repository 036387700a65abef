"""What is sent: valid values survive every way there and back; all mistakes are told at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_diffgram import models
from airflow_provider_diffgram.models import InvalidValueError, Packet
from airflow_provider_diffgram.models.base import Sent
from airflow_provider_diffgram.models.instance_base import InstanceBase
from airflow_provider_diffgram.models.packet import WithPredictions
from airflow_provider_diffgram.models.problems import describe
from tests.unit.fuzz import steady
from tests.unit.fuzz.sent_values import INSTANCES, SENT, WHOLES


def subclasses(base: type[Sent]) -> Iterator[type[Sent]]:
    for each in base.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_class_that_is_sent_is_tried():
    assert set(subclasses(Sent)) - {InstanceBase, WithPredictions} == set(SENT)


@pytest.mark.parametrize("model", SENT, ids=lambda model: model.__name__)
@steady(15)
@given(data=st.data())
def test_a_valid_value_survives_every_way_there_and_back(model: type[Sent], data: st.DataObject):
    body = data.draw(SENT[model])
    value = model.model_validate(body)
    dumped = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    wire = json.dumps(dumped, allow_nan=False)
    assert model.model_validate(json.loads(wire)) == value
    assert model.model_validate_json(value.model_dump_json(by_alias=True)) == value
    assert model.model_validate(value.model_dump(by_alias=True)) == value
    assert body.keys() <= dumped.keys()


SIGNED = "http://s.test/a.png?X-Amz-Signature=0123456789"
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.just(SIGNED)
    | st.just(object())
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("model", SENT, ids=lambda model: model.__name__)
@steady(20)
@given(data=st.data())
def test_whatever_is_given_there_is_a_value_or_a_list_of_problems(model: type[Sent], data: st.DataObject):
    fields = st.sampled_from([field.alias or name for name, field in model.model_fields.items()])
    body = data.draw(SENT[model])
    wrong = data.draw(
        st.dictionaries(fields | st.text(max_size=5) | st.just(SIGNED), anything, min_size=1, max_size=4)
    )
    for given_ in ({**body, **wrong}, wrong, next(iter(wrong.values()))):
        problems = problems_of(model, given_)
        assert all(problem.startswith("packet 3: ") for problem in problems)
        assert "0123456789" not in str(InvalidValueError("packets", problems))


def problems_of(model: type[Sent], given_: Any) -> list[str]:
    """Return what is wrong with ``given_``; nothing but a ValidationError is caught."""
    try:
        model.model_validate(given_)
    except ValidationError as error:
        return describe(error, "packet 3")
    return []


COMMON_MISTAKES: dict[str, Any] = {
    "machine_made": "perhaps",
    "score": "high",
    "model_ref": "",
    "number": 2**31,
    "creation_ref_id": "a\x00b",
    "attribute_groups": [],
    "confidence": 0.5,
}
MISTAKES: dict[type[Sent], dict[str, Any]] = {
    models.Box: {"x_min": 1.5, "y_min": "3", "x_max": True, "y_max": 2**31},
    models.Polygon: {"points": [{"x": 1, "y": 2}]},
    models.Ellipse: {"center_x": 0.5, "width": 0, "height": -1, "angle": float("nan")},
    models.Curve: {"p1": {"x": 1}, "p2": None, "cp": {"x": "a", "y": 1}},
    models.Keypoints: {"nodes": []},
    models.TextToken: {"start_token": -1, "sentence": "one"},
    models.Audio: {"start_time": float("inf")},
    models.GeoCircle: {"radius": 0, "lonlat": [1]},
}


@pytest.mark.parametrize("model", MISTAKES, ids=lambda model: model.__name__)
@steady(20)
@given(data=st.data())
def test_k_mistakes_in_an_instance_are_k_problems_each_by_its_name(model: type[Sent], data: st.DataObject):
    mistakes = {**COMMON_MISTAKES, **MISTAKES[model]}
    made = data.draw(st.sets(st.sampled_from(sorted(mistakes)), min_size=1))
    body = {**data.draw(INSTANCES[model]), **{key: mistakes[key] for key in made}}
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    named = {str(problem["loc"][0]) for problem in caught.value.errors()}
    assert named == made
    assert len(describe(caught.value)) >= len(made)


PACKET_MISTAKES: dict[str, Any] = {
    "ordinal": -1,
    "parent_file_id": "6",
    "original_filename": "",
    "video_split_duration": 181,
    "batch": 4,
}


@steady(60)
@given(data=st.data())
def test_mistakes_in_a_packet_and_in_its_instances_are_told_together(data: st.DataObject):
    made = data.draw(st.sets(st.sampled_from(sorted(PACKET_MISTAKES))))
    boxes = [
        {"label": "cat", "x_min": 1, "y_min": 1, "x_max": 5, "y_max": 5, "type": "box"} for _ in range(4)
    ]
    spoilt = data.draw(st.sets(st.integers(0, 3), min_size=1))
    for index in spoilt:
        boxes[index]["x_min"] = 1.5
    body = {"media": {"url": "https://h/a.png"}, "instance_list": boxes}
    with pytest.raises(ValidationError) as caught:
        Packet.model_validate({**body, **{key: PACKET_MISTAKES[key] for key in made}})
    problems = describe(caught.value)
    assert len(problems) == len(made) + len(spoilt)
    for index in spoilt:
        assert any(problem.startswith(f"instance_list.{index}.box.x_min: ") for problem in problems)
    for key in made:
        assert any(problem.startswith(f"{key}: ") for problem in problems)


@pytest.mark.parametrize("model", WHOLES, ids=lambda model: model.__name__)
@steady(20)
@given(data=st.data())
def test_what_is_given_is_not_changed(model: type[Sent], data: st.DataObject):
    body = data.draw(WHOLES[model])
    before = repr(body)
    model.model_validate(body)
    assert repr(body) == before
