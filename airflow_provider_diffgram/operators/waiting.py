"""Waiting for inputs, in a worker or in the triggerer: what the sensor and the operators share.

Imports as little as :mod:`.base`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from ..hooks.diffgram import failing_for_good
from ..ingest.defaults import MAX_RETRIES, STALL_TIMEOUT
from .base import DeferringOperator
from .metrics import count_wait, counting_failures

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..client import DiffgramClient
    from ..client.request import Steps
    from ..ingest.watch.ending import Report
    from ..ingest.watch.rules import Rules
    from ..ingest.watch.wait import Standing, Waiting
    from ..models import Handle, Receipt


def batch_ids_of(handles: Iterable[Handle]) -> list[int]:
    """Return the distinct batch ids of handles."""
    ids = (batch.id for handle in handles for batch in handle.batches)
    return list(dict.fromkeys(each for each in ids if each is not None))


class WaitingOperator(DeferringOperator):
    """Waits for inputs, in the worker or in the triggerer.

    :param verify: what proves that predictions are stored. ``counts`` compares the number that Diffgram keeps
        for each new file, with one request per 1000 files. ``instances`` compares each instance, with one
        request per file. Both compare updates and videos. ``status`` only checks that a success lasts.
    :param on_stuck: what to do with inputs that the server has abandoned: ``fail``, or ``retry`` them, which
        works for new media by URL or from a blob.
    :param stall_timeout: seconds without progress after which an input counts as abandoned. None means never.
    :param max_retries: how often an input may be retried.
    :param if_killed: what to do with pending inputs when the task is killed: ``archive`` them in Diffgram, or
        ``leave`` them.
    """

    template_fields: Sequence[str] = ("verify", "on_stuck")
    max_failed: float | str
    _waiting: Waiting | None = None

    def __init__(
        self,
        *,
        verify: str = "counts",
        on_stuck: str = "fail",
        stall_timeout: timedelta | float | None = STALL_TIMEOUT,
        max_retries: int = MAX_RETRIES,
        if_killed: str = "leave",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.verify = verify
        self.on_stuck = on_stuck
        self.stall_timeout = stall_timeout
        self.max_retries = max_retries
        self.if_killed = if_killed

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None) -> dict[str, Any]:
        """Turn the trigger's event into the receipt, or into the failure; retry stuck inputs."""
        from ..ingest.watch.wait import Standing
        from ..models import Handle, Receipt

        event = self._check_event(event, "done", "timeout", "stuck")
        self._began = event["deadline"] - self._patience()
        receipt = Receipt.model_validate(event["receipt"])
        standing = Standing(event["status"], receipt, tuple(event["input_ids"]))
        waiting = self._prepare(context, [Handle.model_validate(handle) for handle in event["handles"]])
        with failing_for_good(), counting_failures(context, self._began):
            ended = waiting.heed(self._client(), standing)
        if ended is None:
            self._defer(event["handles"], event["deadline"], event["poll_interval"])
        return self._announce_receipt(context, ended)

    def on_kill(self) -> None:
        """Archive pending inputs, if the task should. In the triggerer, the trigger does it."""
        if self.if_killed == "archive" and self._waiting is not None:
            from ..ingest.watch.wait import archive_pending
            from ..models.problems import count_of

            archived = archive_pending(self._client(), self._waiting.handles)
            self.log.info("killed: archived %s", count_of(len(archived), "pending input"))

    def _rules(self) -> Rules:
        """Return the rules of the wait.

        :raises InvalidValueError: with everything that is wrong with them.
        """
        from ..ingest.watch.rules import Rules

        return Rules.of(
            verify=self.verify,
            max_failed=self.max_failed,
            on_stuck=self.on_stuck,
            stall_timeout=self.stall_timeout,
            max_retries=self.max_retries,
            if_killed=self.if_killed,
        )

    def _report_path(self) -> str | None:
        """Return the path of the report."""
        raise NotImplementedError

    def _report(self) -> Report | None:
        from ..ingest.watch.ending import Report

        path = self._report_path()
        return None if path is None else Report(path, self._hook().path_opener())

    def _check_wait(self) -> None:
        """Check rules and report path before any request.

        :raises InvalidValueError: with everything that is wrong, such as a report that cannot be written.
        """
        from ..models import InvalidValueError
        from ..models.problems import all_problems

        report = self._report()
        checks: list[Callable[[], object]] = [self._rules, *([report.check] if report else [])]
        problems = all_problems(checks)
        if problems:
            raise InvalidValueError("wait", problems)

    def _client(self) -> DiffgramClient:
        return self._hook().get_conn()

    def _prepare(self, context: Context, handles: Iterable[Handle]) -> Waiting:
        """Return the wait for handles. What the links need is kept first, so that a failed task has links."""
        from ..ingest.watch.wait import Waiting

        with failing_for_good():
            self._waiting = Waiting(handles, self._rules(), report=self._report())
        known = (each.directory_id for each in self._waiting.handles if each.directory_id is not None)
        self._remember(
            context,
            directory_id=next(known, None),
            file_id=next(iter(self._file_ids()), None),
            batch_ids=batch_ids_of(self._waiting.handles),
        )
        return self._waiting

    def _begin(self, context: Context, handles: Iterable[Handle]) -> Receipt | None:
        """Poll for the first time; return the receipt if nothing is pending."""
        return self._look(context, self._prepare(context, handles).begin())

    def _look(self, context: Context, steps: Steps[Standing]) -> Receipt | None:
        """Poll, and do what the result requires; return the receipt if nothing is pending."""
        assert self._waiting is not None
        with failing_for_good(), counting_failures(context, self._began):
            client = self._client()
            return self._waiting.heed(client, client.run(steps))

    def _wait_here(self, context: Context, deadline: float, poll_interval: float) -> Receipt:
        """Keep polling in the worker.

        :param deadline: epoch seconds.
        """
        assert self._waiting is not None
        with failing_for_good(), counting_failures(context, self._began):
            return self._waiting.wait_on(self._client(), deadline - time.time(), poll_interval)

    def _defer(self, handles: Sequence[Mapping[str, Any]], deadline: float, poll_interval: float) -> NoReturn:
        """Hand the wait over to the triggerer; does not return."""
        from ..triggers.diffgram import DiffgramInputTrigger

        trigger = DiffgramInputTrigger(
            diffgram_conn_id=self.diffgram_conn_id,
            handles=handles,
            deadline=deadline,
            poll_interval=poll_interval,
            rules=dataclasses.asdict(self._rules()),
        )
        self._defer_until(deadline, trigger)

    def _announce_receipt(self, context: Context, receipt: Receipt) -> dict[str, Any]:
        """Report what has arrived to links, outlets and lineage, and return the receipt."""
        self.log.info("%s", receipt.summary())
        count_wait(context, receipt, self._began)
        file_ids = [*self._file_ids(), *receipt.file_ids]
        handles = () if self._waiting is None else self._waiting.handles
        for directory_id in dict.fromkeys(handle.directory_id for handle in handles):
            self._announce(context, directory_id, counts=receipt.counts(), file_ids=file_ids)
        return receipt.to_xcom()
