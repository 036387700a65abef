"""A label schema as a YAML file: what it describes, and what of it a project lacks.

:func:`missing` is a pure function; :mod:`.schema` reads and writes the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..models import InvalidValueError, Label
from ..models.problems import count_of, describe, did_you_mean, first_of
from ..models.received import AttributeGroup
from ..models.repeats import twice, yaml_keys_twice

GROUPS_A_DAY = 10
"""Most attributes that can be added to a project in a day (server.md 1.5)."""

Kind = Literal["select", "multiple_select", "radio", "slider", "tree", "text", "time", "date"]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

_MOST_NAMES = 10

_WITH_OPTIONS = ("select", "multiple_select", "radio", "tree")


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _not_yaml(error: yaml.YAMLError) -> str:
    """Return what is wrong and where, in one line."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem is None or mark is None:
        return f"not YAML: {' '.join(str(error).split())}"
    return f"line {mark.line + 1}, column {mark.column + 1}: not YAML: {problem}"


def _by_name(value: Any) -> Any:
    """Read a text as an object with only a name. YAML reads an unquoted ``no`` as false."""
    if isinstance(value, bool):
        raise ValueError(f"YAML reads it as {str(value).lower()}: put the name in quotes")
    return {"name": str(value)} if isinstance(value, str | int | float) else value


def _colour(value: Any) -> Any:
    if value is not None and not _COLOUR.fullmatch(str(value)):
        raise ValueError("must be # and six digits from 0 to f, in quotes, such as '#ff8800'")
    return value


Name = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]


class DescribedLabel(_Described):
    """A label.

    :param name: as predictions name it.
    :param colour: such as ``#ff8800``; None leaves it to Diffgram.
    """

    name: Name
    colour: Annotated[str | None, BeforeValidator(_colour)] = None


class DescribedOption(_Described):
    """An option of an attribute.

    :param options: in a tree, the options below it.
    :param name: its name, unique among its siblings.
    """

    name: Name
    options: list[Annotated[DescribedOption, BeforeValidator(_by_name)]] = []


class DescribedAttribute(_Described):
    """A question about instances or files.

    :param name: as predictions name it.
    :param prompt: what people are asked. None means the name.
    :param kind: how it is answered.
    :param options: the options that people choose from.
    :param labels: the labels that it applies to. None means all.
    :param about: whether it is about an ``instance``, or the whole ``file`` or ``compound_file``.
    :param min_value: smallest value of a slider.
    :param max_value: largest value of a slider.
    """

    name: Name
    prompt: str | None = None
    kind: Kind = "select"
    options: list[Annotated[DescribedOption, BeforeValidator(_by_name)]] = []
    labels: list[Name] | None = None
    about: Literal["instance", "file", "compound_file"] = "instance"
    min_value: float | None = None
    max_value: float | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.options and self.kind not in _WITH_OPTIONS:
            raise ValueError(f"attribute {self.name!r}: a {self.kind} has no options")
        if not self.options and self.kind in _WITH_OPTIONS:
            raise ValueError(f"attribute {self.name!r}: a {self.kind} needs options")
        if self.kind != "tree" and any(option.options for option in self.options):
            raise ValueError(f"attribute {self.name!r}: only a tree has options below options")
        _refuse_twice(f"attribute {self.name!r}: option", (option.name for option in self.options))
        return self

    def in_words(self) -> str:
        """Return ``attribute hidden (radio: no, partly)``."""
        options = ", ".join(" / ".join(path) for path in paths(self.options))
        return f"attribute {self.name} ({self.kind}{': ' + options if options else ''})"


