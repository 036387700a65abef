"""The state of everything that was sent: expected compared with actual (server.md 3.2)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from ...client.request import Steps, now
from ...models import Handle, InputRow, InvalidValueError, Receipt, ReceiptFailure
from ...models.handle import MOST_FILE_IDS, SHOWN_FAILURES
from ...models.problems import count_of
from ...models.recorded import Delivery
from ..limits import LIMITS, Limits
from ..server.rows import is_update
from .batch import Batch
from .listing import Listing
from .proof import Prover
from .rules import Rules
from .stall import Stall
from .verdicts import State, Verdict

_PROBLEMS: tuple[State, ...] = ("failed", "missing", "stuck")
_NO_RULES = Rules(stall_timeout=None)


class Watch:
    """Polls the inputs of handles, and remembers what is settled.

    A success is provisional until the file's counter shows the sent instances; until then the server may
    still turn it into a failure. If they are missing after 5 s + 0.1 s per instance, the input has failed.

    :param handles: handles of one project.
    :param rules: what proves a success, and when an input counts as stuck.
    :param limits: how much to ask for at once.
    :raises InvalidValueError: if the handles belong to no project, or to several.
    """

    def __init__(
        self,
        handles: Iterable[Handle],
        rules: Rules = _NO_RULES,
        limits: Limits = LIMITS,
    ) -> None:
        self._handles = list(handles)
        projects = {handle.project for handle in self._handles}
        if len(projects) != 1:
            told = f"must be of exactly one project, not of {', '.join(sorted(projects)) or 'none'}"
            raise InvalidValueError("handles", [told])
        self.project = projects.pop()
        self._batches = [
            Batch(
                Listing(self.project, sent, limits.page),
                Prover(self.project, rules.verify, handle.directory_id, sent.parent_file_id, limits),
                limits,
            )
            for handle in self._handles
            for sent in handle.batches
        ]
        self._expected = sum(handle.expected for handle in self._handles)
        self._stall = Stall(self.project, rules.stall_timeout, limits)
        self._limits = limits
        self._next = 0

    @property
    def settling(self) -> bool:
        """Whether everything pending will be decided within seconds, such as successes without instances."""
        unsettled = [batch for batch in self._batches if batch.phase != "settled"]
        return bool(unsettled) and all(batch.is_settling for batch in unsettled)

    @property
    def soon(self) -> bool:
        """Whether the last poll raised a question that should not wait."""
        return any(batch.phase == "urgent" for batch in self._batches)

    def look(self) -> Steps[Receipt]:
        """Poll unsettled inputs, and return the state of everything.

        A poll sends one listing per batch. It sends fewer while one batch is far from its end, because the
        wait cannot end before that one. Many small batches, such as the children of many parents, are polled
        in turn: in each poll as many as are settled by it, and 20 that are not.
        """
        left = max(self._limits.batches_at_once, math.ceil(self._expected / self._limits.page))
        unsettled = [batch for batch in self._in_turn() if batch.phase != "settled"]
        is_far = False
        for batch in [each for each in unsettled if each.phase == "urgent"] or unsettled:
            if is_far and batch.rests((yield from now())):
                continue
            yield from batch.look()
            is_far = is_far or batch.is_far((yield from now()))
            left -= batch.phase != "settled"
            if not left:
                self._next = self._batches.index(batch) + 1
                break
        yield from self._stall.look(self._batches)
        return self._receipt()

    def take_stock(self) -> Steps[Receipt]:
        """List every input that is not settled, and return the state of everything."""
        for batch in self._batches:
            if batch.phase != "settled":
                yield from batch.take_stock()
        yield from self._stall.look(self._batches)
        return self._receipt()

    def count_pending(self) -> Steps[int]:
        """Return how many inputs are pending; polls of large batches do not count them."""
        counts: list[int] = []
        for batch in self._batches:
            counts.append((yield from batch.count_pending()))
        return sum(counts)

    def lose_sight(self, at: float) -> None:
        """Record that the server could not be reached, so that this time does not count as a stall.

        :param at: the current time of the client's clock.
        """
        for batch in self._batches:
            batch.lose_sight(at)
        self._stall.lose_sight(at)

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdict on each listed input, and one for all missing inputs of a batch."""
        for batch in self._batches:
            yield from batch.verdicts
            if batch.counts["missing"]:
                yield _missing(batch)

    def to_retry(self, max_retries: int) -> list[int]:
        """Return the stuck inputs that may be retried once more."""
        return [
            each.input_id
            for each in self.verdicts()
            if each.state == "stuck"
            and each.input_id is not None
            and each.retries is not None
            and each.retries < max_retries
        ]

    def list_to_archive(self) -> Steps[list[InputRow]]:
        """List the pending inputs of new media.

        Archiving an update would remove the file that it changes (server.md 2.14).
        """
        found: list[InputRow] = []
        for batch in self._batches:
            if batch.phase != "settled":
                rows = yield from batch.list_pending()
                found += [row for row in rows if not is_update(row)]
        return found

    def _in_turn(self) -> list[Batch]:
        start = self._next % max(1, len(self._batches))
        return self._batches[start:] + self._batches[:start]

    def _receipt(self) -> Receipt:
        counts: Counter[State] = Counter()
        for batch in self._batches:
            counts.update(batch.counts)
        verdicts = [each for batch in self._batches for each in batch.verdicts]
        file_ids = {each.file_id for each in verdicts if each.state == "succeeded" and each.file_id}
        file_ids.update(*(handle.file_ids for handle in self._handles))
        untold = any(handle.counts_more_files_than_it_tells for handle in self._handles)
        few = len(file_ids) <= MOST_FILE_IDS and not untold
        delivered: Counter[Delivery] = Counter()
        refreshed: Counter[str] = Counter()
        for handle in self._handles:
            delivered.update(handle.delivered)
            refreshed.update(handle.refreshed)
        open_parts = sum(
            sum(batch.counts.values()) for batch in self._batches if batch.listing.sent.inputs is None
        )
        return Receipt(
            project=self.project,
            expected=self._expected + open_parts,
            succeeded=counts["succeeded"] + sum(handle.done_at_send for handle in self._handles),
            skipped=counts["skipped"] + sum(handle.skipped for handle in self._handles),
            failed=counts["failed"],
            archived=counts["archived"],
            pending=counts["pending"],
            missing=counts["missing"],
            stuck=counts["stuck"],
            not_sent=sum(handle.not_sent for handle in self._handles),
            unchecked=sum(handle.unchecked for handle in self._handles),
            kept=sum(each.kept for each in verdicts),
            failures=self._failures() if any(counts[each] for each in _PROBLEMS) else [],
            waiting=[each.words() for each in verdicts if each.state == "pending"][:SHOWN_FAILURES],
            delivered=dict(delivered),
            refreshed=dict(refreshed),
            file_ids=sorted(file_ids) if few else [],
        )

    def _failures(self) -> list[ReceiptFailure]:
        failed = [each for each in self.verdicts() if each.state in _PROBLEMS]
        return [
            ReceiptFailure(name=each.name, input_id=each.input_id, reason=each.reason, inputs=each.inputs)
            for each in failed[:SHOWN_FAILURES]
        ]


def _missing(batch: Batch) -> Verdict:
    """Return the verdict on inputs that the server does not list; only their number is known."""
    sent = batch.listing.sent
    parts = [f"batch {sent.id}"] if sent.id is not None else []
    if sent.parent_file_id is not None:
        parts.append(f"parent file {sent.parent_file_id}")
    where = ", ".join(parts) or f"the inputs {sent.only or ''}".strip()
    count = batch.counts["missing"]
    told = f"{count_of(count, 'input')} that the server does not list"
    return Verdict("missing", None, where, None, told, inputs=count)
