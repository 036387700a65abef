"""COCO: one JSON file with images, categories and annotations; boxes, outlines and joints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..folder import Place
from ..stored import Row, StoredFile
from .core import FileNames, Files, LeftOut, Skeletons, edges_of, joints_of, label_of, sized_image, xy_pairs

NAME = "annotations.json"


def write_coco(files: Files, place: Place, names: FileNames, left_out: LeftOut) -> None:
    """Write a dataset file.

    ``id`` of an image is that of its file, ``id`` of an annotation that of its row. Beside the keys of the
    format an annotation has ``score``, ``creation_ref_id``, ``attributes`` and ``version`` where it has them.
    """
    classes = _classes(files)
    ids = {name: number for number, name in enumerate(classes, start=1)}
    with place.open(NAME) as out:
        out.write(b'{"info": {"description": "pulled from Diffgram"}, "licenses": [],\n"categories": ')
        _write_list(out, (_category(ids[name], name, classes[name]) for name in ids))
        out.write(b',\n"images": ')
        _write_list(out, _images(files, names, left_out))
        out.write(b',\n"annotations": ')
        _write_list(out, _annotations(files, ids, classes, left_out))
        out.write(b"}\n")


def _write_list(out: Any, values: Iterable[Mapping[str, Any]]) -> None:
    before = b"[\n"
    for value in values:
        out.write(before + json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        before = b",\n"
    out.write(b"[]" if before == b"[\n" else b"\n]")


def _classes(files: Files) -> dict[str, Skeletons]:
    """Return all classes in the order of their names, with their joints."""
    found: dict[str, Skeletons] = {}
    for file in files:
        for row in file.instances if file.type == "image" else ():
            label = label_of(row)
            if label is not None and row["type"] in _GEOMETRIES:
                skeleton = found.setdefault(label, Skeletons())
                if row["type"] == "keypoints":
                    skeleton.add(row)
    return dict(sorted(found.items()))


def _category(number: int, name: str, skeleton: Skeletons) -> dict[str, Any]:
    category: dict[str, Any] = {"id": number, "name": name, "supercategory": ""}
    if skeleton.joints:
        category["keypoints"] = skeleton.joints
        category["skeleton"] = [[start + 1, end + 1] for start, end in skeleton.bones]
    return category


def _images(files: Files, names: FileNames, left_out: LeftOut) -> Iterator[dict[str, Any]]:
    for file in files:
        size = sized_image(file, left_out)
        if size is None:
            continue
        image = {"id": file.id, "file_name": names.of(file), "width": size[0], "height": size[1]}
        if file.medium:
            image["diffgram_medium"] = dict(file.medium)
        yield image


def _annotations(
    files: Files, ids: Mapping[str, int], classes: Mapping[str, Skeletons], left_out: LeftOut
) -> Iterator[dict[str, Any]]:
    for file in files:
        if file.type != "image" or not (file.width and file.height):
            continue
        for row in file.instances:
            found = _annotation(file, row, ids, classes, left_out)
            if found is not None:
                yield found


def _annotation(
    file: StoredFile,
    row: Row,
    ids: Mapping[str, int],
    classes: Mapping[str, Skeletons],
    left_out: LeftOut,
) -> dict[str, Any] | None:
    label, write = label_of(row), _GEOMETRIES.get(row["type"])
    if label is None or write is None:
        left_out.add(row["type"], file)
        return None
    try:
        geometry = write(row, classes[label].joints)
    except ValueError as error:
        left_out.add(row["type"], file, str(error))
        return None
    told: dict[str, Any] = {"id": row["id"], "image_id": file.id, "category_id": ids[label], "iscrowd": 0}
    told |= geometry
    for key in ("score", "creation_ref_id", "version"):
        if row.get(key) is not None and not (key == "score" and isinstance(row[key], str)):
            told[key] = row[key]
    if row.get("attribute_groups"):
        told["attributes"] = row["attribute_groups"]
    return told


def _box(row: Row, _joints: list[str]) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = edges_of(row)
    width, height = x_max - x_min, y_max - y_min
    return {"bbox": [x_min, y_min, width, height], "area": width * height, "segmentation": []}


def _outline(row: Row, _joints: list[str]) -> dict[str, Any]:
    corners = xy_pairs(row)
    if len(corners) < 3:
        raise ValueError(f"has {len(corners)} corners")
    xs, ys = zip(*corners, strict=True)
    low_x, low_y = min(xs), min(ys)
    following = [*corners[1:], corners[0]]
    doubled = sum(x * b - a * y for (x, y), (a, b) in zip(corners, following, strict=True))
    return {
        "bbox": [low_x, low_y, max(xs) - low_x, max(ys) - low_y],
        "area": abs(doubled) / 2,
        "segmentation": [[each for corner in corners for each in corner]],
    }


def _skeleton(row: Row, joints: list[str]) -> dict[str, Any]:
    found = joints_of(row)
    xs, ys = [x for x, _, _ in found.values()], [y for _, y, _ in found.values()]
    low_x, low_y = min(xs), min(ys)
    width, height = max(xs) - low_x, max(ys) - low_y
    return {
        "bbox": [low_x, low_y, width, height],
        "area": width * height,
        "keypoints": [number for name in joints for number in found.get(name, (0, 0, 0))],
        "num_keypoints": len(found),
    }


_GEOMETRIES = {"box": _box, "polygon": _outline, "keypoints": _skeleton}
