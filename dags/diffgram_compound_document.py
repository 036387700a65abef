"""On demand: a scanned document becomes one compound file in Diffgram, its pages in order, with text regions.

Needs the connection ``diffgram_default``, the label ``text`` in its project, and
``pip install airflow-provider-diffgram[examples]``. A second run with the same name adds nothing: existing
pages are skipped.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import Param, dag, task

from airflow_provider_diffgram.operators.diffgram import (
    DiffgramCreateCompoundFileOperator,
    DiffgramUploadChildrenOperator,
)
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

log = logging.getLogger(__name__)

MODEL = "PP-OCRv6-det-small"


def find_text(engine: Any, image: Any) -> tuple[list[list[list[float]]], list[float]]:
    """Return the quadrilaterals (four corners ``x, y`` in pixels) and scores of the text in an RGB array.

    The score is the detector's own: the mean probability of text over the pixels of the region.
    """
    found = engine(image[:, :, ::-1], use_det=True, use_cls=False, use_rec=False)
    return ([], []) if found.boxes is None else (found.boxes.tolist(), found.scores)


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["diffgram", "example"],
    doc_md=__doc__,
    params={
        "document": Param("/data/scan.tif", type="string", title="Document", description="TIFF or PDF"),
        "dpi": Param(150, type="integer", title="PDF resolution", description="Pixels per inch"),
        "output": Param("/data/pages", type="string", title="Output folder", description="For pages"),
        "dataset": Param("documents", type="string", title="Dataset", description="Name in Diffgram"),
        "min_score": Param(0.3, type="number", minimum=0, maximum=1, title="Minimum score"),
        "name": Param("scan", type="string", title="Name of the compound file", pattern=r"^[\w.-]+$"),
    },
)
def diffgram_compound_document() -> None:
    @task
    def split_and_detect(**context: Any) -> str:
        """Write every page as PNG and one child per line, return the path of the lines."""
        import numpy as np
        from rapidocr import RapidOCR

        from airflow_provider_diffgram.ingest.read.pages import pages_of
        from airflow_provider_diffgram.models import Child, PathMedia
        from airflow_provider_diffgram.predictions import polygon_instances

        params = context["params"]
        folder = Path(params["output"], params["name"])
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / "children.jsonl"
        settings = {
            "Global.log_level": "error",
            "Det.limit_type": "max",
            "Det.box_thresh": params["min_score"],
        }
        detector = RapidOCR(params=settings)
        with target.open("w") as lines:
            for number, (_, image) in enumerate(pages_of(params["document"], params["dpi"])):
                page = image.convert("RGB")
                path = folder / f"{params['name']}-page-{number}.png"
                page.save(path)
                quads, scores = find_text(detector, np.asarray(page))
                text = polygon_instances(
                    quads,
                    "text",
                    scores,
                    width=page.width,
                    height=page.height,
                    model_ref=MODEL,
                    model_run_ref=f"{context['dag'].dag_id} {context['run_id']}",
                )
                log.info("page %d: %s", number, text.summary())
                child = Child(
                    media=PathMedia(path=str(path)),
                    ordinal=number,
                    original_filename=path.name,
                    instance_list=list(text.instances),
                )
                lines.write(child.model_dump_json(exclude_none=True) + "\n")
        return str(target)

    @task
    def log_receipt(receipt: dict[str, Any]) -> None:
        log.info("Diffgram has %(succeeded)s new and %(skipped)s old of %(expected)s pages", receipt)

    create = DiffgramCreateCompoundFileOperator(
        task_id="create", name="{{ params.name }}", dataset="{{ params.dataset }}"
    )
    upload = DiffgramUploadChildrenOperator(
        task_id="upload",
        parent_file_id=create.output["file_id"],
        children=split_and_detect(),
        dataset="{{ params.dataset }}",
    )
    wait = DiffgramInputSensor(task_id="wait", handle=upload.output, deferrable=True)
    log_receipt(wait.output)


diffgram_compound_document()
