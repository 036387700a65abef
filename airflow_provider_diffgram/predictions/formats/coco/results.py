"""COCO results -> raw predictions, grouped by image, whatever the order of the records.

A first pass keeps the numbers of each record in arrays and its outline, mask or skeleton in a temporary file,
so that a million boxes take some 60 MiB. Needs the extra ``coco``.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np

from airflow_provider_diffgram.models import InvalidValueError

from ...core.account import Converted
from ...core.bulk import Boxes, BulkConverter
from ...core.convert import convert_image
from ...core.mapping import Options, Provenance
from ...core.masks import TOLERANCE
from ...core.raw import RawImage, RawPrediction
from .files import Source, records_of
from .images import CocoImages
from .shapes import outlines_of_segmentation, problem_of_segmentation, skeleton_of

GEOMETRIES = ("segmentation", "keypoints", "bbox")

_NO_SHAPE = -1
_IMAGES_OF_A_BLOCK = 1000
_SHOWN = 100
_LONGEST = 60


def from_coco(
    results: Source | Iterable[Mapping[str, Any]],
    images: Source | Mapping[str, Any],
    *,
    geometries: Sequence[str] = GEOMETRIES,
    tolerance: float = TOLERANCE,
) -> CocoResults:
    """Read COCO results and check every record.

    :param results: a results file (a list of records), a dataset file (its ``annotations``), either of them
        local, in object storage or ending in ``.gz``; or the records themselves.
    :param images: the dataset file that the model was run on, or what it holds; only ``images`` and
        ``categories`` are used.
    :param geometries: which key of a record counts where it has several: the first of these that it has.
    :param tolerance: how far the outline of a mask may be from its pixels, in pixels.
    :return: the images of the dataset in its order, those without predictions too.
    :raises InvalidValueError: with every record that is wrong.
    """
    if not geometries or not set(geometries) <= set(GEOMETRIES):
        raise ValueError(f"geometries are {list(geometries)}; choose from {', '.join(GEOMETRIES)}")
    return CocoResults(CocoImages.read(images), records_of(results), geometries, tolerance)


class CocoResults:
    """The images of a dataset with the predictions for them, good for several iterations."""

    def __init__(
        self, images: CocoImages, records: Iterable[Any], geometries: Sequence[str], tolerance: float
    ) -> None:
        self._images = images
        self._geometries = geometries
        self._tolerance = tolerance
        self._spool = TemporaryFile()  # noqa: SIM115  (kept as long as this object)
        finalize(self, self._spool.close)
        rows = _Rows()
        problems: list[str] = []
        unshown = 0
        for number, record in enumerate(records):
            problem = self._add(rows, record)
            if problem is not None:
                if len(problems) < _SHOWN:
                    problems.append(f"record {number}: {problem}")
                else:
                    unshown += 1
        if problems:
            raise InvalidValueError("COCO results", problems, unshown)
        self._keep(rows)

    def __len__(self) -> int:
        return len(self._images.names)

    def count_predictions(self) -> int:
        """Return how many records there are."""
        return len(self._order)

    def __iter__(self) -> Iterator[RawImage]:
        for place in range(len(self)):
            yield self._image_with_predictions(place)

    def converted(
        self, options: Options, provenance: Provenance
    ) -> Iterator[tuple[RawImage, Converted[Any]]]:
        """Yield each image, without its predictions, and what ``convert_image`` would return.

        :raises InvalidValueError: before the first one if a class has no label.
        """
        bulk = BulkConverter([category.name for category in self._categories], options, provenance)
        for start in range(0, len(self), _IMAGES_OF_A_BLOCK):
            block = range(start, min(start + _IMAGES_OF_A_BLOCK, len(self)))
            for with_shapes, places in groupby(block, key=self._has_shapes.__getitem__):
                if with_shapes:
                    for place in places:
                        image = self._image_with_predictions(place)
                        yield self._image(place), convert_image(image, options, provenance)
                else:
                    boxes = self._boxes(list(places))
                    yield from zip(boxes.images, bulk.convert(boxes), strict=True)

    def _add(self, rows: _Rows, record: Any) -> str | None:
        """Keep a record, or return what is wrong with it."""
        try:
            image = self._images.places[record["image_id"]]
            category = self._images.category_places[record["category_id"]]
        except (KeyError, TypeError):
            return self._unknown(record)
        score = record.get("score")
        if score is None:
            score = math.nan
        elif not isinstance(score, int | float | np.floating | np.integer) or not 0 <= score <= 1:
            return f"score is {_shown(score)}, not between 0 and 1: divide a percentage by 100"
        for key in self._geometries:
            value = record.get(key)
            if value is not None and (key == "bbox" or not _is_empty(value)):
                break
        else:
            return f"has none of {', '.join(self._geometries)}"
        if key != "bbox":
            return self._add_shape(rows, image, category, float(score), key, value)
        try:
            x, y, width, height = value
            total = x + y + width + height
        except (ValueError, TypeError):
            return f"bbox is {_shown(value)}, not the numbers x, y, width, height"
        if not math.isfinite(total):
            return f"bbox is {_shown(value)}, not finite"
        rows.add(image, category, (x, y, x + width, y + height, score), _NO_SHAPE)
        return None

    def _add_shape(
        self, rows: _Rows, image: int, category: int, score: float, key: str, value: Any
    ) -> str | None:
        if key == "segmentation":
            problem = problem_of_segmentation(value, self._images.widths[image], self._images.heights[image])
            if problem is not None:
                return problem
        place = self._spool.tell()
        try:
            line = json.dumps([key, value], default=_plain)
        except TypeError as error:
            return f"{key} is {_shown(value)}: {error}"
        self._spool.write(line.encode() + b"\n")
        rows.add(image, category, (0, 0, 0, 0, score), place)
        return None

    def _unknown(self, record: Any) -> str:
        if not isinstance(record, Mapping) or not {"image_id", "category_id"} <= record.keys():
            return "must be an object with image_id and category_id"
        known = {"image_id": self._images.places, "category_id": self._images.category_places}
        strange = [
            f"{key} {_shown(record[key])}" for key, places in known.items() if not _is_in(record[key], places)
        ]
        return f"the dataset file has no {' and no '.join(strange)}"

    def _keep(self, rows: _Rows) -> None:
        """Order the rows by image; nothing of them is copied but their order."""
        images = np.asarray(rows.images)
        self._numbers = np.asarray(rows.numbers).reshape(-1, 5)
        self._shape_at = np.asarray(rows.shapes)
        self._order = np.argsort(images, kind="stable").astype(np.int32)
        self._ends = np.cumsum(np.bincount(images, minlength=len(self)))
        self._has_shapes = np.bincount(images[self._shape_at != _NO_SHAPE], minlength=len(self)) > 0
        used, self._classes = np.unique(np.asarray(rows.categories), return_inverse=True)
        self._categories = [self._images.categories[place] for place in used.tolist()]

    def _rows_of(self, place: int) -> Any:
        start = self._ends[place - 1] if place else 0
        return self._order[start : self._ends[place]]

    def _image(self, place: int) -> RawImage:
        images = self._images
        return RawImage(images.names[place], images.widths[place] or None, images.heights[place] or None)

    def _boxes(self, places: Sequence[int]) -> Boxes:
        """Return the boxes of images that follow each other."""
        start = self._ends[places[0] - 1] if places[0] else 0
        ends = self._ends[places]
        rows = self._order[start : ends[-1]]
        numbers = self._numbers[rows].T
        return Boxes(
            [self._image(place) for place in places],
            ends - start,
            numbers[:4],
            numbers[4],
            self._classes[rows],
        )

    def _image_with_predictions(self, place: int) -> RawImage:
        image = self._image(place)
        problems = []
        for row in self._rows_of(place).tolist():
            try:
                image.predictions.append(self._prediction(row))
            except (ValueError, TypeError) as error:
                problems.append(f"record {row}: {error}")
        if problems:
            raise InvalidValueError(f"COCO results of {image.name}", problems)
        return image

    def _prediction(self, row: int) -> RawPrediction:
        category = self._categories[self._classes[row]]
        *edges, score = self._numbers[row].tolist()
        prediction = RawPrediction(category.name, None if math.isnan(score) else score)
        if self._shape_at[row] == _NO_SHAPE:
            prediction.box = (edges[0], edges[1], edges[2], edges[3])
            return prediction
        self._spool.seek(self._shape_at[row])
        key, value = json.loads(self._spool.readline())
        if key == "keypoints":
            prediction.keypoints = skeleton_of(value, category)
        else:
            prediction.polygons, prediction.holes = outlines_of_segmentation(value, self._tolerance)
        return prediction


class _Rows:
    """What is kept of each record: image, category, ``x_min, y_min, x_max, y_max, score``, shape."""

    def __init__(self) -> None:
        self.images, self.categories, self.shapes = array("i"), array("i"), array("q")
        self.numbers = array("d")

    def add(self, image: int, category: int, numbers: tuple[float, ...], shape: int) -> None:
        self.images.append(image)
        self.categories.append(category)
        self.numbers.extend(numbers)
        self.shapes.append(shape)


def _plain(value: Any) -> Any:
    """Return what JSON can hold: pycocotools gives run lengths as bytes, models give arrays."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a list of numbers")


def _is_empty(value: Any) -> bool:
    return hasattr(value, "__len__") and len(value) == 0


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _is_in(key: Any, places: Mapping[Any, int]) -> bool:
    try:
        return key in places
    except TypeError:
        return False
