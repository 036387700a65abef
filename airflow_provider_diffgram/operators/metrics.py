"""Emits Airflow metrics of what a task sent, waited for and pulled. ``docs/airflow.md`` lists them."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Stats

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..models import Handle, Receipt
    from ..review.progress import ReviewReceipt
    from ..review.pull import Pulled


def count_push(context: Context, handle: Handle) -> None:
    """Count what a push did."""
    counts = handle.counts()
    sent = {"sent": counts["sent"] + counts["done_at_send"], "bytes": handle.uploaded_bytes}
    told = {**sent, "skipped": counts["skipped"], "failed": counts["not_sent"]}
    ways = {f"delivered.{way}": count for way, count in handle.delivered.items()}
    _count(context, "push", {**told, **ways})


def count_wait(context: Context, receipt: Receipt, began: float | None) -> None:
    """Count how the inputs of a wait ended, and the seconds that it took.

    :param began: epoch seconds; None if that is not known.
    """
    counts = receipt.counts()
    names = ("succeeded", "failed", "archived", "missing", "stuck", "pending")
    _count(context, "wait", {name: counts[name] for name in names})
    _time(context, "wait", began)


def count_review(context: Context, receipt: ReviewReceipt, began: float | None) -> None:
    """Count the files of a review by state, and the seconds that it took.

    :param began: epoch seconds; None if that is not known.
    """
    _count(context, "review", {name: n for name, n in receipt.counts().items() if name != "expected"})
    _time(context, "review", began)


def count_pull(context: Context, pulled: Pulled) -> None:
    """Count what a pull wrote."""
    files = {name: getattr(pulled, name) for name in ("added", "changed", "kept", "removed")}
    _count(context, "pull", {**files, "annotations": pulled.instances if pulled.is_new else 0})


@contextmanager
def counting_failures(context: Context, began: float | None = None) -> Generator[None, None, None]:
    """On failure, count what a push did before it, or the state of a wait.

    :param began: epoch seconds at which the wait began; None if that is not known.
    """
    try:
        yield
    except Exception as error:
        from ..ingest.send.outcomes.errors import PushError
        from ..ingest.watch.errors import EndedWaitError
        from ..review.errors import ReviewEndedError

        if isinstance(error, PushError):
            _count(context, "push", error.counts)
        if isinstance(error, EndedWaitError):
            count_wait(context, error.receipt, began)
        if isinstance(error, ReviewEndedError):
            count_review(context, error.receipt, began)
        raise


def _count(context: Context, what: str, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        if count:
            Stats.incr(f"diffgram.{what}.{name}", count, tags=_tags(context))


def _time(context: Context, what: str, began: float | None) -> None:
    if began is not None:  # Airflow takes milliseconds
        Stats.timing(f"diffgram.{what}.seconds", 1000 * (time.time() - began), tags=_tags(context))


def _tags(context: Context) -> dict[str, str]:
    ti = context.get("ti")
    return {} if ti is None else {"dag_id": ti.dag_id, "task_id": ti.task_id}
