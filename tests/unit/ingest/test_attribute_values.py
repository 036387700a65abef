"""Attribute values against the kinds of wire contract 5.4: what is stored well passes, the rest is named."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.attributes import attribute_problems
from airflow_provider_diffgram.models import AttributeGroup
from tests.unit.recorded import recording

GROUPS = {
    str(row["id"]): AttributeGroup.model_validate(row)
    for row in recording("probe_attr_list_all_kinds").answer["attribute_group_list"]
}
BY_KIND = {group.kind: group for group in GROUPS.values()}
STORED = recording("probe_attr_all_kinds__annotations").answer["file_serialized"]["instance_list"]


def option(kind: str, index: int = 0) -> int:
    return BY_KIND[kind].options[index].id


def problems(kind: str, value: Any) -> list[str]:
    return attribute_problems(GROUPS, {str(BY_KIND[kind].id): value})


SELECT, RADIO, MULTIPLE, TREE = (option(kind) for kind in ("select", "radio", "multiple_select", "tree"))

GOOD = [
    ("select", {"id": SELECT, "name": SELECT, "display_name": "red"}),
    ("select", {"id": SELECT}),
    ("select", {"id": SELECT, "name": "red"}),
    ("select", {"id": str(SELECT)}),
    ("radio", {"id": RADIO}),
    ("multiple_select", [{"id": MULTIPLE}, {"id": option("multiple_select", 1)}]),
    ("multiple_select", []),
    ("tree", {str(TREE): {"name": "red", "selected": True}}),
    ("tree", {str(TREE): {"selected": True}}),
    ("text", "hello"),
    ("slider", 7),
    ("slider", 1000),
    ("date", "2024-05-06"),
    ("date", "2024-02-29"),
    ("time", "13:45"),
    ("time", "00:00"),
]
BAD = [
    *[
        ("select", value)
        for value in (
            "red",
            3,
            [1],
            None,
            {},
            {"id": 999999},
            {"id": "red"},
            {"id": True},
            {"id": None},
            {"name": "red"},
        )
    ],
    ("select", {"id": RADIO + 1000}),
    ("radio", {"id": 999999}),
    *[
        ("multiple_select", value)
        for value in ("red", [SELECT], ["red"], [{"id": 999999}], [{"id": MULTIPLE}, None], None)
    ],
    *[
        ("tree", value)
        for value in ([TREE], "red", None, {str(TREE): True}, {"999999": {"selected": True}}, {"red": {}})
    ],
    *[("text", value) for value in (None, ["a"], True)],
    *[("slider", value) for value in ("high", None, True, 3.7, [7])],
    *[
        ("date", value)
        for value in (
            "06/05/2024",
            "2024-05-06T10:00",
            "2024-02-30",
            "20240506",
            "2024-W19-1",
            20240506,
            None,
            "",
        )
    ],
    *[
        ("time", value)
        for value in ("13:45:10", "24:00", "12:60", "1:45", "13.45", 1345, None, "", "13:45 ", "13:4\u0665")
    ],
]


def test_the_recorded_project_has_all_eight_kinds_2_2():
    listed = "select multiple_select radio slider tree text time date"
    assert set(BY_KIND) == set(listed.split())


@pytest.mark.parametrize("kind, value", GOOD)
def test_what_the_server_understands_passes(kind: str, value: Any):
    assert problems(kind, value) == []


@pytest.mark.parametrize("kind, value", BAD)
def test_what_is_lost_or_fails_the_row_is_named_quirks_49_and_51(kind: str, value: Any):
    (problem,) = problems(kind, value)
    assert str(BY_KIND[kind].name) in problem
    assert kind in problem


def test_values_that_were_stored_and_returned_pass():
    known = [
        {group: value for group, value in each["attribute_groups"].items() if group in GROUPS}
        for each in STORED
        if each["attribute_groups"]
    ]
    assert any(known)
    assert [attribute_problems(GROUPS, values) for values in known] == [[]] * len(known)


def test_an_unknown_option_is_told_with_those_that_exist():
    (problem,) = problems("select", {"id": 999999})
    assert all(f"{each.id} ({each.name})" in problem for each in BY_KIND["select"].options)


def test_an_unknown_group_is_told():
    (problem,) = attribute_problems(GROUPS, {"999999": "x"})
    assert "999999" in problem


def test_all_problems_of_an_instance_are_told_at_once():
    values = {str(BY_KIND[kind].id): "?" for kind in ("select", "tree", "slider", "date", "time")}
    assert len(attribute_problems(GROUPS, values | {"999999": 1})) == 6


def test_a_kind_that_is_not_known_is_let_through_2_2():
    group = AttributeGroup.model_validate({"id": 9, "name": "n", "kind": "stars"})
    assert attribute_problems({"9": group}, {"9": {"any": "thing"}}) == []
