"""Finds repeated values, and repeated keys of JSON and YAML.

Parsers keep only the last value of a repeated key, so the first would be silently lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

Value = TypeVar("Value", bound=Hashable)


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def twice(values: Iterable[Value]) -> list[Value]:
    """Return the repeated values, each once."""
    return [value for value, times in Counter(values).items() if times > 1]


def json_without_repeats(text: str | bytes) -> Any:
    """Return the same as :func:`json.loads`, but refuse repeated keys.

    :raises RepeatedKeyError: if an object has a key twice.
    :raises ValueError: if it is not JSON.
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        first = twice(key for key, _ in pairs)[0]
        raise RepeatedKeyError(f"the key {first!r} is there twice in one object")
    return found


def yaml_keys_twice(text: str) -> list[str]:
    """Return the repeated keys of the mappings in a YAML text, with their lines.

    :raises yaml.YAMLError: if it is not YAML.
    """
    import yaml

    nodes, met, told = [yaml.compose(text, yaml.SafeLoader)], set(), []
    while nodes:
        node = nodes.pop()
        if node is None or id(node) in met:  # an alias is the node that it names
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += reversed(node.value)
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                nodes += [value, key]
                if isinstance(key, yaml.ScalarNode):
                    line = key.start_mark.line + 1
                    if key.value in lines:
                        told.append((line, f"line {line}: {key.value!r} is given twice"))
                    lines[key.value] = line
    return [problem for _, problem in sorted(told)]
