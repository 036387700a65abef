"""Pascal VOC: one XML file for each picture."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from airflow_provider_diffgram.models import InvalidValueError

from ..core.raw import Edges, RawImage, RawPrediction, Ring
from ..core.reading import read_all

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_SCORES = ("score", "confidence")
"""The format has no element for it; tools write one of these."""


def from_voc(source: str | Path, *, one_based: bool = True) -> Iterator[RawImage]:
    """Read Pascal VOC annotations: boxes, or polygons where an object has ``<polygon>``.

    In the format itself pixels count from 1 and the last one belongs to the box, so that the box of a whole
    picture of 640 pixels goes from 1 to 640. Here it goes from 0 to 640. Many tools write edges that are not
    pixels, from 0 to 640 already.

    :param source: a file, or a folder of them.
    :param one_based: whether numbers are pixels that count from 1; else they are taken as they are.
    :raises InvalidValueError: from the iterator, with all that is wrong with a file.
    """
    path = Path(source)
    for file in sorted(path.glob("*.xml")) if path.is_dir() else [path]:
        yield _image(file, 1 if one_based else 0)


def _image(file: Path, first: int) -> RawImage:
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise InvalidValueError(str(file), [f"is no XML: {error}"]) from None
    name = _text(root, "filename")
    if name is None:
        raise InvalidValueError(str(file), ["has no <filename>, the picture that it is about"])
    width, height = (_number(root, f"size/{side}") for side in ("width", "height"))
    predictions = read_all(name, root.findall("object"), partial(_prediction, first=first), "object")
    # Some tools write a size of 0 where they do not know it.
    return RawImage(name, int(width or 0) or None, int(height or 0) or None, predictions)


def _prediction(element: ElementTree.Element, first: int) -> list[RawPrediction]:
    label = _text(element, "name")
    if label is None:
        raise ValueError("has no <name>, its class")
    score = next((each for each in (_number(element, tag) for tag in _SCORES) if each is not None), None)
    polygon = element.find("polygon")
    if polygon is not None:
        return [RawPrediction(label, score, polygons=[_ring(polygon, first)])]
    return [RawPrediction(label, score, box=_box(element, first))]


def _box(element: ElementTree.Element, first: int) -> Edges:
    edges = [_number(element, f"bndbox/{edge}") for edge in _EDGES]
    x_min, y_min, x_max, y_max = edges
    if x_min is None or y_min is None or x_max is None or y_max is None:
        missing = [edge for edge, value in zip(_EDGES, edges, strict=True) if value is None]
        raise ValueError(f"its <bndbox> has no {', '.join(missing)}")
    return x_min - first, y_min - first, x_max, y_max


def _ring(polygon: ElementTree.Element, first: int) -> Ring:
    """Return the corners ``x1, y1, x2, y2 ...``."""
    ring = []
    for place in range(1, len(polygon) // 2 + 1):
        x, y = _number(polygon, f"x{place}"), _number(polygon, f"y{place}")
        if x is None or y is None:
            raise ValueError(f"corner {place} of its <polygon> has no x{place} or no y{place}")
        ring.append((x - first, y - first))
    return ring


def _text(element: ElementTree.Element, path: str) -> str | None:
    text = element.findtext(path)
    return text.strip() or None if text is not None else None


def _number(element: ElementTree.Element, path: str) -> float | None:
    text = _text(element, path)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"<{path}> is {text!r}, not a number") from None
