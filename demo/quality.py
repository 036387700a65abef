"""What the models get wrong, by marks that people made on the demo's media. For the report only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .media import PHOTOS, SCANS, Photo, Scan, photo_name
from .stored import Stored

HIT = 0.3
"""Least intersection over union of a box and the marked face that it is said to have found."""


@dataclass(frozen=True)
class Faces:
    """Stored boxes of one photograph against the marked faces.

    :param visible: faces that a person marked.
    :param found: how many of them a stored box covers.
    :param false: stored boxes that cover none of them.
    """

    name: str
    visible: int
    found: int
    false: int
    remark: str

    @property
    def missed(self) -> int:
        """Marked faces without a box."""
        return self.visible - self.found


@dataclass(frozen=True)
class Lines:
    """Stored regions of one page against the lines of writing that a person counted."""

    name: str
    counted: int
    regions: int
    remark: str


def judge_faces(stored: Iterable[Stored]) -> list[Faces]:
    """Compare the stored boxes of each photograph with the marks."""
    files = {file.name: file for file in stored}
    return [
        _faces(photo, files[photo_name(photo)].instances) for photo in PHOTOS if photo_name(photo) in files
    ]


def _faces(photo: Photo, instances: Sequence[Mapping[str, Any]]) -> Faces:
    boxes = [tuple(each[edge] for edge in ("x_min", "y_min", "x_max", "y_max")) for each in instances]
    unmatched = list(boxes)
    found = 0
    for face in photo.faces:
        best = max(unmatched, key=lambda box: overlap(box, face), default=None)
        if best is not None and overlap(best, face) >= HIT:
            unmatched.remove(best)
            found += 1
    return Faces(photo_name(photo), len(photo.faces), found, len(unmatched), photo.remark)


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    common = max(across, 0) * max(down, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def judge_lines(pages: Iterable[Stored], scans: Sequence[Scan] = SCANS) -> list[Lines]:
    """Put the number of stored regions of each page beside the number of lines that a person counted."""
    return [
        Lines(page.name, scan.lines, len(page.instances), scan.remark)
        for page, scan in zip(pages, scans, strict=False)
    ]


def describe(faces: Sequence[Faces], lines: Sequence[Lines]) -> list[str]:
    """Return the report in lines of text."""
    visible, found = sum(each.visible for each in faces), sum(each.found for each in faces)
    text = [
        f"faces: {visible} visible, {found} found, {visible - found} missed, "
        f"{sum(each.false for each in faces)} boxes where there is no face "
        f"(found: intersection over union with the mark of at least {HIT})"
    ]
    text += [
        f"  {each.name}: {each.visible} visible, {each.found} found, {each.false} false"
        + (f" ({each.remark})" if each.remark else "")
        for each in faces
        if each.visible or each.false
    ]
    text += [
        f"text on {each.name}: {each.regions} regions for {each.counted} lines ({each.remark})"
        for each in lines
    ]
    return text


def as_json(faces: Sequence[Faces], lines: Sequence[Lines]) -> dict[str, Any]:
    """Return the report as plain values."""
    return {
        "faces": [asdict(each) | {"missed": each.missed} for each in faces],
        "lines": [asdict(each) for each in lines],
    }