class DescribedSchema(_Described):
    """A label schema.

    :param schema_name: name of the schema, in the file under ``schema``. None means the project's default
        one.
    :param labels: the labels; a text is a label with that name.
    :param attributes: the attribute groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: Name | None = Field(default=None, alias="schema")
    labels: list[Annotated[DescribedLabel, BeforeValidator(_by_name)]] = []
    attributes: list[DescribedAttribute] = []

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        _refuse_twice("label", (label.name for label in self.labels))
        _refuse_twice("attribute", (attribute.name for attribute in self.attributes))
        return self

    @classmethod
    def from_yaml(cls, text: str, where: str = "schema") -> DescribedSchema:
        """Read a description.

        :param where: what to call it in errors, such as its path.
        :raises InvalidValueError: with everything that is wrong.
        """
        try:
            repeated = yaml_keys_twice(text)
            told = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidValueError(where, [_not_yaml(error)]) from None
        if repeated:
            raise InvalidValueError(where, repeated)
        return cls.from_fields({} if told is None else told, where)

    @classmethod
    def from_fields(cls, fields: object, where: str = "schema") -> DescribedSchema:
        """Read a description from the parsed content of a YAML file.

        :param where: what to call it in errors, such as its path.
        :raises InvalidValueError: with everything that is wrong.
        """
        if not isinstance(fields, Mapping):
            told = f"must be a mapping with labels and attributes, not {type(fields).__name__}"
            raise InvalidValueError(where, [told])
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            raise InvalidValueError(where, describe(error)) from None

    def to_yaml(self) -> str:
        """Return the description as text that :meth:`from_yaml` reads."""
        fields = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        text: str = yaml.safe_dump(_shortened(fields), sort_keys=False, allow_unicode=True)
        return text


def _shortened(value: Any) -> Any:
    """Replace each object that has only a name by that name."""
    if isinstance(value, dict):
        return value["name"] if value.keys() == {"name"} else {k: _shortened(v) for k, v in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    if repeated := twice(names):
        raise ValueError(f"{what} given twice: {', '.join(map(repr, repeated))}")


@dataclass(frozen=True, slots=True)
class NewOption:
    """An option to add.

    :param attribute: name of the attribute.
    :param path: names from the first level of the tree down to this option; one name without a tree.
    """

    attribute: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What to create, in this order, so that the project has everything described.

    :param labels: labels to create.
    :param attributes: attributes to create, with all of their options.
    :param options: options to add to existing attributes.
    :param differing: what exists and differs from the description; it stays as it is.
    :param beyond: names of what the project has but the description lacks; it stays.
    """

    labels: list[DescribedLabel] = field(default_factory=list)
    attributes: list[DescribedAttribute] = field(default_factory=list)
    options: list[NewOption] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to create."""
        return not (self.labels or self.attributes or self.options)

    def made_lines(self) -> list[str]:
        """Return one line for each thing to create."""
        made = [f"+ label {label.name}" for label in self.labels]
        made += [f"+ {each.in_words()}" for each in self.attributes]
        return [
            *made,
            *(f"+ option {' / '.join(each.path)} of attribute {each.attribute}" for each in self.options),
        ]

    def lines(self) -> list[str]:
        """Return one line for each thing to create, and for each that differs or is not described."""
        made = self.made_lines()
        if len(self.attributes) > GROUPS_A_DAY:
            left = f"the other {len(self.attributes) - GROUPS_A_DAY}"
            made.append(
                f"! Diffgram takes {GROUPS_A_DAY} new attributes a day: apply again tomorrow for {left}"
            )
        return [
            *made,
            *(f"~ {each}: stays as it is" for each in self.differing),
            *(f"  {each} is not described: stays" for each in self.beyond),
        ]


def missing(
    described: DescribedSchema, labels: Sequence[Label], attributes: Sequence[AttributeGroup]
) -> Missing:
    """Return what of a description a project lacks.

    :param labels: existing labels of the schema.
    :param attributes: existing attributes of the schema.
    :raises InvalidValueError: if an attribute is described for a label that is neither described nor
        existing, so that nobody would be asked.
    """
    found = Missing()
    names = {label.name for label in labels}
    known = names | {label.name for label in described.labels}
    unknown = [
        f"attribute {attribute.name!r}: label {name!r} is neither in this description nor in the project"
        f"{did_you_mean(name, known)}"
        for attribute in described.attributes
        for name in attribute.labels or ()
        if name not in known
    ]
    if unknown:
        raise InvalidValueError("schema", unknown)
    found.differing.extend(_other_colours(described.labels, labels))
    found.labels.extend(label for label in described.labels if label.name not in names)
    by_name = {group.name: group for group in attributes if group.name}
    for attribute in described.attributes:
        group = by_name.get(attribute.name)
        if group is None:
            found.attributes.append(attribute)
            continue
        if group.kind != attribute.kind:
            told = f"attribute {attribute.name} is a {group.kind}, and described as a {attribute.kind}"
            found.differing.append(told)
            continue
        if attribute.prompt is not None and group.prompt != attribute.prompt:
            found.differing.append(f"attribute {attribute.name} asks {group.prompt!r}")
        found.differing.extend(_other_range(attribute, group))
        found.differing.extend(_other_labels(attribute, group, labels, known))
        there = set(paths_of(group))
        wanted = paths(attribute.options)
        found.options.extend(NewOption(attribute.name, path) for path in wanted if path not in there)
    described_labels = {label.name for label in described.labels}
    described_attributes = {attribute.name for attribute in described.attributes}
    found.beyond.extend(f"label {name}" for name in sorted(names - described_labels))
    found.beyond.extend(f"attribute {name}" for name in sorted(by_name.keys() - described_attributes))
    return found


def _other_colours(described: Sequence[DescribedLabel], labels: Sequence[Label]) -> list[str]:
    colours = {label.name: label.colour for label in labels if label.colour is not None}
    return [
        f"label {each.name} is {colours[each.name]}, and described as {each.colour}"
        for each in described
        if each.colour is not None and colours.get(each.name, each.colour).lower() != each.colour.lower()
    ]


def _other_range(attribute: DescribedAttribute, group: AttributeGroup) -> list[str]:
    wanted = (attribute.min_value, attribute.max_value)
    there = (group.min_value, group.max_value)
    if all(want in (None, has) for want, has in zip(wanted, there, strict=True)):
        return []
    return [f"attribute {attribute.name} goes from {there[0]} to {there[1]}"]


def _other_labels(
    attribute: DescribedAttribute, group: AttributeGroup, labels: Sequence[Label], known: set[str]
) -> list[str]:
    """Return how the labels of an attribute differ from the description, if the server returns them."""
    if group.label_file_ids is None or attribute.about != "instance" or group.is_global:
        return []
    asked = {label.name for label in labels if label.id in group.label_file_ids}
    wanted = known if attribute.labels is None else set(attribute.labels)
    told = []
    if wanted - asked:
        told.append(f"attribute {attribute.name} is not asked of {_some_labels(wanted - asked)}")
    if asked - wanted:
        told.append(f"attribute {attribute.name} is also asked of {_some_labels(asked - wanted)}")
    return told


def _some_labels(names: set[str]) -> str:
    return f"{count_of(len(names), 'label')}: {first_of(sorted(names), _MOST_NAMES)}"


def description_of(
    schema_name: str, labels: Sequence[Label], attributes: Sequence[AttributeGroup]
) -> DescribedSchema:
    """Return the description of an existing schema."""
    return DescribedSchema(
        schema_name=schema_name,
        labels=[
            DescribedLabel(
                name=each.name, colour=each.colour if _COLOUR.fullmatch(each.colour or "") else None
            )
            for each in labels
        ],
        attributes=[_described(group, labels) for group in attributes if group.name and group.kind],
    )


def _described(group: AttributeGroup, labels: Sequence[Label]) -> DescribedAttribute:
    about = "instance" if not group.is_global else (group.global_type or "file")
    asked = None
    if group.label_file_ids is not None and about == "instance":
        named = [label.name for label in labels if label.id in group.label_file_ids]
        asked = named if len(named) < len(labels) else None
    return DescribedAttribute.model_validate(
        {
            "name": group.name,
            "prompt": None if group.prompt == group.name else group.prompt,
            "kind": group.kind,
            "options": _below(group, None),
            "about": about,
            "labels": asked,
            "min_value": group.min_value,
            "max_value": group.max_value,
        }
    )


def _below(group: AttributeGroup, parent_id: int | None) -> list[dict[str, Any]]:
    options = [each for each in group.options if each.parent_id == parent_id and not each.archived]
    return [{"name": each.name, "options": _below(group, each.id)} for each in options if each.name]


def paths(options: Sequence[DescribedOption], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the path of each option, parents first."""
    found = []
    for option in options:
        path = (*above, option.name)
        found += [path, *paths(option.options, path)]
    return found


def paths_of(group: AttributeGroup) -> dict[tuple[str, ...], int]:
    """Return path -> id of the existing options."""

    def walk(parent_id: int | None, above: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], int]]:
        for option in group.options:
            if option.parent_id == parent_id and option.name and not option.archived:
                path = (*above, option.name)
                yield path, option.id
                yield from walk(option.id, path)

    return dict(walk(None, ()))
