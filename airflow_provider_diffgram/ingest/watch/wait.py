"""The wait itself: poll until everything has arrived, retry stuck inputs, tidy up, and report how it ended.

A notebook needs only :func:`wait`. In Airflow, a worker and the triggerer share the work: both poll with the
steps of a :class:`Waiting`, which only read; everything that writes needs the client of a worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ...client import DiffgramClient, DiffgramError, routes
from ...client.looking import Pace, look_until_decided
from ...client.request import Steps, ask_together, now, pause
from ...models import Handle, Receipt
from ...pulse import Pulse
from ..defaults import MAX_POLL_FAILURES, POLL_INTERVAL, WAIT_TIMEOUT
from ..limits import LIMITS, Limits
from ..server.repair import archive, archive_doubled, retry
from ..server.rows import is_pending
from .ending import Report, describe_receipt, describe_timeout
from .errors import InputsFailedError, ReportNotWrittenError, ServerLostError, WaitTimeoutError
from .rules import Rules
from .watch import Watch

_log = logging.getLogger(__name__)

_SETTLING_POLL = 1.0
"""Seconds between two polls while everything pending will be decided within seconds."""

Status = Literal["pending", "stuck", "done", "timeout"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a wait.

    :param status: ``pending``: poll again; ``stuck``: retry some inputs, then poll again; ``done``; or
        ``timeout``: not done in time.
    :param receipt: the state of everything.
    :param to_retry: the stuck inputs to retry.
    """

    status: Status
    receipt: Receipt
    to_retry: tuple[int, ...] = ()


def wait(
    client: DiffgramClient,
    handles: Iterable[Handle],
    *,
    rules: Rules | None = None,
    timeout: float = WAIT_TIMEOUT,
    poll_interval: float = POLL_INTERVAL,
    report: Report | None = None,
    progress: Callable[[Receipt], None] | None = None,
) -> Receipt:
    """Wait until everything in the handles is in Diffgram with its predictions.

    :param client: connected to the project of the handles.
    :param handles: what :func:`~airflow_provider_diffgram.ingest.send.push.push` returned, for one project.
    :param rules: when and how the wait ends.
    :param timeout: most seconds to wait.
    :param poll_interval: most seconds between two polls; the first ones come sooner.
    :param report: file to write, with a line for each input, however the wait ends.
    :param progress: called after each poll with the current state.
    :raises InputsFailedError: if more inputs failed than allowed.
    :raises WaitTimeoutError: if time ran out.
    :raises ReportNotWrittenError: if the wait ended well but the report could not be written.
    :raises ServerLostError: if 10 polls in a row failed.
    :raises DiffgramError: if the server refused.
    :raises InvalidValueError: if a parameter is wrong, before any request.
    """
    waiting = Waiting(handles, rules or Rules(), report=report, progress=progress)
    if report is not None:
        report.check()
    end = client.clock.monotonic() + timeout
    receipt = waiting.heed(client, client.run(waiting.begin()))
    return receipt or waiting.wait_on(client, end - client.clock.monotonic(), poll_interval)


def replace_pending(receipt: Receipt, pending: int) -> Receipt:
    """Return the receipt with the given number of pending inputs, counting the rest as succeeded."""
    if pending == receipt.pending:
        return receipt
    more = receipt.pending - pending
    return receipt.model_copy(update={"pending": pending, "succeeded": receipt.succeeded + more})


