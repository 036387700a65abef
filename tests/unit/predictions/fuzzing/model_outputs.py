"""Readers of COCO, of what models return and of tables, that are fuzzed, each with good inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pycocotools import mask as runs

from airflow_provider_diffgram.predictions import (
    RawImage,
    RawPrediction,
    from_classification_pipeline,
    from_coco,
    from_dataframe,
    from_detection_pipeline,
    from_document_question_answering,
    from_label_studio,
    from_segmentation_pipeline,
    from_supervision,
    from_supervision_key_points,
    from_token_classification,
    from_torchvision,
    video_frames,
)
from tests.unit.predictions.fuzzing import FileTarget, Target, ValueTarget

MODEL_OUTPUTS = Path(__file__).parents[3] / "model_outputs"
WIDTH, HEIGHT = 64, 48
SIZES = [(WIDTH, HEIGHT)]
BOX = [3.0, 4.0, 30.0, 40.0]


def _mask(*shape: int) -> Any:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[4:40, 3:30] = True
    return mask.reshape(*shape, HEIGHT, WIDTH)


def _dataset() -> dict[str, Any]:
    return {
        "images": [
            {"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT},
            {"id": "b", "file_name": "b.jpg"},
        ],
        "categories": [
            {"id": 1, "name": "cat"},
            {"id": 2, "name": "person", "keypoints": ["a", "b", "c"], "skeleton": [[1, 2], [2, 3]]},
        ],
    }


def _records() -> list[dict[str, Any]]:
    packed = runs.encode(np.asfortranarray(_mask().astype(np.uint8)))
    return [
        {"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [3, 4, 27.5, 36]},
        {
            "image_id": "b",
            "category_id": 1,
            "score": None,
            "bbox": BOX,
            "segmentation": [[3, 4, 30, 4, 9, 40]],
        },
        {
            "image_id": 1,
            "category_id": 1,
            "segmentation": {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()},
        },
        {
            "image_id": "b",
            "category_id": 1,
            "segmentation": {"size": [4, 3], "counts": [2, 4, 6]},
            "iscrowd": 1,
        },
        {
            "image_id": 1,
            "category_id": 2,
            "bbox": BOX,
            "keypoints": [3, 4, 2, 0, 0, 0, 9, 9, 1],
            "num_keypoints": 2,
        },
    ]


def _in_memory(values: Any) -> Iterable[RawImage]:
    records, dataset = values if isinstance(values, list | tuple) and len(values) == 2 else (values, values)
    return from_coco(records, dataset)


def _target(
    read: Callable[..., Iterable[RawImage]],
    output: Callable[[], Any],
    wrap: Callable[[Any], Any] = lambda each: each,
    words: Any = None,
    **options: Any,
) -> ValueTarget:
    """Return a reader of outputs, names and options, all of which are changed."""
    fixed = {} if words is None else {"words": words}

    def called(values: Any) -> Iterable[RawImage]:
        given = values if isinstance(values, dict) else {"outputs": values}
        more = {key: given.get(key, value) for key, value in options.items()}
        outputs = given.get("outputs")
        outputs = list(map(wrap, outputs)) if isinstance(outputs, list) else outputs
        return read(outputs, given.get("names"), **more, **fixed)

    return ValueTarget(lambda: {"outputs": [output()], "names": ["a.jpg"], **options}, called)


class _Found(SimpleNamespace):
    """What has the columns of supervision's objects and their length."""

    def __len__(self) -> int:
        return len(getattr(self, "xyxy", getattr(self, "xy", ())))


def _found(columns: Any) -> Any:
    return _Found(**columns) if isinstance(columns, dict) else columns


def _detections() -> dict[str, Any]:
    return {
        "xyxy": np.array([BOX, BOX]),
        "mask": None,
        "confidence": np.array([0.5, 0.25], dtype=np.float32),
        "class_id": np.array([0, 1]),
        "tracker_id": np.array([7, -1]),
        "data": {"class_name": np.array(["cat", "dog"])},
    }


def _key_points() -> dict[str, Any]:
    return {
        "xy": np.array([[[3, 4], [0, 0], [9, 9]]], dtype=np.float32),
        "class_id": np.array([0]),
        "keypoint_confidence": np.array([[0.9, 0.1, 0.5]]),
        "detection_confidence": np.array([0.5]),
        "visible": np.array([[True, False, True]]),
        "data": {},
    }


def _output(**more: Any) -> dict[str, Any]:
    return {"boxes": np.array([BOX]), "labels": np.array([1]), "scores": np.array([0.5]), **more}


def _segment() -> dict[str, Any]:
    return {"label": "cat", "score": 0.5, "mask": Image.fromarray(_mask().astype(np.uint8) * 255)}


