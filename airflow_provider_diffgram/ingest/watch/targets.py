"""What to wait for: handles, batches, inputs, or a compound file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ...client import DiffgramError, RefusedError, ServerFaultError, routes
from ...client.request import Steps, ask_together
from ...models import Handle, InvalidValueError, SentBatch
from ...models.problems import describe


@dataclass(frozen=True, slots=True)
class Target:
    """What a task should wait for: exactly one kind.

    :param handle: an operator's result, a list of results from mapped tasks, or either as JSON.
    :param batch_ids: ids of input batches.
    :param input_ids: ids of inputs.
    :param parent_file_id: file id of a compound file.
    :param expected_count: number of its children.
    """

    handle: Any = None
    batch_ids: Any = None
    input_ids: Any = None
    parent_file_id: Any = None
    expected_count: Any = None

    def check(self) -> None:
        """Raise InvalidValueError unless exactly one kind is given, with the values that it needs."""
        kinds = ("handle", "batch_ids", "input_ids", "parent_file_id")
        named = [kind for kind in kinds if getattr(self, kind) is not None]
        problems = []
        if len(named) != 1:
            problems.append(f"give exactly one of {', '.join(kinds)}, not {', '.join(named) or 'none'}")
        if (self.parent_file_id is not None) != (self.expected_count is not None):
            problems.append("parent_file_id and expected_count, the number of its children, go together")
        if problems:
            raise InvalidValueError("target", problems)

    def handles(self, project: str) -> Steps[list[Handle]]:
        """Return the handles.

        :raises InvalidValueError: if the value is invalid or names an input that does not exist.
        """
        if self.handle is not None:
            return handles_of(self.handle)
        if self.batch_ids is not None:
            return [handle_of_batches(project, self.batch_ids)]
        if self.input_ids is not None:
            return [(yield from handle_of_inputs(project, self.input_ids))]
        return [handle_of_children(project, self.parent_file_id, self.expected_count)]


def handles_of(value: Any) -> list[Handle]:
    """Return the handles in an operator's result, a list of results from mapped tasks, or JSON of either."""
    given = _from_text(value, "handle") if isinstance(value, str) else value
    handles = [given] if isinstance(given, Mapping) else list(given or [])
    try:
        parsed = [Handle.model_validate(handle) for handle in handles]
    except ValidationError as error:
        raise InvalidValueError("handle", describe(error)) from None
    if not parsed:
        raise InvalidValueError("handle", ["none given: pass what a Diffgram operator returned"])
    return parsed


def handle_of_batches(project: str, batch_ids: Any) -> Handle:
    """Return a handle for all root inputs of batches, each with at least one input."""
    ids = _ids("batch_ids", batch_ids)
    batches = [SentBatch(id=each, inputs=None) for each in ids]
    return Handle(project=project, directory_id=None, batches=batches)


def handle_of_children(project: str, parent_file_id: Any, expected_count: Any) -> Handle:
    """Return a handle for a number of children of a compound file."""
    (parent,) = _ids("parent_file_id", [parent_file_id])
    (count,) = _ids("expected_count", [expected_count])
    sent = SentBatch(id=None, inputs=count, parent_file_id=parent)
    return Handle(project=project, directory_id=None, batches=[sent], expected=count)


def handle_of_inputs(project: str, input_ids: Any) -> Steps[Handle]:
    """Return a handle for inputs. Each is looked up once; later, it is listed with its batch.

    :raises InvalidValueError: if one of them does not exist.
    """
    ids = _ids("input_ids", input_ids)
    try:
        rows = yield from ask_together(routes.view_row(project, each) for each in ids)
    except (ServerFaultError, RefusedError) as error:
        if not _is_no_such_id(error):
            raise
        raise InvalidValueError("input_ids", [f"no such input in project {project!r}: {error}"]) from error
    by_place: dict[tuple[int | None, int | None], list[int]] = defaultdict(list)
    for row in rows:
        by_place[row.batch_id, row.parent_file_id if row.batch_id is not None else None].append(row.id)
    batches = [
        SentBatch(id=batch_id, inputs=len(only), parent_file_id=parent, only=sorted(only))
        for (batch_id, parent), only in by_place.items()
    ]
    return Handle(project=project, directory_id=None, batches=batches, expected=len(ids))


def _is_no_such_id(error: DiffgramError) -> bool:
    """Whether an error means an unknown id: 500, or 400 for another project's input (server.md 2.11)."""
    return isinstance(error, ServerFaultError) or "project_id" in error.fields


def _ids(name: str, value: Any) -> list[int]:
    found = ids_of(name, value)
    if not found:
        raise InvalidValueError(name, ["none given"])
    return found


def ids_of(name: str, value: Any) -> list[int]:
    """Return distinct ids from a task's parameter: one id, a list, or JSON of either.

    :param name: name of the parameter.
    :raises InvalidValueError: if it is anything else.
    """
    given = _from_text(value, name) if isinstance(value, str) else value
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, Mapping) else [given]
    problems = [f"must be whole numbers above 0, not {each!r}" for each in listed if not _is_id(each)]
    if problems:
        raise InvalidValueError(name, problems)
    return list(dict.fromkeys(int(each) for each in listed))


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().isdecimal() and int(value) > 0
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _from_text(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise InvalidValueError(
            name,
            [f"not JSON: {text[:60]!r}; pass the operator's .output, or add | tojson to the template"],
        ) from None
