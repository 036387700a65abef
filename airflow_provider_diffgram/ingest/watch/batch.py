"""One batch of a handle: what to ask next, and what the answers say about its inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from ...client.request import Steps, now
from ...models import InputRow
from ..limits import Limits
from ..server.rows import is_collision, is_pending
from .ledger import Ledger
from .listing import Listing
from .movement import Movement
from .proof import Prover
from .verdicts import State, Verdict

Phase = Literal["pending", "urgent", "proving", "unaccounted", "settled"]
"""The state of a batch.

``pending``: some inputs are pending. ``urgent``: the last answer requires the whole list at once.
``proving``: every input has ended, but some are not known to be stored. ``unaccounted``: every listed one is
settled, but some are not listed. ``settled``: there is nothing left to ask.
"""

Question = Literal["all", "pending", "failed", "hanging", "unproven"]
"""What to list: all inputs; the newest pending, failed or hanging ones; or those without proof."""


def next_question(
    phase: Phase,
    movement: Movement,
    limits: Limits,
    *,
    looks: int,
    at: float,
    is_light: bool,
    any_late: bool,
) -> Question:
    """Return what to ask next.

    :param looks: number of polls so far, including this one.
    :param at: monotonic seconds.
    :param is_light: whether the whole list is short enough to read at each poll.
    :param any_late: whether an unproven input should be stored by now.
    """
    if phase == "proving" and not is_light and not any_late:
        return "unproven"
    if phase != "pending" or is_light or movement.is_end_due(at):
        return "all"
    if looks % limits.failures_every == 0 and (len(movement.marks) >= limits.sample or not movement.moves):
        return "hanging" if looks // limits.failures_every % 2 == 0 else "failed"
    return "pending"


def next_phase(phase: Phase, counts: Counter[State], movement: Movement, *, any_unproven: bool) -> Phase:
    """Return the state of a batch after an answer. An urgent batch stays urgent until all of it is listed."""
    if not counts["pending"] and not counts["stuck"]:
        return "settled"
    if phase == "urgent" or movement.marks:
        return "urgent" if phase == "urgent" else "pending"
    return "proving" if any_unproven else "unaccounted"


@dataclass(slots=True, eq=False)
class Batch:
    """One batch of a handle, or the children of one parent in it. Each poll sends one listing.

    :ivar verdicts: what became of each packet whose input was listed.
    :ivar counts: the expected inputs by state.
    :ivar movement: how far the pending inputs are.
    """

    listing: Listing
    prover: Prover
    limits: Limits
    phase: Phase = "pending"
    movement: Movement = field(init=False)
    verdicts: list[Verdict] = field(default_factory=list)
    counts: Counter[State] = field(init=False)
    _ledger: Ledger = field(init=False)
    _is_light: bool = field(init=False)
    _failed: set[int] = field(default_factory=set)
    _looks: int = 0
    _looked_at: float | None = None

    def __post_init__(self) -> None:
        sent = self.listing.sent
        self._ledger = Ledger(1 if sent.inputs is None else sent.inputs)
        self.movement = Movement(left=self._ledger.inputs)
        self.counts = self._ledger.counts()
        self._is_light = sent.inputs is None or sent.inputs <= self.limits.sample

    @property
    def is_settling(self) -> bool:
        """Whether everything pending will be decided within seconds."""
        return self.phase in ("urgent", "proving", "unaccounted")

    def is_far(self, at: float) -> bool:
        """Whether the batch certainly cannot be complete yet."""
        many = len(self.movement.marks) >= self.limits.sample
        return many and self.phase == "pending" and not self.movement.is_end_due(at)

    def rests(self, at: float) -> bool:
        """Whether it is far from its end and was polled a moment ago."""
        return self._looked_at is not None and at - self._looked_at < self.limits.rest and self.is_far(at)

    def count_pending(self) -> Steps[int]:
        """Return how many are pending; sends a request if polls list only the newest of many (quirk 50)."""
        if self._is_light or self.phase != "pending" or self.listing.sent.only is not None:
            return self.counts["pending"]
        rows = yield from self.listing.rows("Processing", self.limits.page)
        return sum(map(is_pending, rows))

    def look(self) -> Steps[None]:
        """Ask the next question."""
        if self.counts["stuck"]:
            self._ledger.doubt_stuck()
            self._sum_up()
        self._looks += 1
        at = self._looked_at = yield from now()
        question = next_question(
            self.phase,
            self.movement,
            self.limits,
            looks=self._looks,
            at=at,
            is_light=self._is_light,
            any_late=bool(self._ledger.late(at)),
        )
        if question == "all":
            yield from self.take_stock()
        elif question == "pending":
            yield from self._look_at_pending()
        elif question == "failed":
            self._note_failures((yield from self.listing.rows("Failed", self.limits.sample)))
        elif question == "hanging":
            self._note_failures((yield from self.listing.hanging(self.limits.sample)))
        else:
            yield from self._look_at_unproven()

    def take_stock(self) -> Steps[None]:
        """List all inputs, and judge each."""
        rows = yield from self.listing.every_row()
        self.phase = "pending"
        at = yield from now()
        self.movement = self.movement.after([row for row in rows if is_pending(row)], at, whole=True)
        self._failed = {row.id for row in rows if row.failed or row.hangs}
        instances = sum(len(row.instance_list) for row in rows)
        self._is_light = len(rows) <= self.limits.sample and instances <= self.limits.light_instances
        self._ledger.enter_all(rows, at)
        if not self.movement.marks or self._looks % self.limits.failures_every == 0 or self._ledger.late(at):
            yield from self._prove()
        yield from self._account_for_unlisted()
        self._conclude()

    def list_pending(self) -> Steps[list[InputRow]]:
        """List all pending inputs, and enter them as pending."""
        rows = yield from self.listing.rows("Processing", self.limits.page)
        rows = [row for row in rows if is_pending(row)]
        self.movement = self.movement.after(rows, (yield from now()), whole=True)
        self._ledger.enter_pending(rows)
        return rows

    def note_stuck(self, verdicts: dict[int, Verdict]) -> None:
        """Record verdicts on inputs that looked stuck; some may turn out to be stored."""
        self._ledger.enter(verdicts)
        self._conclude()

    def lose_sight(self, at: float) -> None:
        """Measure times from now on, because the server could not be reached."""
        self.movement = self.movement.measured_from(at)
        self._ledger.measure_from(at)

    def _look_at_pending(self) -> Steps[None]:
        rows = yield from self.listing.rows("Processing", self.limits.sample)
        hanging = {row.id for row in rows if row.hangs}
        pending = [row for row in rows if row.id not in hanging]
        at = yield from now()
        self.movement = self.movement.after(pending, at, whole=len(rows) < self.limits.sample)
        if not pending or hanging - self._failed:
            self.phase = "urgent"

    def _note_failures(self, rows: list[InputRow]) -> None:
        if any(row.id not in self._failed and not is_collision(row) for row in rows):
            self._failed |= {row.id for row in rows}
            self.phase = "urgent"

    def _look_at_unproven(self) -> Steps[None]:
        """Find successes that have turned into failures, and prove the others."""
        rows = yield from self.listing.rows("Failed", self.limits.page)
        self._ledger.enter_failures(rows)
        yield from self._prove()
        self._conclude()

    def _prove(self) -> Steps[None]:
        late = self._ledger.late((yield from now()))
        proved = yield from self.prover.prove(self._ledger.unproven, late)
        self._ledger.enter_proved(proved)

    def _account_for_unlisted(self) -> Steps[None]:
        archived: list[InputRow] = []
        if self._ledger.unlisted() and self.listing.sent.inputs is not None:
            rows = yield from self.listing.rows("All", self.limits.page, archived=True)
            archived = [row for row in rows if row.archived]
        at = yield from now()
        self._ledger.account_for_unlisted(archived, at, self.limits.missing_after)

    def _sum_up(self) -> None:
        self.verdicts = self._ledger.verdicts()
        self.counts = self._ledger.counts()

    def _conclude(self) -> None:
        """Determine the state of the batch; once it is settled, free the memory of its ledger."""
        self._sum_up()
        self.phase = next_phase(
            self.phase, self.counts, self.movement, any_unproven=bool(self._ledger.unproven)
        )
        if self.phase == "settled":
            self._ledger, self._failed = Ledger(self._ledger.inputs), set()
