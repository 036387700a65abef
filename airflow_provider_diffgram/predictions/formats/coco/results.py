"""COCO results -> raw predictions, grouped by image, whatever the order of the records.

A first pass keeps the numbers of each record in arrays and its outline, mask or skeleton in a temporary file,
so that a million boxes take some 120 MiB, their images included. Needs the extra ``coco``.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from os import PathLike
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.received import without_signatures

from ...core.account import Converted
from ...core.bulk import Boxes, BulkConverter
from ...core.convert import convert_image
from ...core.files import Source
from ...core.mapping import Options, Provenance
from ...core.masks import TOLERANCE
from ...core.raw import RawImage, RawPrediction
from ...core.reading import OTHER_SCORES, UNEXPECTED, confidence, number, shown
from .files import records_of
from .images import CocoImages
from .shapes import edges_of, keypoints_of, outlines_of_segmentation, segmentation_of, skeleton_of

GEOMETRIES = ("segmentation", "keypoints", "bbox")

_NO_SHAPE = -1
_IMAGES_OF_A_BLOCK = 1000
_SHOWN = 100
_ROWS_OF_A_BLOCK = 2**16
_FAR_BEYOND = 0.1
"""A box that reaches beyond its image by more than this share of its side."""

_MARGIN = 1
"""How far boxes of a model lie beyond the image, in pixels."""


def from_coco(
    results: Source | Iterable[Mapping[str, Any]],
    images: Source | Mapping[str, Any],
    *,
    geometries: Sequence[str] = GEOMETRIES,
    tolerance: float = TOLERANCE,
) -> CocoResults:
    """Read COCO results and check every record.

    A box may be drawn from any of its corners. A joint with v 0 was not found, wherever it is. If a mask or
    an outline shows nothing, or no joint was found, the ``bbox`` is used.

    :param results: a results file (a list of records) or a dataset file (its ``annotations``), local or in
        object storage, compressed with gzip or not; or the records themselves.
    :param images: the dataset file that the model ran on, or its content; only ``images`` and ``categories``
        are used.
    :param geometries: which key of a record counts if it has several: the first of these that it has.
    :param tolerance: how far the outline of a mask may be from its pixels, in pixels.
    :return: the images of the dataset in its order, even those without predictions.
    :raises InvalidValueError: with every wrong record.
    """
    if not geometries or not set(geometries) <= set(GEOMETRIES):
        raise ValueError(f"geometries are {list(geometries)}; choose from {', '.join(GEOMETRIES)}")
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance} pixels; 0 keeps all corners, 1 is usual")
    name = without_signatures(str(results)) if isinstance(results, str | PathLike) else "COCO results"
    return CocoResults(CocoImages.read(images), name, records_of(results), geometries, tolerance)


class CocoResults:
    """The images of a dataset with the predictions for them. Can be iterated several times.

    :param images: the images and categories of the dataset.
    :param name: name of the results in messages.
    :param records: the results, one record for each prediction.
    :param geometries: which geometries are read, the best first: ``segmentation``, ``keypoints``, ``bbox``.
    :param tolerance: how far an outline may be from its mask, in pixels; 0 keeps all corners.
    """

    def __init__(
        self,
        images: CocoImages,
        name: str,
        records: Iterable[Any],
        geometries: Sequence[str],
        tolerance: float,
    ) -> None:
        self._images = images
        self._name = name
        self._geometries = geometries
        self._tolerance = tolerance
        self._ids_of_names: dict[str, Any] | None = None
        self._spool = TemporaryFile()  # noqa: SIM115  (kept as long as this object)
        finalize(self, self._spool.close)
        rows = _Rows()
        problems: list[str] = []
        unshown = 0
        for place, record in enumerate(records):
            try:
                self._add(rows, record)
            except UNEXPECTED as error:
                if len(problems) < _SHOWN:
                    problems.append(f"record {place}: {error}")
                else:
                    unshown += 1
        if not problems:
            problems += rows.problems()
        if problems:
            raise InvalidValueError(name, problems, unshown)
        self._keep(rows)
        self._refuse_corners()

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

    def _add(self, rows: _Rows, record: Any) -> None:
        """Keep a record.

        :raises ValueError: with what is wrong with it; also another error of :data:`UNEXPECTED`.
        """
        try:
            image_id, category_id = record["image_id"], record["category_id"]
            image, category = self._images.places[image_id], self._images.category_places[category_id]
        except (KeyError, TypeError, IndexError):
            raise ValueError(self._unknown(record)) from None
        if image_id is True or category_id is True:
            raise ValueError("image_id and category_id are numbers or texts, not true")
        score = _score(record)
        by_box, geometry = False, None
        for key in self._geometries:
            value = record.get(key)
            if value is None or (key != "bbox" and _is_empty(value)):
                continue
            if key == "bbox":
                edges = edges_of(value)
                if by_box:
                    rows.add(image, category, (0, 0, 0, 0, score), self._kept(["bbox", edges]))
                else:
                    rows.add(image, category, (*edges, score), _NO_SHAPE)
                return
            found, shows = self._geometry(rows, record, key, value, image, category)
            geometry = [key, found]
            if shows:
                break
            by_box = True
        if geometry is None:
            raise ValueError(f"has none of {', '.join(self._geometries)}")
        rows.add(image, category, (0, 0, 0, 0, score), self._kept(geometry))

    def _geometry(
        self, rows: _Rows, record: Mapping[str, Any], key: str, value: Any, image: int, category: int
    ) -> tuple[Any, bool]:
        """Return the outlines, the mask or the joints of a record, and whether they show anything."""
        if key == "segmentation":
            found, shows = segmentation_of(value, self._images.widths[image], self._images.heights[image])
            if isinstance(found, dict):  # of an image of unknown size the first mask tells it
                self._images.heights[image], self._images.widths[image] = found["size"]
            return found, shows
        numbers, seen = keypoints_of(value, self._images.categories[category])
        told = record.get("num_keypoints")
        rows.count_joints(seen, any(numbers) and not (isinstance(told, int | float) and told == 0))
        return numbers, seen

    def _kept(self, geometry: Any) -> int:
        """Write a geometry to the temporary file, and return where."""
        place = self._spool.tell()
        self._spool.write(json.dumps(geometry, default=float).encode() + b"\n")
        return place

    def _unknown(self, record: Any) -> str:
        if not isinstance(record, Mapping) or not {"image_id", "category_id"} <= record.keys():
            return "must be an object with image_id and category_id"
        known = {"image_id": self._images.places, "category_id": self._images.category_places}
        strange = [
            f"{key} {shown(record[key])}{_other_type(record[key], places) or self._hint(key, record[key])}"
            for key, places in known.items()
            if not _is_in(record[key], places)
        ]
        return f"the dataset file has no {' and no '.join(strange)}"

    def _hint(self, key: str, value: Any) -> str:
        """Return a hint where an image is named by its file, as in the predictions.json of Ultralytics."""
        if key != "image_id":
            return ""
        if self._ids_of_names is None:
            ids = {place: image for image, place in self._images.places.items()}
            named = {name: ids[place] for place, name in enumerate(self._images.names)}
            self._ids_of_names = {PurePosixPath(name).stem: image for name, image in named.items()} | named
        found = self._ids_of_names.get(str(value))
        return "" if found is None else f", but a file of that name with the id {found!r}: write the id"

    def _keep(self, rows: _Rows) -> None:
        """Order the rows by image; nothing of them is copied but their order."""
        images = np.asarray(rows.images)
        self._image_of_row = images
        self._widths, self._heights = np.asarray(self._images.widths), np.asarray(self._images.heights)
        self._numbers = np.asarray(rows.numbers).reshape(-1, 5)
        self._shape_at = np.asarray(rows.shapes)
        self._order = np.argsort(images, kind="stable").astype(np.int32)
        self._ends = np.cumsum(np.bincount(images, minlength=len(self)))
        self._has_shapes = np.bincount(images[self._shape_at != _NO_SHAPE], minlength=len(self)) > 0
        used, self._classes = np.unique(np.asarray(rows.categories), return_inverse=True)
        self._categories = [self._images.categories[place] for place in used.tolist()]

    def _refuse_corners(self) -> None:
        """Refuse boxes that can only be the corners ``x_min, y_min, x_max, y_max``.

        As corners all of them are in order and inside their images; as COCO reads them, with a width and a
        height, some reach far beyond.
        """
        first: str | None = None
        for start in range(0, len(self._order), _ROWS_OF_A_BLOCK):
            block = slice(start, start + _ROWS_OF_A_BLOCK)
            images = self._image_of_row[block]
            sides = np.stack([self._widths[images], self._heights[images]])
            chosen = (self._shape_at[block] == _NO_SHAPE) & (sides > 0).all(axis=0)
            sides = sides[:, chosen]
            numbers = self._numbers[block][chosen].T
            low, high = numbers[:2], numbers[2:4]
            corners = high - low
            if not ((corners > low) & (low >= -_MARGIN) & (corners <= sides + _MARGIN)).all():
                return
            beyond = (high > sides * (1 + _FAR_BEYOND)).any(axis=0)
            if first is None and beyond.any():
                place = int(np.argmax(beyond))
                row = start + int(np.flatnonzero(chosen)[place])
                values = [round(float(each), 2) for each in (*low[:, place], *corners[:, place])]
                size = " x ".join(str(int(side)) for side in sides[:, place])
                first = f"record {row}: bbox is {values} on an image of {size}"
        if first is not None:
            cause = "are these x_min, y_min, x_max, y_max? COCO has x, y, width, height"
            raise InvalidValueError(self._name, [f"{first}: {cause}; all other boxes are corners too"])

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
        if key == "bbox":
            prediction.box, prediction.by_box = (value[0], value[1], value[2], value[3]), True
        elif key == "keypoints":
            prediction.keypoints = skeleton_of(value, category)
        else:
            prediction.polygons, prediction.holes = outlines_of_segmentation(value, self._tolerance)
        return prediction


class _Rows:
    """What is kept of each record: image, category, ``x_min, y_min, x_max, y_max, score``, shape."""

    def __init__(self) -> None:
        self.images, self.categories, self.shapes = array("i"), array("i"), array("q")
        self.numbers = array("d")
        self._found = self._placed = 0

    def add(self, image: int, category: int, numbers: tuple[float, ...], shape: int) -> None:
        self.images.append(image)
        self.categories.append(category)
        self.numbers.extend(numbers)
        self.shapes.append(shape)

    def count_joints(self, found: bool, placed: bool) -> None:
        """Count a record with keypoints.

        :param found: whether one of them has v above 0.
        :param placed: whether one of them has coordinates.
        """
        self._found += found
        self._placed += placed

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with all records together."""
        if self._placed and not self._found:
            cause = "v is 0 in all of them, which means that it was not found: write 1 where it was"
            yield f"keypoints of {self._placed} records have coordinates, but {cause}"


def _score(record: Mapping[str, Any]) -> float:
    value = record.get("score")
    if value is None:
        other = next((key for key in ("scores", *OTHER_SCORES) if key in record), None)
        if "score" not in record and other is not None:
            raise ValueError(f"has {other}, which COCO calls score")
        return math.nan
    if type(value) is float and 0 <= value <= 1:
        return value
    if isinstance(value, str | bool | np.bool_):
        raise ValueError(f"score is {shown(value)}, not a number")
    return confidence(number(value, "score"))


def _is_empty(value: Any) -> bool:
    return hasattr(value, "__len__") and len(value) == 0


def _is_in(key: Any, places: Mapping[Any, int]) -> bool:
    try:
        return key in places
    except TypeError:
        return False


def _other_type(key: Any, places: Mapping[Any, int]) -> str:
    """Return a hint where an id is there as text instead of a number, or the reverse."""
    other: Any = str(key)
    if isinstance(key, str):
        try:
            other = int(key)
        except ValueError:
            return ""
    return f", but {other!r}: write both alike" if other in places else ""
