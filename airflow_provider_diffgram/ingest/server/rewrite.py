"""Computes the list to write into a file, and judges the answer to the write (server.md 10.8). No I/O.

The server takes the whole list and recognises a row by its content. So everything that was read goes back as
it was, and rows to remove are marked with ``soft_delete``. Any further change in the answer means that the
write has undone the work of somebody who saved between reading and writing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...models.received import AnnotationUpdate, File
from .rows import references

Row = dict[str, Any]

_GEOMETRY = (
    "x_min", "y_min", "x_max", "y_max", "center_x", "center_y", "width", "height", "points", "nodes", "edges",
    "p1", "p2", "cp", "front_face", "rear_face", "center_3d", "dimensions_3d", "rotation_euler_angles",
    "position_3d", "start_token", "end_token", "start_time", "end_time", "lonlat", "coords", "radius",
    "bounds", "bounds_lonlat", "from_instance_id", "to_instance_id",
)  # fmt: skip
"""The keys of a row's geometry. The server adds some to a stored row, so only those that were sent count."""

_TELLING = ("type", "label_file_id", "number", "rating")


_NOT_SENT = ("label_file", "is_by_person")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One write of a file's list of instances.

    :param rows: the whole list.
    :param added: references of the rows that are new.
    :param removed: ids of living rows to remove.
    :param restored: ids of deleted rows to restore, as a new version.
    :param equal: references of wanted rows that equal a living row in content; the living row stays.
    """

    rows: list[Row]
    added: frozenset[str] = frozenset()
    removed: frozenset[int] = frozenset()
    restored: frozenset[int] = frozenset()
    equal: frozenset[str] = frozenset()

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.added or self.removed or self.restored)

    def without(self, made: Collection[str]) -> Rewrite:
        """Return the same write without rows that were added before: if one is gone, somebody removed it."""
        rows = [
            row for row in self.rows if row.get("id") is not None or row.get("creation_ref_id") not in made
        ]
        return replace(self, rows=rows, added=self.added.difference(made))


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the effect of a write differs from its intention.

    :param lost: ids of rows that others saved meanwhile, and that the write deleted.
    :param revived: rows that others deleted or changed meanwhile, and that the write brought back.
    :param unadded: references to add for which the server made no row.
    :param unremoved: ids to remove that were no longer living, or still are.
    :param unrestored: ids to restore for which the server made no row.
    """

    lost: tuple[int, ...] = ()
    revived: tuple[Row, ...] = ()
    unadded: frozenset[str] = frozenset()
    unremoved: frozenset[int] = frozenset()
    unrestored: frozenset[int] = frozenset()

    @property
    def has_undone(self) -> bool:
        """Whether the write undid what somebody saved meanwhile."""
        return bool(self.lost or self.revived)

    @property
    def is_proof(self) -> bool:
        """Whether the answer proves that the file is as intended."""
        return not (self.has_undone or self.unadded or self.unremoved or self.unrestored)


def can_be_rewritten(file: File) -> bool:
    """Whether the server locks a file's list against two writers: an image's, or a compound file's of images.

    Texts are not locked, and their rows lose their identity once a person saves; a video has a list for each
    frame (server.md 10.3.2, 10.8.1, 10.8.3).
    """
    return file.type == "image" or (file.type or "").startswith("compound")


def echo(row: Mapping[str, Any]) -> Row:
    """Return a row as it is sent back: without its label's file, which would be half of the body."""
    return {key: value for key, value in row.items() if key not in _NOT_SENT}


def removal(row: Mapping[str, Any]) -> Row:
    """Return the row that deletes a living one, so that its history names who did.

    The server recognises a deletion by its content, too. Where an equal row was deleted before, it makes no
    new one, and the history would not say who deleted it. So ``number`` makes this one unlike all others.
    """
    return {**echo(row), "soft_delete": True, "number": row["id"]}


def is_deletion(row: Mapping[str, Any]) -> bool:
    """Whether a dead row records the deletion of its instance, rather than being the deleted row itself."""
    is_born_dead = row.get("previous_id") is not None and row.get("deletion_type") is None
    return bool(row.get("soft_delete")) and (row.get("action_type") == "deleted" or is_born_dead)


def appended(living: Iterable[Row], wanted: Iterable[Row], known: Collection[str] = ()) -> Rewrite:
    """Return the write that adds what a file lacks.

    :param living: living rows of the file, as the server returned them.
    :param wanted: rows as they are sent, each with its reference.
    :param known: references that the file held before, and that somebody has removed since.
    """
    rows = list(living)
    known = references(rows).union(known)
    return rewritten(rows, [row for row in wanted if row["creation_ref_id"] not in known], [])


def replaced(living: Iterable[Row], wanted: Iterable[Row], among: Collection[int]) -> Rewrite:
    """Return the write that replaces living rows with wanted ones; living rows that are wanted stay.

    :param living: living rows of the file, as the server returned them.
    :param wanted: rows as they are sent, each with its reference.
    :param among: ids of the rows that may be replaced; what people saved after those were read stays.
    """
    rows, sent = list(living), list(wanted)
    refs = references(sent)
    there = references(rows)
    new = [row for row in sent if row["creation_ref_id"] not in there]
    equal = {row["id"] for row in rows for other in new if is_same(other, row)}
    staying = equal | {row["id"] for row in rows if row.get("creation_ref_id") in refs}
    going = [row for row in rows if row["id"] in among and row["id"] not in staying]
    return rewritten(rows, new, going)


