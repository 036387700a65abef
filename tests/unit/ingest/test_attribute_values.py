"""Attribute values against the kinds of server.md 5.4: each is brought into its shape, or named."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_diffgram.ingest.check.attributes import (
    Attributes,
    identity_of_attributes,
    value_on_wire,
)
from airflow_provider_diffgram.models import AttributeGroup, Tag
from tests.unit.recorded import recording

LISTED = [
    AttributeGroup.model_validate(row)
    for row in recording("probe_attr_list_all_kinds").answer["attribute_group_list"]
]
BY_KIND = {group.kind: group for group in LISTED}
STORED = recording("probe_attr_all_kinds__annotations").answer["file_serialized"]["instance_list"]
ATTRIBUTES = Attributes(LISTED, LISTED)


def option(kind: str, index: int = 0) -> int:
    return BY_KIND[kind].options[index].id


def word(kind: str, index: int = 0) -> str:
    return str(BY_KIND[kind].options[index].name)


def problems(kind: str, value: Any) -> list[str]:
    return ATTRIBUTES.problems(Tag(label="a", attribute_groups={str(BY_KIND[kind].id): value}))


def chosen(kind: str, index: int = 0) -> dict[str, Any]:
    return {"id": option(kind, index), "name": option(kind, index), "display_name": word(kind, index)}


SELECT, RADIO, MULTIPLE, TREE = (option(kind) for kind in ("select", "radio", "multiple_select", "tree"))
BRANCH = {str(TREE): {"name": word("tree"), "selected": True}}

GOOD = [
    *[
        ("select", value, chosen("select"))
        for value in (
            {"id": SELECT, "name": SELECT, "display_name": "red"},
            {"id": SELECT},
            {"id": SELECT, "name": "red"},
            {"id": str(SELECT)},
            word("select"),
            SELECT,
            str(SELECT),
        )
    ],
    ("radio", {"id": RADIO}, chosen("radio")),
    ("radio", word("radio"), chosen("radio")),
    *[
        ("multiple_select", value, [chosen("multiple_select"), chosen("multiple_select", 1)])
        for value in (
            [{"id": MULTIPLE}, {"id": option("multiple_select", 1)}],
            [word("multiple_select"), option("multiple_select", 1)],
            [MULTIPLE, word("multiple_select"), word("multiple_select", 1)],
        )
    ],
    ("multiple_select", {"id": MULTIPLE}, [chosen("multiple_select")]),
    ("multiple_select", word("multiple_select"), [chosen("multiple_select")]),
    ("multiple_select", [], []),
    *[
        ("tree", value, BRANCH)
        for value in (BRANCH, {str(TREE): {"selected": True}}, TREE, [TREE], word("tree"), [word("tree")])
    ],
    ("tree", {str(TREE): {"selected": False}}, {}),
    ("text", "hello", "hello"),
    ("text", 5, "5"),
    ("slider", 7, 7),
    ("slider", 1000, 1000),
    ("slider", 7.0, 7),
    ("date", "2024-05-06", "2024-05-06"),
    ("date", "2024-02-29", "2024-02-29"),
    ("time", "13:45", "13:45"),
    ("time", "00:00", "00:00"),
]
BAD = [
    *[
        ("select", value)
        for value in (
            "no such colour",
            999999,
            [1],
            [SELECT],
            None,
            True,
            1.5,
            {},
            {"id": 999999},
            {"id": word("select")},
            {"id": True},
            {"id": None},
            {"name": "red"},
        )
    ],
    ("select", {"id": RADIO + 1000}),
    ("radio", {"id": 999999}),
    *[
        ("multiple_select", value)
        for value in (
            "mauve",
            [999999],
            ["mauve"],
            [{"id": 999999}],
            [{"id": MULTIPLE}, None],
            None,
            [[MULTIPLE]],
        )
    ],
    *[
        ("tree", value)
        for value in (
            [999999],
            "mauve",
            None,
            {str(TREE): True},
            {"999999": {"selected": True}},
            {"999999": {"selected": False}},
            {word("tree"): {}},
            {str(TREE): {"name": word("tree")}},
        )
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


@pytest.mark.parametrize("kind, value, shape", GOOD)
def test_each_kind_is_sent_in_its_one_shape_5_4(kind: str, value: Any, shape: Any):
    group = BY_KIND[kind]
    assert value_on_wire(group, value) == shape
    assert problems(kind, value) == []
    assert value_on_wire(group, shape) == shape


@pytest.mark.parametrize("kind, value", BAD)
def test_what_is_lost_or_fails_the_row_is_named_quirks_49_and_51(kind: str, value: Any):
    (problem,) = problems(kind, value)
    assert str(BY_KIND[kind].name) in problem
    assert kind in problem


def test_values_that_were_stored_and_returned_are_sent_unchanged():
    known = {str(group.id): group for group in LISTED}
    values = [
        (known[group], value)
        for each in STORED
        for group, value in (each["attribute_groups"] or {}).items()
        if group in known
    ]
    assert len(values) >= 8
    assert [value_on_wire(group, value) for group, value in values] == [value for _, value in values]


def test_an_unknown_option_is_told_with_those_that_exist():
    (problem,) = problems("select", {"id": 999999})
    assert all(f"{each.id} ({each.name})" in problem for each in BY_KIND["select"].options)


def test_an_unknown_group_is_told():
    (problem,) = ATTRIBUTES.problems(Tag(label="a", attribute_groups={"999999": "x"}))
    assert "999999" in problem


def test_all_problems_of_an_instance_are_told_at_once():
    values = {str(BY_KIND[kind].id): "?" for kind in ("select", "tree", "slider", "date", "time")}
    assert len(ATTRIBUTES.problems(Tag(label="a", attribute_groups=values | {"999999": 1}))) == 6


def test_a_kind_that_is_not_known_is_let_through_2_2():
    assert value_on_wire(group_of(kind="stars"), {"any": "thing"}) == {"any": "thing"}


def group_of(number: int = 9, options: list[dict[str, Any]] | None = None, **fields: Any) -> AttributeGroup:
    row = {"id": number, "name": "Colour", "kind": "select", "attribute_template_list": options, **fields}
    return AttributeGroup.model_validate(row)


def test_attributes_are_named_by_name_or_else_by_prompt():
    for group in LISTED:
        value = {"text": "x", "slider": 1, "date": "2024-05-06", "time": "13:45"}.get(str(group.kind))
        value = value if value is not None else word(str(group.kind))
        for name in {group.name, group.prompt} - {None, ""}:
            sent = ATTRIBUTES.on_wire(Tag(label="a", attributes={str(name): value}))
            assert sent == {str(group.id): value_on_wire(group, value)}


def test_names_are_those_of_the_schema_and_ids_those_of_the_project():
    here, elsewhere = group_of(1, kind="text"), group_of(2, kind="text", name="Size")
    attributes = Attributes([here, elsewhere], [here])
    both = Tag(label="a", attributes={"Colour": "x", "Size": "y", "Shape": "z"}, attribute_groups={"2": "y"})
    assert attributes.unknown(both) == {"Size", "Shape"}
    assert attributes.problems(both) == []
    assert attributes.names == ["Colour"]
    fine = Tag(label="a", attributes={"Colour": "x"}, attribute_groups={"2": "y"})
    assert attributes.on_wire(fine) == {"1": "x", "2": "y"}


def test_null_under_a_name_is_no_value():
    assert ATTRIBUTES.on_wire(Tag(label="a", attributes={str(LISTED[0].name): None})) == {}


def test_a_name_of_two_groups_and_a_group_told_twice_are_refused():
    twice = Attributes([group_of(1), group_of(2)], [group_of(1), group_of(2)])
    (problem,) = twice.problems(Tag(label="a", attributes={"Colour": "red"}))
    assert "1, 2" in problem
    assert "attribute_groups" in problem
    text = group_of(1, kind="text")
    (problem,) = Attributes([text], [text]).problems(
        Tag(label="a", attributes={"Colour": "red"}, attribute_groups={"1": "blue"})
    )
    assert "in attributes and in attribute_groups" in problem


def test_an_archived_option_is_refused_and_its_name_is_free():
    old, new = {"id": 1, "name": "red", "archived": True}, {"id": 2, "name": "red"}
    assert value_on_wire(group_of(options=[old, new]), "red")["id"] == 2
    for value in ("1", 1, {"id": 1}):
        with pytest.raises(ValueError, match="archived"):
            value_on_wire(group_of(options=[old, new]), value)


def test_options_of_one_name_need_an_id():
    group = group_of(options=[{"id": 1, "name": "red"}, {"id": 2, "name": "red"}])
    with pytest.raises(ValueError, match="1, 2"):
        value_on_wire(group, "red")
    assert value_on_wire(group, 2)["id"] == 2


def test_a_name_of_digits_is_a_name_first_and_an_object_tells_an_id():
    group = group_of(options=[{"id": 1, "name": "2"}, {"id": 2, "name": "one"}])
    assert value_on_wire(group, "2")["id"] == 1
    assert value_on_wire(group, {"id": "2"})["id"] == 2
    assert value_on_wire(group, 1)["id"] == 1


def test_a_number_that_is_the_name_of_one_option_and_the_id_of_another_is_refused():
    group = group_of(options=[{"id": 1, "name": "2"}, {"id": 2, "name": "one"}])
    for kind, value in (("select", 2), ("multiple_select", [2]), ("tree", [2])):
        with pytest.raises(
            ValueError, match=r"2 is the id of 'one' and the name of another.*give '2' as a text"
        ):
            value_on_wire(group.model_copy(update={"kind": kind}), value)


def test_a_number_that_is_only_a_name_is_that_name():
    stars = group_of(options=[{"id": 100 + each, "name": str(each)} for each in range(1, 6)])
    assert value_on_wire(stars, 3)["id"] == 103
    twice = group_of(options=[{"id": 1, "name": "3"}, {"id": 2, "name": "3"}])
    with pytest.raises(ValueError, match="several options are named 3"):
        value_on_wire(twice, 3)


def test_what_an_option_is_called_tells_no_instances_apart():
    before = {"3": {"id": 1, "name": 1, "display_name": "red"}, "4": {"7": {"name": "oak", "selected": True}}}
    after = {
        "3": {"id": 1, "name": 1, "display_name": "rosso"},
        "4": {"7": {"name": "elm", "selected": True}},
    }
    assert identity_of_attributes(before) == identity_of_attributes(after)
    other = {"3": {"id": 2, "name": 2, "display_name": "red"}, "4": {"7": {"name": "oak", "selected": True}}}
    assert identity_of_attributes(before) != identity_of_attributes(other)


def test_an_attribute_by_its_name_and_its_prompt_is_there_twice():
    row = {"id": 1, "kind": "text", "name": "note", "prompt": "Anything else?"}
    attributes = Attributes([group := AttributeGroup.model_validate(row)], [group])
    both = Tag(label="a", attributes={"note": "one", "Anything else?": "two"})
    assert attributes.problems(both) == [
        "attributes 'note' and 'Anything else?' are the name and the prompt of one: give one"
    ]
