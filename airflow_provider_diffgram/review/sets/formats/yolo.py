"""YOLO as Ultralytics needs it for training: a text for each picture, and ``data.yaml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from ....drawing.clipping import clip_polygon
from ..folder import Place
from ..stored import Row
from .core import (
    FileNames,
    Files,
    LeftOut,
    Skeletons,
    edges_of,
    joints_of,
    label_of,
    sized_image,
    split_of,
    xy_pairs,
)

Task = Literal["detect", "segment", "obb", "pose"]

TASKS: tuple[str, ...] = get_args(Task)

SPLIT = {"train": 0.8, "val": 0.2}
"""Which share of the pictures is in which part."""

_KINDS = {"detect": "box", "segment": "polygon", "obb": "polygon", "pose": "keypoints"}
_NEEDED_PARTS = ("train", "val")
"""Parts that Ultralytics demands; one that is missing is the first of the others."""

_CORNERS_OF_A_TURNED_BOX = 4
_LEAST_CORNERS = 3

_HAIR = 1 + 1e-9
"""Boxes are so much wider, or one of a pixel would be less than that when it is read."""

Size = tuple[int, int]


@dataclass
class _Classes:
    """Numbers of classes, and the joints of all of them: a model for poses has one list of joints."""

    numbers: dict[str, int] = field(default_factory=dict)
    skeleton: Skeletons = field(default_factory=Skeletons)


@dataclass(frozen=True)
class Yolo:
    """Writes ``labels/PART/*.txt`` and ``data.yaml``; pictures belong into ``images/PART``.

    :param task: what a model is to learn, and which annotations count: boxes (``detect``), polygons
        (``segment``), polygons of four corners (``obb``), keypoints (``pose``).
    :param split: part -> share of the pictures; a picture stays in its part.
    """

    task: Task = "detect"
    split: Mapping[str, float] = field(default_factory=lambda: dict(SPLIT))

    def __call__(self, files: Files, place: Place, names: FileNames, left_out: LeftOut) -> None:
        """Write them. Texts have no scores: models are trained on them.

        What reaches beyond its picture is cut at the edge, and counted: Ultralytics would leave out the
        whole picture.
        """
        classes = self._classes(files)
        for file in files:
            size = sized_image(file, left_out)
            if size is None:
                continue
            lines = []
            for row in file.instances:
                try:
                    line, is_clipped = self._line(row, classes, size)
                except ValueError as error:
                    left_out.add(row["type"], file, str(error))
                    continue
                lines.append(line)
                if is_clipped:
                    left_out.clip(row["type"], file)
            stem = PurePosixPath(names.of(file)).stem
            text = "".join(f"{line}\n" for line in lines)
            place.write(f"labels/{split_of(file, self.split)}/{stem}.txt", text.encode())
        place.write("data.yaml", self._yaml(classes).encode())

    def picture(self, name: str, part: str) -> str:
        """Return where a picture belongs in the set."""
        return f"images/{part}/{name}"

    def _classes(self, files: Files) -> _Classes:
        names: dict[str, None] = {}
        skeleton = Skeletons()
        for file in files:
            for row in file.instances if file.type == "image" else ():
                label = label_of(row)
                if row["type"] == _KINDS[self.task] and label is not None:
                    names[label] = None
                    if self.task == "pose":
                        skeleton.add(row)
        return _Classes({name: number for number, name in enumerate(sorted(names))}, skeleton)

    def _line(self, row: Row, classes: _Classes, size: Size) -> tuple[str, bool]:
        label = label_of(row)
        if row["type"] != _KINDS[self.task] or label is None:
            raise ValueError(f"cannot be part of a set for {self.task}")
        numbers, is_clipped = _NUMBERS[self.task](row, size, classes.skeleton.joints)
        return " ".join([str(classes.numbers[label]), *map(_shown, numbers)]), is_clipped

    def _yaml(self, classes: _Classes) -> str:
        """Return ``data.yaml``. Its paths are relative to its own folder, which is the default."""
        import yaml

        parts = dict.fromkeys(_NEEDED_PARTS, next(iter(self.split))) | {part: part for part in self.split}
        told: dict[str, Any] = {key: f"images/{part}" for key, part in parts.items()}
        told |= {
            "nc": len(classes.numbers),
            "names": {number: name for name, number in classes.numbers.items()},
        }
        if self.task == "pose":
            joints = classes.skeleton.joints
            told |= {"kpt_shape": [len(joints), 3], "joints": joints}
            told["bones"] = [list(bone) for bone in classes.skeleton.bones]
            mirrored = _mirrored(joints)
            told |= {"flip_idx": mirrored} if mirrored else {}
        text: str = yaml.safe_dump(told, allow_unicode=True, sort_keys=False)
        return text


def _mirrored(joints: Sequence[str]) -> list[int] | None:
    """Return the joint that each one becomes in a mirror; None unless the names tell left from right.

    Without it Ultralytics mirrors no pictures. With a wrong one it would teach that left is right.
    """
    places = {name: place for place, name in enumerate(joints)}
    found = [places.get(_other_side(name)) for name in joints]
    if None in found or found == list(range(len(joints))):
        return None
    return [place for place in found if place is not None]


def _other_side(name: str) -> str:
    for one, other in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return name


def _shown(number: float | int) -> str:
    """Return a share with all its digits, and without an exponent, which not every reader takes."""
    if isinstance(number, int):
        return str(number)
    return f"{number:.15f}".rstrip("0").rstrip(".")


def _box(row: Row, size: Size, _joints: Sequence[str]) -> tuple[list[float | int], bool]:
    x_min, y_min, x_max, y_max = edges = edges_of(row)
    inside = (max(x_min, 0), max(y_min, 0), min(x_max, size[0]), min(y_max, size[1]))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise ValueError("is beyond the picture")
    return _centred(inside, size), inside != edges


def _centred(edges: tuple[float, float, float, float], size: Size) -> list[float | int]:
    x_min, y_min, x_max, y_max = edges
    width, height = size
    return [
        (x_min + x_max) / 2 / width,
        (y_min + y_max) / 2 / height,
        min(1.0, (x_max - x_min) / width * _HAIR),
        min(1.0, (y_max - y_min) / height * _HAIR),
    ]


def _outline(row: Row, size: Size, _joints: Sequence[str]) -> tuple[list[float | int], bool]:
    """Return the part of an outline that is on the picture."""
    corners = xy_pairs(row)
    if len(corners) < _LEAST_CORNERS:
        raise ValueError(f"has {len(corners)} corners")
    if all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in corners):
        return _shares(corners, size), False
    inside = clip_polygon(corners, *size)
    if not inside or any(len({corner[axis] for corner in inside}) == 1 for axis in (0, 1)):
        raise ValueError("is beyond the picture")
    return _shares(inside, size), True


def _turned(row: Row, size: Size, _joints: Sequence[str]) -> tuple[list[float | int], bool]:
    """Return a turned box, of four corners always: those beyond the picture are moved to its edge."""
    corners = xy_pairs(row)
    if len(corners) != _CORNERS_OF_A_TURNED_BOX:
        raise ValueError(f"has {len(corners)} corners, a turned box has 4")
    if not clip_polygon(corners, *size):
        raise ValueError("is beyond the picture")
    inside = [(min(max(x, 0), size[0]), min(max(y, 0), size[1])) for x, y in corners]
    return _shares(inside, size), inside != corners


def _shares(corners: Sequence[tuple[float, float]], size: Size) -> list[float | int]:
    return [share for x, y in corners for share in (x / size[0], y / size[1])]


def _pose(row: Row, size: Size, joints: Sequence[str]) -> tuple[list[float | int], bool]:
    """Return the joints in the picture; those beyond it are as if they had not been found."""
    every = joints_of(row)
    found = {name: each for name, each in every.items() if _is_inside(each, size)}
    if not found:
        raise ValueError("is beyond the picture")
    xs, ys = [x for x, _, _ in found.values()], [y for _, y, _ in found.values()]
    numbers = _centred((min(xs), min(ys), max(xs), max(ys)), size)
    for name in joints:
        x, y, seen = found.get(name, (0, 0, 0))
        numbers += [x / size[0], y / size[1], seen]
    return numbers, len(found) < len(every)


def _is_inside(joint: tuple[float, float, int], size: Size) -> bool:
    return 0 <= joint[0] <= size[0] and 0 <= joint[1] <= size[1]


_NUMBERS: dict[str, Callable[[Row, Size, Sequence[str]], tuple[list[float | int], bool]]] = {
    "detect": _box,
    "segment": _outline,
    "obb": _turned,
    "pose": _pose,
}
