"""Input batches: a push sends into them, and finds its inputs again by them."""

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
    """Where the input of a packet is listed: in its batch, by name; an update has no name, so by file."""

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
        """Return the ids of the batches of earlier attempts."""

    def remember(self, batch_ids: list[int]) -> None:
        """Store the ids of the batches of all attempts."""

    def in_flight(self) -> dict[int, str]:
        """Return the files that an earlier attempt was writing when it ended: id -> last change before."""

    def remember_in_flight(self, files: Mapping[int, str]) -> None:
        """Store the files that are being written: id -> when they were last changed before that."""


class Batches:
    """The batches of one push, opened when first needed, and those of earlier attempts.

    Safe to use from several threads.

    :param memory: remembers each batch before anything is sent in it.
    :param size: most packets of a batch.
    :ivar earlier: ids of the remembered batches of earlier attempts.
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

        :param name: name of the child; namesakes get a batch each, so that a look finds the right one.
        :param is_video: videos have batches of their own, which are watched while each is read.
        """
        with self._lock:
            number = 0
            if parent_file_id is not None:
                number = self._namesakes[parent_file_id, name]
                self._namesakes[parent_file_id, name] += 1
            return self._room((parent_file_id, -1 - number if is_video else number))

    def assign_apart(self) -> int:
        """Return the id of a separate batch, for uploads that a wait ignores because an update follows.

        A wait counts all inputs of its batches.
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
        """Return whether this push opened a batch, not an earlier attempt."""
        return batch_id in self._opened

    def count(self, batch_id: int, parent_file_id: int | None) -> None:
        """Count a packet that arrived in a batch."""
        with self._lock:
            key = batch_id, parent_file_id
            self._arrived[key] = self._arrived.get(key, 0) + 1

    def adopt(self, pending: Pending) -> None:
        """Add an input of an earlier attempt to those to wait for."""
        with self._lock:
            self._adopted.setdefault((pending.batch_id, pending.parent_file_id), []).append(pending.id)

    def forget(self, row: Row) -> None:
        """Remove an input from those to wait for: it was archived."""
        assert row.batch_id is not None
        key = row.batch_id, row.parent_file_id
        with self._lock:
            if row.id in self._adopted.get(key, []):
                self._adopted[key] = [each for each in self._adopted[key] if each != row.id]
            else:
                self._arrived[key] -= 1

    def forget_place(self, place: Place) -> None:
        """Remove an input from those to wait for: it was followed to its end."""
        with self._lock:
            self._arrived[place.batch_id, place.parent_file_id] -= 1

    def sent(self) -> list[SentBatch]:
        """Return all batches with inputs to wait for, oldest first, because packets arrive in any order."""
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
