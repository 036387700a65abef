"""Airflow's metrics of what a task sent and waited for. A table in ``docs/airflow.md`` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Stats

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from ..models import Handle, Receipt


def count_push(context: Context, handle: Handle) -> None:
    """Count what a push did."""
    counts = handle.counts()
    sent = {"sent": counts["sent"] + counts["done_at_send"], "bytes": handle.uploaded_bytes}
    told = {**sent, "skipped": counts["skipped"], "failed": counts["not_sent"]}
    ways = {f"delivered.{way}": count for way, count in handle.delivered.items()}
    _count(context, "push", {**told, **ways})


def count_wait(context: Context, receipt: Receipt) -> None:
    """Count how the inputs of a wait ended, and the seconds since the task began."""
    counts = receipt.counts()
    names = ("succeeded", "failed", "archived", "missing", "stuck")
    _count(context, "wait", {name: counts[name] for name in names})
    began = getattr(context.get("ti"), "start_date", None)
    if isinstance(began, datetime):
        seconds = (datetime.now(UTC) - began).total_seconds()
        Stats.timing(
            "diffgram.wait.seconds", 1000 * seconds, tags=_tags(context)
        )  # Airflow takes milliseconds


def _count(context: Context, what: str, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        if count:
            Stats.incr(f"diffgram.{what}.{name}", count, tags=_tags(context))


def _tags(context: Context) -> dict[str, str]:
    ti = context.get("ti")
    return {} if ti is None else {"dag_id": ti.dag_id, "task_id": ti.task_id}
