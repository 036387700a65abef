"""Sends compound files: finds or creates the parent, and sends its children in order."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Unpack

from ...client import DiffgramClient, RefusedError, routes
from ...models import Child, CompoundFile, File, Handle, InvalidValueError, Packet
from ...models.problems import not_one_of
from ..check.check import Candidate, Preparation, Target, validated
from ..check.labels import Labels
from ..check.lookup import find_dataset
from ..check.names import name_of
from ..check.wire import instances_on_wire
from ..server.files import children_by_place, files_named, find_file
from ..server.once import send_once
from ..server.repair import archive, archive_files
from ..server.rows import is_update
from .options import Options, Sending
from .outcomes.errors import before_anything_is_sent
from .push import prepare

_log = logging.getLogger(__name__)

_ALREADY_EXISTS = "already exists in dataset"
"""What the server answers if a name is taken (server.md 2.4)."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A compound file that exists now.

    :param created: whether this call created it.
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
    """Create a compound file, or find the one with that name.

    It is looked up after a lost answer, and after a refusal, which may have created it anyway (quirk 20).

    :param client: connected to the project.
    :param compound: its name, type and instances.
    :param dataset: name or id of the dataset.
    :param label_schema: name or id of the label schema. None means the project's default.
    :param if_exists: what to do if the name exists: ``reuse`` the file, or ``fail``.
    :raises InvalidValueError: if an argument is wrong; nothing was sent.
    :raises RefusedError: if the server refuses it, or stores fewer instances than were sent.
    """
    check_if_exists(if_exists)
    directory_id = find_dataset(client, dataset).id
    same = _living(client, directory_id, compound.name)
    if same:
        return _reused(client, compound, directory_id, same, if_exists)
    instances = _instances(client, compound, label_schema)
    request = routes.create_compound(client.project, directory_id, compound.name, compound.type, instances)
    try:
        send_once(
            client,
            lambda: bool(client.send(request)),
            lambda: bool(_living(client, directory_id, compound.name)) or None,
            looks=[0.0],
            patience=0,
        )
    except RefusedError as error:
        same = _living(client, directory_id, compound.name)
        if not same:
            raise
        if _ALREADY_EXISTS in error.server_text:
            return _reused(client, compound, directory_id, same, if_exists)
        _log.warning("%s; file %s has the name now", error, same[0].id)
    else:
        same = _living(client, directory_id, compound.name)
        if not same:
            raise RefusedError(
                f"compound file {compound.name!r} was created, but somebody archived it at once"
            )
    file = _oldest(client, same)
    if (file.count_instances_changed or 0) < len(instances):
        raise _lacks_instances(compound, file, len(instances))
    return Parent(file.id, compound.name, directory_id, created=True)


def check_if_exists(if_exists: str) -> None:
    """Raise InvalidValueError unless the value is valid for a compound file."""
    problems = not_one_of("if_exists", if_exists, ("reuse", "fail"))
    if problems:
        raise InvalidValueError("if_exists", problems)


def _reused(
    client: DiffgramClient, compound: CompoundFile, directory_id: int, same: list[File], if_exists: str
) -> Parent:
    """Return the existing compound file.

    :raises InvalidValueError: if it must not exist.
    :raises RefusedError: if it never held any instance, but should.
    """
    if if_exists == "fail":
        raise InvalidValueError(
            f"compound file {compound.name!r}",
            [f"is in the dataset already, as file {same[0].id}: give another name, or if_exists='reuse'"],
        )
    if compound.instance_list and same[0].count_instances_changed is None:
        raise _lacks_instances(compound, same[0], len(compound.instance_list))
    file = _oldest(client, same)
    return Parent(file.id, compound.name, directory_id, created=False)


def _lacks_instances(compound: CompoundFile, file: File, expected: int) -> RefusedError:
    return RefusedError(
        f"compound file {compound.name!r} is there as file {file.id}, but holds "
        f"{file.count_instances_changed or 0} of {expected} instances, and no update can add any. "
        "Archive it in Diffgram and retry"
    )


def _living(client: DiffgramClient, directory_id: int, name: str) -> list[File]:
    """Return the living compound files with that name, oldest first; several may have been made at once.

    :raises InvalidValueError: if the name belongs to a file that is not a compound file.
    """
    named = files_named(client, directory_id, name)
    compounds = [file for file in named if (file.type or "").startswith("compound")]
    if named and not compounds:
        raise InvalidValueError(
            f"compound file {name!r}", [f"the name belongs to file {named[0].id} of type {named[0].type}"]
        )
    return compounds


def _oldest(client: DiffgramClient, same: list[File]) -> File:
    """Return the compound file to use, and archive younger ones made at the same moment (quirk 55).

    One that has children by now is in use, and stays.
    """
    oldest, *younger = same
    empty = []
    for file in younger:
        if client.send(routes.list_children(client.project, file.id)):
            told = "compound file %r: file %s has its name, and children"
            _log.warning(told, file.original_filename, file.id)
        else:
            empty.append(file)
    if empty:
        archive_files(client, empty, None)
    return oldest


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


