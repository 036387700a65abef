"""The sensor that waits for people. Imports as little as :mod:`.diffgram`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import PokeReturnValue, conf

from ..hooks.diffgram import failing_for_good
from ..operators.base import number_of, seconds_of
from ..operators.metrics import count_review, counting_failures
from .waiting import WaitSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..review.progress import ReviewReceipt, ReviewRules
    from ..review.wait import ReviewTarget, ReviewWait

_POLL_INTERVAL = 60.0
_TASK_TIMEOUT = 600.0
_TIMEOUT = timedelta(days=30)


class DiffgramReviewSensor(WaitSensor):
    """Wait until people have reviewed the tasks of a job, or certain files.

    What was reviewed before the sensor started counts as well. Returns a receipt: ``{"expected", "complete",
    "in_review", "requires_changes", "deferred", "open", "archived", "without_task", "removed", ...}``.

    :param job: id of a job, or the output of the operator that creates jobs. None means the tasks of the
        files in any job.
    :param files: ids of files, what a push, a wait or the operator that adds tasks returned, or the path of a
        report or record. None means all tasks of the job, including later ones.
    :param min_done: how many files must be complete. A number below 1 is a share of those that can be
        completed. None means all.
    :param task_timeout: how many seconds files may be without a task before the sensor fails.
    :param deferrable: whether to wait in the triggerer, without a worker slot.
    :param poke_interval: seconds between two polls.
    :param timeout: how long to wait, in seconds.
    """

    template_fields: Sequence[str] = ("job", "files", "min_done", "diffgram_conn_id")
    ui_color = "#f6e9fa"
    _waiting: ReviewWait | None = None

    def __init__(
        self,
        *,
        job: int | str | Mapping[str, Any] | None = None,
        files: Any = None,
        min_done: float | str | None = None,
        task_timeout: timedelta | float = _TASK_TIMEOUT,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = _POLL_INTERVAL,
        timeout: timedelta | float = _TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.job = job
        self.files = files
        self.min_done = min_done
        self.task_timeout = task_timeout
        self.deferrable = deferrable

    def _defer_unless_over(self, context: Context, deadline: float) -> dict[str, Any]:
        return self._look(context) or self._defer(deadline)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once; true when enough is reviewed."""

        def poll() -> PokeReturnValue:
            receipt = self._look(context)
            return PokeReturnValue(is_done=receipt is not None, xcom_value=receipt)

        return self._surviving(poll)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None) -> dict[str, Any]:
        """Turn the trigger's event into the receipt, or into the failure."""
        from ..review.progress import ReviewReceipt
        from ..review.wait import Standing, heed

        event = self._check_event(event, "done", "timeout")
        if "deadline" in event:  # missing in events of earlier versions
            self._began = event["deadline"] - self._patience()
        receipt = ReviewReceipt.model_validate(event["receipt"])
        with failing_for_good(), counting_failures(context, self._began):
            return self._finish(context, heed(Standing(event["status"], receipt)))

    def _look(self, context: Context) -> dict[str, Any] | None:
        """Poll once; return the receipt if enough is reviewed."""
        from ..review.wait import ReviewWait

        with failing_for_good(), counting_failures(context, self._began):
            client = self._hook().get_conn()
            if self._waiting is None:
                rules = self._rules()
                self._waiting = ReviewWait(client.project, self._target(), rules)
                self._remember(context, job_id=self._waiting.target.job_id)
            standing = client.run(self._waiting.look())
        return self._finish(context, standing.receipt) if standing.status == "done" else None

    def _target(self) -> ReviewTarget:
        from ..review.chosen import file_ids_of, job_id_of
        from ..review.wait import ReviewTarget

        job_id = None if self.job in (None, "") else job_id_of(self.job)
        if self.files in (None, ""):
            return ReviewTarget(job_id)
        hook = self._hook()
        return ReviewTarget(job_id, tuple(file_ids_of(hook.get_conn(), self.files, hook.path_opener())))

    def _rules(self) -> ReviewRules:
        from ..review.progress import ReviewRules

        given = self.min_done
        min_done = None if given in (None, "", "None") else number_of("min_done", given)
        return ReviewRules(min_done=min_done, task_timeout=seconds_of(self.task_timeout))

    def _defer(self, deadline: float) -> NoReturn:
        """Hand the wait over to the triggerer; does not return."""
        from ..triggers.review import DiffgramReviewTrigger

        assert self._waiting is not None
        target, rules = self._waiting.target, self._waiting.rules
        trigger = DiffgramReviewTrigger(
            diffgram_conn_id=self.diffgram_conn_id,
            job_id=target.job_id,
            file_ranges=target.file_ranges,
            deadline=deadline,
            poll_interval=seconds_of(self.poke_interval),
            min_done=rules.min_done,
            task_timeout=rules.task_timeout,
        )
        self._defer_until(deadline, trigger)

    def _finish(self, context: Context, receipt: ReviewReceipt) -> dict[str, Any]:
        first = next(iter(receipt.file_ids), None)
        self._remember(context, job_id=next(iter(receipt.job_ids), None), file_id=first)
        self.log.info("%s", receipt.summary())
        count_review(context, receipt, self._began)
        return receipt.to_xcom()
