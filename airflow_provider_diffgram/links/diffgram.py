"""Links from a task in Airflow to dataset, file and inputs in Diffgram's user interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey
    from airflow.providers.common.compat.sdk import BaseOperator, Context

KEY = "diffgram_place"
"""XCom in which a task keeps where it works: Airflow 2 makes links in the webserver, 3 on the worker."""


def remember_place(
    context: Context,
    base_url: str,
    project: str,
    *,
    directory_id: int | None = None,
    file_id: int | None = None,
) -> None:
    """Keep what the links of a running task are made of. May be called again once more is known.

    Outside of a task, where an operator may be tried out, there is nowhere to keep it.

    :param base_url: scheme, host and port, without a credential.
    :param project: project_string_id.
    """
    place = {"base_url": base_url, "project": project, "directory_id": directory_id, "file_id": file_id}
    ti = context.get("ti")
    if ti is not None:
        ti.xcom_push(key=KEY, value={key: value for key, value in place.items() if value is not None})


class _DiffgramLink(BaseOperatorLink):
    """A link that is empty, and therefore not shown, as long as the task has not said what it leads to."""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # type: ignore[override]
        """Return the address, from what the task has kept."""
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
    """Opens the list of inputs: what came, what is on its way, what failed and why."""

    name = "Diffgram inputs"

    def _path(self, place: Mapping[str, Any]) -> str:
        return f"/studio/upload/{_project(place)}"


def _project(place: Mapping[str, Any]) -> str:
    return quote(str(place["project"]), safe="")


LINKS = (DiffgramDatasetLink(), DiffgramFileLink(), DiffgramInputsLink())
