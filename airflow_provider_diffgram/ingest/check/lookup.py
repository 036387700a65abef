"""Finds things by name or id: datasets, label schemas, connections, options of attributes.

A text is a name; if nothing has that name, a text of digits is an id. A number is an id. But a template that
is rendered to native objects turns a name such as ``20261126`` into a number, which then looks like an id. So
a number that is the name of one thing and the id of another is refused. If a name was taken for an id or the
reverse, or a text of digits could be both, the log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from ...client import DiffgramClient, routes
from ...models import Dataset, InvalidValueError, LabelSchema
from ...models.problems import did_you_mean, first_of

_log = logging.getLogger(__name__)

_NAMED = 20

T = TypeVar("T")
N = TypeVar("N", Dataset, LabelSchema)


def choose(
    wanted: str | int, by_name: T | None, by_id: T | None, name_of: Callable[[T], str | None]
) -> T | None:
    """Return the thing that a name or an id means; None if there is none.

    :param wanted: the name or the id.
    :param by_name: the thing whose name it is, as a text.
    :param by_id: the thing whose id it is.
    :raises ValueError: if it is a number and could mean both.
    """
    if isinstance(wanted, str):
        return by_id if by_name is None else by_name
    if by_name is None or by_id is None or by_name is by_id:
        return by_name if by_id is None else by_id
    raise ValueError(
        f"{wanted} is the id of {name_of(by_id)!r} and the name of another. For the first, give its name, "
        f"{name_of(by_id)!r}; for the other, give {str(wanted)!r} as a text"
    )


def find_dataset(client: DiffgramClient, dataset: str | int | None) -> Dataset:
    """Return the dataset with that name or id.

    :param dataset: exact name, or id; a text of digits is taken for an id if no dataset has that name.
    :raises InvalidValueError: if it is neither, if no dataset has it, or if it could mean two; the message
        lists the existing datasets.
    """
    if dataset is None or dataset == "":
        raise InvalidValueError(
            "dataset", ["none given: set dataset on the task, or a default dataset in the connection"]
        )
    _check_kind("dataset", dataset)
    alike = client.send(routes.list_datasets(client.project, str(dataset)))
    named = [each for each in alike if each.nickname == str(dataset)]
    if named and isinstance(dataset, str) and not dataset.isdecimal():
        return _oldest(named)
    every = client.send(routes.list_datasets(client.project))
    found = _pick("dataset", [*named, *every], dataset, lambda each: each.nickname)
    if found is None:
        raise InvalidValueError(
            f"dataset {dataset!r}",
            [_unknown(client.project, dataset, [str(each.nickname) for each in every])],
        )
    return found


def find_schema(client: DiffgramClient, label_schema: str | int | None) -> LabelSchema:
    """Return the label schema with that name or id, or the project's default one.

    :raises InvalidValueError: if it is neither, if no schema has it, or if it could mean two.
    """
    schemas = [each for each in client.send(routes.list_schemas(client.project)) if not each.archived]
    if label_schema is None or label_schema == "":
        found = next((each for each in schemas if each.is_default), None)
    else:
        _check_kind("label_schema", label_schema)
        found = _pick("label schema", schemas, label_schema, lambda each: each.name)
    if found is None:
        raise InvalidValueError(
            f"label schema {label_schema or '(default)'!r}",
            [_unknown(client.project, label_schema, [each.name for each in schemas])],
        )
    return found


def _check_kind(what: str, given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise InvalidValueError(what, [f"must be a name or an id, not {given!r}"])


def _pick(what: str, every: Sequence[N], wanted: str | int, name_of: Callable[[N], str | None]) -> N | None:
    named = [each for each in every if name_of(each) == str(wanted)]
    by_name = _oldest(named) if named else None
    by_id = next((each for each in every if str(each.id) == str(wanted)), None)
    try:
        found = choose(wanted, by_name, by_id, name_of)
    except ValueError as error:
        raise InvalidValueError(f"{what} {wanted!r}", [str(error)]) from error
    if found is not None and isinstance(wanted, str):
        if found is not by_name:
            _log.warning("%r is no name here, and taken for the id of %r", wanted, name_of(found))
        elif by_id is not None and by_id.id != found.id:
            _log.warning(
                "%r is a name here, and also the id of %r: the name counts, so it is %s %s",
                *(wanted, name_of(by_id), what, found.id),
            )
    if found is not None and isinstance(wanted, int) and found is not by_id:
        _log.warning("%s is the id of no %s here, and taken for the name of %s", wanted, what, found.id)
    return found


def _oldest(every: Sequence[N]) -> N:
    return min(every, key=lambda each: each.id)


def _unknown(project: str, wanted: str | int | None, names: list[str]) -> str:
    near = "" if wanted is None else did_you_mean(str(wanted), names)
    return f"not in project {project!r}{near}, which has: {first_of(sorted(names), _NAMED) or 'none'}"
