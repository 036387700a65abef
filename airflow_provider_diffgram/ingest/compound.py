"""Compound files: a parent, found again or created, and its children."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from ..client import DiffgramClient, OutcomeUnknownError, RefusedError, routes
from ..models import Child, CompoundFile, File, Handle, InvalidValueError
from .files import files_named
from .labels import Labels
from .lookup import find_dataset
from .options import Sending
from .prepare import Candidate, validated
from .push import push
from .wire import instances_on_wire

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parent:
    """A compound file that is there now.

    :param created: whether this call made it.
    """

    file_id: int
    name: str
    directory_id: int
    created: bool


def create_compound_file(
    client: DiffgramClient,
    compound: CompoundFile,
    *,
    dataset: str | int | None,
    label_schema: str | int | None = None,
    if_exists: str = "reuse",
) -> Parent:
    """Create a compound file, or find the one of that name.

    A lost answer, and a refusal after the parent was made all the same (quirk 20), end in a look-up.

    :param if_exists: ``reuse`` or ``fail``.
    :raises InvalidValueError: if something is known to be wrong before sending.
    :raises RefusedError: if the server refuses it, or stores fewer instances than sent.
    """
    if if_exists not in ("reuse", "fail"):
        raise InvalidValueError("if_exists", [f"must be 'reuse' or 'fail', not {if_exists!r}"])
    directory_id = find_dataset(client, dataset).id
    found = _find(client, directory_id, compound.name)
    if found is not None:
        if if_exists == "fail":
            raise InvalidValueError(
                f"compound file {compound.name!r}", [f"is in the dataset already, as file {found.id}"]
            )
        if compound.instance_list and found.count_instances_changed is None:
            raise _lacks_instances(compound, found, len(compound.instance_list))
        return Parent(found.id, compound.name, directory_id, created=False)
    instances = _instances(client, compound, label_schema)
    request = routes.create_compound(client.project, directory_id, compound.name, compound.type, instances)
    try:
        file = client.send(request)
    except (OutcomeUnknownError, RefusedError) as error:
        made = _find(client, directory_id, compound.name)
        if made is None:
            raise
        _log.warning("%s; file %s has the name now", error, made.id)
        file = made
    if (file.count_instances_changed or 0) < len(instances):
        raise _lacks_instances(compound, file, len(instances))
    return Parent(_oldest(client, directory_id, file), compound.name, directory_id, created=True)


def _lacks_instances(compound: CompoundFile, file: File, expected: int) -> RefusedError:
    return RefusedError(
        f"compound file {compound.name!r} is there as file {file.id}, but holds "
        f"{file.count_instances_changed or 0} of {expected} instances, and no update can add any. "
        "Archive it in Diffgram and retry"
    )


def _find(client: DiffgramClient, directory_id: int, name: str) -> File | None:
    """Return the living compound file of that name.

    :raises InvalidValueError: if the name belongs to a file that is no compound.
    """
    named = files_named(client, directory_id, name)
    compounds = [file for file in named if (file.type or "").startswith("compound")]
    if named and not compounds:
        raise InvalidValueError(
            f"compound file {name!r}", [f"the name belongs to file {named[0].id} of type {named[0].type}"]
        )
    return compounds[0] if compounds else None


def _instances(
    client: DiffgramClient, compound: CompoundFile, label_schema: str | int | None
) -> list[dict[str, Any]]:
    if not compound.instance_list:
        return []
    labels = Labels(client, label_schema)
    problems = [*labels.note(compound.instance_list), *labels.problems()]
    if problems:
        raise InvalidValueError(f"compound file {compound.name!r}", problems)
    return instances_on_wire(compound.instance_list, labels, compound.name)


def _oldest(client: DiffgramClient, directory_id: int, file: File) -> int:
    """Return the file to use; archive ours if another of the name was created at once (quirk 55)."""
    named = files_named(client, directory_id, file.original_filename or "")
    oldest = min([each.id for each in named] or [file.id])
    if oldest < file.id and file.input is not None and file.input.id is not None:
        _log.warning("compound file %r was created twice; archiving %s", file.original_filename, file.id)
        client.send(routes.update_inputs(client.project, [file.input.id], "ARCHIVE"))
    return oldest


class ChildPackets:
    """Children as packets of their parent; iterated as often as wanted.

    :param children: children, mappings of their fields, or what is wrong with one; iterated each time.
    """

    def __init__(
        self, children: Iterable[Child | Mapping[str, Any] | list[str]], parent_file_id: int
    ) -> None:
        self._children = children
        self._parent_file_id = parent_file_id

    def __iter__(self) -> Iterator[Candidate]:
        """Yield a packet for each child, or what is wrong with the child."""
        ordinals: dict[int, int] = {}
        for number, child in enumerate(validated(Child, self._children, "child")):
            if isinstance(child, list):
                yield child
            elif ordinals.setdefault(child.ordinal, number) != number:
                yield [f"child {number}: ordinal {child.ordinal} is that of child {ordinals[child.ordinal]}"]
            else:
                yield child.to_packet(self._parent_file_id)


def upload_children(
    client: DiffgramClient,
    parent_file_id: int,
    children: Iterable[Child | Mapping[str, Any] | list[str]],
    **options: Unpack[Sending],
) -> Handle:
    """Send the children of a compound file that are not there yet.

    :param children: those of one compound file.
    :param options: as of :func:`~.push.push`.
    :raises InvalidValueError: with all problems; nothing was sent.
    :raises PushError: if some children did not arrive.
    """
    return push(client, ChildPackets(list(children), parent_file_id), **options)
