"""Input batches: what a push sends into, and finds again by."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..client import DiffgramClient, routes
from ..models import Input, SentBatch

BATCH_SIZE = 1000
"""Most packets of a batch: a listing shows no more (quirk 13)."""


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
