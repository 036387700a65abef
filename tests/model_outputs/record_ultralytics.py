"""Record what Ultralytics predicts with small models of random weights, one file a task.

Run it where ``ultralytics`` is installed: ``python record_ultralytics.py``. No weights are downloaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import ultralytics
from ultralytics import YOLO
from ultralytics.engine.results import Results

HERE = Path(__file__).parent
HEIGHT, WIDTH = 192, 256
TASKS = {"detect": "yolo11n", "segment": "yolo11n-seg", "pose": "yolo11n-pose", "obb": "yolo11n-obb"}


def recorded(result: Results) -> dict[str, Any]:
    """Return the public attributes of a result that hold predictions, tensors as lists."""
    parts = {
        "boxes": ("xyxy", "cls", "conf", "id"),
        "obb": ("xyxyxyxy", "cls", "conf", "id"),
        "keypoints": ("xy", "conf"),
        "probs": ("top1", "top1conf"),
    }
    used = {int(number) for part in (result.boxes, result.obb) if part is not None for number in part.cls}
    used |= {result.probs.top1} if result.probs is not None else set()
    out: dict[str, Any] = {
        "path": result.path,
        "orig_shape": list(result.orig_shape),
        "names": {key: name for key, name in result.names.items() if key in used},
        "masks": None if result.masks is None else {"xy": [ring.tolist() for ring in result.masks.xy]},
    }
    for part, attributes in parts.items():
        value = getattr(result, part)
        out[part] = None if value is None else {each: listed(getattr(value, each)) for each in attributes}
    return out


def listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def spread(head: torch.nn.Module) -> None:
    """Make the boxes of an untrained head differ in size and class; else they all are the image."""
    for branch in (*head.cv2, *head.cv3):
        torch.nn.init.normal_(branch[-1].bias, std=2)


def tracked(image: np.ndarray[Any, Any]) -> Results:
    """Return a result as the tracker makes it: seven columns, the fifth is the track."""
    rows = torch.tensor([[10.2, 20.7, 60.0, 90.4, 7, 0.9, 2], [0.0, 0.0, 30.0, 40.0, 12, 0.4, 0]])
    return Results(image, "clip.mp4", {0: "person", 2: "car"}, boxes=rows)


def main() -> None:
    image = (np.random.default_rng(7).random((HEIGHT, WIDTH, 3)) * 255).astype("uint8")
    results = {}
    texts = {}
    for task, config in TASKS.items():
        torch.manual_seed(7)
        model = YOLO(f"{config}.yaml", task=task)
        spread(model.model.model[-1])
        (results[task],) = model.predict(
            image, imgsz=WIDTH, conf=1e-6, iou=0.7, max_det=4, verbose=False, device="cpu"
        )
        text = HERE / f"{task}.txt"
        results[task].save_txt(text, save_conf=True)
        texts[task] = text.read_text()
        text.unlink()
    (results["classify"],) = YOLO("yolo11n-cls.yaml").predict(image, imgsz=64, verbose=False, device="cpu")
    results["track"] = tracked(image)
    payload = {
        "versions": {"ultralytics": ultralytics.__version__, "torch": torch.__version__},
        "results": {task: recorded(result) for task, result in results.items()},
        "texts": texts,
    }
    (HERE / "ultralytics.json").write_text(json.dumps(payload) + "\n")


if __name__ == "__main__":
    main()
