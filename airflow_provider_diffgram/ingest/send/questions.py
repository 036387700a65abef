"""Answers the questions of :func:`~.decisions.decide.decide` about an item, by asking the server."""

from __future__ import annotations

from dataclasses import replace

from ...client import DiffgramClient, RefusedError, routes
from ...models import File
from ..check.check import Plan
from ..check.wire import instances_of_body
from ..read.remote import UnreadableError
from ..server.frames import instances_of_frames
from ..server.names import Pending
from ..server.repair import archive
from ..server.rewrite import appended, can_be_rewritten, count_gone
from ..server.rows import is_update, is_work_of_people, lost_some, references_of_row
from .decisions.decide import Found, IfExists, Question
from .decisions.item import Item
from .media.chunks import PATIENCE as LARGE_PATIENCE
from .media.chunks import LargeUploads
from .media.reading import Reader
from .queue.settle import PATIENCE, wait_for_file


class Questions:
    """Asks the server about one item at a time. Safe to use from several threads.

    :param client: connected to the project.
    :param plan: the dataset that the items go to.
    :param if_exists: what to do with existing files.
    :param large: recognises uploads that were broken off.
    :param reader: reads media that the server could fetch.
    """

    def __init__(
        self,
        client: DiffgramClient,
        plan: Plan,
        if_exists: IfExists,
        large: LargeUploads,
        reader: Reader,
    ) -> None:
        self._client = client
        self._directory_id = plan.directory_id
        self._if_exists = if_exists
        self._large = large
        self._reader = reader

    def answer(self, question: Question, item: Item, found: Found) -> Found:
        """Answer a question about an item, and return what is known now.

        Archives a video that the server lost, and an upload that was broken off.

        :raises RefusedError: if somebody has worked on a video that the server lost.
        """
        if question is Question.CAN_IT_BE_READ:
            return self._read(item, found)
        if question is Question.DID_IT_LOSE_SOME:
            assert found.file is not None
            return replace(found, has_lost_some=self._has_lost_some(item, found.file))
        if question is Question.IS_IT_LOST:
            assert found.file is not None
            is_lost = self._archive_if_lost(item, found.file)
            return replace(found, is_lost=is_lost, file=None if is_lost else found.file)
        pending = found.pending
        assert pending is not None
        if question is Question.IS_IT_BROKEN_OFF:
            is_broken_off = self._large.is_broken_off(pending)
            return replace(found, is_broken_off=is_broken_off, pending=None if is_broken_off else pending)
        if question is Question.WHAT_DOES_IT_BRING:
            return replace(found, brings_all=self._brings_all(item, pending))
        patience = LARGE_PATIENCE if item.is_large else PATIENCE
        return Found(file=wait_for_file(self._client, pending, patience))

    def brings_news(self, item: Item, file_id: int) -> bool:
        """Return whether an item has predictions that the file, which is skipped, never had."""
        file = self._client.send(routes.list_annotations(self._client.project, file_id))
        is_sure = can_be_rewritten(file) and not count_gone(file)
        return is_sure and appended(file.instance_list, instances_of_body(item.keys)).is_needed

    def _read(self, item: Item, found: Found) -> Found:
        try:
            return replace(found, medium=self._reader.read(item))
        except UnreadableError as error:
            failing = (error.host or "its storage") if error.may_pass_later else None
            return replace(found, unreadable=error.reason, failing_storage=failing)

    def _brings_all(self, item: Item, pending: Pending) -> bool:
        """Return whether an input under way will leave the file as the item should."""
        row = self._client.send(routes.view_input(self._client.project, pending.id))
        theirs = references_of_row(row)
        return theirs == item.references if self._if_exists == "replace" else theirs >= item.references

    def _archive_if_lost(self, item: Item, file: File) -> bool:
        """Archive a video if the server lost it while reading it (quirk 62); return whether it did."""
        project = self._client.project
        made_by = routes.list_inputs(project, file_id=file.id, parent_file_id=item.parent_file_id)
        lost = [row for row in self._client.send(made_by) if row.hangs and not is_update(row)]
        if not lost:
            return False
        frames = [int(frame) for frame in item.packet.frame_packet_map or {}] or [0]
        held = self._client.run(instances_of_frames(project, file.id, self._directory_id, frames))
        if any(is_work_of_people(each, item.references) for of_frame in held.values() for each in of_frame):
            raise RefusedError(
                f"{item.name}: the server lost this video while it read it, and somebody has worked on what "
                f"is there of it, file {file.id}. Archive it in Diffgram, and push again"
            )
        archive(self._client, lost, "a video that the server lost")
        return True

    def _has_lost_some(self, item: Item, file: File) -> bool:
        rows = self._client.send(
            routes.list_inputs(self._client.project, file_id=file.id, parent_file_id=item.parent_file_id)
        )
        counted, has_frames = file.count_instances_changed or 0, bool(item.packet.frame_packet_map)
        return any(lost_some(row, counted, has_frames=has_frames) for row in rows)
