"""The trigger that waits for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..client.request import Steps
from ..review.progress import ReviewRules
from ..review.wait import MAX_POLL_FAILURES, ReviewTarget, ReviewWait
from .waiting import WaitTrigger


class DiffgramReviewTrigger(WaitTrigger):
    """Poll until enough is reviewed. It only reads, and can be restarted at any time.

    Sends one event: ``{"status": "done" | "timeout", "receipt"}`` or ``{"status": "error", "message",
    "permanent"}``.

    :param job_id: a job. None means the tasks of the files in any job.
    :param file_ranges: the files as ranges of ids, first and last. None means all files of the job.
    :param min_done: as in :class:`~airflow_provider_diffgram.review.progress.ReviewRules`.
    :param task_timeout: as in the same class.
    """

    def __init__(
        self,
        diffgram_conn_id: str,
        job_id: int | None,
        file_ranges: Sequence[Sequence[int]] | None,
        deadline: float,
        poll_interval: float,
        min_done: float | None = None,
        task_timeout: float = 600.0,
        max_poll_failures: int = MAX_POLL_FAILURES,
    ) -> None:
        super().__init__(diffgram_conn_id, deadline, poll_interval, max_poll_failures)
        self.job_id = job_id
        self.file_ranges = None if file_ranges is None else [list(each) for each in file_ranges]
        self.min_done = min_done
        self.task_timeout = task_timeout

    def _wait(self, project: str) -> Steps[dict[str, Any]]:
        target = ReviewTarget.of_ranges(self.job_id, self.file_ranges)
        rules = ReviewRules(self.min_done, self.task_timeout)
        waiting = ReviewWait(project, target, rules)
        standing = yield from waiting.until_decided(**self._pace())
        told = {"status": standing.status, "receipt": standing.receipt.to_xcom()}
        return {**told, "deadline": self.deadline}