class Waiting:
    """One wait for the inputs of handles.

    :param handles: handles of one project.
    :param rules: when and how it ends.
    :param report: file to write, with a line for each input, however the wait ends.
    :param progress: called after each poll with the current state; for many inputs, roughly.
    :param limits: how much to ask for at once.
    :raises InvalidValueError: if the handles belong to no project, or to several.
    """

    def __init__(
        self,
        handles: Iterable[Handle],
        rules: Rules,
        *,
        report: Report | None = None,
        progress: Callable[[Receipt], None] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.handles = list(handles)
        self.rules = rules
        self._report = report
        self._progress = progress
        self._limits = limits
        self._watch = self._new_watch()
        self._pulse = Pulse("in Diffgram")
        self._pending: int | None = None
        self._begun = False

    def begin(self) -> Steps[Standing]:
        """List everything first, because it may have arrived already."""
        self._begun = True
        return (yield from self._stand((yield from self._watch.take_stock())))

    def look(self) -> Steps[Standing]:
        """Poll once more."""
        return (yield from self._stand((yield from self._watch.look())))

    def poke(self, poll_interval: float) -> Steps[Standing]:
        """Poll once, and go on while the rest will be decided within seconds: a later poke may start anew.

        :param poll_interval: most seconds between two polls.
        """
        standing = yield from (self.look() if self._begun else self.begin())
        while standing.status == "pending" and (self._watch.settling or self._watch.soon):
            yield from pause(min(_SETTLING_POLL, poll_interval))
            standing = yield from self.look()
        return standing

    def lose_sight(self, moment: float) -> None:
        """Record that a poll failed: the time until the next one does not count as standstill.

        :param moment: the current time of the client's clock.
        """
        self._watch.lose_sight(moment)

    def until_decided(
        self,
        timeout: float,
        poll_interval: float,
        *,
        first_pause: float | None = None,
        max_failures: int = MAX_POLL_FAILURES,
    ) -> Steps[Standing]:
        """Poll until there is something to do, or time runs out. Sends only reading requests.

        :param timeout: seconds; the last poll is made when they have passed.
        :param poll_interval: most seconds between two polls.
        :param first_pause: seconds before the first poll; None for the usual pace.
        :param max_failures: failed polls in a row after which to give up.
        :raises ServerLostError: if that many polls in a row failed.
        :raises DiffgramError: if the server refused.
        """
        pace = Pace(poll_interval)

        def look(is_last: bool) -> Steps[Standing | None]:
            standing = yield from (self.begin() if is_last else self.look())
            if standing.status == "done" or (standing.status == "stuck" and not is_last):
                return standing
            return replace(standing, status="timeout") if is_last else None

        def pause_after(moment: float, failed: bool) -> float:
            if failed:
                self.lose_sight(moment)
            return pace.pause(soon=self._watch.soon and not failed, settling=self._watch.settling)

        if first_pause is None:
            first_pause = pace.pause(soon=self._watch.soon, settling=self._watch.settling)
        return look_until_decided(
            look,
            pause_after,
            timeout=timeout,
            first_pause=first_pause,
            max_failures=max_failures,
            lost=ServerLostError,
        )

    def wait_on(self, client: DiffgramClient, timeout: float, poll_interval: float) -> Receipt:
        """Poll until the wait is over, and retry stuck inputs on the way.

        :raises WaitError: as for :meth:`heed`.
        """
        end = client.clock.monotonic() + timeout
        receipt = None
        while receipt is None:
            left = end - client.clock.monotonic()
            receipt = self.heed(client, client.run(self.until_decided(left, poll_interval)))
        return receipt

    def heed(self, client: DiffgramClient, standing: Standing) -> Receipt | None:
        """Do what the state requires; return the receipt if the wait is over, otherwise None.

        The report is written before any error is raised.

        :raises InputsFailedError: if more inputs failed than allowed.
        :raises WaitTimeoutError: if time ran out.
        :raises ReportNotWrittenError: if the wait ended well but the report could not be written.
        """
        if standing.status == "stuck":
            self._retry(client, standing.to_retry)
        elif standing.status == "timeout":
            unwritten = self._write_report(client)
            raise WaitTimeoutError(describe_timeout(standing.receipt), standing.receipt, unwritten)
        elif standing.status == "done":
            return self._end(client, standing.receipt)
        return None

    def _new_watch(self) -> Watch:
        return Watch(self.handles, self.rules, self._limits)

    def _stand(self, receipt: Receipt) -> Steps[Standing]:
        moment = yield from now()
        if self._pulse.is_due(moment) or self._pending is None:
            self._pending = yield from self._watch.count_pending()
        in_sight = replace_pending(receipt, min(self._pending, receipt.pending))
        line = self._pulse.beat(
            moment,
            receipt.expected - in_sight.pending,
            receipt.expected,
            failed=receipt.problems,
        )
        if line is not None:
            _log.info("%s", line)
        if self._progress is not None:
            self._progress(in_sight)
        to_retry = self._watch.to_retry(self.rules.max_retries) if receipt.stuck else []
        next_step = self.rules.next_step(receipt, to_retry)
        if next_step == "retry":
            return Standing("stuck", receipt, tuple(to_retry))
        return Standing("done" if next_step == "end" else "pending", receipt)

    def _retry(self, client: DiffgramClient, input_ids: Iterable[int]) -> None:
        """Have the server start inputs over.

        Inputs that have ended meanwhile are not retried, because that would remove their files.
        """
        rows = client.run(ask_together(routes.view_row(client.project, each) for each in input_ids))
        still = [row for row in rows if is_pending(row) and row.retry_count < self.rules.max_retries]
        retry(client, still, "what is stuck")

    def _end(self, client: DiffgramClient, receipt: Receipt) -> Receipt:
        if self.rules.too_many(receipt.problems, receipt.expected):
            raise InputsFailedError(describe_receipt(receipt), receipt, self._write_report(client))
        if archive_doubled(client, self.handles):
            receipt = client.run(self._look_at_all_anew())[1]
        unwritten = self._write_report(client)
        if unwritten is not None:
            raise ReportNotWrittenError(receipt, unwritten)
        if receipt.problems:
            _log.warning("%s", describe_receipt(receipt))
        return receipt

    def _write_report(self, client: DiffgramClient) -> DiffgramError | None:
        """Write the report, if any; return why it could not be written, to be reported with the verdict."""
        if self._report is None:
            return None
        try:
            watch, _ = client.run(self._look_at_all_anew())
        except DiffgramError as error:
            return error
        return self._report.write(watch.verdicts)

    def _look_at_all_anew(self) -> Steps[tuple[Watch, Receipt]]:
        """List everything again, until nothing more will be decided within seconds."""
        watch = self._new_watch()
        receipt = yield from watch.take_stock()
        while watch.settling:
            yield from pause(_SETTLING_POLL)
            receipt = yield from watch.look()
        return watch, receipt


def archive_pending(client: DiffgramClient, handles: Iterable[Handle]) -> list[int]:
    """Archive the pending inputs of new media, but no updates; return their ids."""
    rows = client.run(Watch(handles).list_to_archive())
    return archive(client, rows, "what is pending after a kill")
