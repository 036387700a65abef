"""JSON and YAML in which no object has a key twice.

Parsers keep the last of two values, so the first would be lost without a word.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


class RepeatedKeyError(ValueError):
    """An object has a key twice."""


def json_without_repeats(text: str | bytes) -> Any:
    """Return what :func:`json.loads` returns.

    :raises RepeatedKeyError: if an object has a key twice.
    :raises ValueError: if it is not JSON.
    """
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        raise RepeatedKeyError(f"the key {twice[0]!r} is there twice in one object")
    return found


def yaml_keys_twice(text: str) -> list[str]:
    """Return which keys of the mappings in a YAML text are there twice, with their lines.

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
