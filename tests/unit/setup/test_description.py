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


def label(number: int, name: str, colour: object = None) -> Label:
    return Label.model_validate({"id": number, "label": {"name": name}, "colour": colour})


def group(
    number: int, name: str | None, kind: str | None, *options: tuple[int, str, int | None], **more: object
) -> AttributeGroup:
    listed = [{"id": each, "name": named, "parent_id": parent} for each, named, parent in options]
    told = {"id": number, "name": name, "prompt": name, "kind": kind, "attribute_template_list": listed}
    return AttributeGroup.model_validate(told | more)


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


@pytest.mark.parametrize(
    "text, told",
    [
        ("labels: [{name: dog, colour: '#ff8800'}]", ["label dog is #00FF80, and described as #ff8800"]),
        ("labels: [{name: dog, colour: '#00ff80'}, cat]", []),
        (
            "attributes: [{name: far, kind: slider, min_value: 0, max_value: 5}]",
            ["attribute far goes from 0.0 to 9.0", "attribute far is not asked of 1 label: dog"],
        ),
        ("attributes: [{name: far, kind: slider, max_value: 9, labels: [cat]}]", []),
        (
            "{labels: [car], attributes: [{name: far, kind: slider, labels: [car, dog]}]}",
            [
                "attribute far is not asked of 2 labels: car, dog",
                "attribute far is also asked of 1 label: cat",
            ],
        ),
        ("attributes: [{name: night, kind: text, about: file, labels: [dog]}]", []),
    ],
)
def test_what_is_there_and_differs_is_told(text: str, told: list[str]):
    there = [
        group(1, "far", "slider", min_value=0, max_value=9, label_file_list=[{"id": 1}]),
        group(2, "night", "text", is_global=True, label_file_list=[]),
    ]
    labels = [label(1, "cat", {"hex": "#00FF80"}), label(2, "dog", {"hex": "#00FF80"})]
    found = missing(DescribedSchema.from_yaml(text), labels, there)
    assert found.differing == told
    assert set(found.lines()) >= {f"~ {each}: stays as it is" for each in told}


@pytest.mark.parametrize("listed", [None, "1", [{"name": "cat"}], {"1": {}}])
def test_labels_of_an_attribute_that_the_server_does_not_tell_are_not_compared(listed: object):
    there = group(1, "far", "slider", label_file_list=listed)
    described = DescribedSchema.from_yaml("attributes: [{name: far, kind: slider, labels: [cat]}]")
    assert missing(described, [label(1, "cat")], [there]).differing == []


def test_an_attribute_of_a_label_that_is_not_there_is_refused():
    """It would be asked of no instance at all, and nobody would notice."""
    described = DescribedSchema.from_yaml("""
labels: [dog]
attributes:
  - {name: far, kind: slider, labels: [cat, dog]}
  - {name: near, kind: slider, labels: [catt]}
""")
    told = (
        "schema: attribute 'near': label 'catt' is neither in this description nor in the project "
        "(did you mean 'cat'?)"
    )
    with pytest.raises(InvalidValueError, match=f"^{re.escape(told)}$"):
        missing(described, [label(1, "cat")], [])


def test_an_export_keeps_colours_and_the_labels_of_attributes():
    labels = [label(1, "cat", {"hex": "#00FF80"}), label(2, "dog", {"hex": "#00FF8055"}), label(3, "car", 7)]
    attributes = [
        group(1, "far", "slider", label_file_list=[{"id": 1}, {"id": 3}, {"id": 99}]),
        group(2, "near", "slider", label_file_list=[1, 2, 3]),
    ]
    exported = description_of("Street", labels, attributes)
    assert [each.colour for each in exported.labels] == ["#00FF80", None, None]
    assert [each.labels for each in exported.attributes] == [["cat", "car"], None]
    assert missing(DescribedSchema.from_yaml(exported.to_yaml()), labels, attributes).lines() == []


def test_more_attributes_than_a_day_takes_are_told_beforehand():
    described = DescribedSchema(attributes=[DescribedAttribute(name=f"a{n}", kind="text") for n in range(13)])
    assert missing(described, [], []).lines()[-1] == (
        "! Diffgram takes 10 new attributes a day: apply again tomorrow for the other 3"
    )


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
        ("labels: {", "schema.yaml: line 1, column 10: not YAML: expected the node content"),
        ("labels: [a]\nlabels: [b]", "schema.yaml: line 2: 'labels' is given twice"),
        ("labels: [{name: a, name: b}]", "schema.yaml: line 1: 'name' is given twice"),
        ("[cat, dog]", "schema.yaml: must be a mapping with labels and attributes, not list"),
        ("cat", "schema.yaml: must be a mapping with labels and attributes, not str"),
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
