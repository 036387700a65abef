"""On demand: push predictions, wait until people have reviewed them, and bring back their corrections.

It also measures how good the predictions were.

Needs the connection ``diffgram_default``. Trigger it with the form. A second run sends only what is missing,
finds the same job, and writes a new version of the annotations only if people changed something.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import Param, dag, task

from airflow_provider_diffgram.operators.compare import DiffgramCompareOperator
from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.operators.pull import DiffgramPullAnnotationsOperator
from airflow_provider_diffgram.operators.review import DiffgramCreateJobOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor
from airflow_provider_diffgram.sensors.review import DiffgramReviewSensor

log = logging.getLogger(__name__)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["diffgram", "example"],
    doc_md=__doc__,
    params={
        "packets": Param(
            "/data/predictions.jsonl", type="string", title="Predictions", description="Packets, one per line"
        ),
        "dataset": Param("to-review", type="string", title="Dataset", description="Name in Diffgram"),
        "job": Param("review", type="string", title="Job", description="Name of the job for people"),
        "min_done": Param(
            1.0,
            type="number",
            exclusiveMinimum=0,
            maximum=1,
            title="Share to review",
            description="0.95 continues when 95 % of the files are complete",
        ),
        "record": Param(
            "/data/predictions-sent.jsonl",
            type="string",
            title="Record",
            description="Path of the file that lists what was sent",
        ),
        "output": Param("/data/reviewed", type="string", title="Output folder", description="For versions"),
        "comparison": Param(
            "/data/compared", type="string", title="Comparison", description="Folder for figures and page"
        ),
        "format": Param("packets", type="string", title="Format", description="packets, coco, yolo, voc, …"),
    },
)
def diffgram_review() -> None:
    send: Any = DiffgramSendPacketOperator(
        task_id="send",
        packets="{{ params.packets }}",
        dataset="{{ params.dataset }}",
        record="{{ params.record }}",
    )
    arrived: Any = DiffgramInputSensor(task_id="arrived", handle=send.output, deferrable=True)
    job: Any = DiffgramCreateJobOperator(
        task_id="job", name="{{ params.job }}", datasets="{{ params.dataset }}"
    )
    reviewed: Any = DiffgramReviewSensor(
        task_id="reviewed",
        job=job.output["job_id"],
        files=send.output,
        min_done="{{ params.min_done if params.min_done < 1 else none }}",
        timeout=timedelta(days=14),
        deferrable=True,
    )
    pull: Any = DiffgramPullAnnotationsOperator(
        task_id="pull",
        job=job.output["job_id"],
        path="{{ params.output }}",
        format="{{ params.format }}",
    )
    compare: Any = DiffgramCompareOperator(
        task_id="compare",
        record="{{ params.record }}",
        job=job.output["job_id"],
        metrics="{{ params.comparison }}/metrics.json",
        report="{{ params.comparison }}/report.jsonl",
        page="{{ params.comparison }}/page.html",
        history="{{ params.comparison }}/history.jsonl",
    )

    @task
    def log_what_came_back(receipt: dict[str, Any], pulled: dict[str, Any], compared: dict[str, Any]) -> None:
        log.info("%s of %s files are reviewed", receipt["complete"], receipt["expected"])
        log.info("people kept %s of %s predictions", compared["kept"], compared["judged"])
        log.info("version %s: %s annotations in %s", pulled["version"], pulled["instances"], pulled["path"])

    arrived >> job >> reviewed >> [pull, compare]
    log_what_came_back(reviewed.output, pull.output, compare.output)


diffgram_review()
