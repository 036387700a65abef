"""Links from a task in Airflow to its dataset, file, inputs and job in Diffgram's web pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import BaseOperatorLink
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey
    from airflow.providers.common.compat.sdk import BaseOperator, Context

    from ..client import Settings

KEY = "diffgram_place"
"""XCom with the addresses: Airflow 2 makes links in the webserver; a deferred task runs in two workers."""

_KEPT = "_diffgram_place"
"""Attribute of a running operator with the same content: Airflow 3 logs an error for a missing XCom."""


def remember_place(
    context: Context,
    settings: Settings,
    *,
    directory_id: int | None = None,
    file_id: int | None = None,
    job_id: int | None = None,
    batch_ids: Sequence[int] = (),
) -> None:
    """Store the targets of a running task's links. Later calls add to them.

    Without a task instance, as when an operator is tried out, nothing is stored.

    :param settings: settings of the connection.
    :param batch_ids: input batches of the task; the link to its inputs shows one batch, or all inputs.
    """
    pages = {
        "dataset": settings.dataset_url(directory_id) if directory_id else None,
        "file": settings.file_url(file_id) if file_id else None,
        "job": settings.job_url(job_id) if job_id else None,
        "inputs": settings.inputs_url(batch_ids[0]) if len(batch_ids) == 1 else None,
    }
    known = {key: page for key, page in pages.items() if page is not None}
    _keep(context, known, otherwise={"inputs": settings.inputs_url()})


def remember_page(context: Context, page: str | None) -> None:
    """Store where a running task writes its page."""
    if page:
        _keep(context, {"page": address_of(page)})


def recall_place(context: Context) -> None:
    """Restore what an earlier process of a deferred task stored."""
    ti = context.get("ti")
    if ti is not None and AIRFLOW_V_3_0_PLUS:
        _keep(context, ti.xcom_pull(key=KEY, task_ids=ti.task_id, map_indexes=ti.map_index) or {})


def _keep(context: Context, more: Mapping[str, str], otherwise: Mapping[str, str] | None = None) -> None:
    """Add addresses to those that are kept.

    :param otherwise: addresses to use unless there are better ones.
    """
    ti = context.get("ti")
    if ti is None:
        return
    known = getattr(ti.task, _KEPT, {})
    place = {**(otherwise or {}), **known, **more}
    if place != known:
        setattr(ti.task, _KEPT, place)
        ti.xcom_push(key=KEY, value=place)


def address_of(path: str) -> str:
    """Return the URL that a browser opens for a path; for object storage, a web page of its cloud."""
    scheme, separator, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    bucket = bucket.rpartition("@")[2]  # s3://connection@bucket/key
    if scheme == "s3":
        return f"https://s3.console.aws.amazon.com/s3/object/{quote(bucket)}?prefix={quote(key, safe='')}"
    if scheme in ("gs", "gcs"):
        return f"https://storage.cloud.google.com/{quote(bucket)}/{quote(key)}"
    return path if separator else f"file://{quote(path)}"


class _DiffgramLink(BaseOperatorLink):
    """A link that is empty, and therefore hidden, until the task has stored its target."""

    leads_to = ""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # type: ignore[override]
        """Return the address that the task stored."""
        place: Any
        if AIRFLOW_V_3_0_PLUS:
            place = getattr(operator, _KEPT, None)
        else:
            from airflow.providers.common.compat.sdk import XCom

            place = XCom.get_value(key=KEY, ti_key=ti_key)
        return str(place.get(self.leads_to, "")) if isinstance(place, Mapping) else ""


class DiffgramDatasetLink(_DiffgramLink):
    """Opens the dataset in the explorer."""

    name = "Diffgram dataset"
    leads_to = "dataset"


class DiffgramFileLink(_DiffgramLink):
    """Opens the file, or the first of several."""

    name = "Diffgram file"
    leads_to = "file"


class DiffgramInputsLink(_DiffgramLink):
    """Opens the list of inputs: what has arrived, what is pending, what failed and why.

    The address includes the number of the task's batch. Diffgram's page shows all inputs and has a field for
    the number; the emulator's page shows the batch.
    """

    name = "Diffgram inputs"
    leads_to = "inputs"


class DiffgramJobLink(_DiffgramLink):
    """Opens the job in which people review."""

    name = "Diffgram job"
    leads_to = "job"


class DiffgramPageLink(_DiffgramLink):
    """Opens the page that a task wrote, of a validation or a comparison."""

    name = "Page"
    leads_to = "page"


LINKS: tuple[BaseOperatorLink, ...] = (
    DiffgramDatasetLink(),
    DiffgramFileLink(),
    DiffgramInputsLink(),
    DiffgramJobLink(),
)
"""Links of every task."""

PAGE_LINKS = (*LINKS, DiffgramPageLink())
"""Links of a task that writes a page."""
