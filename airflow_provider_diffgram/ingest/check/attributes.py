"""Converts attribute values to the only form that the server understands for each kind (server.md 5.4).

A value in another form fails the row after everything is stored, or is stored where nobody sees it. An option
that does not exist loses all instances and costs the server a thread. So every value is checked and converted
before it is sent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from ...models import AttributeGroup, AttributeOption, Instance
from .lookup import choose

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")

_WORDS = frozenset({"name", "display_name"})


class Attributes:
    """The attributes of a project, and those of a label schema by name.

    :param project: all attribute groups of the project.
    :param schema: the attribute groups of the label schema.
    """

    def __init__(self, project: Iterable[AttributeGroup], schema: Iterable[AttributeGroup]) -> None:
        self._by_id = {str(group.id): group for group in project}
        named: dict[str, list[AttributeGroup]] = defaultdict(list)
        prompted: dict[str, list[AttributeGroup]] = defaultdict(list)
        for group in schema:
            named[group.name or ""].append(group)
            prompted[group.prompt or ""].append(group)
        self._by_name = {**prompted, **named}
        self._by_name.pop("", None)

    @property
    def names(self) -> list[str]:
        """The names of the schema's attributes, in alphabetical order."""
        return sorted({group.name or group.prompt or "" for of in self._by_name.values() for group in of})

    def unknown(self, instance: Instance) -> set[str]:
        """Return the names in ``attributes`` that are missing from the schema."""
        return {name for name in instance.attributes or {} if name not in self._by_name}

    def problems(self, instance: Instance) -> list[str]:
        """Return what is wrong with the attributes of an instance, except unknown names."""
        problems = []
        seen: dict[str, str] = {}
        for name, value in (instance.attributes or {}).items():
            groups = self._by_name.get(name, [])
            twice = next((seen[str(group.id)] for group in groups if str(group.id) in seen), None)
            if twice is not None:
                problems.append(
                    f"attributes {twice!r} and {name!r} are the name and the prompt of one: give one"
                )
            seen |= {str(group.id): name for group in groups}
            if len(groups) > 1:
                ids = ", ".join(str(group.id) for group in groups)
                problems.append(
                    f"attribute {name!r} names several groups of the schema ({ids}): give the id of one in "
                    "attribute_groups"
                )
            elif groups and value is not None:
                problems += _problem(groups[0], value)
        for group_id, value in (instance.attribute_groups or {}).items():
            group = self._by_id.get(group_id)
            if group is None:
                problems.append(f"attribute group {group_id} does not exist in this project")
            elif group_id in seen:
                problems.append(f"attribute {_called(group)} is in attributes and in attribute_groups")
            else:
                problems += _problem(group, value)
        return problems

    def on_wire(self, instance: Instance) -> dict[str, Any]:
        """Return group id as text -> value; a null under a name is left out.

        :raises KeyError, ValueError: for what :meth:`unknown` and :meth:`problems` report.
        """
        named = {
            str(self._by_name[name][0].id): value_on_wire(self._by_name[name][0], value)
            for name, value in (instance.attributes or {}).items()
            if value is not None
        }
        by_id = {
            group_id: value_on_wire(self._by_id[group_id], value)
            for group_id, value in (instance.attribute_groups or {}).items()
        }
        return named | by_id


def value_on_wire(group: AttributeGroup, value: Any) -> Any:
    """Return a value in the form that the server needs for the group's kind.

    :param value: an option by name or id, a list of options, a text, a number or a date, depending on the
        kind; or the server's own form, which stays unchanged. An unknown kind accepts anything.
    :raises ValueError: if the kind does not accept it.
    """
    read = _READERS.get(group.kind or "")
    return read(group, value) if read else value


