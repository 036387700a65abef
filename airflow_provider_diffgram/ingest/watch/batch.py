"""The inputs of one batch: what to ask next, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ...client.request import Steps
from ...client.routes import PAGE
from ...models import InputRow, InputStatus, SentBatch
from ..server.files import settle_seconds
from ..server.rows import Identity, identity_of, is_collision, is_pending, was_taken_up
from .forecast import Forecast
from .listing import Listing
from .proof import Prover
from .verdicts import State, Verdict, best_of

SAMPLE = 100
"""Rows of a routine look: fewer are all there are; so many mean that the end is not near."""

LIGHT_INSTANCES = 2000
"""A list of at most 100 rows with so many instances is asked for as a whole each time."""

MISSING_AFTER = 30.0
"""Seconds for which an input may be unlisted."""

_REST = 5.0
"""Seconds for which a batch that is far from its end may be left alone while another one is, too."""

_EVERY = 4
"""Of so many routine looks one is for failures: in turn for those that say so, and for videos that hang."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the server is with an input.

    :param at: status, percentage, time of the last change by the server's clock, and number of retries.
    :param since: when that was first seen, by ours.
    :param taken_up: whether a worker of the server has begun with it.
    """

    at: tuple[Any, ...]
    since: float
    taken_up: bool


@dataclass(slots=True, eq=False)
class Part:
    """One batch of a handle, or the children of one parent in it.

    Each look sends one listing: the newest that are pending, as a routine; now and then those that failed;
    all, once none is pending. Few rows without much in them are always listed as a whole.

    :param clock: monotonic seconds.
    :ivar verdicts: what became of each packet, as far as its input was listed.
    :ivar counts: all that are to be waited for, by state.
    :ivar settled: whether there is nothing left to ask.
    :ivar marks: how far the pending inputs are, by id; in a routine look those of the newest.
    :ivar moved_at: when any of them was last seen to have moved.
    :ivar soon: whether the next question should not wait.
    """

    project: str
    directory_id: int | None
    sent: SentBatch
    verify: str
    clock: Callable[[], float]
    verdicts: list[Verdict] = field(default_factory=list)
    counts: Counter[State] = field(default_factory=Counter)
    settled: bool = False
    marks: dict[int, Mark] = field(default_factory=dict)
    moved_at: float = 0.0
    soon: bool = False
    _held: list[InputRow] = field(default_factory=list)
    _judged: dict[int, tuple[Identity, Verdict]] = field(default_factory=dict)
    _proven: dict[int, tuple[tuple[Any, ...], Verdict]] = field(default_factory=dict)
    _first_seen: dict[int, float] = field(default_factory=dict)
    _failed: set[int] = field(default_factory=set)
    _archived: int = 0
    _missing: int = 0
    _unlisted_since: float | None = None
    _looks: int = 0
    _moves: bool = True
    _is_light: bool = False
    _take_all: bool = False
    _listed_all: bool = False
    _asked_at: float | None = None
    _forecast: Forecast = field(init=False)
    _listing: Listing = field(init=False)

    def __post_init__(self) -> None:
        self._forecast = Forecast(self._unseen(0))
        self._listing = Listing(self.project, self.sent)
        self._is_light = self._take_all = self.sent.inputs is None or self.sent.inputs <= SAMPLE
        self.counts["pending"] = self._unseen(0)
        self.moved_at = self.clock()

    @property
    def settling(self) -> bool:
        """Whether all that is left will be decided within seconds."""
        return self.soon or (self._listed_all and not self.marks and not self.settled)

    @property
    def is_far(self) -> bool:
        """Whether nothing that the next answer can tell would be the end."""
        return len(self.marks) >= SAMPLE and not self._take_all and not self._forecast.is_due(self.clock())

    @property
    def rests(self) -> bool:
        """Whether it is far from its end and was asked a moment ago."""
        return self.is_far and self._asked_at is not None and self.clock() - self._asked_at < _REST

    def look(self) -> Steps[None]:
        """Ask the next question."""
        self._looks += 1
        self._asked_at = self.clock()
        self.soon = False
        self._doubt_stuck()
        settling = bool(self._held) and not self.marks
        if settling and not self._is_light and not self._any_late():
            yield from self._look_at_held()
        elif self._take_all or self._is_light or settling or self._forecast.is_due(self.clock()):
            yield from self.take_stock()
        elif self._looks % _EVERY == 0 and (len(self.marks) >= SAMPLE or not self._moves):
            yield from self._look_for_failures()
        else:
            yield from self._look_at_pending()

    def take_stock(self) -> Steps[None]:
        """List all, and judge each."""
        rows = yield from self._listing.every_row()
        self._note_marks([row for row in rows if is_pending(row)], whole=True)
        self._failed = {row.id for row in rows if row.failed or row.hangs}
        instances = sum(len(row.instance_list) for row in rows)
        self._is_light = len(rows) <= SAMPLE and instances <= LIGHT_INSTANCES
        self._listed_all, self._take_all = True, False
        self._proven = {row.id: self._proven[row.id] for row in rows if self._is_proven(row)}
        found = {row.id: self._alone(row) for row in rows}
        self._held = [row for row in rows if found[row.id] is None]
        if not self.marks or self._looks % _EVERY == 0 or self._any_late():
            found |= yield from self._prove()
        self._judged = {
            row.id: (identity_of(row), found[row.id] or Verdict.of("pending", row))
            for row in rows
            if not _is_clip_in_order(row, found[row.id])
        }
        yield from self._account_for_unlisted()
        self._take_all = not self.marks and not self._held and self._unlisted_since is not None
        self._conclude()

    def _look_at_pending(self) -> Steps[None]:
        rows = yield from self._listing.rows("Processing", SAMPLE)
        hanging = {row.id for row in rows if row.hangs}
        self._note_marks([row for row in rows if row.id not in hanging], whole=len(rows) < SAMPLE)
        if len(hanging) == len(rows) or hanging - self._failed:
            self._take_all = self.soon = True

    def _look_for_failures(self) -> Steps[None]:
        videos_in_turn = self._looks // _EVERY % 2 == 0
        listing = self._listing
        rows = yield from (listing.hanging(SAMPLE) if videos_in_turn else listing.rows("Failed", SAMPLE))
        if any(row.id not in self._failed and not is_collision(row) for row in rows):
            self._failed |= {row.id for row in rows}
            self._take_all = self.soon = True

    def _look_at_held(self) -> Steps[None]:
        """See which of the successes turned into failures meanwhile, and prove the others."""
        failed = {row.id: row for row in (yield from self._listing.rows("Failed", PAGE))}
        self._held = [failed.get(row.id, row) for row in self._held]
        found = {row.id: self._alone(row) for row in self._held}
        self._held = [row for row in self._held if found[row.id] is None]
        found |= yield from self._prove()
        for each, verdict in found.items():
            if verdict is not None:
                self._judged[each] = self._judged[each][0], verdict
        self._conclude()

    def _prove(self) -> Steps[dict[int, Verdict | None]]:
        """Settle what can be settled of what is held."""
        prover = Prover(self.project, self.verify, self._is_late)
        proved = yield from prover.prove(self._held, self.directory_id, self.sent.parent_file_id)
        self._proven |= {row.id: (_at(row), proved[row.id]) for row in self._held if row.id in proved}
        self._held = [row for row in self._held if row.id not in proved]
        return dict(proved)

    def _is_proven(self, row: InputRow) -> bool:
        return row.id in self._proven and self._proven[row.id][0] == _at(row)

    def _unseen(self, listed: int) -> int:
        """Return how many may still turn up besides those ``listed``."""
        inputs = 1 if self.sent.inputs is None else self.sent.inputs
        return max(0, inputs - listed - self._archived - self._missing)

    def _conclude(self) -> None:
        """Sum up what is known; forget how it came to be known if it is all there is to know."""
        self.verdicts = list(best_of(self._judged.values()).values())
        self.counts = Counter(each.state for each in self.verdicts)
        self.counts["pending"] += self._unseen(len(self.verdicts))
        self.counts["archived"] += self._archived
        self.counts["missing"] = self._missing
        self.settled = not self.counts["pending"] and not self.counts["stuck"]
        if self.settled:
            self._judged, self._proven, self._first_seen, self._failed = {}, {}, {}, set()

    def _alone(self, row: InputRow) -> Verdict | None:
        """Judge a row by itself; None if more must be asked."""
        if row.id in self._proven:
            return self._proven[row.id][1]
        if row.archived:
            return Verdict.of("archived", row)
        if row.status == InputStatus.BASE_OBJECT_CREATED:
            return Verdict.of("succeeded", row)
        if is_pending(row):
            self._first_seen.pop(row.id, None)
            return Verdict.of("pending", row)
        if row.hangs:
            return Verdict.of("failed", row, row.reason)
        self._first_seen.setdefault(row.id, self.clock())
        if row.media_type == "video":
            return None
        if is_collision(row):
            return None if row.instance_list else Verdict.of("skipped", row)
        if row.failed:
            return Verdict.of("failed", row, row.reason)
        return None if row.instance_list else Verdict.of("succeeded", row)

    def _is_late(self, row: InputRow) -> bool:
        since = self._first_seen.setdefault(row.id, self.clock())
        return self.clock() - since > settle_seconds(len(row.instance_list))

    def _any_late(self) -> bool:
        return any(self._is_late(row) for row in self._held)

    def _note_marks(self, rows: Iterable[InputRow], *, whole: bool) -> None:
        """Take note of how far the pending inputs are, and whether anything moved since the last note."""
        now, old = self.clock(), self.marks
        marks = {}
        for row in rows:
            at = row.status, row.percent_complete, row.time_updated, row.retry_count
            mark = Mark(at, now, was_taken_up(row))
            known = old.get(row.id)
            marks[row.id] = known if known is not None and known.at == mark.at else mark
        oldest = 0 if whole else min(marks, default=0)
        comparable = [each for each in old if each >= oldest]
        gone = sum(each not in marks for each in comparable)
        self._moves = bool(gone) or any(each in old and marks[each] is not old[each] for each in marks)
        if self._moves:
            self.moved_at = now
        self.marks = marks
        stay = 1 - gone / len(comparable) if comparable else 1
        self._forecast.note(len(marks) if whole else self._forecast.left * stay, now)

    def _account_for_unlisted(self) -> Steps[None]:
        self._archived = self._missing = 0
        listed = {identity for identity, _ in self._judged.values()}
        unlisted = self._unseen(len(listed))
        if unlisted and self.sent.inputs is not None:
            rows = yield from self._listing.rows("All", PAGE, archived=True)
            gone = [row for row in rows if row.archived and identity_of(row) not in listed]
            self._archived = min(len(gone), unlisted)
        if unlisted == self._archived:
            self._unlisted_since = None
            return
        if self._unlisted_since is None:
            self._unlisted_since = self.clock()
        if self.clock() - self._unlisted_since >= MISSING_AFTER:
            self._missing = unlisted - self._archived

    def list_pending(self) -> Steps[list[InputRow]]:
        """List all that are pending, and judge them so."""
        rows = [row for row in (yield from self._listing.rows("Processing", PAGE)) if is_pending(row)]
        self._note_marks(rows, whole=True)
        for row in rows:
            self._judged[row.id] = identity_of(row), Verdict.of("pending", row)
        return rows

    def _doubt_stuck(self) -> None:
        """Take what was stuck for pending: it may have been retried since."""
        if self.counts["stuck"]:
            for each, (identity, verdict) in self._judged.items():
                if verdict.state == "stuck":
                    self._judged[each] = identity, replace(verdict, state="pending")
            self._conclude()

    def note_stuck(self, verdicts: dict[int, Verdict]) -> None:
        """Take note of what is stuck, or was found to be in all the same."""
        for each, verdict in verdicts.items():
            self._judged[each] = self._judged[each][0], verdict
        self._conclude()

    def forget_time(self) -> None:
        """Begin to measure anew: the server was out of sight."""
        now = self.clock()
        self.moved_at = now
        self.marks = {each: replace(mark, since=now) for each, mark in self.marks.items()}
        self._unlisted_since = None if self._unlisted_since is None else now


def _at(row: InputRow) -> tuple[Any, ...]:
    """Return what changes when something becomes of an input again."""
    return row.status, row.retry_count, row.file_id


def _is_clip_in_order(row: InputRow, verdict: Verdict | None) -> bool:
    """Whether a row is a part of a split video, nobody's packet, that needs no mention."""
    return row.parent_input_id is not None and verdict is not None and verdict.state == "succeeded"