def rewritten(living: Sequence[Row], new: Iterable[Row], going: Iterable[Row]) -> Rewrite:
    """Return the write that adds rows to a file and removes others.

    A row that equals a living one in content is left out, because the server would not add it. New rows come
    first: if the server refuses one of them, it has done nothing else yet.

    :param living: living rows of the file, as the server returned them.
    :param new: rows to add, as they are sent.
    :param going: living rows to remove.
    """
    leaving = {row["id"] for row in going}
    staying = [row for row in living if row["id"] not in leaving]
    added: list[Row] = []
    equal: set[str] = set()
    for row in new:
        if any(is_same(row, other) for other in staying):
            equal.add(row["creation_ref_id"])
        else:
            added.append(row)
    return Rewrite(
        rows=[*added, *(removal(row) if row["id"] in leaving else echo(row) for row in living)],
        added=frozenset(row["creation_ref_id"] for row in added),
        removed=frozenset(leaving),
        equal=frozenset(equal),
    )


def is_same(sent: Mapping[str, Any], living: Mapping[str, Any]) -> bool:
    """Whether the server takes a sent row for a living one: it compares content, not references."""
    if any(sent.get(key) != living.get(key) for key in _TELLING):
        return False
    if bool(sent.get("machine_made")) != bool(living.get("machine_made")):
        return False
    if (sent.get("angle") or 0.0) != (living.get("angle") or 0.0):
        return False
    if (sent.get("attribute_groups") or {}) != (living.get("attribute_groups") or {}):
        return False
    return all(_is_held(sent[key], living.get(key)) for key in _GEOMETRY if sent.get(key) is not None)


def _is_held(sent: Any, stored: Any) -> bool:
    """Whether a value is stored as sent. Keys that the server adds, such as ``figure_id``, do not count."""
    if isinstance(sent, Mapping) and isinstance(stored, Mapping):
        return all(_is_held(value, stored.get(key)) for key, value in sent.items() if value is not None)
    if isinstance(sent, list) and isinstance(stored, list):
        return len(sent) == len(stored) and all(map(_is_held, sent, stored))
    return bool(sent == stored)


def judge(rewrite: Rewrite, answer: AnnotationUpdate) -> Verdict:
    """Compare what a write did with what it was meant to do."""
    made: set[str] = set()
    replaced_ids: set[int] = set()
    revived = []
    for row in answer.added:
        before = row.get("previous_id")
        if before is not None and (row.get("soft_delete") or before in rewrite.restored):
            replaced_ids.add(before)
        elif before is None and row.get("creation_ref_id") in rewrite.added:
            made.add(row["creation_ref_id"])
        else:
            revived.append(row)
    deleted = {*answer.deleted_ids, *answer.missing_ids}
    return Verdict(
        lost=tuple(sorted(deleted - rewrite.removed)),
        revived=tuple(revived),
        unadded=rewrite.added - made,
        unremoved=rewrite.removed - deleted,
        unrestored=rewrite.restored - replaced_ids,
    )


def repaired(
    living: Iterable[Row], histories: Iterable[Sequence[Row]], lost: Collection[int] = ()
) -> Rewrite:
    """Return the write that leaves instances as people left them (server.md 10.8.5).

    What a person saved last counts. If they deleted an instance, it is removed; if a write replaced their
    version, theirs is restored.

    :param living: rows of the file as they are now.
    :param histories: all rows, newest first, of each instance that a write changed by mistake.
    :param lost: ids of rows that it deleted; for an instance that no person touched, that row comes back.
    """
    rows = list(living)
    there = {row["id"]: row for row in rows}
    going: set[int] = set()
    making_room: set[int] = set()
    restored = []
    for history in histories:
        theirs = _theirs(history, lost)
        alive = {row["id"] for row in history} & there.keys()
        if theirs is None or theirs["id"] in alive:
            continue
        if is_deletion(theirs):
            going |= alive
        elif not any(is_same(theirs, there[each]) for each in alive):
            making_room |= alive
            restored.append({**echo(theirs), "soft_delete": False})
    return Rewrite(
        rows=[
            *(
                removal(row) if row["id"] in going else echo(row)
                for row in rows
                if row["id"] not in making_room
            ),
            *restored,
        ],
        removed=frozenset(going | making_room),
        restored=frozenset(row["id"] for row in restored),
    )


def _theirs(history: Sequence[Row], lost: Collection[int]) -> Row | None:
    by_person = (row for row in history if row.get("is_by_person"))
    return next(by_person, None) or next((row for row in history if row["id"] in lost), None)


def count_gone(file: File) -> int:
    """Return how many rows a file has had besides its living rows and their earlier versions.

    The counter grows by one with each new row and never shrinks, so 0 proves that nothing was ever removed.
    """
    there = sum(max(1, row.get("version") or 1) for row in file.instance_list)
    return max(0, (file.count_instances_changed or 0) - there)
