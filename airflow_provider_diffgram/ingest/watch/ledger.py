"""What became of each listed input of a batch. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...models import InputRow, InputStatus
from ..server.files import settle_seconds
from ..server.rows import Identity, identity_of, is_collision, is_pending
from .verdicts import State, Verdict, best_of


def judge(row: InputRow) -> Verdict | None:
    """Return what became of an input if its row shows it; None if its file must be read."""
    if row.archived:
        return Verdict.of("archived", row)
    if row.status == InputStatus.BASE_OBJECT_CREATED:
        return Verdict.of("succeeded", row)
    if is_pending(row):
        return Verdict.of("pending", row)
    if row.hangs:
        return Verdict.of("failed", row, row.reason)
    if row.media_type == "video":
        return None
    if is_collision(row):
        return None if row.instance_list else Verdict.of("skipped", row)
    if row.failed:
        return Verdict.of("failed", row, row.reason)
    return None if row.instance_list else Verdict.of("succeeded", row)


@dataclass(slots=True, eq=False)
class Ledger:
    """Keeps a verdict on each input, and accounts for those that the server does not list.

    Times are monotonic seconds.

    :param inputs: number of expected inputs.
    :ivar unproven: inputs that ended but are not yet known to be stored.
    :ivar unlisted_since: since when some expected inputs have been neither listed nor archived.
    """

    inputs: int
    unproven: list[InputRow] = field(default_factory=list)
    unlisted_since: float | None = None
    _judged: dict[int, tuple[Identity, Verdict]] = field(default_factory=dict)
    _proven: dict[int, tuple[tuple[Any, ...], Verdict]] = field(default_factory=dict)
    _ended_at: dict[int, float] = field(default_factory=dict)
    _archived: int = 0
    _missing: int = 0

    def enter_all(self, rows: Iterable[InputRow], now: float) -> None:
        """Enter the whole list of inputs; those that have not changed stay proved."""
        entered = {row.id: (row, self._proof_of(row) or judge(row)) for row in rows}
        self._proven = {each: self._proven[each] for each, (row, _) in entered.items() if self._proof_of(row)}
        self._judged, self.unproven = {}, []
        for row, verdict in entered.values():
            if is_pending(row):
                self._ended_at.pop(row.id, None)
            else:
                self._ended_at.setdefault(row.id, now)
            if verdict is None:
                self.unproven.append(row)
            self._enter(row, verdict or Verdict.of("pending", row))

    def enter_failures(self, rows: Iterable[InputRow]) -> None:
        """Enter the failures among the unproven inputs: a success may turn into a failure (server.md 3.2)."""
        failed = {row.id: row for row in rows}
        held, self.unproven = self.unproven, []
        for row in (failed.get(each.id, each) for each in held):
            verdict = judge(row)
            if verdict is None:
                self.unproven.append(row)
            else:
                self._enter(row, verdict)

    def enter_proved(self, proved: Mapping[int, Verdict]) -> None:
        """Enter the verdicts on some of the unproven inputs."""
        for row in self.unproven:
            if row.id in proved:
                self._proven[row.id] = _version(row), proved[row.id]
                self._enter(row, proved[row.id])
        self.unproven = [row for row in self.unproven if row.id not in proved]

    def enter_pending(self, rows: Iterable[InputRow]) -> None:
        """Enter inputs as pending."""
        for row in rows:
            self._enter(row, Verdict.of("pending", row))

    def enter(self, verdicts: Mapping[int, Verdict]) -> None:
        """Replace verdicts."""
        for each, verdict in verdicts.items():
            self._judged[each] = self._judged[each][0], verdict

    def doubt_stuck(self) -> None:
        """Treat stuck inputs as pending again: they may have been retried since."""
        for each, (identity, verdict) in self._judged.items():
            if verdict.state == "stuck":
                self._judged[each] = identity, replace(verdict, state="pending")

    def late(self, now: float) -> set[int]:
        """Return the unproven inputs whose instances should be stored by now."""
        return {
            row.id
            for row in self.unproven
            if now - self._ended_at[row.id] > settle_seconds(len(row.instance_list))
        }

    def unlisted(self) -> int:
        """Return how many expected inputs are not listed."""
        return max(0, self.inputs - len({identity for identity, _ in self._judged.values()}))

    def account_for_unlisted(self, archived: Iterable[InputRow], now: float, missing_after: float) -> None:
        """Account for inputs that are not listed: they are archived, or missing after some time.

        :param archived: archived inputs of the batch.
        :param missing_after: seconds after which they count as missing.
        """
        unlisted = self.unlisted()
        listed = {identity for identity, _ in self._judged.values()}
        self._archived = min(unlisted, sum(identity_of(row) not in listed for row in archived))
        self._missing = 0
        if unlisted == self._archived:
            self.unlisted_since = None
            return
        if self.unlisted_since is None:
            self.unlisted_since = now
        if now - self.unlisted_since >= missing_after:
            self._missing = unlisted - self._archived

    def verdicts(self) -> list[Verdict]:
        """Return the verdict on each packet."""
        return list(best_of(self._judged.values()).values())

    def counts(self) -> Counter[State]:
        """Return the expected inputs by state."""
        counts = Counter(each.state for each in self.verdicts())
        counts["pending"] += max(0, self.unlisted() - self._archived - self._missing)
        counts["archived"] += self._archived
        counts["missing"] = self._missing
        return counts

    def measure_from(self, now: float) -> None:
        """Start again to measure how long inputs are unlisted."""
        self.unlisted_since = None if self.unlisted_since is None else now

    def _proof_of(self, row: InputRow) -> Verdict | None:
        version, verdict = self._proven.get(row.id, (None, None))
        return verdict if version == _version(row) else None

    def _enter(self, row: InputRow, verdict: Verdict) -> None:
        if row.parent_input_id is not None and verdict.state == "succeeded":
            self._judged.pop(row.id, None)  # a part of a split video belongs to no packet
        else:
            self._judged[row.id] = identity_of(row), verdict


def _version(row: InputRow) -> tuple[Any, ...]:
    """Return the fields that change whenever the server processes an input again."""
    return row.status, row.retry_count, row.file_id
