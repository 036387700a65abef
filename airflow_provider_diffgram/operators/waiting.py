"""Waiting for inputs, in a worker or in the triggerer: what the sensor and the operators share.

Imports as little as :mod:`.base`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
)

from ..hooks.diffgram import failing_for_good
from ..ingest.defaults import MAX_RETRIES, STALL_TIMEOUT
from ..links.diffgram import remember_place
from .base import AnnouncingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..client import DiffgramClient, DiffgramError
    from ..ingest.watch.rules import Rules
    from ..ingest.watch.watch import Watch
    from ..models import Handle, Receipt

_WHEN_KILLED = ("leave", "archive")
_SETTLING_POLL = 1.0
_TRIGGERER_GRACE = 600.0


def seconds_of(value: timedelta | float) -> float:
    """Return a duration in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def number_of(name: str, value: Any) -> float:
    """Return the number that a rendered template, which is text, holds."""
    try:
        return float(value)
    except (TypeError, ValueError):
        from ..models import InvalidValueError

        raise InvalidValueError(name, [f"{name} must be a number, not {value!r}"]) from None


def _told(verdict: str, unwritten: DiffgramError | None) -> str:
    return verdict if unwritten is None else f"{verdict}\nThe report was not written: {unwritten}"


def _unwritten(summary: str, error: DiffgramError) -> Exception:
    """Return the failure of a wait that ended well, but for its report."""
    from ..client import RefusedError

    kind = AirflowFailException if isinstance(error, RefusedError) else AirflowException
    return kind(f"The inputs are settled: {summary}. Only the report was not written: {error}")


