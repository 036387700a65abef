"""Finds predictions that a file held before and people have removed since: those are not sent again.

Inputs show what came through the queue or together with the file. What was written directly leaves no input,
but the histories of its deleted rows show it (:mod:`...server.past`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from ....client import DiffgramClient, routes
from ....models import File, Input
from ....models.problems import count_of
from ...check.wire import instances_of_body
from ...server.past import Fate, Rows, events_of_writes, look_back, rows_made
from ...server.rewrite import Row, can_be_rewritten, count_gone, is_same
from ...server.rows import is_pending, references, since_replaced, stored_nothing, stored_references
from ..decisions.item import Item

_log = logging.getLogger(__name__)


class Brought:
    """Looks at the past of files, one at a time. Safe to use from several threads.

    :param rows: rows of other files; deleted rows of a file may be next to them.
    """

    def __init__(self, client: DiffgramClient, rows: Rows | None = None) -> None:
        self._client = client
        self._rows = rows or Rows()

    def inputs_of(self, item: Item, file_id: int) -> list[Input]:
        """Return the inputs that made a file or changed it."""
        project, parent = self._client.project, item.parent_file_id
        rows = self._client.send(routes.list_inputs(project, file_id=file_id, parent_file_id=parent))
        if parent is not None:  # updates of a child have no parent
            rows = rows + self._client.send(routes.list_inputs(project, file_id=file_id))
        if item.packet.frame_packet_map:  # neither a listing nor annotations contain frames (quirk 54)
            rows = [self._client.send(routes.view_input(project, row.id)) for row in rows if row.id]
        return rows

    def of_inputs(self, inputs: Collection[Input], file: File) -> set[str]:
        """Return the references that inputs have brought, or will bring, since the last replacement."""
        rows = since_replaced([row for row in inputs if not (row.failed or row.hangs)])
        return set[str]().union(*(stored_references(row) for row in rows if not stored_nothing(row, file)))

    def before(self, item: Item, file: File, missing: Collection[str]) -> set[str]:
        """Return which of the ``missing`` references the file held before.

        :param file: an image, or a compound file, with its living rows.
        """
        if not missing or not count_gone(file):
            return set()
        return self.known(item, file, missing, self.inputs_of(item, file.id))

    def known(self, item: Item, file: File, missing: Collection[str], inputs: Collection[Input]) -> set[str]:
        """Return which of the ``missing`` references the file held before, or will get from an input.

        References that a program has removed since, to replace them, are not returned: they are sent again.

        :param inputs: the inputs that made or changed the file.
        """
        wanted = set(missing)
        told = self.of_inputs(inputs, file) & wanted
        if not wanted or not count_gone(file) or not can_be_rewritten(file):
            return told
        past = look_back(self._client, file, self._rows)
        fates = past.fates()
        under_way = references(each for row in inputs if is_pending(row) for each in row.instance_list)
        taken = {each for each in wanted if fates.get(each) is Fate.TAKEN_BACK} - under_way
        has_replaced = any(row.mode == "update_with_existing" for row in inputs)
        removed = {Fate.DELETED_BY_PERSON} if has_replaced else {Fate.DELETED_BY_PERSON, Fate.LOST}
        known = (told - taken) | {each for each in wanted if fates.get(each) in removed}
        return known | self._doubtful(item, file, wanted - known - taken, past.unfound)

    def _doubtful(self, item: Item, file: File, left: set[str], unfound: int) -> set[str]:
        """Return the ``left`` references if a write may have added just those, and all were deleted since.

        All rows of that write are dead, so no living row leads to them; only its event shows their number.
        """
        if not left or unfound < len(left):
            return set()
        events = events_of_writes(self._client, file.id)
        written = {rows_made(event) for event in events if event.member_id is None}
        if not written & {len(left), None}:
            return set()
        _log.warning(
            "%s: leaving out %s: file %s got as many before, and all of those were deleted since; no more "
            "can be told of them",
            item.name,
            count_of(len(left), "prediction"),
            file.id,
        )
        return left

    def deleted_by_people(self, item: Item, file: File, *, has_jobs: bool) -> list[Row] | None:
        """Return the dead rows of a file that people deleted; None if they deleted all and none can be found.

        If people saved the file, what an input brought and what left no trace counts as deleted by them. That
        is checked first: without a job, each save leaves an event, and the file counts all rows ever made.

        :param has_jobs: whether people may have saved it through a task, which leaves no event.
        """
        if not count_gone(file):
            return []
        events = events_of_writes(self._client, file.id)
        if not has_jobs and all(event.member_id is None for event in events):
            return []
        inputs = self.inputs_of(item, file.id)
        written = sum(rows_made(event) or 0 for event in events if event.member_id is None)
        made = sum(len(row.instance_list) for row in inputs if row.succeeded)
        by_people = (file.count_instances_changed or 0) - written - made
        if by_people <= 0 or not written + made:
            return []
        past = look_back(self._client, file, self._rows)
        found = [chain[0] for chain in past.chains if past.fate(chain) is Fate.DELETED_BY_PERSON]
        dead = [row for chain in past.chains for row in chain]
        of_people = sum(bool(row["is_by_person"]) for row in dead)
        of_people += sum(
            (row.get("version") or 1) - 1 or _may_be_of_people(row) for row in file.instance_list
        )
        of_machines = sum(not row["is_by_person"] for row in dead)
        of_machines += sum(bool(row.get("machine_made")) for row in file.instance_list)
        if by_people <= of_people or written + made <= of_machines or not past.unfound:
            return found
        fates = past.fates()
        gone = [
            each
            for row in inputs
            for each in row.instance_list
            if isinstance(each, dict) and each.get("creation_ref_id") not in references(file.instance_list)
            if each.get("creation_ref_id") not in fates
        ]
        return [*found, *gone] if gone or file.instance_list else None

    def is_doubtful(self, item: Item, file: File, *, replaces: bool, since: str = "") -> bool:
        """Whether only a file's past can show if it got an item's predictions and people removed some since.

        :param since: when an earlier attempt read the file in order to write it; empty if none did.
        """
        missing = item.references - references(file.instance_list)
        if not replaces:
            return bool(missing) and count_gone(file) > 0
        strangers, kept = _strangers(item, file)
        is_of_machine = (
            row["id"] not in kept and not (_may_be_of_people(row) or _was_edited_since(row, since))
            for row in strangers
        )
        return not any(is_of_machine) and (count_gone(file) > 0 or not missing)

    def is_replaced(self, item: Item, file: File, since: str = "") -> bool:
        """Whether a file holds only an item's predictions, apart from what people have changed since.

        :param since: when an earlier attempt read the file in order to write it: later work of people stayed.
        """
        living = file.instance_list
        strangers, kept = _strangers(item, file)
        written = min((str(row.get("created_time")) for row in living if row not in strangers), default="")
        for row in strangers:
            is_theirs = _was_edited_since(row, since) and self._is_saved_by_person(row)
            if not (row["id"] in kept or is_theirs or self._is_of_people(row, written)):
                return False
        missing = item.references - references(living) - set(kept.values())
        return not missing or missing <= self.before(item, file, missing)

    def _is_saved_by_person(self, row: Row) -> bool:
        """Whether a person made this version of a row."""
        history = self._client.send(routes.view_history(self._client.project, row["id"])).rows
        return bool(history) and history[0]["id"] == row["id"] and bool(history[0]["is_by_person"])

    def _is_of_people(self, row: Row, since: str) -> bool:
        """Whether a person drew a row, or it was restored after a write since then had undone their work."""
        if not _may_be_of_people(row):
            return False
        is_given_back = row.get("action_type") == "undeleted"
        history = self._client.send(routes.view_history(self._client.project, row["id"])).rows
        if not history:
            return False
        theirs = next((each for each in history if each["is_by_person"]), None)
        undone_at = str((theirs or {}).get("deleted_time") or "")
        return bool(history[-1]["is_by_person"]) or (
            is_given_back and theirs is not None and undone_at >= since
        )


def _strangers(item: Item, file: File) -> tuple[list[Row], dict[int, str]]:
    """Return the living rows that an item did not bring, and row id -> reference of an equal prediction."""
    strangers = [row for row in file.instance_list if row.get("creation_ref_id") not in item.references]
    sent = instances_of_body(item.keys)
    equal = {
        row["id"]: str(each["creation_ref_id"]) for row in strangers for each in sent if is_same(each, row)
    }
    return strangers, equal


def _may_be_of_people(row: Row) -> bool:
    """Whether a person may have drawn a row, or it was restored to them."""
    is_given_back = row.get("action_type") == "undeleted"
    return is_given_back or not (row.get("machine_made") or row.get("member_created_id") is None)


def _was_edited_since(row: Row, since: str) -> bool:
    """Whether a row was moved or relabelled since a known time; False if ``since`` is empty."""
    return bool(since) and row.get("action_type") == "edited" and str(row.get("created_time")) >= since
