"""What a description of a label schema may hold, and what a project lacks of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_diffgram.models import InvalidValueError, Label
from airflow_provider_diffgram.models.received import AttributeGroup
from airflow_provider_diffgram.setup.description import (
    DescribedAttribute,
    DescribedLabel,
    DescribedOption,
    DescribedSchema,
    NewOption,
    description_of,
    missing,
)

TEXT = """
schema: Street
labels:
  - cat
  - {name: dog, colour: "#ff8800"}
attributes:
  - name: hidden
    prompt: How much is hidden?
    kind: radio
    options: ["no", partly]
  - name: kind
    kind: tree
    options: [a, {name: b, options: [c]}]
"""


def label(number: int, name: str) -> Label:
    return Label.model_validate({"id": number, "label": {"name": name}})


def group(
    number: int, name: str | None, kind: str | None, *options: tuple[int, str, int | None]
) -> AttributeGroup:
    listed = [{"id": each, "name": named, "parent_id": parent} for each, named, parent in options]
    told = {"id": number, "name": name, "prompt": name, "kind": kind, "attribute_template_list": listed}
    return AttributeGroup.model_validate(told)


def test_a_description_is_read():
    described = DescribedSchema.from_yaml(TEXT)
    assert described.schema_name == "Street"
    assert described.labels == [DescribedLabel(name="cat"), DescribedLabel(name="dog", colour="#ff8800")]
    assert described.attributes[1].options[1].options == [DescribedOption(name="c")]


def test_all_is_missing_from_an_empty_project():
    described = DescribedSchema.from_yaml(TEXT)
    found = missing(described, [], [])
    assert (found.labels, found.attributes, found.options) == (described.labels, described.attributes, [])
    assert found.lines() == [
        "+ label cat",
        "+ label dog",
        "+ attribute hidden (radio: no, partly)",
        "+ attribute kind (tree: a, b, b / c)",
    ]


def test_only_what_is_missing_is_made_and_nothing_is_removed():
    attributes = [
        group(1, "hidden", "radio", (1, "no", None)),
        group(2, "kind", "select"),
        group(3, None, None),
    ]
    found = missing(DescribedSchema.from_yaml(TEXT), [label(1, "cat"), label(2, "bird")], attributes)
    assert [each.name for each in found.labels] == ["dog"]
    assert found.options == [NewOption("hidden", ("partly",))]
    assert found.differing == [
        "attribute hidden asks 'hidden'",
        "attribute kind is a select, and described as a tree",
    ]
    assert found.beyond == ["label bird"]


def test_an_option_of_a_tree_is_known_by_its_path():
    there = group(2, "kind", "tree", (1, "a", None), (2, "b", 1), (3, "c", 2))
    found = missing(DescribedSchema.from_yaml(TEXT), [], [there])
    assert found.options == [NewOption("kind", ("b",)), NewOption("kind", ("b", "c"))]


@pytest.mark.parametrize(
    "text, told",
    [
        ("labels: [cat, cat]", "label given twice: 'cat'"),
        ("labels: [no]", "YAML reads it as false: put the name in quotes"),
        ("labels: [' cat']", "labels.0.name"),
        ("labels: {", "not YAML"),
        ("lables: [cat]", "lables: there is no such field here (did you mean 'labels'?)"),
        (
            "labels: [{name: a, colour: red}]",
            "labels.0.colour: must be # and six digits from 0 to f, in quotes",
        ),
        ("labels: [{name: a, colour: '#f80'}]", "such as '#ff8800' (value: '#f80')"),
        ("labels: [{name: a, colour: 102030}]", "in quotes, such as '#ff8800' (value: 102030)"),
        ("labels: [{name: a, colour: #ff8800}]", "not YAML"),
        (
            "attributes: [{name: a, kind: multi_select}]",
            "attributes.0.kind: kind must be one of 'select', 'multiple_select', 'radio', 'slider', 'tree', "
            "'text', 'time', 'date', not 'multi_select' (did you mean 'multiple_select'?)",
        ),
        ("attributes: [{name: a, kind: text, options: [b]}]", "a text has no options"),
        ("attributes: [{name: a, kind: radio}]", "a radio needs options"),
        ("attributes: [{name: a, options: [b, b]}]", "option given twice: 'b'"),
        ("attributes: [{name: a, options: [{name: b, options: [c]}]}]", "only a tree has options below"),
    ],
)
def test_a_wrong_description_is_refused(text: str, told: str):
    with pytest.raises(InvalidValueError, match=re.escape(told)):
        DescribedSchema.from_yaml(text, "schema.yaml")


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@st.composite
def options(draw: st.DrawFn, depth: int) -> list[DescribedOption]:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    below = options(depth - 1) if depth else st.just([])
    return [DescribedOption(name=name, options=draw(st.one_of(st.just([]), below))) for name in names]


@st.composite
def attributes(draw: st.DrawFn, name: str) -> DescribedAttribute:
    kind = draw(st.sampled_from(["select", "tree", "text"]))
    chosen = draw(options(2 if kind == "tree" else 0)) if kind != "text" else []
    return DescribedAttribute(name=name, kind=kind, options=chosen)


@st.composite
def schemas(draw: st.DrawFn) -> DescribedSchema:
    labels = draw(st.lists(NAMES, unique=True, max_size=4))
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    return DescribedSchema(
        schema_name=draw(st.none() | NAMES),
        labels=[DescribedLabel(name=name) for name in labels],
        attributes=[draw(attributes(name)) for name in names],
    )


@given(schemas())
def test_what_is_written_is_read_again(described: DescribedSchema):
    assert DescribedSchema.from_yaml(described.to_yaml()) == described


@given(schemas())
def test_a_project_that_has_all_of_it_lacks_nothing(described: DescribedSchema):
    """Of the project that a description asks for nothing is missing, and the description is the same."""
    labels = [label(number, each.name) for number, each in enumerate(described.labels)]
    groups = []
    for number, attribute in enumerate(described.attributes):
        rows: list[tuple[int, str, int | None]] = []

        def add(below: list[DescribedOption], parent: int | None, rows: list = rows) -> None:
            for option in below:
                rows.append((len(rows), option.name, parent))
                add(option.options, rows[-1][0], rows)

        add(attribute.options, None)
        groups.append(group(number, attribute.name, attribute.kind, *rows))
    found = missing(described, labels, groups)
    assert found.nothing
    assert found.lines() == []
    exported = description_of(described.schema_name or "x", labels, groups)
    assert (exported.labels, exported.attributes) == (described.labels, described.attributes)
