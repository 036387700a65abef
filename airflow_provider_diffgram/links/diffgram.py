"""Links from a task in Airflow to its dataset, file, inputs and job in Diffgram's web page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey
    from airflow.providers.common.compat.sdk import BaseOperator, Context

PAGE_KEY = "diffgram_page"

KEY = "diffgram_place"
"""XCom with what the links need: Airflow 2 makes links in the webserver, Airflow 3 on the worker."""


def remember_place(
    context: Context,
    base_url: str,
    project: str,
    *,
    directory_id: int | None = None,
    file_id: int | None = None,
    job_id: int | None = None,
) -> None:
    """Store what the links of a running task need. Call it again when more is known.

    Without a task instance, as when an operator is tried out, nothing is stored.

    :param base_url: scheme, host and port, without a credential.
    :param project: project_string_id.
    """
    place = {
        "base_url": base_url,
        "project": project,
        "directory_id": directory_id,
        "file_id": file_id,
        "job_id": job_id,
    }
    ti = context.get("ti")
    if ti is not None:
        ti.xcom_push(key=KEY, value={key: value for key, value in place.items() if value is not None})


class _DiffgramLink(BaseOperatorLink):
    """A link that is empty, and so not shown, until the task has stored where it leads."""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # type: ignore[override]
        """Return the address, made from what the task stored."""
        from airflow.providers.common.compat.sdk import XCom

        place: Any = XCom.get_value(key=KEY, ti_key=ti_key)
        if not isinstance(place, Mapping):
            return ""
        path = self._path(place)
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
    """Opens the list of inputs: what arrived, what is waiting, what failed and why."""

    name = "Diffgram inputs"

    def _path(self, place: Mapping[str, Any]) -> str:
        return f"/studio/upload/{_project(place)}"


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
        from airflow.providers.common.compat.sdk import XCom

        page: Any = XCom.get_value(key=PAGE_KEY, ti_key=ti_key)
        return address_of(page) if isinstance(page, str) else ""


def remember_page(context: Context, page: str | None) -> None:
    """Store where a running task writes its page."""
    ti = context.get("ti")
    if ti is not None and page:
        ti.xcom_push(key=PAGE_KEY, value=page)


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
"""Of a task that writes a page. Airflow logs an error for each link that the task stored nothing for."""
