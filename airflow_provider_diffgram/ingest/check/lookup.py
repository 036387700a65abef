"""Names of datasets and schemas to ids."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypeVar

from ...client import DiffgramClient, routes
from ...models import Dataset, InvalidValueError, LabelSchema

_log = logging.getLogger(__name__)

T = TypeVar("T", Dataset, LabelSchema)


def find_dataset(client: DiffgramClient, dataset: str | int | None) -> Dataset:
    """Return the dataset of that name or id.

    :param dataset: exact name, or id; a text of digits is taken for an id if no dataset has that name.
    :raises InvalidValueError: if it is neither, or there is none; the names there are stand in the message.
    """
    if dataset is None or dataset == "":
        raise InvalidValueError(
            "dataset", ["none given: set dataset on the task, or a default dataset in the connection"]
        )
    _check_kind("dataset", dataset)
    nickname = dataset if isinstance(dataset, str) else None
    alike = client.send(routes.list_datasets(client.project, nickname))
    found = _pick(alike, dataset)
    if found is not None:
        return found
    every = client.send(routes.list_datasets(client.project))
    found = _pick(every, dataset)
    if found is None:
        raise InvalidValueError(
            f"dataset {dataset!r}", [_unknown(client.project, [str(each.nickname) for each in every])]
        )
    return found


def find_schema(client: DiffgramClient, label_schema: str | int | None) -> LabelSchema:
    """Return the label schema of that name or id, or the project's default one.

    :raises InvalidValueError: if it is neither, or there is none.
    """
    schemas = [each for each in client.send(routes.list_schemas(client.project)) if not each.archived]
    if label_schema is None or label_schema == "":
        found = next((each for each in schemas if each.is_default), None)
    else:
        _check_kind("label_schema", label_schema)
        found = _pick(schemas, label_schema)
    if found is None:
        raise InvalidValueError(
            f"label schema {label_schema or '(default)'!r}",
            [_unknown(client.project, [each.name for each in schemas])],
        )
    return found


def _check_kind(what: str, given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise InvalidValueError(what, [f"must be a name or an id, not {given!r}"])


def _pick(every: Sequence[T], wanted: str | int) -> T | None:
    by_name = [each for each in every if _name(each) == wanted]
    if by_name:
        return min(by_name, key=lambda each: each.id)
    found = next((each for each in every if str(each.id) == str(wanted)), None)
    if found is not None and isinstance(wanted, str):
        _log.warning("%r is no name here, and taken for the id of %r", wanted, _name(found))
    return found


def _name(each: Dataset | LabelSchema) -> str | None:
    return each.nickname if isinstance(each, Dataset) else each.name


def _unknown(project: str, names: list[str]) -> str:
    return f"not in project {project!r}, which has: {', '.join(sorted(names)) or 'none'}"
