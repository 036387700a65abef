"""What all writers share: what they are given, what they leave out, and the names of their files."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from ..folder import Place
from ..stored import StoredFile

_EXAMPLES = 5
_LONGEST, _LONGEST_SUFFIX = 200, 20
"""Bytes of a name and of its extension: a disk takes 255 of both, and what is put between them."""

_FORBIDDEN = '/\\:*?"<>|'


class Files(Protocol):
    """The files of a set, parents before their children, good for several iterations."""

    def __iter__(self) -> Iterator[StoredFile]:
        """Begin anew."""


class Format(Protocol):
    """Writes a set. What it cannot hold, it counts in ``left_out``."""

    def __call__(self, files: Files, place: Place, names: FileNames, left_out: LeftOut) -> None:
        """Write all files."""


@dataclass
class LeftOut:
    """What a format cannot hold.

    :ivar counts: what it is, such as ``ellipse`` or ``video`` -> how many.
    :ivar clipped: type of annotations -> how many were cut at the edge of their picture.
    :ivar examples: the first ones of either, with their file.
    """

    counts: Counter[str] = field(default_factory=Counter)
    clipped: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, what: str, file: StoredFile, why: str = "") -> None:
        """Count one.

        :param what: a type of annotations or files, or what is the matter with them.
        """
        self.counts[what] += 1
        self._show(f"{what} of {file.name} ({file.id}){': ' if why else ''}{why}")

    def clip(self, what: str, file: StoredFile) -> None:
        """Count one that was cut."""
        self.clipped[what] += 1
        self._show(f"{what} of {file.name} ({file.id}): reaches beyond the picture, and was cut")

    def _show(self, example: str) -> None:
        if len(self.examples) < _EXAMPLES:
            self.examples.append(example)


class FileNames:
    """The names of files in a set: safe on any disk, and each of them once.

    :param doubled: what several files would be called, as :func:`plain_name` gives it in lower case.
    """

    def __init__(self, doubled: Collection[str] = ()) -> None:
        self._doubled = doubled

    def of(self, file: StoredFile) -> str:
        """Return the name of a file; one that others have too gets the id of the file in it."""
        name = plain_name(file.name)
        if not self._is_doubled(key_of(file.name)):
            return name
        path = PurePosixPath(name)
        return f"{path.stem}.{file.id}{path.suffix}"

    def _is_doubled(self, key: str) -> bool:
        """Whether a name is one of several, or looks like one that got an id since it was."""
        while key not in self._doubled:
            key, dot, number = key.rpartition(".")
            if not dot or not number.isdecimal():
                return False
        return True


def plain_name(name: str) -> str:
    """Return a name that is a file's name and nothing else, without folders."""
    kept = "".join("_" if each in _FORBIDDEN or not each.isprintable() else each for each in name)
    kept = kept.encode("utf-8", "replace").decode()
    path = PurePosixPath(kept.lstrip(".") or "_")
    return f"{_cut(path.stem, _LONGEST)}{_cut(path.suffix, _LONGEST_SUFFIX)}"


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text, of so many bytes."""
    return text.encode()[:most].decode(errors="ignore")


def key_of(name: str) -> str:
    """Return what two files must not share: two pictures that differ by their extension share a text.

    Some disks know no capitals, and write an accent in one way only.
    """
    return unicodedata.normalize("NFC", PurePosixPath(plain_name(name)).stem.casefold())


def check_split(split: Mapping[str, float]) -> list[str]:
    """Return what is wrong with shares of a split."""
    problems = [f"split {name!r} is not the name of a folder" for name in split if plain_name(name) != name]
    problems += [
        f"split {name!r} is {share}, not a share above 0" for name, share in split.items() if share <= 0
    ]
    if not problems and abs(sum(split.values()) - 1) > 1e-6:
        problems.append(f"the shares of split are {sum(split.values()):g} together, not 1")
    return problems


def split_of(file: StoredFile, split: Mapping[str, float]) -> str:
    """Return which part of a split a file is in: by a hash of its name, so that it stays there.

    Children are where their compound file is: pages of one document look alike.
    """
    digest = hashlib.sha256((file.group or file.name).encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    reached = 0.0
    for name, share in split.items():
        reached += share
        if place < reached:
            return name
    return list(split)[-1]


def sized_image(file: StoredFile, left_out: LeftOut) -> tuple[int, int] | None:
    """Return width and height of a picture; of anything else, count what it holds, and return None."""
    if file.type == "image" and file.width and file.height:
        return file.width, file.height
    if file.type == "image":
        left_out.add("image of unknown size", file)
        return None
    if not file.type.startswith("compound"):
        left_out.add(f"{file.type or 'file'} (not an image)", file)
    for row in file.rows() if file.type.startswith("compound") else ():
        left_out.add(str(row["type"]), file)
    return None


def label_of(row: Mapping[str, object]) -> str | None:
    """Return the class of a row: the name of its label, or its id where the project has none."""
    label = row.get("label")
    if label is not None:
        return str(label)
    known = row.get("label_file_id")
    return None if known is None else f"label {known}"


def xy_pairs(row: Mapping[str, object]) -> list[tuple[float, float]]:
    """Return points as pairs.

    :raises ValueError: if one has no place.
    """
    points = row.get("points")
    if not isinstance(points, list) or not points:
        raise ValueError("has no list of points")
    found = []
    for point in points:
        x, y = point.get("x"), point.get("y")
        if not _is_number(x) or not _is_number(y):
            raise ValueError(f"has the point {x}, {y}")
        found.append((x, y))
    return found


def edges_of(row: Mapping[str, object]) -> tuple[float, float, float, float]:
    """Return ``x_min, y_min, x_max, y_max`` of a box.

    :raises ValueError: if it has none.
    """
    edges = [row.get(key) for key in ("x_min", "y_min", "x_max", "y_max")]
    x_min, y_min, x_max, y_max = (each if isinstance(each, int | float) else None for each in edges)
    if x_min is None or y_min is None or x_max is None or y_max is None:
        raise ValueError("has no bounds")
    if x_max <= x_min or y_max <= y_min:
        raise ValueError("has no size")
    return x_min, y_min, x_max, y_max


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def joints_of(row: Mapping[str, object]) -> dict[str, tuple[float, float, int]]:
    """Return the joints of a skeleton: name -> x, y, and 2 if visible, 1 if hidden or not told.

    :raises ValueError: if a joint is at the corner, where formats have those that were not found, or two
        have one name.
    """
    nodes = row.get("nodes")
    if not isinstance(nodes, list) or not nodes:
        raise ValueError("has no joints")
    told = any(node.get("occluded") is False for node in nodes)
    found: dict[str, tuple[float, float, int]] = {}
    for node in nodes:
        name = joint_name(node)
        x, y = node.get("x"), node.get("y")
        if not _is_number(x) or not _is_number(y) or x == y == 0:
            raise ValueError(f"joint {name} is at {x}, {y}")
        if name in found:
            raise ValueError(f"two joints are called {name}")
        found[name] = (x, y, 2 if told and node.get("occluded") is False else 1)
    return found


def joint_name(node: Mapping[str, object]) -> str:
    """Return what a joint is called: its name, or its id."""
    return str(node.get("name") or node.get("id"))


class Skeletons:
    """The joints and bones of one class, as they are met in skeletons of it, each once.

    :ivar joints: names; those with an ``ordinal`` by it, then the others as they came.
    """

    def __init__(self) -> None:
        self._order: dict[str, tuple[int, int]] = {}
        self._bones: dict[tuple[str, str], None] = {}

    def add(self, row: Mapping[str, object]) -> None:
        """Take note of a skeleton."""
        nodes = row.get("nodes")
        edges = row.get("edges")
        names = {}
        for node in nodes if isinstance(nodes, list) else []:
            name = joint_name(node)
            names[node.get("id")] = name
            ordinal = node.get("ordinal")
            if name not in self._order:
                self._order[name] = (ordinal if isinstance(ordinal, int) else 2**31, len(self._order))
        for edge in edges if isinstance(edges, list) else []:
            ends = names.get(edge.get("from")), names.get(edge.get("to"))
            if ends[0] is not None and ends[1] is not None:
                self._bones[ends[0], ends[1]] = None

    @property
    def joints(self) -> list[str]:
        """Names in order."""
        return sorted(self._order, key=lambda name: self._order[name])

    @property
    def bones(self) -> list[tuple[int, int]]:
        """Pairs of places in :attr:`joints`, from 0."""
        places = {name: place for place, name in enumerate(self.joints)}
        return [(places[start], places[end]) for start, end in self._bones]
