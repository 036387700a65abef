"""Reads the text files that YOLO models save, and their lists of classes.

A line does not say what its numbers are: six can be a box with confidence and track, or a triangle. So the
task says which geometry is read, and all lines of the folder together show what follows it. If they leave
that open, the user must say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.media import EXTENSIONS
from airflow_provider_diffgram.models.problems import count_of, first_of
from airflow_provider_diffgram.models.repeats import yaml_keys_twice

from ..core.files import Source, files_in, read_lines, read_text, refusal
from ..core.geometry import around, in_order
from ..core.pictures import measure
from ..core.raw import XY, RawImage, RawKeypoint, RawPrediction
from ..core.reading import (
    Bones,
    Classes,
    SizeXY,
    class_name,
    least_score,
    number,
    posed,
    score_of,
    track_of,
    whole,
)

Task = Literal["detect", "segment", "pose", "obb", "classify"]
"""What the numbers of a line mean, in Ultralytics' words; ``obb`` is a rotated box."""

_TASKS = ("detect", "segment", "pose", "obb", "classify")
_BOX = 4
_TURNED_BOX = 8
_LEAST_OUTLINE = 6
_PROBLEMS = 100
_SHOWN = 10

_LEAST_SHARE, _MOST_SHARE = -4.0, 5.0
"""A model may see a thing reach beyond the picture, but not by four times its size.
Pixels and percentages do."""

_IMAGES = frozenset(suffix for suffix, kind in EXTENSIONS.items() if kind == "image")


def from_yolo_text(
    labels: str | Path,
    images: str | Path,
    *,
    classes: Classes | Source | None = None,
    task: Task = "detect",
    confidence: bool | None = None,
    track: bool | None = None,
    joints: Sequence[str] | int = 17,
    kpt_shape: tuple[int, int] | None = None,
    bones: Bones = (),
    min_joint_score: float = 0.0,
) -> Iterator[RawImage]:
    """Read a folder of YOLO text files: one file for each picture, one line for each prediction.

    A line has the class, the geometry in shares of width and height, and perhaps the confidence
    (``save_conf`` of Ultralytics) and the track. A picture without a file has no predictions. Sizes are read
    from the pictures, with Pillow, as people and models see them: turned as EXIF says.

    :param labels: the folder of the texts, with subfolders; ``classes.txt`` is not one of them.
    :param images: the folder of the pictures. Each is in the same subfolder as its text, and has the same
        name except for the extension.
    :param classes: the name of each class number, or a file that :func:`read_classes` reads. Lines of
        ``classify`` contain the names themselves.
    :param task: what the geometry is: ``x_center y_center width height`` (``detect``), corners (``segment``,
        ``obb``), or a box followed by the numbers of each joint (``pose``). For ``classify`` a line is the
        confidence and the name of a class, and the best one of a file counts.
    :param confidence: whether lines have one; needed only if the lines leave it open.
    :param track: whether lines have one; needed only if the lines leave it open.
    :param joints: for ``pose``: names of the joints, or only their number.
    :param kpt_shape: for ``pose``: the number of joints and how many numbers each has, 2 or 3, as in
        Ultralytics' ``data.yaml``. Needed for fewer than three joints.
    :param bones: for ``pose``: pairs of joints, from 0.
    :param min_joint_score: for ``pose``: joints with a lower score are left out. Those at (0, 0), and those
        whose third number is 0, always are.
    :raises InvalidValueError: if there are no texts, no pictures, texts without a picture, or two pictures
        for one text; from the iterator, if lines leave open what they contain, and with all wrong lines of a
        text.
    """
    if task not in _TASKS:
        raise InvalidValueError("task", [f"is {task!r}; it can be {', '.join(_TASKS)}"])
    names = read_classes(classes) if isinstance(classes, str | PathLike) else classes
    if names is None and task != "classify":
        raise InvalidValueError("classes", ["are missing: lines name classes by number"])
    texts = _by_place(files_in(labels, [".txt"], "texts"), Path(labels))
    pictures = _by_place(files_in(images, _IMAGES, "pictures"), Path(images))
    texts = {place: path for place, path in texts.items() if path.name != "classes.txt" or place in pictures}
    if not texts:
        raise refusal(labels, "holds no text but classes.txt")
    lost = [path for place, path in texts.items() if place not in pictures]
    if lost:
        shown = first_of([path.relative_to(labels) for path in lost], _SHOWN)
        near = _alike(lost[0], pictures)
        hint = f". Is the first one for {near.relative_to(images)}?" if near else ""
        raise refusal(labels, f"{count_of(len(lost), 'text')} without a picture in {images}: {shown}{hint}")
    if task == "classify":
        return _classified(texts, pictures, names)
    geometry = _Geometry(task, joints, kpt_shape, bones, min_joint_score)
    return _images(texts, pictures, names or (), geometry, _Said(confidence, track))


