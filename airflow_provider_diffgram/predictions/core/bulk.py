"""Boxes of many images at once, in columns: several times as fast as :func:`.convert.convert_image`.

numpy clips, rounds and compares the numbers of all images of a block. Each instance is then a copy of a
checked one, with edges and a score that are known to be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from airflow_provider_diffgram.models import Box, InvalidValueError
from airflow_provider_diffgram.models.problems import describe

from .account import Account, Converted, Wrong
from .convert import best_places, common_fields, side_of, told_box
from .mapping import Options, Provenance
from .raw import RawImage, RawPrediction
from .shapes import Shape, instance_of

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]

_NO_SCORE = -1.0
"""Stands for a missing score, and is below all others."""


@dataclass
class Boxes:
    """Boxes in columns, those of an image beside each other.

    :param images: without their predictions.
    :param ends: after the last row of each image.
    :param edges: rows ``x_min, y_min, x_max, y_max`` in pixels, finite, a column for each box.
    :param scores: 0 to 1; NaN for none.
    :param classes: places in the list of classes.
    """

    images: list[RawImage]
    ends: Places
    edges: Numbers
    scores: Numbers
    classes: Places


class BulkConverter:
    """Converts boxes with classes of a fixed list.

    :raises InvalidValueError: if a class has no label, or one that cannot be.
    """

    def __init__(self, classes: Sequence[str], options: Options, provenance: Provenance) -> None:
        labels = options.labels_of(classes)
        self._classes = classes
        self._most = options.max_per_image
        self._templates = _templates(sorted({label for label in labels if label is not None}), provenance)
        places = {label: place for place, label in enumerate(sorted(self._templates))}
        self._boxes = [self._templates[label] for label in places]
        self._label = np.array([-1 if label is None else places[label] for label in labels], dtype=np.int64)
        self._least = np.array([options.least_score(name) for name in classes], dtype=np.float64)

    def convert(self, boxes: Boxes) -> Iterator[Converted[Box]]:
        """Yield what becomes of the boxes of each image."""
        rows_of_images = np.diff(boxes.ends, prepend=0)
        inside, outside = _inside(boxes, rows_of_images)
        corners, small = _rounded(inside)
        backwards = np.any(boxes.edges[2:] < boxes.edges[:2], axis=0)
        outside &= ~backwards
        small &= ~backwards & ~outside
        wrong = backwards | outside | small
        labels = self._label[boxes.classes]
        mapped = labels >= 0
        low = mapped & (boxes.scores < self._least[boxes.classes])
        wanted = mapped & ~low
        kept = wanted & ~wrong
        keys = list(zip(labels[kept].tolist(), *corners[:, kept].tolist(), strict=True))
        ranks = np.where(np.isnan(boxes.scores), _NO_SCORE, boxes.scores)[kept].tolist()
        clipped = wanted & (inside != boxes.edges).any(axis=0)
        reasons: dict[Wrong, Mask] = {"backwards": backwards, "outside": outside, "too_small": small}
        counted = _per_image(rows_of_images, clipped, low, ~mapped, kept)
        examples = self._examples(boxes, {reason: wanted & mask for reason, mask in reasons.items()})
        start = 0
        for place, (rows, counts) in enumerate(zip(rows_of_images.tolist(), counted, strict=True)):
            cut, below, unmapped, count = counts
            image = boxes.images[place]
            account = Account(
                images=1,
                predictions=rows,
                clipped=cut,
                below_score=below,
                unmapped=unmapped,
                unknown_size=int(image.width is None or image.height is None),
            )
            for reason, example in examples.get(place, ()):
                account.count_wrong(reason, example)
            yield self._best(keys[start : start + count], ranks[start : start + count], account)
            start += count

    def _examples(self, boxes: Boxes, wrong: dict[Wrong, Mask]) -> dict[int, list[tuple[Wrong, str]]]:
        """Return, by place of the image, each prediction that is wrong and why."""
        found: dict[int, list[tuple[Wrong, str]]] = {}
        for reason, mask in wrong.items():
            rows = np.flatnonzero(mask)
            places = np.searchsorted(boxes.ends, rows, side="right")
            for row, place in zip(rows.tolist(), places.tolist(), strict=True):
                number = row - (int(boxes.ends[place - 1]) if place else 0)
                name = self._classes[boxes.classes[row]]
                x_min, y_min, x_max, y_max = boxes.edges[:, row].tolist()
                where = f"{boxes.images[place].name}: prediction {number} ({name!r})"
                found.setdefault(place, []).append(
                    (reason, f"{where}{told_box((x_min, y_min, x_max, y_max))}")
                )
        return found

    def _best(self, keys: list[tuple[int, ...]], ranks: list[float], account: Account) -> Converted[Box]:
        best: dict[tuple[int, ...], float] = {}
        for key, rank in zip(keys, ranks, strict=True):
            other = best.get(key)
            if other is None or rank > other:
                best[key] = rank
        account.duplicates = len(keys) - len(best)
        chosen = list(best.items())
        if self._most is not None and len(chosen) > self._most:
            account.over_max = len(chosen) - self._most
            chosen = [chosen[place] for place in best_places(list(best.values()), self._most)]
        account.instances = len(chosen)
        boxes = self._boxes
        return Converted(
            tuple(
                boxes[label].model_copy(
                    update={
                        "x_min": x_min,
                        "y_min": y_min,
                        "x_max": x_max,
                        "y_max": y_max,
                        "score": None if rank == _NO_SCORE else rank,
                    }
                )
                for (label, x_min, y_min, x_max, y_max), rank in chosen
            ),
            account,
        )


def _inside(boxes: Boxes, rows_of_images: Places) -> tuple[Numbers, Mask]:
    """Return the edges of the part of each box that is inside its image, and which boxes have none."""
    x_min, y_min, x_max, y_max = boxes.edges
    widths, heights = (
        np.repeat(np.array(sides, dtype=np.float64), rows_of_images) for sides in _sides(boxes.images)
    )
    low = np.maximum(x_min, 0), np.maximum(y_min, 0)
    outside = (x_min >= widths) | (y_min >= heights) | (x_max <= 0) | (y_max <= 0)
    return np.stack((*low, np.minimum(x_max, widths), np.minimum(y_max, heights))), outside


def _rounded(inside: Numbers) -> tuple[Places, Mask]:
    """Return edges at the nearest whole pixels, and which boxes have less than a pixel."""
    thin = (inside[2:] - inside[:2] < 1).any(axis=0)
    # What is thin may lie anywhere, beyond whole numbers as well.
    corners = np.floor(np.where(thin, 0, inside) + 0.5).astype(np.int64)
    return corners, thin | (corners[2:] == corners[:2]).any(axis=0)


def _per_image(rows_of_images: Places, *rows: Mask) -> Iterator[tuple[int, ...]]:
    """Yield, for each image, how many of its rows are set in each mask."""
    image_of_row = np.repeat(np.arange(len(rows_of_images)), rows_of_images)
    counted = (np.bincount(image_of_row[mask], minlength=len(rows_of_images)).tolist() for mask in rows)
    return zip(*counted, strict=True)


def _templates(labels: Sequence[str], provenance: Provenance) -> dict[str, Box]:
    """Return a checked box of each label."""
    found, problems = {}, []
    shape = Shape(Box, (0, 0, 1, 1))
    for label in labels:
        try:
            found[label] = instance_of(shape, common_fields(label, None, RawPrediction(label), provenance))
        except ValidationError as error:
            problems += describe(error, f"label {label!r}")
    if problems:
        raise InvalidValueError("predictions", problems)
    return found  # type: ignore[return-value]


def _sides(images: Sequence[RawImage]) -> Iterator[list[float]]:
    problems: list[str] = []
    yield [side_of(image.width, "width", problems) for image in images]
    yield [side_of(image.height, "height", problems) for image in images]
    if problems:
        raise InvalidValueError("images", problems)
