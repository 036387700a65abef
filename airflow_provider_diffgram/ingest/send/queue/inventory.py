"""Finds out what Diffgram already has of what should be sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ....client import DiffgramClient, OutcomeUnknownError, routes
from ....client.request import Steps, ask, poll
from ....client.routes import PAGE
from ....models import File, Input, InputStatus
from ...check.check import Plan
from ...server.files import children_by_place, files_named, root_files
from ...server.names import Pending
from ...server.repair import keep_oldest
from ...server.rows import references_of_row
from ..decisions.item import ChildPlace, Item
from .batches import Batches

_EMPTY_BATCHES = 20
"""The search through older batches ends after this many in a row without a pending input."""

_CHILDREN_TIMEOUT = 600.0
_POLL = 1.0

_AT_ONCE = 100
"""How many names shared by several files are looked up together."""


class Inventory:
    """Files and pending inputs by name. Of several files that should be one, the oldest counts.

    Pending inputs are listed before files, so that one which ends in between is in both lists, not in none.

    :param plan: dataset, and where names are kept.
    :param batches: the batches of this push and of earlier attempts.
    """

    def __init__(self, client: DiffgramClient, plan: Plan, batches: Batches) -> None:
        self._client = client
        self._directory_id = plan.directory_id
        self._known = plan.known
        self._batches = batches
        self._pending: dict[int, dict[ChildPlace, Pending]] = {}
        self._children: dict[int, dict[ChildPlace, File]] = {}
        self._doubled_children: dict[int, dict[ChildPlace, list[File]]] = {}
        self._videos: dict[int, Input] = {}

    def look_at_roots(self, media_types: Iterable[str], names: Iterable[str] | None) -> None:
        """Record the root files and their pending inputs.

        :param media_types: types of the packets' media; without them, compound parents would fill the list.
        :param names: names of the packets, if they are few; None to list the whole dataset.
        """
        self._known.add_pending(self._client.run(self._pending_rows(None, sorted(media_types))))
        for file in root_files(self._client, self._directory_id, names):
            if file.original_filename is None:
                continue
            other = self._known.file(file.original_filename)
            if other is None or file.id < other.id:
                self._known.add_file(file)
            if other is not None and other.id != file.id:
                self._known.add_doubled(file.original_filename)

    def look_at_videos(self) -> None:
        """Record the pending videos of the dataset."""
        self._client.run(self._pending_rows(None, ["video"]))

    def take_videos(self) -> list[Input]:
        """Return the pending videos that were found since the last call, oldest first."""
        found, self._videos = self._videos, {}
        return [found[each] for each in sorted(found)]

    def archive_doubled(self) -> None:
        """Archive all but the oldest root file of each packet's name, and all but the oldest child per place.

        Root files are listed again first: :meth:`look_at_roots` may have been hours ago.
        """
        while self._doubled_children:
            parent, places = self._doubled_children.popitem()
            keep_oldest(self._client, places, parent)
        while names := self._known.take_doubled(_AT_ONCE):
            same = {name: files_named(self._client, self._directory_id, name) for name in names}
            for name in names:
                self._known.forget_file(name)
            alive = {name: files for name, files in same.items() if files}
            for file in keep_oldest(self._client, alive, None).values():
                self._known.add_file(file)

    def file(self, item: Item) -> File | None:
        """Return the file that the item would make, if it exists."""
        if item.parent_file_id is None:
            return self._known.file(item.name)
        return self._children[item.parent_file_id].get(item.place)

    def pending(self, item: Item) -> Pending | None:
        """Return the input that is about to make the item's file, if there is one."""
        if item.parent_file_id is None:
            return self._known.pending(item.name)
        return self._pending[item.parent_file_id].get(item.place)

    def look_at_children(self, parent: int, children: Mapping[ChildPlace, Collection[str]]) -> None:
        """List children, and adopt pending inputs if it is certain which child they make.

        The ordinal of a pending child cannot be read (server.md 3.1), and another task may send one with the
        same name to another place. If nothing else decides, wait until the pending inputs have become files.

        :param children: name and ordinal of the children to look for, with the references of their
            predictions.
        :raises OutcomeUnknownError: if that takes more than ten minutes.
        """
        names = {name for name, _ in children}
        adopted: dict[ChildPlace, Pending] = {}
        unclear: list[str] = []

        def look() -> Steps[bool | None]:
            nonlocal adopted, unclear
            listed = yield from self._pending_rows(parent, [None])
            rows = [row for row in listed if row.original_filename in names]
            adopted = {place: row for row in rows if (place := self._place_of(row, rows, children))}
            unclear = sorted({str(row.original_filename) for row in rows} - {name for name, _ in adopted})
            return len(adopted) == len(rows) or None

        if not self._client.run(poll(look, every=_POLL, patience=_CHILDREN_TIMEOUT)):
            raise OutcomeUnknownError(
                f"children named {unclear} of file {parent} are still being ingested after "
                f"{_CHILDREN_TIMEOUT:.0f} s; until then nobody can tell which is which. Retry later"
            )
        self._pending[parent] = adopted
        listed = self._client.send(routes.list_children(self._client.project, parent))
        places = {place: same for place, same in children_by_place(listed).items() if place in children}
        self._children[parent] = {
            place: min(same, key=lambda file: file.id) for place, same in places.items()
        }
        self._doubled_children[parent] = {place: same for place, same in places.items() if len(same) > 1}

    def _place_of(
        self, row: Pending, rows: list[Pending], children: Mapping[ChildPlace, Collection[str]]
    ) -> ChildPlace | None:
        """Return the place of a pending child, found by its predictions or because this task sent it."""
        named = [place for place in children if place[0] == row.original_filename]
        namesakes = [each for each in rows if each.original_filename == row.original_filename]
        if row.references:
            places = [place for place in named if row.references == set(children[place])]
            alike = [each for each in namesakes if each.references == row.references]
            return places[0] if len(places) == len(alike) == 1 else None
        ours = row.batch_id in self._batches.earlier and len(namesakes) == 1
        only = self._known.count_children(row.parent_file_id or 0, named[0][0]) == 1
        return named[0] if ours and only else None

    def _pending_rows(
        self, parent_file_id: int | None, media_types: Iterable[str | None]
    ) -> Steps[list[Pending]]:
        found: dict[int, Pending] = {}
        for media_type in media_types:
            page = yield from self._pending_page(parent_file_id, None, media_type)
            found |= self._waited_for(page)
            if len(page) >= PAGE:
                found |= yield from self._pending_beyond(parent_file_id, page)
        return list(found.values())

    def _pending_page(
        self, parent_file_id: int | None, batch_id: int | None, media_type: str | None = None
    ) -> Steps[list[Input]]:
        rows = yield from ask(
            routes.list_inputs(
                self._client.project,
                parent_file_id=parent_file_id,
                batch_id=batch_id,
                status="Processing",
                media_type=media_type,
            )
        )
        return rows

    def _pending_beyond(self, parent_file_id: int | None, newest: list[Input]) -> Steps[dict[int, Pending]]:
        """Look for pending inputs batch by batch, and in older ones: a listing has 1000 rows (quirk 13)."""
        found: dict[int, Pending] = {}
        if self._batches.earlier:
            for batch_id in self._batches.earlier:
                found |= self._waited_for((yield from self._pending_page(parent_file_id, batch_id)))
            return found
        seen = sorted({row.batch_id for row in newest if row.batch_id is not None}, reverse=True)
        for batch_id in seen:
            found |= self._waited_for((yield from self._pending_page(parent_file_id, batch_id)))
        batch_id, empty = min(seen, default=0), 0
        while batch_id > 1 and empty < _EMPTY_BATCHES:
            batch_id -= 1
            rows = yield from self._pending_page(parent_file_id, batch_id)
            found |= self._waited_for(rows)
            empty = 0 if rows else empty + 1
        return found

    def _waited_for(self, rows: Iterable[Input]) -> dict[int, Pending]:
        """Return the inputs to wait for, by id, with references instead of instances, which may be many."""
        waited_for = [row for row in rows if self._can_be_waited_for(row)]
        self._videos |= {row.id: row for row in waited_for if row.media_type == "video" and row.id}
        return {pending.id: pending for pending in map(pending_of, waited_for)}

    def _can_be_waited_for(self, row: Input) -> bool:
        """Whether an earlier push may have sent this input, for a packet that this push has yet to reach."""
        here = row.directory is None or row.directory.id == self._directory_id
        if row.batch_id is None or self._batches.has_opened(row.batch_id):
            return False
        return here and row.status != InputStatus.BASE_OBJECT_CREATED and not row.hangs


def pending_of(row: Input) -> Pending:
    """Return the few fields of an input under way that a push needs."""
    assert row.id is not None
    assert row.batch_id is not None
    brought = frozenset(references_of_row(row)) if row.parent_file_id is not None else frozenset()
    return Pending(row.id, row.batch_id, row.parent_file_id, row.original_filename, brought)
