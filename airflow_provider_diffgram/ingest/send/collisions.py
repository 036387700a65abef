"""Finds files that already exist in the dataset and must not, under ``if_exists="fail"``.

A file that an earlier attempt of the same push sent is not a collision. Its predictions show that: the input
that made the file names the model run and has their references. A picture without predictions shows nothing,
but the earlier attempt sent its first packet only after it had found none of the names.
"""

from __future__ import annotations

from ...client import DiffgramClient, routes
from ...models import File, Input, InvalidValueError
from ..server.names import Pending
from ..server.rows import references_of_row, runs_named
from .decisions.item import Item


class Collisions:
    """The packets of a push whose files exist.

    :param most: how many of them the error names; the others are counted.
    """

    def __init__(self, client: DiffgramClient, most: int) -> None:
        self._client = client
        self._most = most
        self._oldest_of_ours: int | None = None
        self._others: list[str] = []
        self._bare: list[tuple[str, int | None, File | Pending]] = []
        self._unnamed = 0

    def note(self, item: Item, there: File | Pending) -> None:
        """Record an item whose file exists or will soon. Asks the server until one file is of others."""
        if self._others:
            self._add_other(item.name)
            return
        if not item.references:
            self._bare.append((item.name, item.parent_file_id, there))
            return
        runs = item.labels.refs_of(item.packet.instances)
        has_run = runs and all(run is not None for _, run in runs)
        for row in self._inputs_behind(there, item.parent_file_id) if has_run else ():
            if references_of_row(row) >= item.references and runs_named(row) >= runs and row.id is not None:
                self._oldest_of_ours = min(row.id, self._oldest_of_ours or row.id)
                return
        self._add_other(item.name)

    def refuse(self, *, whole: bool) -> None:
        """Refuse the push if others sent some of these files.

        :param whole: whether all packets of the push were recorded. Then an earlier attempt had looked up all
            names before it sent the first packet; otherwise perhaps only those of this portion.
        :raises InvalidValueError: if others sent one.
        """
        is_retry = self._oldest_of_ours is not None
        for name, parent_file_id, there in self._bare:
            if self._others or not is_retry or not (whole or self._came_later(there, parent_file_id)):
                self._add_other(name)
        self._bare.clear()
        if self._others:
            problems = [f"{name!r} is in the dataset already" for name in self._others]
            raise InvalidValueError("if_exists='fail'", problems, self._unnamed)

    def _add_other(self, name: str) -> None:
        if len(self._others) < self._most:
            self._others.append(name)
        else:
            self._unnamed += 1

    def _came_later(self, there: File | Pending, parent_file_id: int | None) -> bool:
        """Whether a file is newer than the first one that an earlier attempt is known to have sent."""
        oldest = self._oldest_of_ours or 0
        return any((row.id or 0) > oldest for row in self._inputs_behind(there, parent_file_id))

    def _inputs_behind(self, there: File | Pending, parent_file_id: int | None) -> list[Input]:
        project = self._client.project
        if isinstance(there, Pending):
            return [self._client.send(routes.view_input(project, there.id))]
        listed = routes.list_inputs(project, file_id=there.id, parent_file_id=parent_file_id)
        return self._client.send(listed)
