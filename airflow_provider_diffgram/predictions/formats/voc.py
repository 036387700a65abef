"""Pascal VOC: one XML file for each picture."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.problems import count_of, first_of

from ..core.files import files_in, read_xml, refusal
from ..core.geometry import in_order
from ..core.raw import Edges, RawImage, RawPrediction, Ring
from ..core.reading import OTHER_SCORES, number, read_all, told_of, whole

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_SCORES = ("score", *OTHER_SCORES)
"""The format has no element for it; tools write one of these."""

_SHOWN = 5


def from_voc(source: str | Path, *, one_based: bool = True) -> Iterator[RawImage]:
    """Read Pascal VOC annotations: boxes, or polygons if an object has ``<polygon>``.

    In the format itself pixels count from 1 and the last one belongs to the box, so the box of a whole
    picture of 640 pixels goes from 1 to 640. It is read as 0 to 640. Many tools already write 0 to 640. Edges
    of a box that was drawn from another corner are put in order. Each ``<part>`` of an object is a separate
    prediction.

    :param source: a file, or a folder of files, with subfolders.
    :param one_based: whether numbers are pixels that count from 1; otherwise they are taken as they are.
    :raises InvalidValueError: if there are no files; from the iterator, with everything that is wrong with a
        file, and if two files are about the same picture.
    """
    path = Path(source)
    return _images(files_in(path, [".xml"], "annotations") if path.is_dir() else [path], one_based)


def _images(files: list[Path], one_based: bool) -> Iterator[RawImage]:
    told: dict[str, Path] = {}
    for file in files:
        image = _image(file, 1 if one_based else 0)
        if image.name in told:
            raise refusal(file, f"is about {image.name}, as {told[image.name]} is: keep one of them")
        told[image.name] = file
        yield image


def _image(file: Path, first: int) -> RawImage:
    root = read_xml(file)
    if root.tag != "annotation":
        raise refusal(file, f"is <{root.tag}>, not <annotation>: another format?")
    try:
        name = _text(root, "filename")
    except ValueError as error:
        raise refusal(file, str(error)) from None
    if name is None:
        raise refusal(file, "has no <filename>, the picture that it is about")
    objects = root.findall("object")
    elsewhere = sum(_is_object(each) for each in root.iter()) - len(objects)
    if elsewhere:
        raise refusal(
            file, f"has {count_of(elsewhere, 'object')} not directly in <annotation>, or of another name"
        )
    try:
        with told_of(name):
            width, height = _side(root, "width"), _side(root, "height")
        predictions = read_all(name, objects, partial(_predictions, first=first), "object")
    except InvalidValueError as error:
        raise InvalidValueError(str(file), error.problems, error.unshown) from None
    return RawImage(name, width, height, predictions)


def _is_object(element: Element) -> bool:
    """Return whether an element is an object, even in another namespace or in capitals."""
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2].lower() in ("object", "objects")


def _side(root: Element, side: str) -> int | None:
    """Return a side of the picture; some tools write 0 where they do not know it."""
    text = _text(root, f"size/{side}")
    pixels = 0 if text is None else whole(text, f"<size/{side}>")
    if pixels < 0:
        raise ValueError(f"<size/{side}> is {pixels}")
    return pixels or None


def _predictions(element: Element, first: int) -> list[RawPrediction]:
    found = [_prediction(element, first)]
    for part in element.findall("part"):
        found += _predictions(part, first)
    return found


def _prediction(element: Element, first: int) -> RawPrediction:
    label = _text(element, "name")
    if label is None:
        raise ValueError("has no <name>, its class")
    score = _score(element)
    polygon = _only(element, "polygon")
    if polygon is not None and (len(polygon) or element.find("bndbox") is None):
        return RawPrediction(label, score, polygons=[_ring(polygon, first)])
    return RawPrediction(label, score, box=_box(element, first))


def _score(element: Element) -> float | None:
    found = {tag: _number(element, tag) for tag in _SCORES}
    scores = {tag: score for tag, score in found.items() if score is not None}
    if len(set(scores.values())) > 1:
        told = ", ".join(f"<{tag}> {score:g}" for tag, score in scores.items())
        raise ValueError(f"has several scores, {told}: keep one")
    return next(iter(scores.values()), None)


def _box(element: Element, first: int) -> Edges:
    boxes = element.findall("bndbox")
    if len(boxes) != 1:
        others = first_of([f"<{each.tag}>" for each in element], _SHOWN)
        raise ValueError(f"has {len(boxes)} <bndbox>, needs one; it has {others or 'nothing'}")
    edges = [_number(boxes[0], edge) for edge in _EDGES]
    x_min, y_min, x_max, y_max = edges
    if x_min is None or y_min is None or x_max is None or y_max is None:
        missing = [edge for edge, value in zip(_EDGES, edges, strict=True) if value is None]
        raise ValueError(f"its <bndbox> has no {', '.join(missing)}")
    x_low, y_low, x_high, y_high = ordered = in_order((x_min, y_min, x_max, y_max))
    _check_unit(ordered, first, "<bndbox>")
    return x_low - first, y_low - first, x_high, y_high


def _check_unit(edges: Edges, first: int, what: str) -> None:
    """Refuse edges that are not pixels, or pixels that count from 0 if they should count from 1.

    :param what: has these edges, for the error.
    """
    if all(0 <= edge <= 1 for edge in edges) and any(edge != int(edge) for edge in edges):
        raise ValueError(f"its {what} is {list(edges)}, shares of the size and not pixels")
    before = next((edge for edge in edges[:2] if 0 <= edge < 1), None)
    if first == 1 and before is not None:
        raise ValueError(f"its {what} begins at {before:g}, so pixels count from 0 here: say one_based=False")


def _ring(polygon: Element, first: int) -> Ring:
    """Return the corners ``x1, y1, x2, y2 ...``."""
    count = len(polygon) // 2
    ring = []
    for place in range(1, max(count, 1) + 1):
        x, y = _number(polygon, f"x{place}"), _number(polygon, f"y{place}")
        if x is None or y is None:
            raise ValueError(f"corner {place} of its <polygon> has no x{place} or no y{place}")
        ring.append((x, y))
    if len(polygon) != 2 * count:
        raise ValueError(f"its <polygon> has {len(polygon)} elements, which are not pairs of x and y")
    xs, ys = zip(*ring, strict=True)
    _check_unit((min(xs), min(ys), max(xs), max(ys)), first, "<polygon>")
    return [(x - first, y - first) for x, y in ring]


def _only(element: Element, path: str) -> Element | None:
    """Return the element at a path; None if there is none.

    :raises ValueError: if there are several, which may differ.
    """
    found = element.findall(path)
    if len(found) > 1:
        raise ValueError(f"has {len(found)} <{path}>: keep one")
    return found[0] if found else None


def _text(element: Element, path: str) -> str | None:
    found = _only(element, path)
    return None if found is None else (found.text or "").strip() or None


def _number(element: Element, path: str) -> float | None:
    text = _text(element, path)
    return None if text is None else number(text, f"<{path}>")
