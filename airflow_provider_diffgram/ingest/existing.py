"""What is in Diffgram already of what is to be sent."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from ..client import DiffgramClient, OutcomeUnknownError, routes
from ..client.request import pause
from ..client.routes import PAGE
from ..models import File, Input, InputStatus, Packet
from .doubles import archive_files, children_by_place, keep_oldest
from .files import root_files
from .known import Known, Pending

_EMPTY_BATCHES = 20
"""So many batches in a row without a pending input end the way back through older batches."""

_CHILDREN_TIMEOUT = 600.0
_POLL = 1.0


class Existing:
    """Files and pending inputs by name; what is doubled is archived on the way.

    Pending inputs are listed before files, so that one which ends in between is in both lists, not in none.

    :param client: of the project.
    :param directory_id: dataset.
    :param known: where names are kept.
    :param batch_ids: batches of earlier attempts, where they were remembered.
    """

    def __init__(
        self, client: DiffgramClient, directory_id: int, known: Known, batch_ids: Iterable[int] = ()
    ) -> None:
        self._client = client
        self._directory_id = directory_id
        self._known = known
        self._batch_ids = sorted(batch_ids)
        self._pending: dict[int, dict[str | None, Pending]] = {}
        self._children: dict[int, dict[tuple[str, int], File]] = {}

    def look_at_roots(self, media_types: Iterable[str], names: Iterable[str] | None) -> None:
        """Take note of the root files and their pending inputs.

        :param media_types: of the packets; without them, compound parents would fill the list of inputs.
        :param names: of the packets, where they are few; None to list the whole dataset.
        """
        self._known.add_pending(self._pending_rows(None, sorted(media_types)))
        doubled: dict[int, File] = {}
        for file in root_files(self._client, self._directory_id, names):
            older = self._known.file(file.original_filename or "")
            if older is not None and older.id != file.id and self._known.has_packet(file.original_filename):
                younger = max(older, file, key=lambda each: each.id)
                doubled[younger.id] = younger
            if older is None or file.id < older.id:
                self._known.add_file(file)
        if doubled:
            archive_files(self._client, list(doubled.values()), None)

    def file(self, packet: Packet, name: str) -> File | None:
        """Return the file that the packet would make, if it is there."""
        if packet.parent_file_id is None:
            return self._known.file(name)
        return self._children[packet.parent_file_id].get((name, packet.ordinal or 0))

    def pending(self, packet: Packet, name: str) -> Pending | None:
        """Return the input that is about to make the packet's file, if one is."""
        if packet.parent_file_id is None:
            return self._known.pending(name)
        return self._pending[packet.parent_file_id].get(name)

    def look_at_children(
        self, parent: int, places: Collection[tuple[str, int]], every: Iterable[tuple[str, int]]
    ) -> None:
        """List children, and adopt pending ones where the name alone tells which they are.

        The ordinal of a pending child cannot be read (wire contract 3.1): where names repeat, wait until
        the pending ones are files.

        :param places: names and ordinals of the children to look for.
        :param every: those of all children that this push has sent, or is to send, as far as they are known.
        """
        wanted = set(places)
        ours = {name for name, _ in places}
        names = Counter(name for name, _ in {*every, *places} if name in ours)
        deadline = time.monotonic() + _CHILDREN_TIMEOUT
        while True:
            pending = defaultdict(list)
            for row in self._pending_rows(parent, [None]):  # of whatever type
                pending[row.original_filename].append(row)
            unclear = [n for n in pending if str(n) in names and (len(pending[n]) > 1 or names[str(n)] > 1)]
            if not unclear:
                break
            if time.monotonic() > deadline:
                raise OutcomeUnknownError(
                    f"children named {unclear} of file {parent} are still being ingested after "
                    f"{_CHILDREN_TIMEOUT:.0f} s; which of them cannot be told before. Retry later"
                )
            self._client.run(pause(_POLL))
        self._pending[parent] = {name: rows[0] for name, rows in pending.items()}
        children = self._client.send(routes.list_children(self._client.project, parent))
        same_place = {place: same for place, same in children_by_place(children).items() if place in wanted}
        self._children[parent] = keep_oldest(self._client, same_place, parent)

    def _pending_rows(self, parent_file_id: int | None, media_types: Iterable[str | None]) -> list[Pending]:
        found: dict[int, Pending] = {}
        for media_type in media_types:
            page = self._pending_page(parent_file_id, None, media_type)
            found |= self._waited_for(page)
            if len(page) >= PAGE:
                found |= self._pending_beyond(parent_file_id, page)
        return list(found.values())

    def _pending_page(
        self, parent_file_id: int | None, batch_id: int | None, media_type: str | None = None
    ) -> list[Input]:
        return self._client.send(
            routes.list_inputs(
                self._client.project,
                parent_file_id=parent_file_id,
                batch_id=batch_id,
                status="Processing",
                media_type=media_type,
            )
        )

    def _pending_beyond(self, parent_file_id: int | None, newest: list[Input]) -> dict[int, Pending]:
        """A listing ends after 1000 rows (quirk 13), so look into each batch, and back through older ones."""
        found: dict[int, Pending] = {}
        if self._batch_ids:
            for batch_id in self._batch_ids:
                found |= self._waited_for(self._pending_page(parent_file_id, batch_id))
            return found
        seen = sorted({row.batch_id for row in newest if row.batch_id is not None}, reverse=True)
        for batch_id in seen:
            found |= self._waited_for(self._pending_page(parent_file_id, batch_id))
        batch_id, empty = min(seen, default=0), 0
        while batch_id > 1 and empty < _EMPTY_BATCHES:
            batch_id -= 1
            rows = self._pending_page(parent_file_id, batch_id)
            found |= self._waited_for(rows)
            empty = 0 if rows else empty + 1
        return found

    def _waited_for(self, rows: Iterable[Input]) -> dict[int, Pending]:
        """Return where they are listed, without their instances, which may be many."""
        waited_for = (pending_of(row) for row in rows if self._can_be_waited_for(row))
        return {pending.id: pending for pending in waited_for}

    def _can_be_waited_for(self, row: Input) -> bool:
        here = row.directory is None or row.directory.id == self._directory_id
        return here and row.batch_id is not None and row.status != InputStatus.BASE_OBJECT_CREATED


def pending_of(row: Input) -> Pending:
    """Return where an input of a batch is listed."""
    assert row.id is not None
    assert row.batch_id is not None
    return Pending(row.id, row.batch_id, row.parent_file_id, row.original_filename)