class ChildPackets:
    """Children as packets of their parent; can be iterated several times.

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

    def places(self) -> set[tuple[str, int]]:
        """Return the name and ordinal of each child."""
        return {(name_of(each), each.ordinal or 0) for each in self if isinstance(each, Packet)}


def upload_children(
    client: DiffgramClient,
    parent_file_id: int,
    children: Iterable[Child | Mapping[str, Any] | list[str]],
    *,
    repair: bool = False,
    **options: Unpack[Sending],
) -> Handle:
    """Send the missing children of a compound file, and put all of them in order.

    :param client: connected to the project.
    :param parent_file_id: file id of the compound file.
    :param children: the children of one compound file, as :func:`~..read.children.children_of` returns them;
        an iterator is asked for the first one once dataset, label schema and parent are known to exist.
    :param repair: whether to archive children that failed before, with anything they left behind, and send
        them again.
    :param options: as for :func:`~.push.push`.
    :raises InvalidValueError: with all problems; nothing was sent.
    :raises PushError: if some children did not arrive.
    :raises RefusedError: if the compound file was archived meanwhile.
    """
    if isinstance(children, Iterator):
        _check_targets(client, parent_file_id, options)
    packets = ChildPackets(list(children), parent_file_id)
    with prepare(client, packets, **options) as prepared:
        places = packets.places()
        if repair:
            _archive_failed(client, places, parent_file_id)
        put_in_order(client, prepared.plan.there.get(parent_file_id, []), places)
        sent = prepared.send()
    handle = sent.handle
    there = sent.children.get(parent_file_id, [])  # if all were uploaded, they were just proved
    if places - children_by_place(there).keys():
        there = client.send(routes.list_children(client.project, parent_file_id))
    missing = verify_order(client, there, places)
    if client.send(routes.view_file(client.project, parent_file_id)).removed:
        raise RefusedError(
            f"compound file {parent_file_id} was archived in the meantime, together with its children. "
            "Create it again and retry"
        )
    _log.info("%s of %s children are in place", handle.expected - len(missing), handle.expected)
    return handle


def _check_targets(client: DiffgramClient, parent_file_id: int, options: Sending) -> None:
    """Check what is known before the first child, because a model may run for hours to make them all.

    :raises InvalidValueError: if dataset, label schema or parent do not exist.
    """
    with before_anything_is_sent():
        chosen = Options(**options)
        target = Target(chosen.dataset, chosen.label_schema)
        preparation = Preparation(client, target, chosen.path_of)
        preparation.check_targets()
        if client.run(find_file(client.project, parent_file_id)) is None:
            told = f"parent_file_id {parent_file_id}: no such file in project {client.project!r}"
            raise InvalidValueError("children", [told])


def _archive_failed(client: DiffgramClient, places: Iterable[tuple[str, int]], parent_file_id: int) -> None:
    """Archive the failed inputs of children to send, so that these count as missing."""
    names = {name for name, _ in places}
    request = routes.list_inputs(client.project, parent_file_id=parent_file_id, status="Failed")
    failed = [row for row in client.send(request) if row.original_filename in names and not is_update(row)]
    archive(client, failed, "children that failed, to send them again")


# A wrong order of children is corrected without sending anything again (server.md 2.6)


def put_in_order(
    client: DiffgramClient, children: Iterable[File], places: Collection[tuple[str, int]]
) -> list[File]:
    """Correct the ordinals of a compound file's children, and return the living ones.

    If several children have, or should have, the same name, they cannot be told apart and stay as they are.

    :param places: names and ordinals of all children that the compound file should have.
    """
    children = list(children)
    held = Counter(child.original_filename for child in children)
    wanted = Counter(name for name, _ in places)
    ordinals = {name: ordinal for name, ordinal in places if wanted[name] == held[name] == 1}
    return [_put(client, child, ordinals) for child in children]


def _put(client: DiffgramClient, child: File, ordinals: dict[str, int]) -> File:
    found = child.ordinal or 0
    ordinal = ordinals.get(child.original_filename or "", found)
    if ordinal == found:
        return child
    _log.warning("child %r (file %s): ordinal %s, not %s", child.original_filename, child.id, ordinal, found)
    request = routes.update_metadata(client.project, child.id, ordinal=ordinal)
    look = routes.view_file(client.project, child.id)
    send_once(
        client,
        lambda: bool(client.send(request)),
        lambda: client.send(look).ordinal == ordinal or None,
        looks=[0.0],
        patience=client.settings.retry_timeout,
    )
    return child.model_copy(update={"ordinal": ordinal})


def verify_order(
    client: DiffgramClient, children: Iterable[File], places: Set[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Compare the children of a compound file with what they should be, and correct their order.

    :param children: its children, listed after everything was sent.
    :return: names and ordinals that are missing, perhaps only for now.
    """
    there = children_by_place(put_in_order(client, children, places))
    ours = {ordinal for _, ordinal in places}
    strangers = [place for place in there.keys() - places if place[1] in ours]
    for name, ordinal in sorted(strangers):
        _log.warning("ordinal %s is also that of %r, which is not one of these children", ordinal, name)
    return [place for place in places if place not in there]
