"""Brings attributes of predictions and of stored instances into one form, to compare them. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...drawing.likeness import Fields
from ...models import AttributeGroup


class AttributeReader:
    """Reads attributes by the project's schema.

    Options are compared by id, whatever their names, and in any order. Empty values count as missing.

    :param groups: attribute groups of the project.
    """

    def __init__(self, groups: Iterable[AttributeGroup]) -> None:
        self._by_id: dict[str, AttributeGroup] = {}
        self._by_name: dict[str, AttributeGroup] = {}
        for group in groups:
            self._by_id[str(group.id)] = group
            for name in (group.prompt, group.name):
                if name:
                    self._by_name[name] = group
        self._options = {
            group_id: {option.name: option.id for option in group.options if option.name is not None}
            for group_id, group in self._by_id.items()
        }

    def __call__(self, instance: Fields) -> Mapping[str, Any]:
        """Return id of the group -> value."""
        found: dict[str, Any] = {}
        named, by_id = instance.get("attributes"), instance.get("attribute_groups")
        for name, value in named.items() if isinstance(named, Mapping) else ():
            group = self._by_name.get(name)
            key = f"name {name}" if group is None else str(group.id)
            found[key] = self._read(group, value)
        for group_id, value in by_id.items() if isinstance(by_id, Mapping) else ():
            found[str(group_id)] = self._read(self._by_id.get(str(group_id)), value)
        return {key: value for key, value in found.items() if value not in (None, "", ())}

    def _read(self, group: AttributeGroup | None, value: Any) -> Any:
        kind = "" if group is None else group.kind or ""
        if value is None or group is None:
            return None if value is None else json.dumps(value, sort_keys=True)
        if kind in ("select", "radio"):
            return self._option(group, value)
        if kind in ("multiple_select", "tree"):
            return tuple(sorted({str(each) for each in self._options_in(group, value)}))
        if kind == "slider" and isinstance(value, int | float):
            return float(value)
        return str(value) if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True)

    def _options_in(self, group: AttributeGroup, value: Any) -> list[Any]:
        if isinstance(value, Mapping) and "id" not in value:
            chosen = [
                key for key, each in value.items() if not isinstance(each, Mapping) or each.get("selected")
            ]
            return [self._option(group, each) for each in chosen]
        return [self._option(group, each) for each in (value if isinstance(value, list) else [value])]

    def _option(self, group: AttributeGroup, value: Any) -> str:
        """Return the id of an option as text. If it is not an option, return it as it is."""
        if isinstance(value, Mapping):
            value = value.get("id")
        options = self._options[str(group.id)]
        return str(options.get(value, value) if isinstance(value, str) else value)