class WaitingOperator(AnnouncingOperator):
    """What waits for inputs: its rules, and the two ways to wait.

    :param verify: what proves that predictions are stored: ``counts``, the number that Diffgram keeps for
        each new file, one request per 1000 files; ``instances``, each of them compared, one request per
        file; ``status``, only that a success lasted. Updates and videos are compared in either of the first.
    :param on_stuck: what to do with inputs that the server has left: ``fail``, or ``retry`` them, which can
        be done with new media by URL or from a blob.
    :param stall_timeout: seconds without any movement after which they count as left; None for never.
    :param max_retries: how often an input may be retried.
    :param on_kill: ``archive`` to archive in Diffgram what is pending when the task is killed, or ``leave``.
    """

    template_fields: Sequence[str] = ("verify", "on_stuck")
    _watch: Watch | None = None
    _waited_for: Sequence[Handle] = ()

    def __init__(
        self,
        *,
        verify: str = "counts",
        on_stuck: str = "fail",
        stall_timeout: timedelta | float | None = STALL_TIMEOUT,
        max_retries: int = MAX_RETRIES,
        on_kill: str = "leave",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.verify = verify
        self.on_stuck = on_stuck
        self.stall_timeout = stall_timeout
        self.max_retries = max_retries
        self.when_killed = on_kill  # the method has the name

    def _rules(self, max_failed: Any) -> Rules:
        """Return the rules of the wait.

        :raises InvalidValueError: with everything that is wrong.
        """
        from ..ingest.watch.rules import Rules
        from ..models import InvalidValueError
        from ..models.problems import all_problems

        stall_timeout, failed = None, 0.0
        problems = []
        if self.when_killed not in _WHEN_KILLED:
            known = ", ".join(map(repr, _WHEN_KILLED))
            problems.append(f"on_kill must be one of {known}, not {self.when_killed!r}")
        try:
            stall_timeout = None if self.stall_timeout is None else seconds_of(self.stall_timeout)
        except (TypeError, ValueError):
            problems.append(f"stall_timeout must be seconds or a timedelta, not {self.stall_timeout!r}")
        try:
            failed = number_of("max_failed", max_failed)
        except InvalidValueError as error:
            problems += error.problems
        given = (self.verify, failed, self.on_stuck, stall_timeout, self.max_retries)
        problems += all_problems([lambda: Rules(*given)])
        if problems:
            raise InvalidValueError("wait", problems)
        return Rules(*given)

    def _waiting(self) -> Rules:
        """Return the rules.

        :raises InvalidValueError: with everything that is wrong with them.
        """
        raise NotImplementedError

    def _wait_report(self) -> str | None:
        """Return the path of the report."""
        raise NotImplementedError

    def _check_wait(self) -> None:
        """Check rules and report before there is anything to wait for.

        :raises InvalidValueError: with everything that is wrong, such as a report that cannot be written.
        """
        from ..ingest.watch.ending import check_report
        from ..models import InvalidValueError
        from ..models.problems import all_problems

        checks: list[Callable[[], object]] = [self._waiting]
        report = self._wait_report()
        if report is not None:
            checks.append(lambda: check_report(report, self._hook().path_opener()))
        problems = all_problems(checks)
        if problems:
            raise InvalidValueError("wait", problems)

    def _client(self) -> DiffgramClient:
        return self._hook().get_conn()

    def _begin(self, context: Context, handles: Iterable[Handle]) -> Receipt | None:
        """Look for the first time; return the receipt if nothing is left to wait for."""
        from ..ingest.watch.watch import Watch

        with failing_for_good():
            rules = self._waiting()
            self._waited_for = list(handles)
            self._remember_place(context)
            self._watch = Watch(self._waited_for, rules=rules)
            receipt = self._client().run(self._watch.take_stock())
            return self._judge(self._watch, receipt)

    def _look_again(self) -> Receipt | None:
        """Look once more; return the receipt if nothing is left to wait for."""
        assert self._watch is not None
        with failing_for_good():
            receipt = self._client().run(self._watch.look())
            return self._judge(self._watch, receipt)

    def _judge(self, watch: Watch, receipt: Receipt) -> Receipt | None:
        self.log.info(receipt.summary())
        rules = self._waiting()
        to_retry = watch.to_retry(rules.max_retries) if receipt.stuck else []
        step = rules.next_step(receipt, to_retry)
        if step == "retry":
            self._retry(to_retry)
        return self._end(receipt) if step == "end" else None

    def _retry(self, input_ids: Sequence[int]) -> None:
        """Have the server begin anew with inputs: one request for all, of 300 a day.

        Not with those that it ended since they were seen to be stuck: their files would be removed.
        """
        from ..client import routes
        from ..client.request import ask_together
        from ..ingest.server.rows import is_pending

        client = self._client()
        rows = client.run(ask_together(routes.view_row(client.project, each) for each in input_ids))
        still = [row.id for row in rows if is_pending(row) and row.retry_count < self.max_retries]
        if still:
            self.log.warning("stuck, retrying %s input(s): %s", len(still), still[:20])
            client.send(routes.update_inputs(client.project, still, "RETRY"))

    def _wait_here(self, deadline: float, poke_interval: float) -> Receipt:
        """Keep looking in the worker.

        :param deadline: epoch seconds.
        :param poke_interval: most seconds between two looks.
        """
        from ..ingest.watch.pace import Pace

        pace = Pace(poke_interval)
        while True:
            assert self._watch is not None
            time.sleep(pace.pause(soon=self._watch.soon, settling=self._watch.settling))
            is_last = time.time() > deadline
            receipt = self._look_again()
            if receipt is not None:
                return receipt
            if is_last:
                raise self._timed_out(self._client().run(self._watch.take_stock()))

    def _look_until_settled(self, poke_interval: float) -> Receipt | None:
        """Look on while what is left will be decided within seconds: the next poke may remember nothing."""
        receipt = None
        while receipt is None and self._watch is not None and (self._watch.settling or self._watch.soon):
            time.sleep(min(_SETTLING_POLL, poke_interval))
            receipt = self._look_again()
        return receipt

    def _wait_deferred(
        self, handles: Sequence[Mapping[str, Any]], deadline: float, poke_interval: float
    ) -> Any:
        """Leave the wait to the triggerer; does not return.

        :param deadline: epoch seconds, the same however often the wait is left to the triggerer.
        """
        from ..triggers.diffgram import DiffgramInputTrigger

        rules = self._waiting()
        trigger = DiffgramInputTrigger(
            diffgram_conn_id=self.diffgram_conn_id,
            handles=handles,
            deadline=deadline,
            poll_interval=poke_interval,
            verify=rules.verify,
            max_failed=rules.max_failed,
            on_stuck=rules.on_stuck,
            stall_timeout=rules.stall_timeout,
            max_retries=rules.max_retries,
            on_kill=self.when_killed,
        )
        self.log.info("waiting in the triggerer")
        return self.defer(
            trigger=trigger,
            method_name="execute_complete",
            # The trigger ends by itself at its deadline; this is for a triggerer that is gone.
            timeout=timedelta(seconds=max(0.0, deadline - time.time()) + _TRIGGERER_GRACE),
        )

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None) -> dict[str, Any]:
        """Turn what the trigger saw into the receipt, or into the failure; retry what is stuck."""
        from ..models import Handle, Receipt

        if not event or event.get("status") not in ("done", "timeout", "stuck", "error"):
            raise AirflowException(f"the trigger sent an event of unknown form: {event!r}")
        if event["status"] == "error":
            error = AirflowFailException if event.get("permanent") else AirflowException
            raise error(str(event.get("message")))
        receipt = Receipt.model_validate(event["receipt"])
        with failing_for_good():
            self._waited_for = [Handle.model_validate(handle) for handle in event["handles"]]
            if event["status"] == "timeout":
                raise self._timed_out(receipt)
            if event["status"] == "stuck":
                self._retry(event["input_ids"])
            else:
                receipt = self._end(receipt)
        if event["status"] == "done":
            return self._announced(context, receipt)
        result: dict[str, Any] = self._wait_deferred(
            event["handles"], event["deadline"], event["poll_interval"]
        )
        return result

    def _end(self, receipt: Receipt) -> Receipt:
        """Return the receipt of a wait that is over.

        :raises AirflowFailException: if more failed than may.
        """
        from ..ingest.server.repair import archive_doubled
        from ..ingest.watch.ending import words_of

        rules = self._waiting()
        if rules.too_many(receipt.problems, receipt.expected):
            raise AirflowFailException(_told(words_of(receipt), self._report()))
        client = self._client()
        if self._waited_for and archive_doubled(client, self._waited_for):
            receipt = self._whole_picture()[1]
        unwritten = self._report()
        if unwritten is not None:
            raise _unwritten(receipt.summary(), unwritten)
        if receipt.problems:
            self.log.warning("%s", words_of(receipt))
        else:
            self.log.info("%s", receipt.summary())
        return receipt

    def _remember_place(self, context: Context) -> None:
        """Keep what the links are made of, so that a wait that fails has them, too."""
        settings = self._hook().get_settings()
        known = (handle.directory_id for handle in self._waited_for if handle.directory_id is not None)
        file_id = next(iter(self._file_ids()), None)
        remember_place(
            context, settings.base_url, settings.project, directory_id=next(known, None), file_id=file_id
        )

    def _announced(self, context: Context, receipt: Receipt) -> dict[str, Any]:
        """Tell links, outlets and lineage what is in, and return the receipt."""
        from ..lineage.diffgram import announce

        client = self._client()
        file_ids = [*self._file_ids(), *receipt.file_ids]
        for directory_id in dict.fromkeys(handle.directory_id for handle in self._waited_for):
            self._outcome = announce(
                self, context, client, directory_id, counts=receipt.counts(), file_ids=file_ids
            )
        return receipt.to_xcom()

    def _timed_out(self, receipt: Receipt) -> Exception:
        from ..ingest.watch.ending import words_of

        lines = [f"not settled in time: {words_of(receipt)}", *receipt.waiting]
        return AirflowSensorTimeout(_told("\n".join(lines), self._report()))

    def _report(self) -> DiffgramError | None:
        """Write the report if one is wanted; return why it could not be, to be told beside the verdict."""
        from ..client import DiffgramError
        from ..ingest.watch.ending import write_report

        report = self._wait_report()
        if report is None or not self._waited_for:
            return None
        try:
            watch, _ = self._whole_picture()
        except DiffgramError as error:
            return error
        return write_report(report, self._hook().path_opener(), watch.verdicts)

    def _whole_picture(self) -> tuple[Watch, Receipt]:
        """Look again at everything that is decided, whoever waited."""
        from ..ingest.watch.watch import Watch

        rules = self._waiting()
        client = self._client()
        watch = Watch(self._waited_for, rules=rules)
        receipt = client.run(watch.take_stock())
        while watch.settling:
            time.sleep(_SETTLING_POLL)
            receipt = client.run(watch.look())
        return watch, receipt

    def on_kill(self) -> None:
        """Archive what is pending, if the task was told to. In the triggerer the trigger does it."""
        from ..ingest.watch.archive import archive_pending
        from ..ingest.watch.watch import Watch

        if self.when_killed == "archive" and self._waited_for:
            archived = archive_pending(self._client(), Watch(self._waited_for))
            self.log.info("killed: archived %s pending input(s)", len(archived))
