"""Tables with one prediction in each row."""

from __future__ import annotations

import json
from collections.abc import Container, Hashable, Iterator, Sequence
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.media import as_text
from airflow_provider_diffgram.models.problems import count_of, first_of
from airflow_provider_diffgram.models.repeats import twice

from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    edges_of,
    is_missing,
    label_text,
    number,
    read_all,
    score_of,
    shown,
    told_of,
    track_of,
    whole,
)

_REMEDY = "read_csv and read_parquet of pandas give one, to_pandas() of another table too"

_EDGES = ("x_min", "y_min", "x_max", "y_max")
_NEEDED = ("image", "label")
_SHOWN = 5
_OTHERS = ("score", *_EDGES, "points", "width", "height", "track", "frame")


def from_dataframe(frame: Any) -> Iterator[RawImage]:
    """Read a pandas DataFrame with a row for each prediction, in any order. Values may be missing.

    ============================  ======================================================================
    Column                        Holds
    ============================  ======================================================================
    ``image``, ``label``          name of the picture, class; both are needed. A picture without predictions
                                  has a row without a label
    ``score``                     confidence, 0 to 1
    ``x_min y_min x_max y_max``   a box, in pixels
    ``points``                    a polygon: ``[[x, y], ...]`` in pixels, or that as JSON
    ``width``, ``height``         of the picture, in pixels
    ``track``, ``frame``          in a video: number of the track, 0-based frame
    ============================  ======================================================================

    A row with neither a box nor points is a tag of the whole picture. A label is either a tag or a shape: if
    other rows of a label have a shape, a row without one has lost it, and is refused.

    :param frame: a pandas DataFrame with the columns above.
    :return: the pictures in the order in which they first appear.
    :raises InvalidValueError: if columns are missing or unknown; from the iterator, with everything that is
        wrong with a picture.
    """
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise InvalidValueError(
            "the table of predictions", [f"is a {type(frame).__name__}, not a pandas DataFrame: {_REMEDY}"]
        )
    _check(list(frame.columns))
    return _images(frame)


def _check(columns: list[Any]) -> None:
    problems = [f"column {name!r} is missing" for name in _NEEDED if name not in columns]
    edges = [name for name in _EDGES if name not in columns]
    if 0 < len(edges) < len(_EDGES):
        problems += [f"column {name!r} is missing; a box has four edges" for name in edges]
    problems += [f"column {name!r} is there twice" for name in twice(columns)]
    known = (*_NEEDED, *_OTHERS)
    problems += [
        f"column {name!r} is not known: drop it, or rename it to one of {', '.join(known)}"
        for name in columns
        if name not in known
    ]
    if problems:
        raise InvalidValueError("the table of predictions", problems)


def _images(frame: Any) -> Iterator[RawImage]:
    # Through lists, numbers are Python's own, and a group is far cheaper than a part of a DataFrame.
    columns = {name: frame[name].tolist() for name in frame.columns}
    places: dict[str, list[int]] = {}
    nameless = []
    for place, value in enumerate(columns["image"]):
        try:
            places.setdefault(label_text(as_text(value)), []).append(place)
        except ValueError:
            nameless.append(place)
    if nameless:
        rows = first_of(nameless, _SHOWN)
        raise InvalidValueError(
            "the table of predictions",
            [f"{count_of(len(nameless), 'row')} without the name of an image: {rows}, counted from 0"],
        )
    with_shape = _labels_with_shape(columns)
    shapes = [key for key in (*_EDGES, "points") if key in columns]
    if shapes and not with_shape and not all(map(is_missing, columns["label"])):
        cause = f"{', '.join(shapes)} are empty in all rows: drop these columns if the labels are tags"
        raise InvalidValueError("the table of predictions", [cause])
    for name, rows_of_image in places.items():
        records = [
            {key: values[place] for key, values in columns.items() if not is_missing(values[place])}
            for place in rows_of_image
        ]
        found = (row for row in records if row.keys() - _OF_THE_IMAGE)
        predictions = read_all(name, found, lambda row: _prediction(row, with_shape))
        yield RawImage(name, _side(name, records, "width"), _side(name, records, "height"), predictions)


_OF_THE_IMAGE = {"image", "width", "height", "frame"}
"""What a row without a prediction may have."""


def _labels_with_shape(columns: dict[str, list[Any]]) -> set[Any]:
    """Return the labels of which a row has a box or points."""
    shapes = [columns[key] for key in (*_EDGES, "points") if key in columns]
    return {
        label
        for label, *values in zip(columns["label"], *shapes, strict=True)
        if isinstance(label, Hashable) and not all(map(is_missing, values))
    }


def _prediction(row: dict[str, Any], with_shape: Container[Any]) -> list[RawPrediction]:
    if "label" not in row:
        raise ValueError(f"has no label, but {', '.join(sorted(row.keys() - _OF_THE_IMAGE))}")
    shape: dict[str, Any] = {}
    if row.keys() & set(_EDGES):
        shape["box"] = edges_of([row[edge] for edge in _EDGES])
    if "points" in row:
        shape["polygons"] = [_ring(row["points"])]
    if not shape and isinstance(row["label"], Hashable) and row["label"] in with_shape:
        raise ValueError(f"has no box, and other rows of {row['label']!r} have one, so it is not a tag")
    if len(shape) > 1:
        raise ValueError("has a box and points; give one of them")
    frame = whole(row["frame"], "frame") if "frame" in row else None
    track = track_of(row.get("track"))
    score = score_of(row.get("score"))
    return [
        RawPrediction(label_text(row["label"]), score, track=track, frame=frame, **(shape or {"tag": True}))
    ]


def _ring(points: Any) -> list[Any]:
    try:
        corners = json.loads(points) if isinstance(points, str) else points
    except ValueError as error:
        raise ValueError(f"points are {shown(points)}, not JSON: {error}") from None
    if not hasattr(corners, "__len__") or isinstance(corners, dict):
        raise ValueError(f"points are {shown(points)}, not a list of corners")
    return [_corner(corner) for corner in corners]


def _corner(corner: Any) -> tuple[float, float]:
    if not hasattr(corner, "__len__") or isinstance(corner, str) or len(corner) != 2:
        raise ValueError(f"points have {shown(corner)}, not x and y")
    x, y = (number(value, "a coordinate of points") for value in corner)
    return x, y


def _side(name: str, records: Sequence[dict[str, Any]], side: str) -> int | None:
    with told_of(name):
        lengths = {whole(row[side], side) for row in records if side in row}
    if len(lengths) > 1:
        raise InvalidValueError(f"predictions of {name}", [f"{side} is {sorted(lengths)}; a picture has one"])
    return lengths.pop() if lengths else None
