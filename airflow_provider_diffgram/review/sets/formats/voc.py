"""Pascal VOC: one XML file for each picture, with boxes and outlines."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..folder import Place
from ..stored import Row
from .core import FileNames, Files, LeftOut, edges_of, label_of, sized_image, xy_pairs

FOLDER = "Annotations"

_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_voc(files: Files, place: Place, names: FileNames, left_out: LeftOut) -> None:
    """Write the files of ``Annotations``. Pixels count from 1, and the last one belongs to the box.

    An outline is ``<polygon>`` beside its ``<bndbox>``, as in LabelMe's dialect, its corners counted from 1.
    """
    for file in files:
        size = sized_image(file, left_out)
        if size is None:
            continue
        name = names.of(file)
        root = Element("annotation")
        _add(root, "folder", "images")
        _add(root, "filename", name)
        sides = SubElement(root, "size")
        for tag, number in (("width", size[0]), ("height", size[1]), ("depth", 3)):
            _add(sides, tag, number)
        _add(root, "segmented", 0)
        for row in file.instances:
            try:
                found = _object(row)
            except ValueError as error:
                left_out.add(row["type"], file, str(error))
                continue
            if found is None:
                left_out.add(row["type"], file)
            else:
                root.append(found)
        indent(root)
        place.write(f"{FOLDER}/{PurePosixPath(name).stem}.xml", tostring(root, encoding="utf-8"))


def _object(row: Row) -> Element | None:
    label = label_of(row)
    if label is None or row["type"] not in ("box", "polygon"):
        return None
    if not label or _NO_XML.search(label) or label != label.strip():
        raise ValueError(f"label {label!r} cannot be written in XML")
    found = Element("object")
    _add(found, "name", label)
    for tag, text in (("pose", "Unspecified"), ("truncated", 0), ("difficult", 0)):
        _add(found, tag, text)
    if isinstance(row.get("score"), int | float):
        _add(found, "score", row["score"])
    if row["type"] == "box":
        edges = edges_of(row)
    else:
        corners = xy_pairs(row)
        if len(corners) < 3:
            raise ValueError(f"has {len(corners)} corners")
        xs, ys = zip(*corners, strict=True)
        edges = (min(xs), min(ys), max(xs), max(ys))
        outline = SubElement(found, "polygon")
        for number, (x, y) in enumerate(corners, start=1):
            _add(outline, f"x{number}", x + 1)
            _add(outline, f"y{number}", y + 1)
    box = SubElement(found, "bndbox")
    x_min, y_min, x_max, y_max = edges
    for tag, edge in (("xmin", x_min + 1), ("ymin", y_min + 1), ("xmax", x_max), ("ymax", y_max)):
        _add(box, tag, edge)
    return found


def _add(parent: Element, tag: str, value: object) -> None:
    SubElement(parent, tag).text = str(value)
