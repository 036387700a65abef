"""What all operators for Diffgram have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, cast

from airflow.providers.common.compat.sdk import BaseOperator, ObjectStoragePath

from ..hooks.diffgram import DiffgramHook
from ..ingest.sources import MediaPath


def path_of(path: str) -> MediaPath:
    """Open local paths and object storage, through Airflow's own connections."""
    return cast(MediaPath, ObjectStoragePath(path))


class Targets(TypedDict):
    """Where things go."""

    dataset: str | int | None
    label_schema: str | int | None


class DiffgramOperator(BaseOperator):
    """What all operators have in common.

    :param dataset: name or id; the connection's default dataset when None.
    :param label_schema: name or id; the connection's, else the project's default schema, when None.
    :param diffgram_conn_id: id of a connection of type ``diffgram``.
    """

    template_fields: Sequence[str] = ("dataset", "label_schema", "diffgram_conn_id")
    ui_color = "#dcebfa"

    def __init__(
        self,
        *,
        dataset: str | int | None = None,
        label_schema: str | int | None = None,
        diffgram_conn_id: str = DiffgramHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset
        self.label_schema = label_schema
        self.diffgram_conn_id = diffgram_conn_id

    def _hook(self) -> DiffgramHook:
        return DiffgramHook(self.diffgram_conn_id)

    def _targets(self, hook: DiffgramHook) -> Targets:
        defaults = hook.get_defaults()
        return {
            "dataset": self.dataset or defaults.dataset,
            "label_schema": self.label_schema or defaults.label_schema,
        }
