"""Writes the record of a push: what it sent, packet by packet, and to which file."""

from __future__ import annotations

from datetime import UTC, datetime

from ....models.recorded import Delivery, Recorded
from ...check.wire import packet_as_sent
from ..decisions.item import Item
from .errors import PushError
from .lines import Lines


class Record:
    """Records what was sent. Safe to use from several threads.

    :param lines: the file to write.
    :param directory_id: id of the dataset.
    """

    def __init__(self, lines: Lines, directory_id: int) -> None:
        self._lines = lines
        self._directory_id = directory_id
        self._unproven: dict[int, str] = {}

    def open(self) -> None:
        """Open the file, unless it is open.

        :raises InvalidValueError: if it cannot be written.
        :raises StorageError: if its storage fails, which may pass.
        """
        self._lines.open()

    def note(self, item: Item, delivery: Delivery | None, file_id: int | None = None) -> None:
        """Record an item that Diffgram has. An upload is written only once it is proved.

        :param delivery: how it was delivered; None if its predictions were already there.
        :param file_id: id of its file, if known.
        """
        if self._lines.path is None:
            return
        packet = packet_as_sent(item.packet, item.labels, item.name)
        ids = item.labels.ids
        named = {each.label: ids[each.label] for each in packet.instances if each.label in ids}
        told = Recorded(
            name=item.name,
            file_id=item.packet.file_id if file_id is None else file_id,
            parent_file_id=item.parent_file_id,
            directory_id=None if item.is_update else self._directory_id,
            delivery=delivery,
            sent_at=datetime.now(UTC),
            label_file_ids=named or None,
            packet=packet,
        )
        line = told.model_dump_json(by_alias=True, exclude_none=True)
        if delivery == "upload" and file_id is not None:
            self._unproven[file_id] = line
        else:
            self._lines.write(line)

    def retract(self, file_id: int) -> None:
        """Drop an upload that lacks its predictions: otherwise it would look as if somebody removed them."""
        self._unproven.pop(file_id, None)

    def move(self, file_id: int, to: int) -> None:
        """Record that another file takes the place of an uploaded one."""
        line = self._unproven.pop(file_id, None)
        if line is not None:
            told = Recorded.model_validate_json(line).model_copy(update={"file_id": to})
            self._unproven[to] = told.model_dump_json(by_alias=True, exclude_none=True)

    def confirm(self) -> None:
        """Write the uploads so far, which are now proved."""
        while self._unproven:
            self._lines.write(self._unproven.pop(next(iter(self._unproven))))

    def close(self) -> PushError | None:
        """Write the rest, and close the file; return why it is incomplete, if it is."""
        self.confirm()
        return self._lines.close()
