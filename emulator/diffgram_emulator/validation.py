"""The server's generic validator: all errors of a request in one object (server.md 1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from .errors import DatabaseRefused, bad_request

INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Field:
    """One declared key of a request body.

    :param kind: ``int``, ``str``, ``list`` and ``date`` are checked; any other kind is not, as on the server.
    :param empty: whether an empty list is accepted.
    """

    name: str
    kind: str = "any"
    required: bool = False
    default: Any = None
    empty: bool = False
    choices: Sequence[str] | None = None


def is_int(value: Any) -> bool:
    """Tell whether the validator takes the value for an integer; ``True`` counts as 1."""
    return isinstance(value, int)


def _error(field: Field, value: Any) -> tuple[str, str] | None:
    """Return key and text of the field's error, or None."""
    name = field.name
    if field.kind == "int" and not is_int(value):
        return name, "Must be an int"
    if field.kind == "str":
        if not isinstance(value, str):
            return name, "Must be string"
        if not value:
            return name, f"String {name} must not be of length zero."
    if field.kind == "list":
        if not isinstance(value, list):
            return name, "Must be a list"
        if not value and not field.empty:
            return name, "List must not be empty"
    if field.kind == "date" and not _is_date(value):
        return name, "Incorrect data format, should be YYYY-MM-DD"
    if field.choices is not None and value not in field.choices:
        return "valid_values_list", f"{value} not in {list(field.choices)}"
    return None


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def check(fields: Sequence[Field], body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the declared values of a body and all its errors."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields:
        value = body.get(field.name)
        if value is None:
            value = field.default
        values[field.name] = value
        if value is None:
            if field.required:
                errors[field.name] = f"Missing {field.name}"
            continue
        found = _error(field, value)
        if found is not None:
            errors[found[0]] = found[1]
        elif field.kind == "int":
            values[field.name] = int(value)
    return values, errors


def validated(fields: Sequence[Field], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared values of a body.

    :raises Refusal: 400 with every error of the body.
    """
    values, errors = check(fields, body)
    if errors:
        raise bad_request(errors)
    return values


def database_id(value: Any) -> int:
    """Return an id as the database reads it: numbers and texts of numbers.

    :raises DatabaseRefused: for anything else, such as the text ``None``.
    """
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        number = int(value)
    elif isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        number = int(value.strip())
    else:
        raise DatabaseRefused(f"no integer: {value!r}")
    if abs(number) > INT32_MAX:
        raise DatabaseRefused("integer out of range")
    return number
