"""Waiting for inputs, in a worker or in the triggerer: what the sensor and the operators share."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    BaseOperator,
)

from ..client import DiffgramClient, routes
from ..client.request import ask_together
from ..hooks.diffgram import DiffgramHook, failing_for_good
from ..ingest.archive import archive_pending
from ..ingest.doubles import archive_doubled
from ..ingest.progress import Watch
from ..ingest.watch.ending import check_report, words_of, write_report
from ..ingest.watch.pace import Pace
from ..ingest.watch.rules import MAX_RETRIES, STALL_TIMEOUT, Rules
from ..ingest.watch.verdicts import is_pending
from ..models import Handle, InvalidValueError, Receipt
from .base import path_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

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
        raise InvalidValueError(name, [f"must be a number, not {value!r}"]) from None


class WaitingOperator(BaseOperator):
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
    diffgram_conn_id: str
    _waiting_hook: DiffgramHook | None = None
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
        if self.when_killed not in _WHEN_KILLED:
            raise InvalidValueError(
                "on_kill", [f"must be one of {', '.join(map(repr, _WHEN_KILLED))}, not {self.when_killed!r}"]
            )
        stall_timeout = None if self.stall_timeout is None else seconds_of(self.stall_timeout)
        failed = number_of("max_failed", max_failed)
        return Rules(self.verify, failed, self.on_stuck, stall_timeout, self.max_retries)

    def _waiting(self) -> tuple[Rules, str | None]:
        """Return the rules, and the path of the report."""
        raise NotImplementedError

    def _client(self) -> DiffgramClient:
        if self._waiting_hook is None:
            self._waiting_hook = DiffgramHook(self.diffgram_conn_id)
        return self._waiting_hook.get_conn()

    def _begin(self, handles: Iterable[Handle]) -> dict[str, Any] | None:
        """Look for the first time; return the receipt if nothing is left to wait for."""
        with failing_for_good():
            rules, report = self._waiting()
            if report is not None:
                check_report(report, path_of)
            self._waited_for = list(handles)
            self._watch = Watch(self._waited_for, rules=rules)
            receipt = self._client().run(self._watch.take_stock())
            return self._judge(self._watch, receipt)

    def _look_again(self) -> dict[str, Any] | None:
        """Look once more; return the receipt if nothing is left to wait for."""
        assert self._watch is not None
        with failing_for_good():
            receipt = self._client().run(self._watch.look())
            return self._judge(self._watch, receipt)

    def _judge(self, watch: Watch, receipt: Receipt) -> dict[str, Any] | None:
        self.log.info(receipt.summary())
        rules, _ = self._waiting()
        to_retry = watch.to_retry(rules.max_retries) if receipt.stuck else []
        step = rules.next_step(receipt, to_retry)
        if step == "retry":
            self._retry(to_retry)
        return self._end(receipt) if step == "end" else None

    def _retry(self, input_ids: Sequence[int]) -> None:
        """Have the server begin anew with inputs: one request for all, of 300 a day.

        Not with those that it ended since they were seen to be stuck: their files would be removed.
        """
        client = self._client()
        rows = client.run(ask_together(routes.view_row(client.project, each) for each in input_ids))
        still = [row.id for row in rows if is_pending(row) and row.retry_count < self.max_retries]
        if still:
            self.log.warning("stuck, retrying %s input(s): %s", len(still), still[:20])
            client.send(routes.update_inputs(client.project, still, "RETRY"))

    def _wait_here(self, deadline: float, poke_interval: float) -> dict[str, Any]:
        """Keep looking in the worker.

        :param deadline: epoch seconds.
        :param poke_interval: most seconds between two looks.
        """
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

    def _look_until_settled(self, poke_interval: float) -> dict[str, Any] | None:
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
        from ..triggers.diffgram import DiffgramInputTrigger  # httpx, which a DAG's parser needs not

        rules, _ = self._waiting()
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
        if not event or event.get("status") not in ("done", "timeout", "stuck", "error"):
            raise AirflowException(f"the trigger sent an event of unknown form: {event!r}")
        if event["status"] == "error":
            error = AirflowFailException if event.get("permanent") else AirflowException
            raise error(str(event.get("message")))
        receipt = Receipt.model_validate(event["receipt"])
        with failing_for_good():
            self._waited_for = [Handle.model_validate(handle) for handle in event["handles"]]
            if event["status"] == "done":
                return self._end(receipt)
            if event["status"] == "timeout":
                raise self._timed_out(receipt)
            self._retry(event["input_ids"])
        result: dict[str, Any] = self._wait_deferred(
            event["handles"], event["deadline"], event["poll_interval"]
        )
        return result

    def _end(self, receipt: Receipt) -> dict[str, Any]:
        """Return the receipt of a wait that is over.

        :raises AirflowFailException: if more failed than may.
        """
        rules, _ = self._waiting()
        if rules.too_many(receipt.problems, receipt.expected):
            self._report()
            raise AirflowFailException(words_of(receipt))
        client = self._client()
        if self._waited_for and archive_doubled(client, self._waited_for):
            receipt = self._whole_picture()[1]
        self._report()
        if receipt.problems:
            self.log.warning("%s", words_of(receipt))
        else:
            self.log.info("%s", receipt.summary())
        return receipt.to_xcom()

    def _timed_out(self, receipt: Receipt) -> Exception:
        self._report()
        lines = [f"not settled in time: {words_of(receipt)}", *receipt.waiting]
        return AirflowSensorTimeout("\n".join(lines))

    def _report(self) -> None:
        _, report = self._waiting()
        if report is not None and self._waited_for:
            write_report(report, path_of, self._whole_picture()[0].verdicts())

    def _whole_picture(self) -> tuple[Watch, Receipt]:
        """Look at everything anew, as far as it is decided, whoever waited."""
        rules, _ = self._waiting()
        client = self._client()
        watch = Watch(self._waited_for, rules=rules)
        receipt = client.run(watch.take_stock())
        while watch.settling:
            time.sleep(_SETTLING_POLL)
            receipt = client.run(watch.look())
        return watch, receipt

    def on_kill(self) -> None:
        """Archive what is pending, if the task was told to. In the triggerer the trigger does it."""
        if self.when_killed == "archive" and self._waited_for:
            archived = archive_pending(self._client(), Watch(self._waited_for))
            self.log.info("killed: archived %s pending input(s)", len(archived))