def identity_of_attributes(groups: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without the texts of their options, which people may change in Diffgram."""
    return {group_id: _without_words(value) for group_id, value in groups.items()}


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_words(item) for key, item in value.items() if key not in _WORDS}
    return [_without_words(item) for item in value] if isinstance(value, list) else value


def _problem(group: AttributeGroup, value: Any) -> list[str]:
    try:
        value_on_wire(group, value)
    except ValueError as error:
        return [f"attribute {_called(group)}: {error}"]
    return []


def _called(group: AttributeGroup) -> str:
    return f"{group.name or group.prompt!r} ({group.id}, {group.kind})"


def _option(group: AttributeGroup, wanted: Any) -> AttributeOption:
    """Return the option with that name, or with that id as a number or a text of digits."""
    _check_kind(wanted)
    named = [option for option in group.options if option.name == str(wanted) and not option.archived]
    by_id = _with_id(group, wanted)
    if len(named) > 1 and (by_id is None or isinstance(wanted, str)):
        ids = ", ".join(str(option.id) for option in named)
        raise ValueError(f"several options are named {wanted!r} ({ids}): give the id of one")
    by_name = by_id if by_id in named else next(iter(named), None)
    try:
        found = choose(wanted, by_name, by_id, lambda option: option.name)
    except ValueError as error:
        raise ValueError(f"option {error}") from error
    return _usable(group, wanted, found)


def _option_by_id(group: AttributeGroup, wanted: Any) -> AttributeOption:
    _check_kind(wanted)
    return _usable(group, wanted, _with_id(group, wanted))


def _check_kind(wanted: Any) -> None:
    if isinstance(wanted, bool) or not isinstance(wanted, str | int):
        raise ValueError(f"name an option by its name or id, not by {wanted!r}")


def _with_id(group: AttributeGroup, wanted: str | int) -> AttributeOption | None:
    return next((option for option in group.options if str(option.id) == str(wanted)), None)


def _usable(group: AttributeGroup, wanted: Any, found: AttributeOption | None) -> AttributeOption:
    if found is None:
        raise ValueError(f"option {wanted!r} does not exist; there are: {_known(group)}")
    if found.archived:
        raise ValueError(f"option {wanted!r} is archived: nobody would see it; there are: {_known(group)}")
    return found


def _known(group: AttributeGroup) -> str:
    return ", ".join(f"{each.id} ({each.name})" for each in group.options if not each.archived) or "none"


def _one_option(group: AttributeGroup, value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and "id" not in value:
        raise ValueError(f"must be an option, by name or id, not {value!r}")
    option = _option_by_id(group, value["id"]) if isinstance(value, dict) else _option(group, value)
    return {"id": option.id, "name": option.id, "display_name": option.name or str(option.id)}


def _several_options(group: AttributeGroup, value: Any) -> list[dict[str, Any]]:
    chosen = [_one_option(group, each) for each in (value if isinstance(value, list) else [value])]
    return list({each["id"]: each for each in chosen}.values())


def _tree(group: AttributeGroup, value: Any) -> dict[str, dict[str, Any]]:
    if isinstance(value, dict):
        wrong = [key for key, item in value.items() if not isinstance(item, dict) or "selected" not in item]
        if wrong:
            raise ValueError(f"must map options to objects with selected, not {value!r}")
        options = [(_option_by_id(group, key), item.get("selected")) for key, item in value.items()]
        chosen = [option for option, selected in options if selected]
    else:
        chosen = [_option(group, each) for each in (value if isinstance(value, list) else [value])]
    return {str(option.id): {"name": option.name or "", "selected": True} for option in chosen}


def _text(group: AttributeGroup, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be text, not {value!r}")
    return str(value)


def _slider(group: AttributeGroup, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"must be a whole number, not {value!r}")
    return int(value)


def _date(group: AttributeGroup, value: Any) -> str:
    try:
        if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise ValueError(f"must be YYYY-MM-DD, not {value!r}")


def _time(group: AttributeGroup, value: Any) -> str:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return value
    raise ValueError(f"must be HH:MM of 24 hours, without seconds, not {value!r}")


_READERS: dict[str, Callable[[AttributeGroup, Any], Any]] = {
    "select": _one_option,
    "radio": _one_option,
    "multiple_select": _several_options,
    "tree": _tree,
    "text": _text,
    "slider": _slider,
    "date": _date,
    "time": _time,
}
