"""Links from a task in Airflow to its dataset, file, inputs and job in Diffgram's web page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import BaseOperatorLink
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey
    from airflow.providers.common.compat.sdk import BaseOperator, Context

KEY = "diffgram_place"
"""XCom with what the links need: Airflow 2 makes links in the webserver; a deferred task has two workers."""

_KEPT = "_diffgram_place"
"""Attribute of an operator at work with the same: Airflow 3 logs an error for an XCom that is missing."""


def remember_place(
    context: Context,
    base_url: str,
    project: str,
    *,
    directory_id: int | None = None,
    file_id: int | None = None,
    job_id: int | None = None,
    batch_ids: Sequence[int] = (),
) -> None:
    """Store what the links of a running task need. Call it again when more is known: that is added.

    Without a task instance, as when an operator is tried out, nothing is stored.

    :param base_url: scheme, host and port, without a credential.
    :param project: project_string_id.
    :param batch_ids: input batches of the task; the link to its inputs shows one batch, or all inputs.
    """
    place = {
        "base_url": base_url,
        "project": project,
        "directory_id": directory_id,
        "file_id": file_id,
        "job_id": job_id,
        "batch_id": batch_ids[0] if len(batch_ids) == 1 else None,
    }
    _keep(context, {key: value for key, value in place.items() if value is not None})


def recall_place(context: Context) -> None:
    """Take up what an earlier process of a deferred task stored."""
    ti = context.get("ti")
    if ti is not None and AIRFLOW_V_3_0_PLUS:
        _keep(context, ti.xcom_pull(key=KEY, task_ids=ti.task_id, map_indexes=ti.map_index) or {})


def _keep(context: Context, more: Mapping[str, Any]) -> None:
    ti = context.get("ti")
    if ti is None:
        return
    known = getattr(ti.task, _KEPT, {})
    place = {**known, **more}
    if place != known:
        setattr(ti.task, _KEPT, place)
        ti.xcom_push(key=KEY, value=place)


def _place_of(operator: Any, ti_key: TaskInstanceKey) -> Mapping[str, Any]:
    if AIRFLOW_V_3_0_PLUS:
        place = getattr(operator, _KEPT, None)
    else:
        from airflow.providers.common.compat.sdk import XCom

        place = XCom.get_value(key=KEY, ti_key=ti_key)
    return place if isinstance(place, Mapping) else {}


class _DiffgramLink(BaseOperatorLink):
    """A link that is empty, and so not shown, until the task has stored where it leads."""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # type: ignore[override]
        """Return the address, made from what the task stored."""
        place = _place_of(operator, ti_key)
        path = self._path(place) if "project" in place else ""
        return f"{place['base_url']}{path}" if path else ""

    def _path(self, place: Mapping[str, Any]) -> str:
        raise NotImplementedError


class DiffgramDatasetLink(_DiffgramLink):
    """Opens the dataset in the explorer."""

    name = "Diffgram dataset"

    def _path(self, place: Mapping[str, Any]) -> str:
        directory_id = place.get("directory_id")
        return (
            f"/studio/annotate/{_project(place)}/explorer?dataset_id={directory_id}" if directory_id else ""
        )


class DiffgramFileLink(_DiffgramLink):
    """Opens the file, or the first of several."""

    name = "Diffgram file"

    def _path(self, place: Mapping[str, Any]) -> str:
        file_id = place.get("file_id")
        return f"/studio/annotate/{_project(place)}?file={file_id}" if file_id else ""


class DiffgramInputsLink(_DiffgramLink):
    """Opens the list of inputs: what arrived, what is waiting, what failed and why.

    The number of the task's batch goes with it. Diffgram's page shows all inputs and has a field for the
    number; the emulator's shows the batch.
    """

    name = "Diffgram inputs"

    def _path(self, place: Mapping[str, Any]) -> str:
        batch = f"?batch_id={place['batch_id']}" if "batch_id" in place else ""
        return f"/studio/upload/{_project(place)}{batch}"


class DiffgramJobLink(_DiffgramLink):
    """Opens the job in which people review."""

    name = "Diffgram job"

    def _path(self, place: Mapping[str, Any]) -> str:
        job_id = place.get("job_id")
        return f"/job/{job_id}" if job_id else ""


class DiffgramPageLink(BaseOperatorLink):
    """Opens the page that a task wrote: what a gate found, or what people made of predictions."""

    name = "Page"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # type: ignore[override]
        """Return the address of the page, as far as a browser can open it."""
        page = _place_of(operator, ti_key).get("page")
        return address_of(page) if isinstance(page, str) else ""


def remember_page(context: Context, page: str | None) -> None:
    """Store where a running task writes its page."""
    if page:
        _keep(context, {"page": page})


def address_of(path: str) -> str:
    """Return what a browser opens for a path: object storage by the web page of its cloud."""
    scheme, separator, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    bucket = bucket.rpartition("@")[2]  # s3://connection@bucket/key
    if scheme == "s3":
        return f"https://s3.console.aws.amazon.com/s3/object/{quote(bucket)}?prefix={quote(key, safe='')}"
    if scheme in ("gs", "gcs"):
        return f"https://storage.cloud.google.com/{quote(bucket)}/{quote(key)}"
    return path if separator else f"file://{quote(path)}"


def _project(place: Mapping[str, Any]) -> str:
    return quote(str(place["project"]), safe="")


LINKS: tuple[BaseOperatorLink, ...] = (
    DiffgramDatasetLink(),
    DiffgramFileLink(),
    DiffgramInputsLink(),
    DiffgramJobLink(),
)
"""Of every task."""

PAGE_LINKS = (*LINKS, DiffgramPageLink())
"""Of a task that writes a page."""
