"""What became of one input, as far as its row tells (wire contract 3.2 to 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ...models import InputRow, InputStatus

State = Literal["pending", "succeeded", "skipped", "failed", "archived", "missing", "stuck"]

_BEST_FIRST: list[State] = ["succeeded", "skipped", "pending", "stuck", "failed", "archived", "missing"]

Identity = str | int
"""Name of a new root file, which may have several inputs; else the id of the input."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input. Holds no instances: there may be a thousand inputs in a batch.

    :param missing: the predictions that are not stored, one text each.
    :param kept: how many predictions the server kept from before instead of those sent (wire contract 2.7).
    :param retries: how often the input was retried; None if it must not be.
    """

    state: State
    input_id: int | None
    name: str | None
    file_id: int | None
    reason: str
    missing: tuple[str, ...] = ()
    kept: int = 0
    retries: int | None = None

    @classmethod
    def of(
        cls,
        state: State,
        row: InputRow,
        reason: str = "",
        *,
        missing: Iterable[str] = (),
        kept: int = 0,
        retries: int | None = None,
    ) -> Verdict:
        """Return the verdict on ``row``."""
        told = reason or str(row.status)
        name = row.original_filename
        return cls(state, row.id, name, row.file_id, told, tuple(missing), kept, retries)

    def words(self) -> str:
        """Return name, input and status, or reason."""
        return f"{self.name or f'update of file {self.file_id}'} (input {self.input_id}): {self.reason}"


def is_pending(row: InputRow) -> bool:
    """Whether the server is not done with an input; with the parent of a compound file it is (4.2)."""
    return not (row.archived or row.failed or row.succeeded or row.status == InputStatus.BASE_OBJECT_CREATED)


def is_collision(row: InputRow) -> bool:
    """Whether an input failed because its file is there already.

    A child collides with root files only (wire contract 3.5): it is not there, whatever is.
    """
    return row.existing_file_id is not None and row.parent_file_id is None


def is_retryable(row: InputRow) -> bool:
    """Whether the server's RETRY is right for an input that is stuck.

    New media that the server fetches itself: of an upload the bytes are gone; of an update the file would be
    removed, or its instances stored twice (wire contract 2.14).
    """
    return row.mode is None and row.source in ("from_url", "from_blob_path")


def was_taken_up(row: InputRow) -> bool:
    """Whether a worker of the server has begun with an input, rather than left it in a queue."""
    waiting = (InputStatus.INIT, InputStatus.LOCAL_PROCESSING_QUEUE, InputStatus.RETRYING)
    return not row.processing_deferred and row.status not in waiting


def identity_of(row: InputRow) -> Identity:
    """Return what tells the inputs of different packets apart.

    A packet that was sent again because its answer was lost has two inputs; the second fails as a duplicate
    of the first. Children of one name may be different ones, and updates have no name.
    """
    named = row.parent_file_id is None and row.mode is None and row.original_filename is not None
    return row.original_filename or row.id if named else row.id


def best_of(judged: Iterable[tuple[Identity, Verdict]]) -> dict[Identity, Verdict]:
    """Return the best verdict of each packet."""
    best: dict[Identity, Verdict] = {}
    for identity, verdict in judged:
        old = best.get(identity)
        if old is None or _BEST_FIRST.index(verdict.state) < _BEST_FIRST.index(old.state):
            best[identity] = verdict
    return best
