"""Plans, applies and exports the label schema of a project. Nothing is ever removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ..client import DiffgramClient, DiffgramError, RateLimitedError, routes
from ..ingest.check.lookup import find_schema
from ..ingest.server.once import send_once
from ..models import Label, LabelSchema
from ..models.problems import count_of, first_of
from ..models.received import AttributeGroup
from .description import (
    GROUPS_A_DAY,
    DescribedAttribute,
    DescribedSchema,
    Missing,
    NewOption,
    description_of,
    missing,
    paths,
    paths_of,
)

T = TypeVar("T")

_LOOKS = (0.5, 1.0, 2.0)

_MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Applied:
    """What was created.

    :param schema_id: id of the label schema.
    :param made: one line for each thing; the line of an attribute includes its options.
    :param left: names of attributes that must wait until tomorrow because of the server's daily limit.
    """

    schema_id: int
    made: list[str]
    left: list[str]

    def left_in_words(self) -> str:
        """Return which attributes were not created, and why; empty if all were."""
        if not self.left:
            return ""
        them = f"{count_of(len(self.left), 'attribute')}: {first_of(self.left, _MOST_NAMES)}"
        return f"Diffgram takes {GROUPS_A_DAY} new attributes a day, and left {them}"


def plan_schema(client: DiffgramClient, described: DescribedSchema) -> Missing:
    """Return what is described but missing from the project; nothing is changed.

    :param client: connected to the project.
    :param described: labels and attributes as they should be.
    """
    schema = _found(client, described)
    if schema is None:
        return missing(described, [], [])
    return missing(described, *_read(client, schema))


def export_schema(client: DiffgramClient, label_schema: str | int | None = None) -> DescribedSchema:
    """Return the description of an existing schema.

    :param client: connected to the project.
    :param label_schema: name or id. None means the project's default schema.
    """
    schema = find_schema(client, label_schema)
    return description_of(schema.name, *_read(client, schema))


def apply_schema(client: DiffgramClient, described: DescribedSchema) -> Applied:
    """Create what is described but missing from the project. A second call creates nothing.

    If an interrupted attempt left an attribute without a name, it is used for the next one, because the
    server accepts ten new ones a day.

    :param client: connected to the project.
    :param described: labels and attributes as they should be.
    :raises InvalidValueError: if the description is wrong; nothing was created.
    :raises DiffgramError: if something cannot be created. The message says what was created before.
    """
    plan_schema(client, described)  # refuses errors before anything is created
    made: list[str] = []
    try:
        return _apply(client, described, made)
    except DiffgramError as error:
        if made:
            told = f"made until then: {first_of(made, _MOST_NAMES)}. Apply again to make the rest"
            error.args = (f"{error}\n{told}",)
        raise


def _apply(client: DiffgramClient, described: DescribedSchema, made: list[str]) -> Applied:
    """Create what is missing, and add a line for each thing to ``made``."""
    schema = _found(client, described)
    if schema is None:
        schema = _make_schema(client, described.schema_name or "")
        made.append(f"schema {schema.name}")
    lacking = missing(described, *_read(client, schema))
    for label in lacking.labels:
        _once(
            client,
            partial(client.send, routes.create_label(client.project, label.name, schema.id, label.colour)),
            partial(_label_named, client, schema, label.name),
        )
        made.append(f"label {label.name}")
    labels, groups = _read(client, schema)
    nameless = [group for group in groups if not group.name]
    left: list[str] = []
    for number, attribute in enumerate(lacking.attributes):
        try:
            group_id = nameless.pop().id if nameless else _make_group(client, schema, groups)
        except RateLimitedError:
            left = [each.name for each in lacking.attributes[number:]]
            break
        _describe_group(client, group_id, attribute, labels)
        made.append(attribute.in_words())
    fresh = {group.name: group for group in _read(client, schema)[1]}
    options = [
        NewOption(each.name, path)
        for each in described.attributes
        if each.name in fresh and fresh[each.name].kind == each.kind
        for path in paths(each.options)
        if path not in paths_of(fresh[each.name])
    ]
    is_new = {each.name for each in lacking.attributes}
    for option in options:
        _make_option(client, schema, fresh[option.attribute].id, option)
        if option.attribute not in is_new:
            made.append(f"option {' / '.join(option.path)} of attribute {option.attribute}")
    return Applied(schema.id, made, left)


def _found(client: DiffgramClient, described: DescribedSchema) -> LabelSchema | None:
    if described.schema_name is None:
        return find_schema(client, None)
    schemas = client.send(routes.list_schemas(client.project))
    named = [each for each in schemas if each.name == described.schema_name and not each.archived]
    return min(named, key=lambda each: each.id, default=None)


def _make_schema(client: DiffgramClient, name: str) -> LabelSchema:
    return _once(
        client,
        partial(client.send, routes.create_schema(client.project, name)),
        partial(_found, client, DescribedSchema(schema_name=name)),
    )


def _read(client: DiffgramClient, schema: LabelSchema) -> tuple[list[Label], list[AttributeGroup]]:
    labels = client.send(routes.list_labels(client.project, schema.id)).labels
    return labels, client.send(routes.list_attributes(client.project, schema.id, with_labels=True))


def _label_named(client: DiffgramClient, schema: LabelSchema, name: str) -> Label | None:
    return next((label for label in _read(client, schema)[0] if label.name == name), None)


def _make_group(client: DiffgramClient, schema: LabelSchema, before: Sequence[AttributeGroup]) -> int:
    ids = {group.id for group in before}

    def look() -> AttributeGroup | None:
        groups = client.send(routes.list_attributes(client.project, schema.id))
        return next((group for group in groups if group.id not in ids and not group.name), None)

    return _once(
        client, partial(client.send, routes.create_attribute_group(client.project, schema.id)), look
    ).id


def _describe_group(
    client: DiffgramClient, group_id: int, attribute: DescribedAttribute, labels: Sequence[Label]
) -> None:
    wanted = None if attribute.labels is None else set(attribute.labels)
    client.send(
        routes.update_attribute_group(
            client.project,
            group_id,
            name=attribute.name,
            prompt=attribute.prompt or attribute.name,
            kind=attribute.kind,
            label_file_ids=[label.id for label in labels if wanted is None or label.name in wanted],
            is_global=attribute.about != "instance",
            global_type="compound_file" if attribute.about == "compound_file" else "file",
            min_value=attribute.min_value,
            max_value=attribute.max_value,
        )
    )


def _make_option(client: DiffgramClient, schema: LabelSchema, group_id: int, option: NewOption) -> None:
    def there() -> dict[tuple[str, ...], int]:
        groups = client.send(routes.list_attributes(client.project, schema.id))
        return paths_of(next(group for group in groups if group.id == group_id))

    above = option.path[:-1]
    parent_id = there()[above] if above else None
    request = routes.create_attribute_option(client.project, group_id, option.path[-1], parent_id)
    _once(client, partial(client.send, request), lambda: there().get(option.path))


def _once(client: DiffgramClient, send: Callable[[], T], look: Callable[[], T | None]) -> T:
    return send_once(client, send, look, looks=_LOOKS, patience=client.settings.retry_timeout)