def read_classes(path: Source, encoding: str | None = None) -> Classes:
    """Return the names of classes: the lines of a ``classes.txt``, or ``names`` in a ``data.yaml``.

    The number of a class is the number of its line, so an empty line between others would be a class without
    a name.

    :param path: a ``classes.txt`` or a ``data.yaml``.
    :param encoding: of the file, if it is not UTF-8.
    :return: a list, or a mapping for a ``data.yaml`` that numbers its classes with gaps.
    :raises InvalidValueError: if there is such a line, or lines are not names.
    """
    text = read_text(path, encoding)
    if _is_yaml(text):
        return _names_of_yaml(text, path)
    names = [line.strip() for line in text.rstrip().split("\n")]
    empty = [str(place) for place, name in enumerate(names, start=1) if not name]
    if empty:
        raise refusal(path, f"line {', '.join(empty)} is empty, so a class would have no name")
    notes = [str(place) for place, name in enumerate(names, start=1) if name.startswith("# ")]
    if notes:
        raise refusal(
            path, f"line {', '.join(notes)} is a comment, and would be counted as a class: remove it"
        )
    numbered = [_NUMBERED.match(name) for name in names]
    if all(numbered) and [int(each[1]) for each in numbered if each] in _counts(len(names)):
        raise refusal(path, "lines are numbered: give the names alone, in the order of their numbers")
    if "item {" in names:
        raise refusal(
            path, f"line {names.index('item {') + 1}: belongs to a label map; it is not the name of a class"
        )
    return names


_NUMBERED = re.compile(r"(\d{1,6})[\s:,;]+\S")
_YAML = re.compile(r"^(?:names|nc|train|val|test|path|download)\s*:", re.MULTILINE)


def _counts(length: int) -> list[list[int]]:
    return [list(range(length)), list(range(1, length + 1))]


def _is_yaml(text: str) -> bool:
    return _YAML.search(text) is not None or text.lstrip().startswith(("{", "["))


