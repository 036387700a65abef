"""Tells whether the server makes progress with the inputs that a push waits for. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...server.rows import Row, progress_of


@dataclass(slots=True)
class Liveness:
    """Watches which inputs the server makes progress with.

    :param moved_at: when one of them was last seen to make progress, in seconds.
    """

    moved_at: float
    _since: dict[int | None, tuple[tuple[Any, ...], float]] = field(default_factory=dict)

    def note(self, rows: Iterable[Row], moment: float) -> None:
        """Record all inputs that are pending now."""
        since = {}
        for row in rows:
            progress = progress_of(row)
            known = self._since.get(row.id)
            since[row.id] = known if known is not None and known[0] == progress else (progress, moment)
        if since.keys() != self._since.keys() or any(begun == moment for _, begun in since.values()):
            self.moved_at = moment
        self._since = since

    def stood(self, row: Row, moment: float) -> float:
        """Return for how many seconds an input has made no progress."""
        return moment - self._since[row.id][1]
