"""On demand: what several cameras saw at one moment becomes one compound file in Diffgram, camera by camera.

Needs the connection ``diffgram_default``, and pictures at ``<folder>/<timestamp>/<camera>.png``, local or in
object storage. The folder may grow: a second run sends only what is new.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import Param, dag, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

log = logging.getLogger(__name__)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["diffgram", "example"],
    doc_md=__doc__,
    params={
        "folder": Param(
            "/data/scenes", type="string", title="Folder", description="With one folder per moment"
        ),
        "cameras": Param(
            ["front", "left", "right", "rear"],
            type="array",
            title="Cameras",
            description="Names of the files, in the order in which people see them",
        ),
        "dataset": Param("scenes", type="string", title="Dataset", description="Name in Diffgram"),
        "prefix": Param(
            "scene-", type="string", title="Prefix", description="Beginning of each scene's name"
        ),
    },
)
def diffgram_camera_scenes() -> None:
    @task
    def find_scenes(**context: Any) -> list[Any]:
        """Return a scene per moment: its name, and a child for each camera."""
        from airflow_provider_diffgram.ingest.read.scenes import pictures_in, scenes

        params = context["params"]
        found = scenes(pictures_in(params["folder"]), cameras=params["cameras"], prefix=params["prefix"])
        log.info("%d scenes of up to %d cameras", len(found), len(params["cameras"]))
        return found

    @task
    def names(scenes: list[Any]) -> list[str]:
        return [scene["name"] for scene in scenes]

    @task
    def calls(scenes: list[Any], parents: Any) -> list[Any]:
        """Return the arguments of one upload per scene."""
        from airflow_provider_diffgram.ingest.read.scenes import children_calls

        return children_calls(scenes, parents)

    @task
    def log_receipt(receipt: dict[str, Any]) -> None:
        log.info("Diffgram has %(succeeded)s new and %(skipped)s old of %(expected)s pictures", receipt)

    found = find_scenes()
    create = DiffgramCreateCompoundFileOperator.partial(
        task_id="create", dataset="{{ params.dataset }}"
    ).expand(name=names(found))
    upload = DiffgramUploadChildrenOperator.partial(
        task_id="upload", dataset="{{ params.dataset }}"
    ).expand_kwargs(calls(found, create.output))
    wait = DiffgramInputSensor(task_id="wait", handle=upload.output, deferrable=True)
    log_receipt(wait.output)


diffgram_camera_scenes()
