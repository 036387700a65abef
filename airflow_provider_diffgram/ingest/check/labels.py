"""Converts names of labels and attributes to ids, which only the live project knows."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal, get_args
from unicodedata import normalize

from ...client import DiffgramClient, routes
from ...models import Global, Instance, InvalidValueError, Relation
from ...models.problems import count_of, did_you_mean, first_of
from ..server.once import send_once
from .attributes import Attributes
from .lookup import find_schema

_log = logging.getLogger(__name__)

UnknownLabels = Literal["fail", "drop", "create"]
"""What to do with labels missing from the schema: fail the push, leave out their instances, or create
them."""

UNKNOWN_LABELS: tuple[str, ...] = get_args(UnknownLabels)

Ref = tuple[str, str | None]
"""The references of a model and its run."""

_MOST_NAMED = 20

_NOTED = 1000
"""Most unknown names that are remembered: a wrong field read as the label may give any number."""


class Labels:
    """The labels and attributes of one schema.

    :meth:`note` collects unknown names and ids, and :meth:`problems` reports all of them at once, or that the
    schema does not exist.

    :param label_schema: name or id of the schema; None means the default schema.
    :param unknown: what to do with labels missing from the schema.
    :param origin: model and run for predictions that name none.
    """

    def __init__(
        self,
        client: DiffgramClient,
        label_schema: str | int | None,
        unknown: UnknownLabels = "fail",
        origin: Ref | None = None,
    ) -> None:
        self._client = client
        self._unknown = unknown
        self._origin = origin
        self._attributes: Attributes | None = None
        self._unknown_names: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._told_left_out: Counter[str] = Counter()
        self._created = 0
        self._unknown_ids: set[int] = set()
        self._unknown_attributes: set[str] = set()
        self._schema_problems: list[str] = []
        self.ids: dict[str, int] = {}
        try:
            self._schema = find_schema(client, label_schema)
        except InvalidValueError as error:
            self._schema_problems = [f"{error.what}: {problem}" for problem in error.problems]
            return
        self._read()

    def _read(self) -> None:
        listed = self._client.send(routes.list_labels(self._client.project, self._schema.id))
        # Names are not unique (server.md 2.1); the server itself prefers the newest label of a name.
        self.ids = {label.name: label.id for label in sorted(listed.labels, key=lambda label: label.id)}
        self._project_ids = listed.project_ids | {label.id for label in listed.labels}

    @property
    def schema_problems(self) -> list[str]:
        """Why the schema was not found; empty if it was."""
        return list(self._schema_problems)

    @property
    def names(self) -> dict[int, str]:
        """``label_file_id`` -> name, for the labels of the schema."""
        return {label_file_id: name for name, label_file_id in self.ids.items()}

    def note(self, instances: Iterable[Instance]) -> list[str]:
        """Collect unknown labels and attribute names; return what else is wrong with ``instances``."""
        if self._schema_problems:
            return []
        problems = []
        for instance in instances:
            if self._label_problem(instance):
                self._note_label(instance)
            if instance.attributes or instance.attribute_groups:
                attributes = self._read_attributes()
                if len(self._unknown_attributes) < _NOTED:
                    self._unknown_attributes |= attributes.unknown(instance)
                problems += attributes.problems(instance)
        return problems

    def unknown_in(self, instances: Iterable[Instance]) -> list[str]:
        """Return the labels and attributes missing from the schema, so that a push would refuse them."""
        if self._schema_problems:
            return []
        told: dict[str, None] = {}
        for instance in instances:
            problem = self._label_problem(instance)
            if problem and (self._unknown == "fail" or instance.label is None):
                told[problem] = None
            elif problem and instance.label is not None:
                told |= dict.fromkeys(self._written_otherwise([instance.label]))
            if instance.attributes:
                names = sorted(self._read_attributes().unknown(instance))
                told |= {f"attribute {name!r} is not in the schema": None for name in names}
        return list(told)

    def _written_otherwise(self, names: Iterable[str]) -> list[str]:
        """Return which unknown labels are blank, or differ from others only by invisible characters."""
        written, told = {_as_seen(name): name for name in self.ids}, []
        for name in names:
            seen = _as_seen(name)
            other = written.setdefault(seen, name)
            if not seen:
                told.append(f"label {name!a} is blank: give the name of a label")
            elif other != name:
                told.append(
                    f"label {name!a} differs from {other!a} only by blanks or by how an accent is written: "
                    "write it the same way"
                )
        return told

    def _label_problem(self, instance: Instance) -> str | None:
        if isinstance(instance, Global | Relation) and instance.label is None:
            return None
        if instance.label is not None and instance.label not in self.ids:
            return f"label {instance.label!r} is not in the schema"
        if instance.label_file_id is not None and instance.label_file_id not in self._project_ids:
            return f"label_file_id {instance.label_file_id} is not in the project"
        return None

    def _note_label(self, instance: Instance) -> None:
        if instance.label_file_id is not None:
            if len(self._unknown_ids) < _NOTED:
                self._unknown_ids.add(instance.label_file_id)
        elif instance.label in self._unknown_names or len(self._unknown_names) < _NOTED:
            self._unknown_names[str(instance.label)] += 1

    def problems(self) -> list[str]:
        """Return one line each for all unknown label names, label ids and attribute names."""
        problems = [*self._schema_problems, *self._written_otherwise(sorted(self._unknown_names))]
        if self._unknown_names and self._unknown == "fail":
            names = [f"{name!r}{did_you_mean(name, self.ids)}" for name in sorted(self._unknown_names)]
            instances, labels = self._unknown_names.total(), len(names)
            problems.append(
                f"{count_of(instances, 'instance')}: {count_of(labels, 'label')} missing from schema "
                f"{self._schema.name!r}: {_cut(names)}. The schema has: {_listed(self.ids)}. "
                "Create them in Diffgram, set label_schema, or set unknown_labels to 'drop' or 'create'"
            )
        if self._created + len(self._unknown_names) >= _NOTED and self._unknown == "create":
            some = _listed(sorted(self._unknown_names)[:5])
            problems.append(
                f"{count_of(_NOTED, 'label')} or more would be created, such as {some}: is another field "
                "read as the label? If not, create them in Diffgram first"
            )
        if self._unknown_ids:
            ids = ", ".join(map(str, sorted(self._unknown_ids)))
            problems.append(f"label_file_id {ids}: no such label in project {self._client.project!r}")
        if self._unknown_attributes:
            problems.append(
                f"attributes {_listed(self._unknown_attributes)} not in schema {self._schema.name!r}, "
                f"which has: {_listed(self._read_attributes().names)}. Create them in Diffgram, or set "
                "label_schema"
            )
        return problems

    def settle_unknown(self) -> None:
        """Create the unknown labels that were collected, or log which instances are left out.

        Call it once everything else has been checked.

        :raises DiffgramError: if a label cannot be created.
        """
        noted, self._unknown_names = self._unknown_names, Counter()
        if noted and self._unknown == "drop":
            is_told = noted.keys() <= self._left_out.keys() or len(self._left_out) >= _NOTED
            self._left_out += noted
            if not is_told:
                self.tell_left_out()
        elif noted and self._unknown == "create":
            self._create(sorted(noted))
            self._created += len(noted)

    def tell_left_out(self) -> None:
        """Log how many instances of which label were left out so far, if that has changed."""
        if self._left_out != self._told_left_out:
            self._told_left_out = self._left_out.copy()
            _log.warning(
                "%s left out, since schema %r has no such label: %s",
                count_of(self._left_out.total(), "instance"),
                self._schema.name,
                ", ".join(f"{name!r} ({count})" for name, count in self._left_out.most_common()),
            )

    def _create(self, names: list[str]) -> None:
        """Create labels that are still missing: another task may have created some meanwhile."""
        self._read()
        for name in names:
            if name in self.ids:
                continue
            send_once(
                self._client,
                partial(self._create_one, name),
                partial(self._has, name),
                looks=[0.0],
                patience=0,
            )
            _log.info("created label %r in schema %r", name, self._schema.name)
        self._read()

    def _create_one(self, name: str) -> int:
        return self._client.send(routes.create_label(self._client.project, name, self._schema.id)).id

    def _has(self, name: str) -> int | None:
        self._read()
        return self.ids.get(name)

    def knows(self, instances: Iterable[Instance]) -> bool:
        """Whether all labels of the instances to send have an id, so that none must be created first."""
        return all(each.label is None or each.label in self.ids for each in instances if self.keeps(each))

    def keeps(self, instance: Instance) -> bool:
        """Whether to send an instance: those with unknown labels may be left out."""
        return instance.label is None or instance.label in self.ids or self._unknown != "drop"

    def id_of(self, instance: Instance) -> int | None:
        """Return the ``label_file_id`` to send."""
        return self.ids[instance.label] if instance.label is not None else instance.label_file_id

    def attributes_of(self, instance: Instance) -> dict[str, Any] | None:
        """Return the ``attribute_groups`` to send; None if the instance has none."""
        if instance.attributes is None and instance.attribute_groups is None:
            return None
        return self._read_attributes().on_wire(instance)

    @property
    def origin(self) -> Ref | None:
        """Model and run for predictions that name none."""
        return self._origin

    def origin_of(self, instance: Instance) -> dict[str, Any]:
        """Return the keys that name the origin of a prediction without a model; {} for anything else."""
        if self._origin is None or instance.model_ref is not None or not is_prediction(instance):
            return {}
        model, run = self._origin
        run_keys = {} if run is None else {"model_run_ref": run}
        return {"machine_made": True, "model_ref": model, **run_keys}

    def refs_of(self, instances: Iterable[Instance]) -> frozenset[Ref]:
        """Return the models and runs that the instances to send name or get by default."""
        refs: set[Ref] = set()
        for instance in filter(self.keeps, instances):
            if instance.model_ref is not None:
                refs.add((instance.model_ref, instance.model_run_ref))
            elif self._origin is not None and is_prediction(instance):
                refs.add(self._origin)
        return frozenset(refs)

    def _read_attributes(self) -> Attributes:
        if self._attributes is None:
            project = self._client.project
            every = self._client.send(routes.list_attributes(project))
            of_schema = self._client.send(routes.list_attributes(project, self._schema.id))
            self._attributes = Attributes(every, of_schema)
        return self._attributes


def _as_seen(name: str) -> str:
    return normalize("NFC", " ".join(name.split()))


def is_prediction(instance: Instance) -> bool:
    """Whether a machine made an instance; if it does not say, whether it has a score."""
    return instance.score is not None if instance.machine_made is None else instance.machine_made


def _listed(names: Iterable[str]) -> str:
    return _cut([repr(name) for name in sorted(names)])


def _cut(words: Sequence[str]) -> str:
    return first_of(words, _MOST_NAMED) or "none"
