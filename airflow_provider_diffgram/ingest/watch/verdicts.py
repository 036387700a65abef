"""What became of one input (server.md 3.2 to 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ...models import InputRow
from ..server.rows import Identity

State = Literal["pending", "succeeded", "skipped", "failed", "archived", "missing", "stuck"]

_BEST_FIRST: list[State] = ["succeeded", "skipped", "pending", "stuck", "failed", "archived", "missing"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input. Holds no instances: there may be a thousand inputs in a batch.

    :param missing: descriptions of the predictions that are not stored.
    :param kept: how many earlier predictions the server kept instead of those sent (server.md 2.7).
    :param retries: how often the input was retried; None if it must not be retried.
    :param inputs: number of inputs that this is about: of missing ones, only the number is known.
    """

    state: State
    input_id: int | None
    name: str | None
    file_id: int | None
    reason: str
    missing: tuple[str, ...] = ()
    kept: int = 0
    retries: int | None = None
    inputs: int = 1

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
        """Return the name, the input id, and the reason."""
        return f"{self.name or f'update of file {self.file_id}'} (input {self.input_id}): {self.reason}"


def best_of(judged: Iterable[tuple[Identity, Verdict]]) -> dict[Identity, Verdict]:
    """Return the best verdict of each packet."""
    best: dict[Identity, Verdict] = {}
    for identity, verdict in judged:
        old = best.get(identity)
        if old is None or _BEST_FIRST.index(verdict.state) < _BEST_FIRST.index(old.state):
            best[identity] = verdict
    return best
