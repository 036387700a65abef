"""Label names to ids, attributes checked: everything about instances that only the live project knows."""

from __future__ import annotations

from collections.abc import Iterable

from ..client import DiffgramClient, routes
from ..models import AttributeGroup, Global, Instance, InvalidValueError, Relation
from .attributes import attribute_problems
from .lookup import find_schema


class Labels:
    """The labels and attributes of one schema.

    Unknown names and ids are gathered by :meth:`note` and told by :meth:`problems`, all at once; so is a
    schema that does not exist.

    :param client: of the project.
    :param label_schema: name or id; the default schema when None.
    """

    def __init__(self, client: DiffgramClient, label_schema: str | int | None) -> None:
        self._client = client
        self._attributes: dict[str, AttributeGroup] | None = None
        self._unknown_names: set[str] = set()
        self._unknown_ids: set[int] = set()
        self._schema_problems: list[str] = []
        try:
            schema = find_schema(client, label_schema)
        except InvalidValueError as error:
            self._schema_problems = [f"{error.what}: {problem}" for problem in error.problems]
            return
        self._schema_name = schema.name
        listed = client.send(routes.list_labels(client.project, schema.id))
        # Names are not unique (wire contract 2.1); the server itself prefers the newest of a name.
        self.ids = {label.name: label.id for label in sorted(listed.labels, key=lambda label: label.id)}
        self._project_ids = listed.project_ids | {label.id for label in listed.labels}

    def note(self, instances: Iterable[Instance]) -> list[str]:
        """Take note of the labels of ``instances``; return the problems of their attributes."""
        if self._schema_problems:
            return []
        problems = []
        for instance in instances:
            if not isinstance(instance, Global | Relation) or instance.label is not None:
                self._note_label(instance)
            if instance.attribute_groups:
                problems += attribute_problems(self._groups(), instance.attribute_groups)
        return problems

    def _note_label(self, instance: Instance) -> None:
        if instance.label is not None and instance.label not in self.ids:
            self._unknown_names.add(instance.label)
        if instance.label_file_id is not None and instance.label_file_id not in self._project_ids:
            self._unknown_ids.add(instance.label_file_id)

    def problems(self) -> list[str]:
        """Return one line with all unknown names and one with all unknown ids."""
        problems = list(self._schema_problems)
        if self._unknown_names:
            unknown = ", ".join(map(repr, sorted(self._unknown_names)))
            known = ", ".join(map(repr, sorted(self.ids))) or "none"
            problems.append(
                f"label(s) {unknown} not in schema {self._schema_name!r}, which has: {known}. "
                "Create them in Diffgram, or set label_schema"
            )
        if self._unknown_ids:
            ids = ", ".join(map(str, sorted(self._unknown_ids)))
            problems.append(f"label_file_id {ids}: no such label in project {self._client.project!r}")
        return problems

    def id_of(self, instance: Instance) -> int | None:
        """Return the ``label_file_id`` to send."""
        return self.ids[instance.label] if instance.label is not None else instance.label_file_id

    def _groups(self) -> dict[str, AttributeGroup]:
        if self._attributes is None:
            groups = self._client.send(routes.list_attributes(self._client.project))
            self._attributes = {str(group.id): group for group in groups}
        return self._attributes
