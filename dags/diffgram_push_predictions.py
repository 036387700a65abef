"""Every day: find faces in a folder of photographs, and push them to Diffgram for review.

Needs the connection ``diffgram_default``, the label ``face`` in its project, and
``pip install airflow-provider-diffgram[examples]``. The folder may grow, and the model may change: this run's
predictions replace those of earlier runs that nobody touched. Photographs without a face are sent too:
people may find one that the model missed.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import Param, dag, task

from airflow_provider_diffgram.operators.diffgram import DiffgramSendPacketOperator
from airflow_provider_diffgram.sensors.diffgram import DiffgramInputSensor

log = logging.getLogger(__name__)

MODEL = "skimage-lbp-frontal-face"
PASSES = [(scale, mirrored) for scale in (1.15, 1.2, 1.25) for mirrored in (False, True)]


def find_faces(image: Any) -> list[tuple[list[float], float]]:
    """Return box (x_min, y_min, x_max, y_max in pixels) and score of each face in an RGB array.

    The cascade says only yes or no. So it looks at the picture several times, with other window sizes and
    mirrored. Boxes that overlap are one face: its box is their median, its score the share of the passes
    that found it. 1.0 means that every pass did.
    """
    import numpy as np
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    cascade = Cascade(lbp_frontal_face_cascade_filename())
    height, width = image.shape[:2]
    faces: list[dict[int, list[float]]] = []
    for number, (scale, mirrored) in enumerate(PASSES):
        view = np.ascontiguousarray(image[:, ::-1] if mirrored else image)
        found = cascade.detect_multi_scale(
            view, scale_factor=scale, step_ratio=1, min_size=(40, 40), max_size=(height, width)
        )
        for window in found:
            left = width - window["c"] - window["width"] if mirrored else window["c"]
            box = [left, window["r"], left + window["width"], window["r"] + window["height"]]
            same = next((face for face in faces if any(overlap(box, b) > 0.4 for b in face.values())), None)
            if same is None:
                faces.append({number: box})
            else:
                same.setdefault(number, box)
    return [(np.median(list(face.values()), axis=0).tolist(), len(face) / len(PASSES)) for face in faces]


def overlap(a: list[float], b: list[float]) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    common = max(across, 0) * max(down, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


@dag(
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["diffgram", "example"],
    doc_md=__doc__,
    params={
        "dataset": Param("photos", type="string", title="Dataset", description="Name in Diffgram"),
        "media": Param("/data/photos", type="string", title="Media folder", description="With .png and .jpg"),
        "media_url": Param(
            None,
            type=["null", "string"],
            title="URL of the media folder",
            description="Where Diffgram fetches the photographs; if empty, they are uploaded",
        ),
        "output": Param("/data/predictions", type="string", title="Output folder", description="For packets"),
        "min_score": Param(0.3, type="number", minimum=0, maximum=1, title="Minimum score"),
    },
)
def diffgram_push_predictions() -> None:
    @task
    def detect(**context: Any) -> str:
        """Run the model on every photograph, write one packet per line, return the path of the file."""
        import numpy as np
        from PIL import Image

        from airflow_provider_diffgram.models import Packet, PathMedia, UrlMedia
        from airflow_provider_diffgram.predictions import box_instances

        params = context["params"]
        run = f"{context['dag'].dag_id} {context['run_id']}"
        target = Path(params["output"], re.sub(r"\W+", "-", run) + ".jsonl")
        target.parent.mkdir(parents=True, exist_ok=True)
        photos = sorted(p for p in Path(params["media"]).iterdir() if p.suffix in (".png", ".jpg"))
        with target.open("w") as lines:
            for photo in photos:
                image = np.asarray(Image.open(photo).convert("RGB"))
                found = [(box, score) for box, score in find_faces(image) if score >= params["min_score"]]
                faces = box_instances(
                    [box for box, _ in found],
                    "face",
                    [score for _, score in found],
                    width=image.shape[1],
                    height=image.shape[0],
                    model_ref=MODEL,
                    model_run_ref=run,
                )
                log.info("%s: %s", photo.name, faces.summary())
                address = params["media_url"]
                packet = Packet(
                    media=UrlMedia(url=f"{address}/{photo.name}") if address else PathMedia(path=str(photo)),
                    original_filename=f"photo-{photo.name}",
                    instance_list=list(faces.instances),
                )
                lines.write(packet.model_dump_json(exclude_none=True) + "\n")
        return str(target)

    @task
    def log_receipt(receipt: dict[str, Any]) -> None:
        log.info("Diffgram has %(succeeded)s new and %(skipped)s old of %(expected)s photographs", receipt)

    send = DiffgramSendPacketOperator(
        task_id="send",
        packets=detect(),
        dataset="{{ params.dataset }}",
        model_ref=MODEL,
        model_run_ref="{{ dag.dag_id }} {{ run_id }}",
        if_exists="refresh",
    )
    wait = DiffgramInputSensor(task_id="wait", handle=send.output, deferrable=True)
    log_receipt(wait.output)


diffgram_push_predictions()
