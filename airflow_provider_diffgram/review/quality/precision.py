"""Average precision of predictions against what people left, as COCO defines it, by hotcoco.

Of boxes by their IoU, of polygons by that of their masks. For each label hotcoco matches batches of files as
they come, so that neither predictions nor corrections are all in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...drawing.likeness import Fields
from .compare import Outcome

Kind = Literal["box", "polygon"]
KINDS: tuple[Kind, ...] = ("box", "polygon")

_IOU_TYPE = {"box": "bbox", "polygon": "segm"}
_BATCH = 20_000
"""Instances that are kept before they are matched."""

_CATEGORY = 1
_ALL_AREAS = [0.0, 1e10]
_MOST_DETECTIONS = 100
"""Of one label in one file, the highest scores: as COCO has it."""


@dataclass(frozen=True)
class Precisions:
    """Average precision of one label, or the mean of several.

    :param ap: mean over IoU 0.5 to 0.95; None if people left no instance of it.
    :param ap50: at IoU 0.5.
    """

    ap: float | None
    ap50: float | None


@dataclass
class _Batch:
    images: dict[int, tuple[float, float]] = field(default_factory=dict)
    truths: list[dict[str, Any]] = field(default_factory=list)
    detections: list[dict[str, Any]] = field(default_factory=list)
    rows: list[tuple[float, ...]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.truths) + len(self.detections) + len(self.rows)


class AveragePrecision:
    """Takes what became of the predictions of file after file.

    :ivar without_score: predictions left out because they have no score.
    :ivar without_area: instances left out because they have no area, such as polygons of two points.
    :raises ImportError: if hotcoco is not installed.
    """

    def __init__(self) -> None:
        import hotcoco
        import numpy as np

        self._hotcoco, self._numpy = hotcoco, np
        self._evaluators: dict[tuple[Kind, str], Any] = {}
        self._batches: dict[tuple[Kind, str], _Batch] = {}
        self._waiting = 0
        self._images = 0
        self.without_score = 0
        self.without_area = 0

    def add(self, judged: Iterable[Outcome], left: Iterable[tuple[int | None, Fields, str]]) -> None:
        """Note one file.

        :param judged: predictions that people judged.
        :param left: frame, fields and label of all that people left.
        """
        images: dict[int | None, int] = {}
        for frame, fields, label in left:
            if self._takes(fields):
                self._truth(self._image(images, frame), fields, label)
        for each in judged:
            if each.predicted is not None and self._takes(each.predicted):
                if each.score is None:
                    self.without_score += 1
                else:
                    image = self._image(images, each.frame)
                    self._detection(image, each.predicted, str(each.label), each.score)
        if self._waiting >= _BATCH:
            self._match()

    def _takes(self, fields: Fields) -> bool:
        """Whether an instance is of a type that is evaluated, and covers something."""
        kind = fields.get("type")
        if kind not in _IOU_TYPE:
            return False
        sides = [fields.get(side) for side in ("x_min", "y_min", "x_max", "y_max")]
        if kind == "polygon":
            covers = len(fields.get("points") or ()) > 2
        else:
            covers = None not in sides and sides[0] < sides[2] and sides[1] < sides[3]  # type: ignore[operator]
        self.without_area += not covers
        return covers

    def _image(self, images: dict[int | None, int], frame: int | None) -> int:
        if frame not in images:
            self._images += 1
            images[frame] = self._images
        return images[frame]

    def _batch(self, kind: Kind, label: str) -> _Batch:
        return self._batches.setdefault((kind, label), _Batch())

    def _truth(self, image: int, fields: Fields, label: str) -> None:
        if fields["type"] == "box":
            batch = self._batch("box", label)
            x, y = fields["x_min"], fields["y_min"]
            width, height = fields["x_max"] - x, fields["y_max"] - y
            shape: dict[str, Any] = {"bbox": [x, y, width, height], "area": width * height}
            size = (0.0, 0.0)
        else:
            batch = self._batch("polygon", label)
            shape, size = _outline(fields)
        self._note(batch, image, size)
        number = len(batch.truths) + 1
        batch.truths.append(
            {"id": number, "image_id": image, "category_id": _CATEGORY, "iscrowd": 0, **shape}
        )

    def _detection(self, image: int, fields: Fields, label: str, score: float) -> None:
        if fields["type"] == "box":
            batch = self._batch("box", label)
            x, y = fields["x_min"], fields["y_min"]
            batch.rows.append(
                (image, x, y, fields["x_max"] - x, fields["y_max"] - y, float(score), _CATEGORY)
            )
            self._note(batch, image, (0.0, 0.0))
            return
        batch = self._batch("polygon", label)
        shape, size = _outline(fields)
        self._note(batch, image, size)
        found = {"image_id": image, "category_id": _CATEGORY, "score": float(score)}
        batch.detections.append({**found, "segmentation": shape["segmentation"]})

    def _note(self, batch: _Batch, image: int, size: tuple[float, float]) -> None:
        self._waiting += 1
        before = batch.images.get(image, size)
        batch.images[image] = max(before[0], size[0]), max(before[1], size[1])

    def _match(self) -> None:
        for key, batch in self._batches.items():
            evaluator = self._evaluators.get(key)
            if evaluator is None:
                evaluator = self._evaluators[key] = self._evaluator(key[0])
            images = [
                {"id": image, "width": math.ceil(size[0]) + 1, "height": math.ceil(size[1]) + 1}
                for image, size in batch.images.items()
            ]
            if key[0] == "box":
                rows = self._numpy.array(batch.rows, dtype=float).reshape(-1, 7)
                evaluator.update(images, batch.truths, rows)
            else:
                evaluator.update(images, batch.truths, batch.detections)
        self._batches = {}
        self._waiting = 0

    def _evaluator(self, kind: Kind) -> Any:
        parameters = self._hotcoco.Params()
        parameters.iou_type = _IOU_TYPE[kind]
        parameters.area_rng, parameters.area_rng_lbl = [_ALL_AREAS], ["all"]
        parameters.max_dets = [_MOST_DETECTIONS]
        categories = [{"id": _CATEGORY, "name": "label"}]
        return self._hotcoco.StreamingEval(categories, iou_type=_IOU_TYPE[kind], params=parameters)

    def end(self) -> dict[Kind, dict[str, Precisions]]:
        """Return kind -> label -> precision. Nothing can be added afterwards."""
        self._match()
        found: dict[Kind, dict[str, Precisions]] = {}
        while self._evaluators:
            (kind, label), evaluator = self._evaluators.popitem()
            found.setdefault(kind, {})[label] = self._precision(evaluator)
        return found

    def _precision(self, evaluator: Any) -> Precisions:
        done = evaluator.finalize()
        done.accumulate()
        precision = done.eval["precision"][:, :, 0, 0, -1]  # IoU, recall, label, area, most detections
        if not (precision > -1).any():
            return Precisions(None, None)
        at50 = precision[0]
        return Precisions(float(precision[precision > -1].mean()), float(at50[at50 > -1].mean()))


def mean_precision(of_labels: Mapping[str, Precisions]) -> Precisions:
    """Return the mean over labels, each of the same weight; those that people left none of do not count."""
    return Precisions(
        _mean([each.ap for each in of_labels.values()]), _mean([each.ap50 for each in of_labels.values()])
    )


def _mean(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told else None


def _outline(fields: Fields) -> tuple[dict[str, Any], tuple[float, float]]:
    """Return a polygon as COCO has it, and how far it reaches."""
    points = [(float(each["x"]), float(each["y"])) for each in fields["points"]]
    xs, ys = zip(*points, strict=True)
    flat = [value for point in points for value in point]
    left, top, width, height = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    area = (
        abs(
            sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True))
        )
        / 2
    )
    return {"segmentation": [flat], "bbox": [left, top, width, height], "area": area}, (max(xs), max(ys))