def _row(**more: Any) -> dict[str, Any]:
    edges = dict(zip(("x_min", "y_min", "x_max", "y_max"), BOX, strict=True))
    return {"image": "a.jpg", "label": "cat", "score": 0.5, **edges, "track": 7, "frame": 3, **more}


def _rows() -> list[dict[str, Any]]:
    polygon = {
        "image": "b.jpg",
        "label": 1.0,
        "points": "[[3, 4], [30, 4], [9, 40]]",
        "width": 64,
        "height": 48,
    }
    return [_row(), polygon, {"image": "c.jpg", "label": "indoor"}, {"image": "d.jpg"}]


def _table(rows: Any) -> Iterable[RawImage]:
    if not isinstance(rows, list):
        return from_dataframe(rows)
    try:
        frame = pd.DataFrame(rows, dtype=object)
    except Exception:  # noqa: BLE001  (what pandas does not take is no table)
        return []
    return from_dataframe(frame)


def _brush() -> list[Any]:
    saved = json.loads((MODEL_OUTPUTS / "label_studio.json").read_text())["shapes"]
    results = saved[0]["predictions"][0]["result"]
    brushes = [each for each in results if each["type"] == "brushlabels"]
    return [{"id": 1, "data": {"image": "a.png"}, "predictions": [{"result": brushes}]}]


def _video(columns: Any) -> Iterator[RawImage]:
    frames, tracks = columns if isinstance(columns, list) and len(columns) == 2 else (columns, columns)
    pairs = zip(frames, tracks, strict=False) if isinstance(frames, list) and isinstance(tracks, list) else ()
    predictions = [RawPrediction("cat", 0.5, box=BOX, track=track, frame=frame) for frame, track in pairs]  # type: ignore[arg-type]
    video_frames(predictions, width=WIDTH, height=HEIGHT, frame_count=100)
    yield RawImage("v.mp4")


MODEL_TARGETS: dict[str, Target] = {
    "coco results": FileTarget(
        [json.dumps(_records()).encode(), json.dumps({**_dataset(), "annotations": _records()}).encode()],
        lambda path: from_coco(path, _dataset()),
        "results.json",
    ),
    "coco dataset": FileTarget(
        [json.dumps(_dataset()).encode()], lambda path: from_coco(_records(), path), "dataset.json"
    ),
    "coco": ValueTarget(lambda: [_records(), _dataset()], _in_memory),
    "supervision": _target(from_supervision, _detections, sizes=SIZES, wrap=_found),
    "supervision masks": _target(
        from_supervision, lambda: {**_detections(), "mask": _mask(1).repeat(2, axis=0)}, wrap=_found
    ),
    "supervision turned": _target(
        from_supervision,
        lambda: {**_detections(), "data": {"xyxyxyxy": np.ones((2, 4, 2)) * np.arange(8).reshape(4, 2)}},
        wrap=_found,
    ),
    "supervision key points": _target(
        from_supervision_key_points,
        _key_points,
        wrap=_found,
        joints=["a", "b", "c"],
        bones=[(0, 2)],
        classes=["person"],
    ),
    "torchvision": _target(from_torchvision, _output, sizes=SIZES, classes=["nothing", "cat"]),
    "torchvision texts": _target(from_torchvision, lambda: _output(text_labels=["cat"])),
    "torchvision masks": _target(from_torchvision, lambda: _output(masks=_mask(1, 1) * 0.75)),
    "torchvision keypoints": _target(
        from_torchvision, lambda: _output(keypoints=np.array([[[3, 4, 1], [0, 0, 0], [9, 9, 1]]]))
    ),
    "detection pipeline": _target(
        from_detection_pipeline,
        lambda: [
            {
                "label": "cat",
                "score": 0.5,
                "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True)),
            }
        ],
        sizes=SIZES,
    ),
    "segmentation pipeline": _target(from_segmentation_pipeline, lambda: [_segment(), _segment()]),
    "classification pipeline": _target(
        from_classification_pipeline,
        lambda: [{"label": "cat", "score": 0.5}, {"label": "dog", "score": 0.25}],
    ),
    "token classification": _target(
        from_token_classification,
        lambda: [{"entity_group": "CAT", "score": 0.5, "word": "cat", "start": 4, "end": 7}],
        texts=["the cat sat"],
        words=str.split,
    ),
    "document questions": _target(
        from_document_question_answering,
        lambda: [{"score": 0.5, "answer": "cat", "start": 0, "end": 1}],
        label="x",
        word_boxes=[[("the", [100, 50, 300, 90]), ("cat", [310, 50, 480, 90])]],
        sizes=SIZES,
    ),
    "brush": ValueTarget(_brush, from_label_studio),
    "table": ValueTarget(_rows, _table),
    "video": ValueTarget(lambda: [[0, 0, 1, 5], [7, 8, 7, None]], _video),
}