def _names_of_yaml(text: str, path: Source) -> Classes:
    import yaml

    try:
        twice = yaml_keys_twice(text)
        found = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise refusal(path, f"{line}is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError, AttributeError) as error:
        raise refusal(path, f"is not YAML: {error}") from None
    if twice:
        raise refusal(path, *twice)
    names = found.get("names") if isinstance(found, Mapping) and "names" in found else found
    if isinstance(names, Mapping) and names is found and not all(_is_number(key) for key in names):
        raise refusal(path, f"has no names of classes, but {first_of(list(names), _SHOWN)}")
    if isinstance(names, Sequence) and not isinstance(names, str):
        names = dict(enumerate(names))
    if not isinstance(names, Mapping) or not names:
        raise refusal(path, f"names is {names!r:.60}, neither a list nor a mapping of numbers to names")
    wrong = [key for key, name in names.items() if not _is_number(key) or not _is_name(name)]
    if wrong:
        raise refusal(path, f"class {wrong[0]!r} is {names[wrong[0]]!r:.60}, which is not a name")
    by_number = {int(key): str(name) for key, name in names.items()}
    if len(by_number) != len(names):  # 1 and 01
        numbers = count_of(len(by_number), "number")
        raise refusal(path, f"names gives {count_of(len(names), 'name')} to {numbers}: one is there twice")
    in_turn = sorted(by_number) == list(range(len(by_number)))
    return [by_number[place] for place in sorted(by_number)] if in_turn else by_number


def _is_number(key: Any) -> bool:
    return (isinstance(key, int) and not isinstance(key, bool)) or (isinstance(key, str) and key.isdecimal())


def _is_name(name: Any) -> bool:
    return isinstance(name, str | int) and not isinstance(name, bool) and bool(str(name).strip())


def _by_place(files: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Return files by where they are in a folder and their name without the extension.

    One system writes an accented letter as one character, another as two: both are one name.

    :raises InvalidValueError: if two differ by the extension only.
    """
    found: dict[str, Path] = {}
    twice = []
    for path in files:
        place = normalize("NFC", path.relative_to(folder).with_suffix("").as_posix())
        if place in found:
            twice.append(f"{found[place].name} and {path.name} differ by their extension only: keep one")
        found.setdefault(place, path)
    if twice:
        raise InvalidValueError(str(folder), twice[:_PROBLEMS], max(0, len(twice) - _PROBLEMS))
    return found


def _alike(text: Path, pictures: Mapping[str, Path]) -> Path | None:
    """Return a picture that a text may be for: in another folder, in other capitals, or named in full."""
    wanted = text.stem.casefold()
    return next(
        (path for path in pictures.values() if wanted in (path.stem.casefold(), path.name.casefold())), None
    )


# Lines


@dataclass(frozen=True)
class _Row:
    """One line.

    :param line: its number, from 1.
    :param label: what stands for its class.
    :param numbers: what follows that.
    """

    line: int
    label: str
    numbers: list[float]


def _rows_of(text: Path) -> Iterator[_Row | str]:
    """Yield the rows of a text; for a bad line, what is wrong with it."""
    for line, content in read_lines(text):
        label, *numbers = content.split()
        try:
            yield _Row(line, label, [_number(each) for each in numbers])
        except ValueError as error:
            yield f"line {line}: {error}"


def _number(text: str) -> float:
    return number(text, "one of its numbers")


@dataclass(frozen=True)
class _Said:
    """What the user says of the numbers after the geometry; None is nothing."""

    confidence: bool | None
    track: bool | None


@dataclass(frozen=True)
class _Layout:
    """What follows the geometry, as far as all rows together and the user tell it; None is not told.

    :param single: what one number after the geometry is.
    :param tracked: whether confidence and track follow where two numbers may be that.
    :param said_untracked: whether the user says that they do not.
    """

    single: Literal["confidence", "track"] | None
    tracked: bool | None
    said_untracked: bool


@dataclass
class _Ends:
    """The last numbers of rows: a confidence is seldom whole in all of them, a track never is a fraction.

    0 and 1 tell nothing, as they may be a confidence, a track or the edge of the picture.
    """

    fraction: bool = False
    above_one: bool = False

    def add(self, last: float) -> None:
        self.fraction |= not last.is_integer()
        self.above_one |= last.is_integer() and last not in (0, 1)


def _layout(said: _Said, single: _Ends, double: _Ends, of_outlines: bool) -> _Layout:
    """Return what rows with one and with two numbers after their geometry tell."""
    untracked = said.track is False or said.confidence is False
    return _Layout(_single(said, single), _tracked(said, double, of_outlines, untracked), untracked)


def _single(said: _Said, ends: _Ends) -> Literal["confidence", "track"] | None:
    if said.confidence is not None:
        return "confidence" if said.confidence else None if said.track is False else "track"
    if ends.fraction or said.track is False:
        return "confidence"
    return "track" if said.track and ends.above_one else None


def _tracked(said: _Said, ends: _Ends, of_outlines: bool, untracked: bool) -> bool | None:
    if untracked:
        return False
    if said.confidence and said.track is not False:
        return True
    if not of_outlines:
        return True if said.track or ends.above_one else None
    if ends.fraction != ends.above_one:
        return ends.above_one
    return True if said.track and not ends.fraction else None


class _Geometry:
    """Reads the geometry of a task's rows, and what follows it."""

    def __init__(
        self,
        task: Task,
        joints: Sequence[str] | int,
        kpt_shape: tuple[int, int] | None,
        bones: Bones,
        min_joint_score: float,
    ) -> None:
        self.task = task
        self._names = None if isinstance(joints, int) else joints
        self._bones = bones
        self._least = least_score("min_joint_score", min_joint_score)
        if kpt_shape is None:
            self._joints, self._each = (joints if isinstance(joints, int) else len(joints)), None
        else:
            self._joints, self._each = kpt_shape
            if self._each not in (2, 3):
                raise InvalidValueError("kpt_shape", [f"is {kpt_shape}; a joint has 2 or 3 numbers"])

    def length(self, count: int) -> int | None:
        """Return how many of ``count`` numbers are the geometry, None for an outline of any length.

        :raises ValueError: if that many are bad.
        """
        if self.task == "segment":
            return None
        lengths = {"detect": [_BOX], "obb": [_TURNED_BOX]}.get(self.task) or self._lengths_of_poses()
        fits = [length for length in lengths if 0 <= count - length <= 2]
        if not fits:
            needed = " or ".join(f"{length} to {length + 2}" for length in lengths)
            raise ValueError(f"{count} numbers follow the class; {self.task} has {needed}: is task right?")
        if len(fits) > 1:
            raise ValueError(
                f"{count} numbers follow the class, which may be 2 or 3 for each of {self._joints} joints: "
                f"give kpt_shape, ({self._joints}, 2) or ({self._joints}, 3)"
            )
        return fits[0]

    def _lengths_of_poses(self) -> list[int]:
        return [_BOX + self._joints * each for each in ((2, 3) if self._each is None else (self._each,))]

    def layout(self, rows: Iterable[_Row], said: _Said) -> _Layout:
        """Return what all rows tell of what follows their geometry."""
        single, double = _Ends(), _Ends()
        for row in rows:
            count = len(row.numbers)
            try:
                length = self.length(count)
            except ValueError:
                continue
            follow = count - length if length is not None else 2 - count % 2 if count > _LEAST_OUTLINE else 0
            if follow:
                (single if follow == 1 else double).add(row.numbers[-1])
        return _layout(said, single, double, self.task == "segment")

    def split(self, row: _Row, layout: _Layout) -> tuple[list[float], float | None, float | None]:
        """Return the numbers of the geometry, the confidence and the track of a row.

        :raises ValueError: if they cannot be told apart, or do not fit.
        """
        numbers = row.numbers
        length = self.length(len(numbers))
        if length is None:
            length = len(numbers) - self._after_outline(numbers, layout)
            if length < _LEAST_OUTLINE:
                raise ValueError(
                    f"{len(numbers)} numbers follow the class, which are not an outline. Is it a box?"
                )
        rest = numbers[length:]
        if len(rest) == 2:
            self._check_double(rest, layout)
            return numbers[:length], rest[0], rest[1]
        if len(rest) == 1:
            if layout.single is None:
                raise ValueError(
                    f"its last number, {rest[0]:g}, may be a confidence or a track, and no line "
                    f"shows which: set "
                    "confidence=True or False, and track=True or False"
                )
            confidence = layout.single == "confidence"
            return numbers[:length], rest[0] if confidence else None, None if confidence else rest[0]
        return numbers, None, None

    def _after_outline(self, numbers: Sequence[float], layout: _Layout) -> int:
        """Return how many numbers follow an outline: an even number may end with confidence and track."""
        if len(numbers) % 2 or not numbers:
            return len(numbers) % 2
        last = numbers[-1]
        if not last.is_integer():
            if layout.tracked:
                raise ValueError(f"its last number, {last:g}, is not a track, and other lines have one")
            return 0
        at_an_edge = last in (0, 1)
        if layout.tracked or (not at_an_edge and not layout.said_untracked):
            return 2
        # A box with confidence and track has as many numbers as a triangle.
        is_told = layout.said_untracked or not (at_an_edge and len(numbers) == _LEAST_OUTLINE)
        if layout.tracked is False and is_told:
            return 0
        raise ValueError(
            f"its last number, {last:g}, may be a track or a coordinate, and no line shows which: set "
            "confidence=True or False, and track=True or False"
        )

    def _check_double(self, rest: Sequence[float], layout: _Layout) -> None:
        if not rest[1].is_integer():
            raise ValueError(
                f"two numbers follow the geometry, and the last one, {rest[1]:g}, is not a track, "
                f"which would "
                "be a whole number: is this an outline?"
            )
        if not layout.tracked:
            raise ValueError(
                f"its last number, {rest[1]:g}, may be a track or a coordinate, and no line shows which: set "
                "track=True if it is a track, or task='segment' if this is an outline"
            )

    def shape(self, numbers: Sequence[float], size: SizeXY) -> dict[str, Any]:
        """Return the geometry as keywords of a prediction.

        :raises ValueError: if numbers are no shares of the size.
        """
        if self.task in ("detect", "pose"):
            box = _box(numbers[:_BOX], size)
            if self.task == "detect":
                return {"box": box}
            return posed(self._points(numbers[_BOX:], size), self._names, self._bones, box)
        corners = _scaled([*zip(numbers[::2], numbers[1::2], strict=True)], size)
        return {"polygons": [around(corners) if self.task == "obb" else corners]}

    def _points(self, flat: Sequence[float], size: SizeXY) -> list[XY | RawKeypoint | None]:
        each = len(flat) // self._joints if self._joints else 2
        points = _scaled([*zip(flat[::each], flat[1::each], strict=True)], size)
        if each == 2:
            return [*points]
        thirds = flat[2::each]
        if any(third not in (0, 1, 2) for third in thirds):
            wrong = [third for third in thirds if not 0 <= third <= 1]
            if wrong:
                raise ValueError(f"a joint has the confidence {wrong[0]:g}, not between 0 and 1")
        told = 2 in thirds
        return [
            None
            if third == 0 or (not told and third < self._least)
            else RawKeypoint(*point, visible=third == 2)
            if told
            else point
            for point, third in zip(points, thirds, strict=True)
        ]


def _images(
    texts: Mapping[str, Path],
    pictures: Mapping[str, Path],
    classes: Classes,
    geometry: _Geometry,
    said: _Said,
) -> Iterator[RawImage]:
    rows = (row for text in texts.values() for row in _rows_of(text) if isinstance(row, _Row))
    layout = geometry.layout(rows, said)
    for place, picture in pictures.items():
        width, height, _ = measure(picture)
        text = texts.get(place)
        found = _predictions(text, classes, geometry, layout, (width, height)) if text else []
        yield RawImage(str(picture), width, height, found)


def _predictions(
    text: Path, classes: Classes, geometry: _Geometry, layout: _Layout, size: SizeXY
) -> list[RawPrediction]:
    predictions, problems = [], []
    for row in _rows_of(text):
        if isinstance(row, str):
            problems.append(row)
            continue
        try:
            label = class_name(classes, whole(row.label, "class"))
            numbers, score, track = geometry.split(row, layout)
            shape = geometry.shape(numbers, size)
            predictions.append(RawPrediction(label, _within(score), track=track_of(track), **shape))
        except ValueError as error:
            problems.append(f"line {row.line}: {error}")
    if problems:
        raise InvalidValueError(str(text), problems[:_PROBLEMS], max(0, len(problems) - _PROBLEMS))
    return predictions


def _within(score: float | None) -> float | None:
    if score is not None and not 0 <= score <= 1:
        raise ValueError(f"confidence is {score:g}, not between 0 and 1")
    return score


def _classified(
    texts: Mapping[str, Path], pictures: Mapping[str, Path], classes: Classes | None
) -> Iterator[RawImage]:
    for place, picture in pictures.items():
        width, height, _ = measure(picture)
        text = texts.get(place)
        yield RawImage(str(picture), width, height, [*_best(text, classes)] if text else [])


def _best(text: Path, classes: Classes | None) -> Iterator[RawPrediction]:
    """Yield the best of the classes of a text, if there is one: of equal ones the first."""
    found, problems = [], []
    for line, content in read_lines(text):
        score, _, name = content.strip().partition(" ")
        try:
            if not name.strip():
                raise ValueError("needs a confidence and the name of a class")
            label = class_name(classes, name.strip())
            found.append(RawPrediction(label, _within(score_of(_number(score))), tag=True))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    if problems:
        raise InvalidValueError(str(text), problems[:_PROBLEMS], max(0, len(problems) - _PROBLEMS))
    if found:
        yield max(found, key=lambda each: each.score or 0)


def _box(numbers: Sequence[float], size: SizeXY) -> tuple[float, float, float, float]:
    """Return the edges of a box; drawn from another corner it has negative sides."""
    x, y, across, down = numbers
    (low_x, low_y), (high_x, high_y) = _scaled(
        [(x - across / 2, y - down / 2), (x + across / 2, y + down / 2)], size
    )
    return in_order((low_x, low_y, high_x, high_y))


def _scaled(points: Sequence[XY], size: SizeXY) -> list[XY]:
    wrong = [each for point in points for each in point if not _LEAST_SHARE <= each <= _MOST_SHARE]
    if wrong:
        raise ValueError(
            f"{wrong[0]:g} is not a share of the picture's size: are these pixels, or percentages?"
        )
    return [(x * size[0], y * size[1]) for x, y in points]
