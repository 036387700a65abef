"""Whenever people have reviewed 500 more files, or a week has passed and there are some: pull and train.

Needs the connection ``diffgram_default``, and a job in which people review, such as that of
``diffgram_review``. Before Airflow 3.0, which cannot watch assets, it runs every week. A run that finds
nothing new is skipped.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import Param, dag, task

from airflow_provider_diffgram.assets.review import review_asset
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator

log = logging.getLogger(__name__)

JOB = os.environ.get("DIFFGRAM_REVIEW_JOB", "review")
try:
    REVIEWS: Any = review_asset(
        host=os.environ.get("DIFFGRAM_REVIEW_HOST", "diffgram.example.com"),
        project=os.environ.get("DIFFGRAM_REVIEW_PROJECT", "my-project"),
        job=JOB,
        min_files=int(os.environ.get("DIFFGRAM_REVIEW_FILES", "500")),
        max_wait=timedelta(days=7),
    )
except RuntimeError:  # before Airflow 3.0
    REVIEWS = "@weekly"


@dag(
    schedule=REVIEWS,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["diffgram", "example"],
    doc_md=__doc__,
    params={
        "dataset": Param("to-review", type="string", title="Dataset", description="Name in Diffgram"),
        "output": Param("/data/training", type="string", title="Output folder", description="For versions"),
        "format": Param("yolo", type="string", title="Format", description="packets, coco, yolo, voc, …"),
        "media": Param(
            "copy",
            enum=["copy", "link", "none"],
            title="Media",
            description="Copy them, link them, or leave them out",
        ),
    },
)
def diffgram_retrain() -> None:
    pull: Any = DiffgramPullAnnotationsOperator(
        task_id="pull",
        dataset="{{ params.dataset }}",
        path="{{ params.output }}",
        format="{{ params.format }}",
        media="{{ params.media }}",
        skip_unchanged=True,
    )

    @task
    def train(pulled: dict[str, Any]) -> str:
        """Train on a version of the data: yours goes here. It never sees half a version, or one twice."""
        log.info("%(files)s files, %(instances)s annotations; new or changed: %(added)s, %(changed)s", pulled)
        return str(pulled["path"])

    train(pull.output)


diffgram_retrain()
