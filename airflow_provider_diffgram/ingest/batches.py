"""Input batches: what a push sends into, and finds again by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..client import DiffgramClient, routes
from ..client.request import Steps, ask
from ..models import Input, SentBatch

BATCH_SIZE = 1000
"""Most packets of a batch: a listing shows no more (quirk 13)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the input of a packet is listed: in its batch by name; an update has none, so by file."""

    batch_id: int
    parent_file_id: int | None = None
    original_filename: str | None = None
    file_id: int | None = None

    @classmethod
    def of(cls, body: dict[str, Any]) -> Place:
        """Return the place of the packet with this body."""
        return cls(
            batch_id=body["batch_id"],
            parent_file_id=body.get("parent_file_id"),
            original_filename=body.get("original_filename"),
            file_id=body.get("file_id"),
        )

    def rows(self, project: str) -> Steps[list[Input]]:
        """List the inputs there, newest first."""
        rows = yield from ask(
            routes.list_inputs(project, batch_id=self.batch_id, parent_file_id=self.parent_file_id)
        )
        if self.file_id is not None:
            return [row for row in rows if row.file_id == self.file_id]
        return [row for row in rows if row.original_filename == self.original_filename]


@dataclass(slots=True)
class _Open:
    id: int
    inputs: int = 0


@dataclass(slots=True)
class Batches:
    """The batches of one push, opened when first needed, and those of earlier attempts.

    :param client: of the project.
    """

    client: DiffgramClient
    _open: dict[int | None, _Open] = field(default_factory=dict)
    _full: list[SentBatch] = field(default_factory=list)
    _adopted: dict[tuple[int, int | None], list[int]] = field(default_factory=dict)

    def current(self, parent_file_id: int | None) -> int:
        """Return the id of a batch with room for one more child of that parent, or root file."""
        batch = self._open.get(parent_file_id)
        if batch is not None and batch.inputs >= BATCH_SIZE:
            self._full.append(SentBatch(id=batch.id, inputs=batch.inputs, parent_file_id=parent_file_id))
            batch = None
        if batch is None:
            batch = _Open(self.client.send(routes.create_batch(self.client.project)).id)
            self._open[parent_file_id] = batch
        return batch.id

    def count(self, parent_file_id: int | None) -> None:
        """Note that a packet arrived in the current batch."""
        self._open[parent_file_id].inputs += 1

    def adopt(self, row: Input) -> None:
        """Wait also for an input that an earlier attempt sent."""
        assert row.batch_id is not None
        assert row.id is not None
        self._adopted.setdefault((row.batch_id, row.parent_file_id), []).append(row.id)

    def sent(self) -> list[SentBatch]:
        """Return all batches that hold inputs to wait for."""
        current = [
            SentBatch(id=batch.id, inputs=batch.inputs, parent_file_id=parent)
            for parent, batch in self._open.items()
            if batch.inputs
        ]
        adopted = [
            SentBatch(id=batch_id, inputs=len(ids), parent_file_id=parent, only=ids)
            for (batch_id, parent), ids in self._adopted.items()
        ]
        return [*self._full, *current, *adopted]
