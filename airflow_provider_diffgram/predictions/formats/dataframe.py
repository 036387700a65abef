"""Tables with one prediction in each row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_diffgram.models import InvalidValueError

from ..core.raw import RawImage, RawPrediction
from ..core.reading import read_all

_EDGES = ("x_min", "y_min", "x_max", "y_max")
_NEEDED = ("image", "label")
_OTHERS = ("score", *_EDGES, "points", "width", "height", "track", "frame")


def from_dataframe(frame: Any) -> Iterator[RawImage]:
    """Read a pandas DataFrame with a row for each prediction, in any order. Missing values are welcome.

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

    A row with neither a box nor points is a tag of the whole picture.

    :return: the pictures in the order in which they first appear.
    :raises InvalidValueError: if columns are missing or unknown; from the iterator, with all that is wrong
        with a picture.
    """
    _check(list(frame.columns))
    return _images(frame)


def _check(columns: list[Any]) -> None:
    problems = [f"column {name!r} is missing" for name in _NEEDED if name not in columns]
    edges = [name for name in _EDGES if name not in columns]
    if 0 < len(edges) < len(_EDGES):
        problems += [f"column {name!r} is missing; a box has four edges" for name in edges]
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
    places: dict[Any, list[int]] = {}
    for place, name in enumerate(columns["image"]):
        places.setdefault(None if _is_missing(name) else str(name), []).append(place)
    if None in places:
        raise InvalidValueError("the table of predictions", [f"{len(places[None])} rows name no image"])
    for name, rows in places.items():
        records = [
            {key: values[place] for key, values in columns.items() if not _is_missing(values[place])}
            for place in rows
        ]
        found = (row for row in records if row.keys() - _OF_THE_IMAGE)
        predictions = read_all(name, found, _prediction)
        yield RawImage(name, _side(name, records, "width"), _side(name, records, "height"), predictions)


_OF_THE_IMAGE = {"image", "width", "height", "frame"}
"""What a row without a prediction may have."""


def _is_missing(value: Any) -> bool:
    """Tell None, NaN, NaT and ``pandas.NA``: but for None, none of them says that it equals itself."""
    return value is None or (not hasattr(value, "__len__") and (value == value) is not True)


def _prediction(row: dict[str, Any]) -> list[RawPrediction]:
    if "label" not in row:
        raise ValueError(f"has no label, but {', '.join(sorted(row.keys() - _OF_THE_IMAGE))}")
    shape: dict[str, Any] = {}
    if row.keys() & set(_EDGES):
        shape["box"] = tuple(row[edge] for edge in _EDGES)
    if "points" in row:
        shape["polygons"] = [_ring(row["points"])]
    numbers: dict[str, Any] = {key: int(row[key]) for key in ("track", "frame") if key in row}
    return [RawPrediction(str(row["label"]), row.get("score"), **(shape or {"tag": True}), **numbers)]


def _ring(points: Any) -> list[Any]:
    corners = json.loads(points) if isinstance(points, str) else points
    return [tuple(map(float, corner)) for corner in corners]


def _side(name: Any, records: list[dict[str, Any]], side: str) -> int | None:
    lengths = {int(row[side]) for row in records if side in row}
    if len(lengths) > 1:
        raise InvalidValueError(f"predictions of {name}", [f"{side} is {sorted(lengths)}; a picture has one"])
    return lengths.pop() if lengths else None
