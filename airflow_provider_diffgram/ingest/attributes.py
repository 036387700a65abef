"""Attribute values against the project's attribute groups (wire contract 5.4).

A value of the wrong shape fails the row after everything is stored; an option that does not exist loses
all instances and costs the server an ingest thread. So everything is checked before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ..models import AttributeGroup

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def attribute_problems(groups: Mapping[str, AttributeGroup], values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the attributes of one instance.

    :param groups: attribute group id as text -> group, as the server lists them.
    :param values: attribute group id as text -> value.
    """
    problems = []
    for group_id, value in values.items():
        group = groups.get(group_id)
        if group is None:
            problems.append(f"attribute group {group_id} does not exist in this project")
            continue
        check = _CHECKS.get(group.kind or "")
        problem = check(group, value) if check else None
        if problem:
            problems.append(f"attribute {group.name or group.prompt!r} ({group_id}, {group.kind}): {problem}")
    return problems


def _options(group: AttributeGroup) -> str:
    return ", ".join(f"{option.id} ({option.name})" for option in group.options) or "none"


def _has_option(group: AttributeGroup, option_id: Any) -> bool:
    return any(str(option.id) == str(option_id) for option in group.options)


def _one_option(group: AttributeGroup, value: Any) -> str | None:
    if not isinstance(value, dict) or isinstance(value.get("id"), bool) or "id" not in value:
        return f"must be an object with the id of an option, not {value!r}"
    if not _has_option(group, value["id"]):
        return f"option {value['id']!r} does not exist; there are: {_options(group)}"
    return None


def _several_options(group: AttributeGroup, value: Any) -> str | None:
    if not isinstance(value, list):
        return f"must be a list of objects with ids of options, not {value!r}"
    return next((problem for each in value if (problem := _one_option(group, each))), None)


def _tree(group: AttributeGroup, value: Any) -> str | None:
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        return f"must map ids of options to objects with selected and name, not {value!r}"
    unknown = [key for key in value if not _has_option(group, key)]
    return f"option(s) {', '.join(unknown)} do not exist; there are: {_options(group)}" if unknown else None


def _text(group: AttributeGroup, value: Any) -> str | None:
    return None if isinstance(value, str) else f"must be a text, not {value!r}"


def _slider(group: AttributeGroup, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"must be a whole number, not {value!r}"
    return None


def _date(group: AttributeGroup, value: Any) -> str | None:
    try:
        fine = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        fine = False
    return None if fine else f"must be YYYY-MM-DD, not {value!r}"


def _time(group: AttributeGroup, value: Any) -> str | None:
    fine = isinstance(value, str) and _TIME.fullmatch(value)
    return None if fine else f"must be HH:MM of 24 hours, without seconds, not {value!r}"


_CHECKS: dict[str, Callable[[AttributeGroup, Any], str | None]] = {
    "select": _one_option,
    "radio": _one_option,
    "multiple_select": _several_options,
    "tree": _tree,
    "text": _text,
    "slider": _slider,
    "date": _date,
    "time": _time,
}
