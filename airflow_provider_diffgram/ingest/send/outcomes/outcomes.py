"""Records what became of each item, in the :mod:`.tally` (counts and report) and in the :mod:`.record`."""

from __future__ import annotations

from ....client import RefusedError
from ....models.recorded import Delivery
from ...server.names import Pending
from ..decisions.item import Item
from ..decisions.refresh import Counts
from .errors import PushError
from .record import Record
from .tally import Result, Tally


class Outcomes:
    """Records outcomes. Safe to use from several threads.

    :param tally: counts them.
    :param record: lists what Diffgram has.
    """

    def __init__(self, tally: Tally, record: Record) -> None:
        self.tally = tally
        self._record = record

    def arrived(
        self,
        item: Item,
        delivery: Delivery | None,
        file_id: int | None = None,
        *,
        why: str | None = None,
        counts: Counts | None = None,
    ) -> None:
        """Record an item that Diffgram has.

        :param delivery: how it was delivered; None if its predictions were already there.
        :param why: why it went through the queue although it might have been uploaded or written.
        :param counts: what a refresh did with it.
        """
        result: Result = "skipped" if delivery is None else "sent"
        self.tally.note(item.name, result, delivery=delivery, file_id=file_id, refreshed=counts)
        if why is not None:
            self.tally.note_queued(why)
        self._record.note(item, delivery, file_id)

    def adopted(self, item: Item, pending: Pending, file_id: int | None) -> None:
        """Record an item that an earlier attempt sent."""
        told = "by an earlier attempt"
        self.tally.note(item.name, "sent", told, delivery="queue", input_id=pending.id, file_id=file_id)
        self._record.note(item, "queue", file_id)

    def stood_for(self, file_id: int, by: int) -> None:
        """Record that another file takes the place of an uploaded one."""
        self.tally.move(file_id, by)
        self._record.move(file_id, by)

    def disproved(self, file_id: int, name: str, error: RefusedError) -> None:
        """Record an upload that lacks predictions although the server reported success."""
        self.tally.retract(name, error, file_id)
        self._record.retract(file_id)

    def proved(self) -> None:
        """Record that all other uploads so far are complete."""
        self._record.confirm()

    def open(self) -> None:
        """Open report and record, unless they are open. This empties those of an earlier push.

        :raises InvalidValueError: if one cannot be written.
        :raises StorageError: if a storage fails, which may pass.
        """
        self.tally.open()
        self._record.open()

    def close(self) -> list[PushError]:
        """Close report and record; return why they are incomplete, if they are."""
        return [each for each in (self.tally.close(), self._record.close()) if each is not None]
