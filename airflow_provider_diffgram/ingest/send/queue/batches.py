"""Input batches, into which a push sends, and by which it finds inputs again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ....client import DiffgramClient, routes
from ....client.request import Steps, ask
from ....models import Input, SentBatch
from ...limits import LIMITS
from ...server.names import Pending
from ...server.rows import Row


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


class Memory(Protocol):
    """What a task remembers between attempts, if Airflow can (3.3 and later)."""

    def batch_ids(self) -> list[int]:
        """Return the batches of earlier attempts."""

    def remember(self, batch_ids: list[int]) -> None:
        """Keep the batches of all attempts."""

    def in_flight(self) -> dict[int, str]:
        """Return the files that were being written when an earlier attempt ended, and since when."""

    def remember_in_flight(self, files: Mapping[int, str]) -> None:
        """Keep the files that are being written: id -> when they were last changed before."""


class Batches:
    """The batches of one push, opened when first needed, and those of earlier attempts.

    Safe to use from several threads.

    :param memory: remembers each batch before anything is sent in it.
    :param size: most packets of a batch.
    :ivar earlier: ids of batches of earlier attempts, if they were remembered.
    """

    def __init__(
        self, client: DiffgramClient, memory: Memory | None = None, size: int = LIMITS.batch
    ) -> None:
        self._client = client
        self._size = size
        self._memory = memory
        self._ids = memory.batch_ids() if memory else []
        self.earlier = tuple(sorted(self._ids))
        self._opened: set[int] = set()
        self._open: dict[tuple[int | None, int], tuple[int, int]] = {}
        self._namesakes: Counter[tuple[int, str]] = Counter()
        self._arrived: dict[tuple[int, int | None], int] = {}
        self._adopted: dict[tuple[int, int | None], list[int]] = {}
        self._lock = threading.Lock()

    def assign(self, parent_file_id: int | None, name: str = "", *, is_video: bool = False) -> int:
        """Return the id of a batch with room for one more child of that parent, or root file.

        :param name: of the child: those of one name get a batch each, or a look for one would find another.
        :param is_video: those have batches of their own, which are looked at while each is read.
        """
        with self._lock:
            number = 0
            if parent_file_id is not None:
                number = self._namesakes[parent_file_id, name]
                self._namesakes[parent_file_id, name] += 1
            return self._room((parent_file_id, -1 - number if is_video else number))

    def assign_apart(self) -> int:
        """Return the id of a batch for an upload whose input is not waited for, only the update that follows.

        A wait counts all inputs of a batch that it waits for.
        """
        with self._lock:
            return self._room((None, 1))

    def _room(self, key: tuple[int | None, int]) -> int:
        batch_id, assigned = self._open.get(key, (0, self._size))
        if assigned >= self._size:
            batch_id, assigned = self._new(), 0
        self._open[key] = batch_id, assigned + 1
        return batch_id

    def _new(self) -> int:
        batch_id = self._client.send(routes.create_batch(self._client.project)).id
        self._opened.add(batch_id)
        if self._memory is not None:
            self._ids = [*self._ids, batch_id]
            self._memory.remember(self._ids)
        return batch_id

    def has_opened(self, batch_id: int) -> bool:
        """Return whether a batch is of this push, not of an earlier attempt."""
        return batch_id in self._opened

    def count(self, batch_id: int, parent_file_id: int | None) -> None:
        """Note that a packet arrived in a batch."""
        with self._lock:
            key = batch_id, parent_file_id
            self._arrived[key] = self._arrived.get(key, 0) + 1

    def adopt(self, pending: Pending) -> None:
        """Wait also for an input that an earlier attempt sent."""
        with self._lock:
            self._adopted.setdefault((pending.batch_id, pending.parent_file_id), []).append(pending.id)

    def forget(self, row: Row) -> None:
        """Do not wait for an input: it was archived."""
        assert row.batch_id is not None
        key = row.batch_id, row.parent_file_id
        with self._lock:
            if row.id in self._adopted.get(key, []):
                self._adopted[key] = [each for each in self._adopted[key] if each != row.id]
            else:
                self._arrived[key] -= 1

    def forget_place(self, place: Place) -> None:
        """Do not wait for an input that was seen to its end."""
        with self._lock:
            self._arrived[place.batch_id, place.parent_file_id] -= 1

    def sent(self) -> list[SentBatch]:
        """Return all batches that hold inputs to wait for, oldest first: packets arrive in any order."""
        with self._lock:
            arrived = [
                SentBatch(id=batch_id, inputs=inputs, parent_file_id=parent)
                for (batch_id, parent), inputs in self._arrived.items()
                if inputs
            ]
            adopted = [
                SentBatch(id=batch_id, inputs=len(ids), parent_file_id=parent, only=ids)
                for (batch_id, parent), ids in self._adopted.items()
                if ids
            ]
        return sorted([*arrived, *adopted], key=lambda batch: (batch.id or 0, batch.parent_file_id or 0))
