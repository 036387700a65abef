"""Predictions of YOLO models: Ultralytics' results, and the text files that it and others save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from airflow_provider_diffgram.models import InvalidValueError
from airflow_provider_diffgram.models.media import media_type_of

from ..core.raw import RawImage, RawPrediction
from ..core.reading import (
    Bones,
    Classes,
    SizeXY,
    class_name,
    read_all,
    skeleton,
    sure,
)

Task = Literal["detect", "segment", "pose", "obb"]
"""What the numbers of a line mean, in Ultralytics' words; ``obb`` is a turned box."""

_Read = tuple[dict[str, Any], Sequence[float]]
"""The geometry, as keywords of a prediction, and the numbers after it."""

_BOX_NUMBERS = 4
_CORNERS_OF_A_BOX = 4


def from_yolo_text(
    labels: str | Path,
    images: str | Path,
    *,
    classes: Classes,
    task: Task = "detect",
    joints: Sequence[str] | int = 17,
    bones: Bones = (),
    min_joint_score: float = 0.0,
) -> Iterator[RawImage]:
    """Read a folder of YOLO text files: one file for each picture, one line for each prediction.

    A line has the class, the geometry in shares of width and height, and perhaps the confidence
    (``save_conf`` of Ultralytics) and, but for segments, after that the track. A picture without a file has
    no predictions. Sizes are read from the pictures, with Pillow.

    :param labels: the folder of the texts.
    :param images: the folder of the pictures, each named as its text but for the extension.
    :param classes: the name of each class number.
    :param task: what the geometry is: ``x_center y_center width height`` (``detect``), corners (``segment``,
        ``obb``), or a box and then ``x y confidence`` or, if there are not so many numbers, ``x y`` of each
        joint (``pose``).
    :param joints: names, or only the number, of the joints; for ``pose``.
    :param bones: pairs of joints, from 0; for ``pose``.
    :param min_joint_score: joints with less are left out, as those at (0, 0) always are; for ``pose``.
    :raises ValueError: if there are texts without a picture.
    :raises InvalidValueError: from the iterator, with all that is wrong with a text.
    """
    texts = {path.stem: path for path in sorted(Path(labels).glob("*.txt")) if path.name != "classes.txt"}
    pictures = {
        path.stem: path for path in sorted(Path(images).iterdir()) if media_type_of(path.name) == "image"
    }
    lost = [path.name for stem, path in texts.items() if stem not in pictures]
    if lost:
        raise ValueError(f"{len(lost)} texts have no picture in {images}: {', '.join(lost[:10])}")
    reader = _readers(joints, bones, min_joint_score)[task]
    return _images_of_texts(texts, pictures, classes, task, reader)


def read_classes(path: str | Path) -> list[str]:
    """Return the names of classes: one on each line, as in ``classes.txt``.

    The number of a class is the place of its line, so an empty line between others is a class without a name.

    :raises ValueError: if there is such a line.
    """
    names = [line.strip() for line in Path(path).read_text(encoding="utf-8").rstrip().splitlines()]
    empty = [str(number) for number, name in enumerate(names, start=1) if not name]
    if empty:
        raise ValueError(f"{path}: line {', '.join(empty)} is empty, and would be a class without a name")
    return names


def _images_of_texts(
    texts: Mapping[str, Path],
    pictures: Mapping[str, Path],
    classes: Classes,
    task: Task,
    reader: Callable[[Sequence[float], SizeXY], _Read],
) -> Iterator[RawImage]:
    for stem, picture in pictures.items():
        size = _size_of(picture)
        text = texts.get(stem)
        lines = text.read_text(encoding="utf-8").splitlines() if text else []

        def read(line: str, size: SizeXY = size) -> list[RawPrediction]:
            number, *numbers = map(float, line.split())
            shape, rest = reader(numbers, size)
            tracks = 1 if task != "segment" else 0
            if len(rest) > 1 + tracks:
                raise ValueError(f"{len(numbers)} numbers follow the class; {task} has {len(rest)} fewer")
            score = rest[0] if rest else None
            track = int(rest[1]) if len(rest) > 1 else None
            return [RawPrediction(class_name(classes, number), score, track=track, **shape)]

        predictions = read_all(text.name if text else stem, filter(str.strip, lines), read, "line")
        yield RawImage(str(picture), *size, predictions)


def _readers(
    joints: Sequence[str] | int, bones: Bones, min_joint_score: float
) -> dict[Task, Callable[[Sequence[float], SizeXY], _Read]]:
    count, names = (joints, None) if isinstance(joints, int) else (len(joints), joints)

    def pose(numbers: Sequence[float], size: SizeXY) -> _Read:
        # Confidence and track may follow, so 2 or 3 numbers a joint are told apart by how many there are.
        each = 3 if len(numbers) >= _BOX_NUMBERS + 3 * count else 2
        end = _needed(numbers, _BOX_NUMBERS + each * count, "pose")
        flat = numbers[_BOX_NUMBERS:end]
        scores = flat[2::each] if each == 3 else None
        points = sure(_scaled(zip(flat[::each], flat[1::each], strict=True), size), scores, min_joint_score)
        return {"keypoints": skeleton(points, names, bones)}, numbers[end:]

    return {"detect": _box, "segment": _segment, "obb": _turned_box, "pose": pose}


def _box(numbers: Sequence[float], size: SizeXY) -> _Read:
    end = _needed(numbers, _BOX_NUMBERS, "detect")
    x, y, across, down = numbers[:end]
    corners = _scaled([(x - across / 2, y - down / 2), (x + across / 2, y + down / 2)], size)
    return {"box": (*corners[0], *corners[1])}, numbers[end:]


def _turned_box(numbers: Sequence[float], size: SizeXY) -> _Read:
    end = _needed(numbers, 2 * _CORNERS_OF_A_BOX, "obb")
    return {"polygons": [_scaled(_pairs(numbers[:end]), size)]}, numbers[end:]


def _segment(numbers: Sequence[float], size: SizeXY) -> _Read:
    """Read corners; an odd number of numbers ends with the confidence."""
    end = _needed(numbers, 2 * 3, "segment")
    end = len(numbers) - len(numbers) % 2
    return {"polygons": [_scaled(_pairs(numbers[:end]), size)]}, numbers[end:]


def _needed(numbers: Sequence[float], count: int, task: Task) -> int:
    if len(numbers) < count:
        raise ValueError(
            f"{len(numbers)} numbers follow the class; {task} has at least {count}: is task right?"
        )
    return count


def _pairs(numbers: Sequence[float]) -> list[tuple[float, float]]:
    return [*zip(numbers[::2], numbers[1::2], strict=True)]


def _scaled(points: Iterable[tuple[float, float]], size: SizeXY) -> list[tuple[float, float]]:
    return [(x * size[0], y * size[1]) for x, y in points]


def _size_of(picture: Path) -> SizeXY:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(picture) as image:
            return image.size
    except UnidentifiedImageError:
        raise InvalidValueError(str(picture), ["is no picture that Pillow can read"]) from None
